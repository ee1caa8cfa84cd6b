//! `compact`: gives back the room that the storage engine has taken and no longer needs.

use super::{Sentence, place::Place, progress};
use crate::store::moving::{Compacted, compact};
use clap::Args;
use std::{
    io::{self, Write},
    process::ExitCode,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
}

/// Prints the size before and after.
pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Sentence> {
    let found = arguments.place.find()?;
    let Compacted { before, after } = compact(&found.store, found.cache_bytes, &progress::bar())?;
    writeln!(io::stdout(), "the store had {before} bytes and has {after}")?;
    Ok(ExitCode::SUCCESS)
}
