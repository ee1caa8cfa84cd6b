//! The flags that describe a server, shared by `serve` and `run`.

use crate::config::Overrides;
use clap::Args;
use std::path::PathBuf;

/// Flags that override settings.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ServerArgs {
    /// Configuration file [default: config.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Address and port, or unix:PATH; separate several with commas; port 0 picks a free port
    /// [default: localhost:7243, that is 127.0.0.1:7243 and [::1]:7243]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(super) listen: Option<String>,
    /// Data folder [default: data]
    #[arg(long, value_name = "FOLDER")]
    pub(super) data: Option<PathBuf>,
    /// Keep the store in a temporary folder that is deleted at exit
    #[arg(long)]
    pub(super) ephemeral: bool,
    /// Refuse requests that PagerTree's documentation does not allow
    #[arg(long)]
    pub(super) strict: bool,
    /// Allow auth.mode = "open" on an address that other machines can reach
    #[arg(long)]
    pub(super) open_to_network: bool,
    /// Serve HTTPS with a certificate that is created at start
    #[arg(long)]
    pub(super) tls: bool,
    /// Write the certificate of the authority that clients must trust to this file; needs --tls
    #[arg(long, value_name = "FILE")]
    pub(super) tls_ca_file: Option<PathBuf>,
    /// Write the port to this file once the server is ready, and remove the file at exit
    #[arg(long, value_name = "PATH")]
    pub(super) port_file: Option<PathBuf>,
    /// Start at this time, such as 2026-01-01T00:00:00Z; with @RATE after it, pass at another rate,
    /// 0 to stand still
    #[arg(long, value_name = "TIME[@RATE]")]
    pub(super) clock: Option<String>,
    /// Derive ids from this number, so that equal runs give equal ids; for tests only, since the
    /// ids can be guessed
    #[arg(long, value_name = "NUMBER")]
    pub(super) seed: Option<String>,
    /// Load the accounts of this export at the start, in place of what they have
    #[arg(long, value_name = "FILE")]
    pub(super) state: Option<PathBuf>,
}

impl From<ServerArgs> for Overrides {
    fn from(arguments: ServerArgs) -> Self {
        let ServerArgs {
            config,
            listen,
            data,
            ephemeral,
            strict,
            open_to_network,
            tls,
            tls_ca_file,
            port_file,
            clock,
            seed,
            state,
        } = arguments;

        Self {
            config,
            listen,
            data,
            port_file,
            ephemeral,
            strict,
            open_to_network,
            tls,
            tls_ca_file,
            host_names: Vec::new(),
            clock,
            seed,
            state,
            no_default_file: false,
        }
    }
}
