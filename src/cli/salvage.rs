//! `export --salvage`: what can be read of a damaged store.

use super::{Sentence, complain, output::Output, place::Found};
use crate::store::archive::{SalvageSummary, salvage};
use std::{path::Path, process::ExitCode};

/// Says on standard error what is missing or not certain. Ends with exit code 1 if nothing was
/// found at all.
pub(super) fn run(found: &Found, path: &Path) -> Result<ExitCode, Sentence> {
    let mut output = Output::create(found, path)?;
    let SalvageSummary { objects, warnings } = salvage(
        &found.store,
        found.cache_bytes,
        &mut output,
        &found.progress(),
    )?;

    output.finish()?;
    for warning in &warnings {
        complain(warning);
    }

    let summary = match warnings.is_empty() {
        true => "nothing is damaged".into(),
        false => format!("{objects} objects were saved"),
    };

    complain(&summary);
    Ok(if objects == 0 && !warnings.is_empty() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
