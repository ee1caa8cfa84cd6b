//! HTTP client for the server that has the store open.

mod unix_socket;

use self::unix_socket::UnixSocket;
use super::{CliError, store_args::StoreLocation};
use crate::{app::ServerInfo, domain::endpoint::Endpoint, store::archive::STEPS_HEADER};
use std::{
    io::Read,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use ureq::{Agent, unversioned::resolver::DefaultResolver};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);

/// The server's response.
pub(super) struct Transfer<R> {
    /// Ends with an error if the server closes the connection early.
    pub(super) body: R,
    /// Number of progress steps, or 0 if unknown.
    pub(super) steps: u64,
}

pub(super) fn get(
    location: &StoreLocation,
    path: &str,
) -> Result<Transfer<impl Read + use<>>, CliError> {
    let data = location.data.display();
    let server_info = ServerInfo::read(&location.data).map_err(|error| {
        CliError(format!(
            "cannot read '{data}/running', which has the address of the running server: {error}"
        ))
    })?;
    let Some(ServerInfo { address, token }) = server_info else {
        return Err(CliError(format!(
            "the store in '{data}' is in use by another process that is not a running server; wait for it to finish"
        )));
    };

    let (agent, host) = agent(&address);
    let request = agent
        .get(format!("http://{host}{path}"))
        .header("Authorization", format!("Bearer {token}"));
    let mut response = request.call().map_err(|error| {
        CliError(format!(
            "the server that has the store in '{data}' open does not respond at {address}: {error}"
        ))
    })?;

    if response.status() != 200 {
        let body = response.body_mut().read_to_string().unwrap_or_default();
        return Err(CliError(format!(
            "the server at {address} refused the request: {} {body}",
            response.status()
        )));
    }

    let steps = response
        .headers()
        .get(STEPS_HEADER)
        .and_then(|steps| steps.to_str().ok()?.parse().ok())
        .unwrap_or(0);

    Ok(Transfer {
        body: response.into_body().into_reader(),
        steps,
    })
}

/// A client for this endpoint, and the address for the request's URL.
fn agent(endpoint: &Endpoint) -> (Agent, SocketAddr) {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_recv_response(Some(RESPONSE_TIMEOUT))
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
