//! Asking the server that has the store.

use super::{Sentence, place::Found};
use crate::app::Running;
use std::{io::Read, time::Duration};
use ureq::Agent;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// The body of what the server answers. It ends with an error if the server breaks off.
pub(super) fn get(found: &Found, path: &str) -> Result<impl Read + use<>, Sentence> {
    let data = found.data.display();
    let running = Running::read(&found.data).map_err(|error| {
        Sentence(format!("'{data}/running', which tells how to ask the server, cannot be read: {error}"))
    })?;
    let Some(Running { address, token }) = running else {
        return Err(Sentence(format!(
            "the store in '{data}' is held by another process, which is no server that can be asked; wait until it is done"
        )));
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_recv_response(Some(ANSWER_WITHIN));
    let agent: Agent = config.build().into();
    let request = agent.get(format!("http://{address}{path}")).header("Authorization", format!("Bearer {token}"));
    let mut response = request.call().map_err(|error| {
        Sentence(format!("the server that holds the store in '{data}' does not answer at {address}: {error}"))
    })?;
    if response.status() != 200 {
        let said = response.body_mut().read_to_string().unwrap_or_default();
        return Err(Sentence(format!("the server at {address} refuses: {} {said}", response.status())));
    }
    Ok(response.into_body().into_reader())
}
