//! `export --salvage`: recovers what is readable in a damaged store.

use super::{CliError, atomic_file::AtomicFile, print_error, store_args::StoreLocation};
use crate::store::archive::{SalvageSummary, salvage};
use std::{path::Path, process::ExitCode};

/// Lists on standard error what is missing or uncertain. The exit code is 1 if nothing was
/// recovered.
pub(super) fn run(location: &StoreLocation, path: &Path) -> Result<ExitCode, CliError> {
    let mut output = AtomicFile::create(location, path)?;
    let SalvageSummary { objects, warnings } = salvage(
        &location.store,
        location.cache_bytes,
        &mut output,
        &location.progress(),
    )?;

    output.finish()?;
    for warning in &warnings {
        print_error(warning);
    }

    let summary = match warnings.is_empty() {
        true => "no damage found".into(),
        false => format!("recovered {objects} objects"),
    };

    print_error(&summary);
    Ok(if objects == 0 && !warnings.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
