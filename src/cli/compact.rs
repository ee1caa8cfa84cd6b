//! `compact`: reclaims disk space that the storage engine no longer uses.

use super::{CliError, print_result, signals::Interruption, store_args::StoreArgs};
use crate::store::archive::{CompactSummary, compact};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct CompactArgs {
    #[command(flatten)]
    store: StoreArgs,
}

/// Prints the size of the store before and after.
pub(super) fn run(
    arguments: CompactArgs,
    interruption: &Interruption,
) -> Result<ExitCode, CliError> {
    let location = arguments.store.locate(interruption)?;
    let CompactSummary { before, after } =
        compact(&location.store, location.cache_bytes, &location.progress())?;
    print_result(format_args!(
        "compacted the store from {before} to {after} bytes"
    ))?;
    Ok(ExitCode::SUCCESS)
}
