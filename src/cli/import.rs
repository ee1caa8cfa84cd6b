//! `import`: adds the objects of an export to a stopped store, or creates a store from them.

use super::{CliError, print_result, signals::Interruption, store_args::StoreArgs};
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
pub(super) struct ImportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// File written by `export`
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Prints every error in the file. With at least one, nothing is imported and the exit code is 1.
pub(super) fn run(
    arguments: ImportArgs,
    interruption: &Interruption,
) -> Result<ExitCode, CliError> {
    let location = arguments.store.locate(interruption)?;
    let task = ImportOptions {
        file: arguments.file,
        folder: location.store.clone(),
        cache_bytes: location.cache_bytes,
        token_secret: Ids::Random.secret(),
    };

    match import(&task, &location.progress())? {
        ImportOutcome::Added(objects) => {
            print_result(format_args!("imported {objects} objects"))?;
            Ok(ExitCode::SUCCESS)
        }
        ImportOutcome::Refused(errors) => {
            let mut out = io::stdout().lock();
            for error in &errors {
                writeln!(out, "{error}")?;
            }
            writeln!(out, "nothing imported: {} errors", errors.len())?;
            Ok(ExitCode::FAILURE)
        }
    }
}
