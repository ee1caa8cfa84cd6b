//! The command line: `serve` (also without saying so), `keys new`, `users new`, `check`, `export`,
//! `import`, `backup`, `restore`, `compact`.

mod backup;
mod bounded;
mod check;
mod compact;
mod credentials;
mod export;
mod import;
mod interruption;
mod output;
mod place;
mod progress;
mod remote;
mod restore;
mod salvage;
mod serve;
mod stop_signals;

use crate::config::Overrides;
use clap::{Args, Parser, Subcommand};
use interruption::Interruption;
use std::{
    fmt,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

/// PagerTree's integration API on your own machine.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API (what happens when no command is given)
    Serve(ServeArguments),
    /// API keys of auth.mode = "keys"
    Keys {
        #[command(subcommand)]
        command: credentials::KeysCommand,
    },
    /// Users of auth.mode = "keys"
    Users {
        #[command(subcommand)]
        command: credentials::UsersCommand,
    },
    /// Verify a stopped store: records, index, counters and totals agree
    Check(check::Arguments),
    /// Save everything in one file, while the server runs or not
    Backup(backup::Arguments),
    /// Make a store of a backup, while the server is stopped
    Restore(restore::Arguments),
    /// Make a stopped store as small as it can be
    Compact(compact::Arguments),
    /// Write everything but secrets as text: JSON, one object a line
    Export(export::Arguments),
    /// Add what an export holds to a stopped store, or make a store of it
    Import(import::Arguments),
}

#[derive(Clone, Debug, Default, Args)]
struct ServeArguments {
    /// Configuration file [default: config.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port, or unix:PATH; commas between several; port 0 picks a free one [default:
    /// localhost:7243, which is 127.0.0.1:7243 and [::1]:7243]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Folder of the store [default: data]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Keep the store in a temporary folder that is gone at exit
    #[arg(long)]
    ephemeral: bool,
    /// Refuse whatever the documents do not allow
    #[arg(long)]
    strict: bool,
    /// Allow auth.mode = "open" on an address that other machines can reach
    #[arg(long)]
    open_to_network: bool,
    /// Write the port to this file once requests are served, and remove it at exit
    #[arg(long, value_name = "PATH")]
    port_file: Option<PathBuf>,
}

impl From<ServeArguments> for Overrides {
    fn from(arguments: ServeArguments) -> Self {
        let ServeArguments {
            config,
            listen,
            data,
            ephemeral,
            strict,
            open_to_network,
            port_file,
        } = arguments;

        Self {
            config,
            listen,
            data,
            port_file,
            ephemeral,
            strict,
            open_to_network,
        }
    }
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let interruption = Interruption::default();
    let outcome = match cli.command {
        None => serve::run(cli.serve.into()),
        Some(Command::Serve(arguments)) => serve::run(arguments.into()),
        Some(Command::Keys { command }) => credentials::keys(command),
        Some(Command::Users { command }) => credentials::users(command),
        Some(Command::Check(arguments)) => check::run(arguments),
        Some(Command::Backup(arguments)) => backup::run(arguments, &interruption),
        Some(Command::Restore(arguments)) => restore::run(arguments, &interruption),
        Some(Command::Compact(arguments)) => compact::run(arguments, &interruption),
        Some(Command::Export(arguments)) => export::run(arguments, &interruption),
        Some(Command::Import(arguments)) => import::run(arguments, &interruption),
    };

    match outcome {
        Ok(code) => code,
        Err(Sentence(fault)) => {
            complain(&fault);
            interruption.exit_code()
        }
    }
}

/// Why a command failed.
#[derive(Debug)]
struct Sentence(String);

impl<E: std::error::Error> From<E> for Sentence {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

/// Says on standard output what was done.
fn report(what: fmt::Arguments<'_>) -> Result<(), Sentence> {
    let mut out = io::stdout();
    match writeln!(out, "{what}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Sentence(format!(
            "{what}; but standard output, which should tell so, cannot be written: {error}"
        ))),
        // Nobody reads it; it is done all the same.
        _ => Ok(()),
    }
}

/// Long enough for whoever reads at all.
const COMPLAINT_TIMEOUT: Duration = Duration::from_secs(1);

/// Says on standard error why the program ends. A full pipe that nobody reads is not waited for.
fn complain(fault: &str) {
    let line = format!("pagertree-local: {fault}\n");
    let _nowhere_to_complain = bounded::at_most(COMPLAINT_TIMEOUT, move || {
        io::stderr().write_all(line.as_bytes())
    });
}
