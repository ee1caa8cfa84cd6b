//! `restore`: makes a store of a backup.

use super::{Sentence, interruption::Interruption, place::Place, report};
use crate::store::archive::{RestoreOptions, restore};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Put it in the place of the store that is there, which is lost
    #[arg(long)]
    replace: bool,
    /// What `backup` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(arguments: Arguments, interruption: &Interruption) -> Result<ExitCode, Sentence> {
    let found = arguments.place.find(interruption)?;
    let Arguments { replace, file, .. } = arguments;
    let task = RestoreOptions {
        file,
        folder: found.store.clone(),
        cache_bytes: found.cache_bytes,
        replace,
    };
    let entries = restore(&task, &found.progress())?;
    report(format_args!("{entries} entries were restored"))?;
    Ok(ExitCode::SUCCESS)
}
