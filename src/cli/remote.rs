//! Asking the server that has the store.

mod unix_socket;

use self::unix_socket::UnixSocket;
use super::{Sentence, place::Found};
use crate::{app::Running, domain::endpoint::Endpoint, store::archive::STEPS_HEADER};
use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use ureq::{Agent, unversioned::resolver::DefaultResolver};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What the server answers.
pub(super) struct Sent<R> {
    /// It ends with an error if the server breaks off.
    pub(super) body: R,
    /// In so many steps; 0 if it does not say.
    pub(super) steps: u64,
}

pub(super) fn get(found: &Found, path: &str) -> Result<Sent<impl Read + use<>>, Sentence> {
    let data = found.data.display();
    let running = Running::read(&found.data).map_err(|error| {
        Sentence(format!(
            "'{data}/running', which tells how to ask the server, cannot be read: {error}"
        ))
    })?;
    let Some(Running { address, token }) = running else {
        return Err(Sentence(format!(
            "the store in '{data}' is held by another process, which is no server that can be asked; wait until it is done"
        )));
    };

    let (agent, host) = agent(&address);
    let request = agent
        .get(format!("http://{host}{path}"))
        .header("Authorization", format!("Bearer {token}"));
    let mut response = request.call().map_err(|error| {
        Sentence(format!(
            "the server that holds the store in '{data}' does not answer at {address}: {error}"
        ))
    })?;

    if response.status() != 200 {
        let said = response.body_mut().read_to_string().unwrap_or_default();
        return Err(Sentence(format!(
            "the server at {address} refuses: {} {said}",
            response.status()
        )));
    }

    let steps = response
        .headers()
        .get(STEPS_HEADER)
        .and_then(|steps| steps.to_str().ok()?.parse().ok())
        .unwrap_or(0);

    Ok(Sent {
        body: response.into_body().into_reader(),
        steps,
    })
}

/// A client for this server, and the address to write into the request.
fn agent(endpoint: &Endpoint) -> (Agent, SocketAddr) {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_recv_response(Some(ANSWER_WITHIN))
        .build();

    match endpoint {
        Endpoint::Tcp(address) => (config.into(), *address),
        Endpoint::Unix(path) => {
            let agent =
                Agent::with_parts(config, UnixSocket(path.clone()), DefaultResolver::default());
            (agent, (Ipv4Addr::LOCALHOST, 80).into())
        }
    }
}
