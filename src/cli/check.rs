//! `check`: whether a stopped store is sound.

use super::{Sentence, complain, progress};
use crate::{
    app::STORE_FOLDER,
    config::{Overrides, Sources},
    logging,
    store::{self, CheckReport, OpenError, archive::ArchiveError},
};
use clap::Args;
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Configuration file [default: config.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the store [default: data]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// How it ends, for whoever runs it from a script. A sound store is 0.
const DAMAGED: u8 = 1;
/// As with arguments that make no sense.
const NOT_CHECKED: u8 = 2;
const ABSENT: u8 = 3;
const BUSY: u8 = 4;

/// Prints what was found.
pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Sentence> {
    let (fault, code) = match check(arguments) {
        Ok(Ok(report)) => return print(&report),
        Ok(Err(error)) => (error.to_string(), code_of(&error)),
        Err(Sentence(fault)) => (fault, NOT_CHECKED),
    };
    complain(&fault);
    Ok(ExitCode::from(code))
}

fn code_of(error: &ArchiveError) -> u8 {
    match error {
        ArchiveError::Open(OpenError::Damaged { .. }) => DAMAGED,
        ArchiveError::Open(OpenError::NotFound(_) | OpenError::Uninitialized(_)) => ABSENT,
        ArchiveError::Open(OpenError::Locked(_)) => BUSY,
        _ => NOT_CHECKED,
    }
}

fn check(arguments: Arguments) -> Result<Result<CheckReport, ArchiveError>, Sentence> {
    let overrides = Overrides {
        config: arguments.config,
        data: arguments.data,
        ..Overrides::default()
    };

    let settings = Sources::of_process(overrides).load()?;
    let _written_at_the_end = logging::init(settings.log.format)?;
    logging::log_panics();

    Ok(store::check(
        &settings.data.join(STORE_FOLDER),
        settings.store.cache_bytes,
        &progress::bar(),
    ))
}

fn print(report: &CheckReport) -> Result<ExitCode, Sentence> {
    let mut out = io::stdout().lock();
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }

    let objects: Vec<_> = report
        .objects
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    let (objects, accounts) = (objects.join(", "), report.accounts);

    if report.findings.is_empty() {
        writeln!(out, "the store is sound: {objects} in {accounts} accounts")?;
        return Ok(ExitCode::SUCCESS);
    }

    let faults = report.findings.len();
    writeln!(
        out,
        "the store is damaged: {faults} faults in {objects} of {accounts} accounts"
    )?;

    Ok(ExitCode::from(DAMAGED))
}
