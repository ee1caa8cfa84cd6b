//! `serve`: runs the server until a signal stops it, or the process that it is tied to ends.

mod exit;
mod lifeline;
mod readiness;
mod running_server;
mod signals;

pub(super) use running_server::RunningServer;

use self::{
    lifeline::{LifelineArgs, Lifelines},
    readiness::{Readiness, ReadinessArgs},
    signals::{ServerSignals, SignalAction},
};
use super::{CliError, logs, server_args::ServerArgs};
use crate::{
    app::remove_stale_port_file,
    config::{Overrides, Settings, Sources},
    logging::Flush,
};
use clap::Args;
use std::process::ExitCode;

#[derive(Clone, Debug, Default, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    readiness: ReadinessArgs,
    #[command(flatten)]
    lifelines: LifelineArgs,
}

pub(super) fn run(arguments: ServeArgs) -> Result<ExitCode, CliError> {
    let ServeArgs {
        server,
        readiness,
        lifelines,
    } = arguments;
    let overrides = Overrides::from(server);
    if let Some(port_file) = &overrides.port_file {
        // First of all, so that no start that fails leaves a stale port behind.
        remove_stale_port_file(port_file)?;
    }

    let sources = Sources::of_process(overrides);
    let settings = sources.load()?;
    let readiness = Readiness::prepare(&readiness)?;
    let logs = logs::start(&settings.log)?;
    let lifelines = Lifelines::watch(&lifelines)?;
    actix_rt::System::new().block_on(serve(sources, settings, logs, readiness, lifelines))
}

async fn serve(
    sources: Sources,
    settings: Settings,
    logs: Flush,
    readiness: Readiness,
    mut lifelines: Lifelines,
) -> Result<ExitCode, CliError> {
    let mut signals = ServerSignals::listen()?;
    let mut session = RunningServer::start(sources, settings, logs).await?;
    readiness.announce(session.address())?;

    let reason = loop {
        tokio::select! {
            outcome = session.ended() => return outcome.map(|()| ExitCode::SUCCESS),
            reason = lifelines.ended() => break reason,
            action = signals.next() => match action {
                SignalAction::Reload => session.reload(),
                SignalAction::Stop | SignalAction::StopNow => break "a signal",
            },
        }
    };

    session.shut_down(reason, signals.stop_now()).await
}
