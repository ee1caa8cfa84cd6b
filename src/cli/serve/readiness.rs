//! Announces that the server is ready: on standard output, on a file descriptor, and to the
//! service manager.

use crate::{
    app::{App, CA_FILE},
    cli::{CliError, timeout},
    config::{Settings, notify_socket},
    domain::endpoint::Endpoint,
};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::net::UnixDatagram,
    path::PathBuf,
    time::Duration,
};

/// Flags that choose how to announce the server.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct ReadinessArgs {
    /// What to print on standard output once the server is ready
    #[arg(long, value_name = "FORMAT", default_value_t, value_enum)]
    print: ReadyFormat,
    /// Write the line of --print json to this file descriptor once the server is ready
    #[arg(long, value_name = "FD")]
    ready_fd: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReadyFormat {
    /// One sentence for each address
    #[default]
    Text,
    /// One JSON object: {"url", "urls", "mail", "data", "ephemeral", "pid", "version"}
    Json,
    /// Nothing
    None,
}

/// How to reach a server that is ready.
#[derive(Clone, Debug, Serialize)]
pub(in crate::cli) struct ServerAddress {
    /// The first address, such as `http://127.0.0.1:7243`, or `unix:` and a path.
    pub(in crate::cli) url: String,
    /// All addresses.
    urls: Vec<String>,
    /// The mail server's address, if it runs.
    pub(in crate::cli) mail: Option<String>,
    /// The data folder.
    data: PathBuf,
    ephemeral: bool,
    pid: u32,
    version: &'static str,
}

impl ServerAddress {
    /// The address of a server that is bound.
    pub(in crate::cli) fn of(app: &App, settings: &Settings) -> Self {
        let scheme = if settings.tls.is_enabled() {
            "https"
        } else {
            "http"
        };
        let to_url = |endpoint: &Endpoint| endpoint.to_url(scheme);
        let urls: Vec<String> = app.endpoints().iter().map(to_url).collect();
        Self {
            url: urls.first().cloned().unwrap_or_default(),
            urls,
            mail: app
                .mail_address()
                .map(|address| format!("smtp://{address}")),
            data: std::path::absolute(app.data()).unwrap_or_else(|_| app.data().to_owned()),
            ephemeral: settings.ephemeral,
            pid: std::process::id(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// The certificate of the authority that a server with a created certificate has.
    pub(in crate::cli) fn ca_file(&self) -> PathBuf {
        self.data.join(CA_FILE)
    }

    fn to_json(&self) -> Result<String, CliError> {
        Ok(serde_json::to_string(self)?)
    }

    fn to_text(&self) -> String {
        let mut lines = format!("listening on {}", self.url);
        if let Some(mail) = &self.mail {
            lines.push_str("\naccepting mail on ");
            lines.push_str(mail);
        }
        lines
    }
}

/// Where to announce the server.
pub(super) struct Readiness {
    format: ReadyFormat,
    descriptor: Option<File>,
}

impl Readiness {
    /// Opens the file descriptor, so that a wrong one is reported before anything starts.
    ///
    /// # Errors
    /// The file descriptor is not open for writing.
    pub(super) fn prepare(arguments: &ReadinessArgs) -> Result<Self, CliError> {
        Ok(Self {
            format: arguments.print,
            descriptor: arguments.ready_fd.map(open_descriptor).transpose()?,
        })
    }

    /// Announces the server everywhere.
    ///
    /// # Errors
    /// Standard output cannot be written, for another reason than that its reader is gone.
    pub(super) fn announce(self, server: &ServerAddress) -> Result<(), CliError> {
        match self.format {
            ReadyFormat::Text => print(server.to_text())?,
            ReadyFormat::Json => print(server.to_json()?)?,
            ReadyFormat::None => {}
        }

        if let Some(mut descriptor) = self.descriptor {
            let line = server.to_json()?;
            // The reader may be gone. The server runs all the same.
            if let Err(error) = writeln!(descriptor, "{line}") {
                log::warn!(error:display; "Cannot write to the file descriptor of --ready-fd");
            }
        }

        notify("READY=1");
        Ok(())
    }
}

/// Opens a descriptor that this process inherited. Pipes and files have such a path; sockets do
/// not.
fn open_descriptor(descriptor: u32) -> Result<File, CliError> {
    OpenOptions::new()
        .write(true)
        .open(format!("/dev/fd/{descriptor}"))
        .map_err(|error| {
            CliError(format!(
                "--ready-fd {descriptor} is not a pipe or file that is open for writing: {error}"
            ))
        })
}

const STDOUT_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints a line on standard output, for the process that started the server.
fn print(line: String) -> io::Result<()> {
    let written = timeout::with_timeout(STDOUT_TIMEOUT, move || {
        let mut out = io::stdout();
        writeln!(out, "{line}").and_then(|()| out.flush())
    });

    match written {
        None => {
            log::warn!("Cannot write the listening address to standard output");
            Ok(())
        }
        // The reader has closed the pipe. The server runs all the same.
        Some(Err(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(outcome) => outcome,
    }
}

/// Tells the service manager about a change of state, if one started this process. Source:
/// `sd_notify(3)`.
pub(super) fn notify(state: &str) {
    let Some(path) = notify_socket() else {
        return;
    };
    if let Err(error) = send_state(&path, state) {
        log::warn!(error:display; "Cannot notify the service manager");
    }
}

fn send_state(path: &std::ffi::OsStr, state: &str) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    {
        use std::os::{
            linux::net::SocketAddrExt,
            unix::{ffi::OsStrExt, net::SocketAddr},
        };
        if let Some(name) = path.as_bytes().strip_prefix(b"@") {
            let address = SocketAddr::from_abstract_name(name)?;
            return socket.send_to_addr(state.as_bytes(), &address).map(drop);
        }
    }
    socket.send_to(state.as_bytes(), path).map(drop)
}
