//! `check`: whether a stopped store is sound.

use super::{Sentence, progress};
use crate::{
    app::STORE_FOLDER,
    config::{Overrides, Sources},
    logging, store,
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

/// Prints what was found. A damaged store ends with exit code 1.
pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Sentence> {
    let overrides = Overrides { config: arguments.config, data: arguments.data, ..Overrides::default() };
    let settings = Sources::of_process(overrides).load()?;
    let _written_at_the_end = logging::init(settings.log.format)?;
    logging::log_panics();
    let report = store::check(&settings.data.join(STORE_FOLDER), settings.store.cache_bytes, &progress::bar())?;
    let mut out = io::stdout().lock();
    for damage in &report.damages {
        writeln!(out, "{damage}")?;
    }
    let objects: Vec<_> = report.objects.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let (objects, accounts) = (objects.join(", "), report.accounts);
    if report.damages.is_empty() {
        writeln!(out, "the store is sound: {objects} in {accounts} accounts")?;
        return Ok(ExitCode::SUCCESS);
    }
    let faults = report.damages.len();
    writeln!(out, "the store is damaged: {faults} faults in {objects} of {accounts} accounts")?;
    Ok(ExitCode::FAILURE)
}
