//! HTTP client for a server on this machine, usually the one that has the store open.

mod unix_socket;

use self::unix_socket::UnixSocket;
use super::{CliError, store_args::StoreLocation};
use crate::{app::ServerInfo, store::archive::STEPS_HEADER};
use std::{io::Read, net::Ipv4Addr, path::Path, time::Duration};
use ureq::{Agent, tls::TlsConfig, unversioned::resolver::DefaultResolver};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum size of a body that goes into an error message, in bytes.
const MAX_ERROR_BODY: u64 = 64 << 10;

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
    let Some(server) = server_info else {
        return Err(CliError(format!(
            "the store in '{data}' is in use by another process that is not a running server; wait for it to finish"
        )));
    };

    let ServerInfo { address, token, .. } = &server;
    let request = agent(address.socket(), RESPONSE_TIMEOUT)
        .get(url(&server, path))
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

/// The status of a response, and the beginning of its body.
///
/// # Errors
/// The server cannot be reached, or does not respond in time.
pub(super) fn get_status(
    socket: Option<&Path>,
    url: &str,
    timeout: Duration,
) -> Result<(u16, String), CliError> {
    let unreachable = |error| CliError(format!("no response from {url}: {error}"));
    let mut response = agent(socket, timeout)
        .get(url)
        .call()
        .map_err(unreachable)?;
    let body = response.body_mut().with_config().limit(MAX_ERROR_BODY);
    let body = body.read_to_string().unwrap_or_default();
    Ok((response.status().as_u16(), body))
}

/// The URL of a path. A Unix socket has no host name of its own.
pub(super) fn url(server: &ServerInfo, path: &str) -> String {
    let scheme = if server.tls { "https" } else { "http" };
    let host = server
        .address
        .tcp()
        .unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 80).into());
    format!("{scheme}://{host}{path}")
}

/// A client, for a Unix socket if there is one.
fn agent(socket: Option<&Path>, timeout: Duration) -> Agent {
    // The address comes from the data folder or from the user. A certificate would prove no more
    // than that, and need not have the name of this address.
    let tls = TlsConfig::builder().disable_verification(true).build();
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .tls_config(tls)
        .timeout_connect(Some(CONNECT_TIMEOUT.min(timeout)))
        .timeout_recv_response(Some(timeout))
        .build();

    match socket {
        None => config.into(),
        Some(path) => {
            let socket = UnixSocket(path.to_owned());
            Agent::with_parts(config, socket, DefaultResolver::default())
        }
    }
}
