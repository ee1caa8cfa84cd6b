//! `compact`: gives back the room that the storage engine has taken and no longer needs.

use super::{Sentence, interruption::Interruption, place::Place, report};
use crate::store::archive::{CompactSummary, compact};
use clap::Args;
use std::process::ExitCode;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Prints the size before and after.
pub(super) fn run(arguments: Arguments, interruption: &Interruption) -> Result<ExitCode, Sentence> {
    let found = arguments.place.find(interruption)?;
    let CompactSummary { before, after } =
        compact(&found.store, found.cache_bytes, &found.progress())?;
    report(format_args!("the store had {before} bytes and has {after}"))?;
    Ok(ExitCode::SUCCESS)
}
