//! `export`: a whole store as text, of a stopped server or a running one.

use super::{
    Sentence,
    output::{Output, Readers},
    place::{Found, Place},
    progress, remote, salvage,
};
use crate::store::{
    OpenError,
    moving::{MoveError, export, read_stopped},
};
use clap::Args;
use std::{
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Save what can be read of a damaged store, and say what cannot
    #[arg(long, requires = "file")]
    salvage: bool,
    /// Where to write it [default: standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Sentence> {
    let found = arguments.place.find()?;
    match arguments.file {
        Some(path) if arguments.salvage => return salvage::run(&found, &path),
        Some(path) => everything(&found, || Output::create(&found, &path, Readers::AsUsual))?.finish()?,
        None => everything(&found, || Ok(BufWriter::with_capacity(1 << 16, io::stdout())))?.flush()?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes all that the store has, whoever holds it.
fn everything<W: Write + Send + 'static>(
    found: &Found,
    output: impl Fn() -> Result<W, Sentence>,
) -> Result<W, Sentence> {
    match of_stopped(found, output()?) {
        Err(MoveError::Open(OpenError::Held(_))) => of_running(found, output()?),
        outcome => Ok(outcome?),
    }
}

fn of_stopped<W: Write + Send + 'static>(found: &Found, mut output: W) -> Result<W, MoveError> {
    let progress = progress::bar();
    read_stopped(&found.store, found.cache_bytes, move |snapshot| {
        export(snapshot, &mut output, &progress)?;
        Ok(output)
    })
}

fn of_running<W: Write>(found: &Found, mut output: W) -> Result<W, Sentence> {
    let mut input = progress::reading("exporting", remote::get(found, "/_local/export")?);
    io::copy(&mut input, &mut output).map_err(|error| {
        Sentence(format!("what the server sent could not be kept: {error}; look into its log, and try again"))
    })?;
    Ok(output)
}
