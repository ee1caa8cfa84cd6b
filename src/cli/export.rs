//! `export`: a whole store as text, of a stopped server or a running one.

use super::{
    Sentence,
    interruption::Interruption,
    output::Output,
    place::{Found, Place},
    remote::{self, Sent},
    salvage,
};
use crate::store::{
    OpenError,
    archive::{ArchiveError, export, read_offline, relay_export},
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

pub(super) fn run(arguments: Arguments, interruption: &Interruption) -> Result<ExitCode, Sentence> {
    let found = arguments.place.find(interruption)?;
    let written = match arguments.file {
        Some(path) if arguments.salvage => return salvage::run(&found, &path),
        Some(path) => {
            let output = everything(&found, || Output::create(&found, &path))?;
            output.map(Output::finish).transpose()?
        }
        None => everything(&found, || {
            Ok(BufWriter::with_capacity(1 << 16, io::stdout()))
        })?
        .map(|_| ()),
    };

    Ok(if written.is_some() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(UNREAD)
    })
}

/// As a program ends whose output nobody reads any more: 128 and the number of SIGPIPE.
const UNREAD: u8 = 141;

/// Writes all that the store has, whoever holds it. `None` if nobody reads it to its end, who knows
/// why.
fn everything<W: Write + Send + 'static>(
    found: &Found,
    output: impl Fn() -> Result<W, Sentence>,
) -> Result<Option<W>, Sentence> {
    let written = match of_stopped(found, output()?) {
        Err(ArchiveError::Open(OpenError::Locked(_))) => of_running(found, output()?)?,
        outcome => outcome,
    };
    match written {
        Err(ArchiveError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        outcome => Ok(Some(outcome?)),
    }
}

fn of_stopped<W: Write + Send + 'static>(found: &Found, mut output: W) -> Result<W, ArchiveError> {
    let (copying, progress) = (found.progress(), found.progress());
    read_offline(&found.store, found.cache_bytes, &copying, move |snapshot| {
        export(snapshot, &mut output, &progress)?;
        Ok(output)
    })
}

/// # Errors
/// Nobody answers; what goes wrong with an answer is the result.
fn of_running<W: Write>(found: &Found, mut output: W) -> Result<Result<W, ArchiveError>, Sentence> {
    let Sent { body, steps } = remote::get(found, "/_local/export")?;
    Ok(relay_export(body, &mut output, steps, &found.progress()).map(|()| output))
}
