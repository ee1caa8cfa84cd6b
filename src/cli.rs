//! The command line: `serve` (the default), `run`, `healthcheck`, `conformance`, `keys new`, `users
//! new`, `check`, `export`, `import`, `backup`, `restore` and `compact`.

mod admin_client;
mod atomic_file;
mod backup;
mod check;
mod compact;
mod conformance;
mod credentials;
mod export;
mod healthcheck;
mod import;
mod logs;
mod progress;
mod restore;
mod run;
mod salvage;
mod serve;
mod server_args;
mod signals;
mod stop_signals;
mod store_args;
mod timeout;

use clap::{Parser, Subcommand};
use signals::Interruption;
use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

/// PagerTree's integration API on your own machine.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<CliCommand>,
    #[command(flatten)]
    serve: serve::ServeArgs,
}

#[derive(Debug, Subcommand)]
enum CliCommand {
    /// Serve the API (the default)
    Serve(serve::ServeArgs),
    /// Run a command beside a temporary server, and end with the command
    Run(run::RunArgs),
    /// Exit with 0 if the server is ready, and with 1 if it is not
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Ask a server what PagerTree's documentation promises, and print what held
    Conformance(conformance::ConformanceArgs),
    /// Manage API keys for auth.mode = "keys"
    Keys {
        #[command(subcommand)]
        command: credentials::KeysCommand,
    },
    /// Manage users for auth.mode = "keys"
    Users {
        #[command(subcommand)]
        command: credentials::UsersCommand,
    },
    /// Verify a stopped store: records, indexes, counters and totals
    Check(check::CheckArgs),
    /// Write a backup of the whole store to one file; works while the server runs
    Backup(backup::BackupArgs),
    /// Create a store from a backup; the server must be stopped
    Restore(restore::RestoreArgs),
    /// Reclaim the disk space that a stopped store no longer uses
    Compact(compact::CompactArgs),
    /// Write everything except secrets as JSON lines; works while the server runs
    Export(export::ExportArgs),
    /// Add the objects of an export to a stopped store, or create a store from them
    Import(import::ImportArgs),
}

/// Parses the command line and runs the command.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let interruption = Interruption::default();
    let outcome = match cli.command {
        None => serve::run(cli.serve),
        Some(CliCommand::Serve(arguments)) => serve::run(arguments),
        Some(CliCommand::Run(arguments)) => run::run(arguments),
        Some(CliCommand::Healthcheck(arguments)) => healthcheck::run(&arguments),
        Some(CliCommand::Conformance(arguments)) => conformance::run(arguments),
        Some(CliCommand::Keys { command }) => credentials::keys(command),
        Some(CliCommand::Users { command }) => credentials::users(command),
        Some(CliCommand::Check(arguments)) => check::run(arguments),
        Some(CliCommand::Backup(arguments)) => backup::run(arguments, &interruption),
        Some(CliCommand::Restore(arguments)) => restore::run(arguments, &interruption),
        Some(CliCommand::Compact(arguments)) => compact::run(arguments, &interruption),
        Some(CliCommand::Export(arguments)) => export::run(arguments, &interruption),
        Some(CliCommand::Import(arguments)) => import::run(arguments, &interruption),
    };

    match outcome {
        Ok(code) => code,
        Err(CliError(fault)) => {
            print_error(&fault);
            interruption.exit_code()
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
struct CliError(String);

impl<E: std::error::Error> From<E> for CliError {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Reports the result of a command on standard output.
fn print_result(what: fmt::Arguments<'_>) -> Result<(), CliError> {
    let mut out = io::stdout();
    match writeln!(out, "{what}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError(format!(
            "{what}, but writing to standard output failed: {error}"
        ))),
        // The reader has closed the pipe. The command has succeeded all the same.
        _ => Ok(()),
    }
}

const STDERR_TIMEOUT: Duration = Duration::from_secs(1);

/// Prints an error on standard error, without waiting for a pipe that is full.
fn print_error(fault: &str) {
    let line = format!("pagertree-local: {fault}\n");
    // There is no other channel to report a failure on.
    let _ignored = timeout::with_timeout(STDERR_TIMEOUT, move || {
        io::stderr().write_all(line.as_bytes())
    });
}
