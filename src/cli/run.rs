//! `run`: a temporary server for as long as a command runs, usually a test suite.

mod command_signals;
mod host_alias;
mod trust;

use self::{command_signals::CommandSignals, host_alias::HostAlias, trust::Bundles};
use super::{CliError, logs, serve::RunningServer, server_args::ServerArgs};
use crate::{
    config::{
        MAIL_VARIABLE, Mode, Overrides, Settings, Sources, TOKEN_VARIABLE, URL_VARIABLE,
        given_token,
    },
    ids::Ids,
    logging::Flush,
};
use clap::Args;
use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{ExitCode, ExitStatus},
};
use tokio::process::{Child, Command};

#[derive(Clone, Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// Serve HTTPS under this host name, such as api.pagertree.com, for the command alone (Linux)
    #[arg(long = "as", value_name = "HOST", conflicts_with = "listen")]
    host: Option<String>,
    /// The command and its arguments. It finds the server in PAGERTREE_LOCAL_URL, and a credential
    /// in PAGERTREE_LOCAL_TOKEN
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// The address of a server that `--listen` does not name.
const FREE_PORT: &str = "127.0.0.1:0";

/// Exit codes of shells for a command that cannot be started.
const NOT_FOUND: u8 = 127;
const NOT_EXECUTABLE: u8 = 126;

pub(super) fn run(arguments: RunArgs) -> Result<ExitCode, CliError> {
    let RunArgs {
        server,
        host,
        command,
    } = arguments;
    let alias = host.as_deref().map(HostAlias::prepare).transpose()?;
    let sources = Sources::of_process(overrides(server, alias.as_ref(), host.clone()));
    let settings = sources.load()?;
    let logs = logs::start_quietly(&settings.log)?;

    let line = match &alias {
        Some(alias) => alias.wrap(command),
        None => command,
    };
    let mut words = line.into_iter();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).kill_on_drop(true);

    let running = run_beside(sources, settings, logs, command, alias.as_ref());
    actix_rt::System::new().block_on(running)
}

/// The server of a test run depends on nothing but its flags and environment: a free port, a
/// temporary store, and no configuration file unless one is named.
fn overrides(arguments: ServerArgs, alias: Option<&HostAlias>, host: Option<String>) -> Overrides {
    let is_ephemeral = arguments.data.is_none();
    let overrides = Overrides::from(arguments);
    let listen = alias.map_or_else(|| FREE_PORT.to_owned(), HostAlias::endpoint);
    Overrides {
        listen: overrides.listen.or(Some(listen)),
        ephemeral: overrides.ephemeral || is_ephemeral,
        tls: overrides.tls || alias.is_some(),
        host_names: host.into_iter().collect(),
        no_default_file: true,
        ..overrides
    }
}

async fn run_beside(
    sources: Sources,
    settings: Settings,
    logs: Flush,
    mut command: Command,
    alias: Option<&HostAlias>,
) -> Result<ExitCode, CliError> {
    // Before the start, so that no signal is lost.
    let mut signals = CommandSignals::listen()?;
    let takes_any_credential = settings.auth.mode == Mode::Open;
    let has_authority = settings.tls.generate;
    let mut session = RunningServer::start(sources, settings, logs).await?;
    set_environment(&mut command, &session, takes_any_credential);
    if let Some(alias) = alias {
        command.env(URL_VARIABLE, alias.url());
    }
    // Kept until the command has ended.
    let _bundles = match has_authority {
        true => trust::trust(&mut command, &session.address().ca_file())?,
        false => Bundles::new(),
    };

    let code = match command.spawn() {
        Err(error) => cannot_start(&command, &error),
        // A server that has failed needs no shutdown.
        Ok(mut child) => exit_code(wait(&mut child, &mut session, &mut signals).await?),
    };

    // The command's children may still be connected, but their owner has its result.
    session
        .shut_down("the command has ended", signals.stop())
        .await?;
    Ok(code)
}

fn set_environment(command: &mut Command, session: &RunningServer, takes_any_credential: bool) {
    let address = session.address();
    command.env(URL_VARIABLE, &address.url);
    // The service manager that started this process must not hear from the command.
    command.env_remove("NOTIFY_SOCKET");
    match &address.mail {
        Some(mail) => command.env(MAIL_VARIABLE, mail),
        None => command.env_remove(MAIL_VARIABLE),
    };

    // A credential that the caller has chosen stays, so that it can be shared with other programs.
    if takes_any_credential && given_token().is_none() {
        command.env(TOKEN_VARIABLE, Ids::Random.secret());
    }
}

/// Waits for the command, and passes signals on to it. If the server fails, the command is stopped.
async fn wait(
    child: &mut Child,
    session: &mut RunningServer,
    signals: &mut CommandSignals,
) -> Result<ExitStatus, CliError> {
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            signal = signals.next() => signals.forward(signal, child),
            failed = session.ended() => {
                signals.terminate(child);
                child.wait().await?;
                return Err(failed.err().unwrap_or_else(|| {
                    CliError("the server ended before the command".into())
                }));
            }
        }
    }
}

/// The command's own exit code, or 128 + n if signal n ended it, as in shells.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| signal.saturating_add(128)));
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}

fn cannot_start(command: &Command, error: &io::Error) -> ExitCode {
    let program = PathBuf::from(command.as_std().get_program());
    super::print_error(&format!("cannot run '{}': {error}", program.display()));
    match error.kind() {
        io::ErrorKind::NotFound => NOT_FOUND.into(),
        _ => NOT_EXECUTABLE.into(),
    }
}
