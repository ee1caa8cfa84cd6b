//! `restore`: creates a store from a backup.

use super::{CliError, print_result, signals::Interruption, store_args::StoreArgs};
use crate::store::archive::{RestoreOptions, restore};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, Args)]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Replace the existing store, whose contents are lost
    #[arg(long)]
    replace: bool,
    /// File written by `backup`
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(
    arguments: RestoreArgs,
    interruption: &Interruption,
) -> Result<ExitCode, CliError> {
    let location = arguments.store.locate(interruption)?;
    let RestoreArgs { replace, file, .. } = arguments;
    let task = RestoreOptions {
        file,
        folder: location.store.clone(),
        cache_bytes: location.cache_bytes,
        replace,
    };
    let entries = restore(&task, &location.progress())?;
    print_result(format_args!("restored {entries} entries"))?;
    Ok(ExitCode::SUCCESS)
}
