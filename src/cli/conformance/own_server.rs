//! The server that is asked if no other is named: this program, with a temporary store.

use crate::cli::CliError;
use serde::Deserialize;
use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

/// A server that ends with this value.
pub(super) struct OwnServer {
    process: Child,
    url: String,
}

#[derive(Deserialize)]
struct FirstLine {
    url: String,
}

impl OwnServer {
    /// Starts the server and waits until it is ready.
    ///
    /// # Errors
    /// The program cannot be started.
    pub(super) fn start() -> Result<Self, CliError> {
        let mut process = Command::new(env::current_exe()?)
            .args([
                "--config",
                "/dev/null",
                "--ephemeral",
                "--listen",
                "127.0.0.1:0",
            ])
            .args(["--print", "json", "--until-stdin-closes"])
            .env("RUST_LOG", "warn")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;

        let mut line = String::new();
        if let Some(stdout) = process.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        match serde_json::from_str::<FirstLine>(&line) {
            Ok(FirstLine { url }) => Ok(Self { process, url }),
            Err(_no_line) => {
                let status = process.wait()?;
                Err(CliError(format!(
                    "the server to ask did not start: {status}"
                )))
            }
        }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It is asked to stop, and holds nothing that matters.
        let _ignored = self.process.wait();
    }
}
