//! `export`: a whole store as text.

use super::{
    Sentence,
    output::Output,
    place::{Found, Place},
    progress,
};
use crate::store::{
    Snapshot,
    moving::{Exported, MoveError, export, read_stopped},
};
use clap::Args;
use std::{
    io::{self, BufWriter},
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Where to write it [default: standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Sentence> {
    let found = arguments.place.find()?;
    match arguments.file {
        Some(path) => to_file(&found, &path)?,
        None => to_standard_output(&found)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn to_file(found: &Found, path: &Path) -> Result<(), Sentence> {
    let mut output = Output::create(path)?;
    let progress = progress::bar();
    let written = read_stopped(&found.store, found.cache_bytes, move |snapshot| {
        export(snapshot, &mut output, &progress)?;
        Ok(output)
    });
    match written {
        Ok(output) => output.finish(),
        Err(error) => {
            Output::discard(path);
            Err(error.into())
        }
    }
}

fn to_standard_output(found: &Found) -> Result<(), Sentence> {
    let progress = progress::bar();
    let write = move |snapshot: &Snapshot| -> Result<Exported, MoveError> {
        export(snapshot, &mut BufWriter::with_capacity(1 << 16, io::stdout()), &progress)
    };
    read_stopped(&found.store, found.cache_bytes, write)?;
    Ok(())
}
