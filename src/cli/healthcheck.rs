//! `healthcheck`: asks a server whether it is ready, for images without a shell.

use super::{CliError, admin_client};
use crate::{
    app::ServerInfo,
    config::{Overrides, Sources},
};
use clap::Args;
use std::{path::PathBuf, process::ExitCode, time::Duration};

#[derive(Clone, Debug, Args)]
pub(super) struct HealthcheckArgs {
    /// URL of the server [default: the running server of the data folder, or the configured address]
    #[arg(long, value_name = "URL", conflicts_with_all = ["config", "data"])]
    url: Option<String>,
    /// Configuration file [default: config.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder [default: data]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Seconds to wait for the response
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    timeout: u64,
}

pub(super) fn run(arguments: &HealthcheckArgs) -> Result<ExitCode, CliError> {
    let timeout = Duration::from_secs(arguments.timeout);
    let (status, body) = match &arguments.url {
        Some(url) => admin_client::get_status(None, &ready_url(url), timeout),
        None => {
            let server = local_server(arguments)?;
            let url = admin_client::url(&server, "/readyz");
            admin_client::get_status(server.address.socket(), &url, timeout)
        }
    }?;

    if status == 200 {
        return Ok(ExitCode::SUCCESS);
    }
    Err(CliError(format!(
        "the server is not ready: {status} {}",
        body.trim()
    )))
}

fn ready_url(base: &str) -> String {
    format!("{}/readyz", base.trim_end_matches('/'))
}

/// The server that has the store open, or the one that the configuration describes.
fn local_server(arguments: &HealthcheckArgs) -> Result<ServerInfo, CliError> {
    let overrides = Overrides {
        config: arguments.config.clone(),
        data: arguments.data.clone(),
        ..Overrides::default()
    };
    let settings = Sources::of_process(overrides).load()?;

    if let Ok(Some(running)) = ServerInfo::read(&settings.data) {
        return Ok(running);
    }
    let configured = settings.endpoints()?;
    ServerInfo::new(&configured, settings.tls.is_enabled(), String::new())
        .ok_or_else(|| CliError("the configuration names no address to listen on".into()))
}
