//! `import`: adds what an export holds to a stopped store, or makes a store of it.

use super::{Sentence, interruption::Interruption, place::Place, report};
use crate::{
    ids::Ids,
    store::archive::{ImportOptions, ImportOutcome, import},
};
use clap::Args;
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// What `export` has written
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Prints every fault of the file. One is enough to change nothing and end with exit code 1.
pub(super) fn run(arguments: Arguments, interruption: &Interruption) -> Result<ExitCode, Sentence> {
    let found = arguments.place.find(interruption)?;
    let task = ImportOptions {
        file: arguments.file,
        folder: found.store.clone(),
        cache_bytes: found.cache_bytes,
        token_secret: Ids::Random.secret(),
    };

    match import(&task, &found.progress())? {
        ImportOutcome::Added(objects) => {
            report(format_args!("{objects} objects were added"))?;
            Ok(ExitCode::SUCCESS)
        }
        ImportOutcome::Refused(faults) => {
            let mut out = io::stdout().lock();
            for fault in &faults {
                writeln!(out, "{fault}")?;
            }
            writeln!(out, "nothing was imported: {} faults", faults.len())?;
            Ok(ExitCode::FAILURE)
        }
    }
}
