//! `check`: verifies a stopped store.

use super::{CliError, logs, print_error, progress};
use crate::{
    app::STORE_FOLDER,
    config::{Overrides, Sources},
    store::{self, CheckReport, OpenError, archive::ArchiveError},
};
use clap::Args;
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// Configuration file [default: config.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder [default: data]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// Exit codes besides 0, which means that the store is sound.
const DAMAGED: u8 = 1;
/// Also the exit code for invalid arguments.
const NOT_CHECKED: u8 = 2;
const ABSENT: u8 = 3;
const BUSY: u8 = 4;

/// Prints the findings.
pub(super) fn run(arguments: CheckArgs) -> Result<ExitCode, CliError> {
    let (fault, code) = match check(arguments) {
        Ok(Ok(report)) => return print(&report),
        Ok(Err(error)) => (error.to_string(), code_of(&error)),
        Err(CliError(fault)) => (fault, NOT_CHECKED),
    };
    print_error(&fault);
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

fn check(arguments: CheckArgs) -> Result<Result<CheckReport, ArchiveError>, CliError> {
    let overrides = Overrides {
        config: arguments.config,
        data: arguments.data,
        ..Overrides::default()
    };

    let settings = Sources::of_process(overrides).load()?;
    let _flush = logs::start(&settings.log)?;

    Ok(store::check(
        &settings.data.join(STORE_FOLDER),
        settings.store.cache_bytes,
        &progress::bar(),
    ))
}

fn print(report: &CheckReport) -> Result<ExitCode, CliError> {
    let mut out = io::stdout().lock();
    for damage in &report.findings {
        writeln!(out, "{damage}")?;
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
        "the store is damaged: {faults} problems in {objects} of {accounts} accounts"
    )?;

    Ok(ExitCode::from(DAMAGED))
}
