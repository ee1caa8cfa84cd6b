//! `backup`: everything in one file, of a stopped server or a running one.

use super::{
    Sentence,
    interruption::Interruption,
    output::Output,
    place::{Found, Place},
    remote::{self, Sent},
    report,
};
use crate::store::{
    OpenError,
    archive::{ArchiveError, BackupError, backup, read_offline, verify_backup},
};
use clap::Args;
use std::{
    io::{self, BufReader, Read, Write},
    path::PathBuf,
    process::ExitCode,
};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    place: Place,
    /// Where to write it
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(arguments: Arguments, interruption: &Interruption) -> Result<ExitCode, Sentence> {
    let (found, path) = (arguments.place.find(interruption)?, arguments.file);
    let create = || Output::create(&found, &path);
    let (entries, output) = match of_stopped(&found, create()?) {
        Err(ArchiveError::Open(OpenError::Locked(_))) => of_running(&found, create()?)?,
        outcome => outcome?,
    };

    output.finish()?;
    report(format_args!(
        "{entries} entries were written to '{}'",
        path.display()
    ))?;

    Ok(ExitCode::SUCCESS)
}

fn of_stopped(found: &Found, mut output: Output) -> Result<(u64, Output), ArchiveError> {
    let (copying, progress) = (found.progress(), found.progress());
    read_offline(&found.store, found.cache_bytes, &copying, move |snapshot| {
        let entries = backup(snapshot, &mut output, &progress)?;
        Ok((entries, output))
    })
}

/// What the server sends is verified on its way to the file.
fn of_running(found: &Found, mut output: Output) -> Result<(u64, Output), Sentence> {
    let Sent { body, steps } = remote::get(found, "/_local/backup")?;
    let mut unwritten = None;
    let tee = Tee {
        input: body,
        output: &mut output,
        unwritten: &mut unwritten,
    };

    let verified = verify_backup(
        BufReader::with_capacity(1 << 16, tee),
        steps,
        &found.progress(),
    );

    match (verified, unwritten) {
        (Ok(entries), _) => Ok((entries, output)),
        (Err(_), Some(error)) => Err(output.unwritable(&error)),
        (Err(BackupError::Cancelled(cancelled)), None) => Err(cancelled.into()),
        (Err(fault), None) => Err(Sentence(format!(
            "what the server sent {fault}; look into its log, and try again"
        ))),
    }
}

/// Writes what is read through it.
struct Tee<'a, R> {
    input: R,
    output: &'a mut Output,
    /// Why it could not be written, which is no fault of whoever is read.
    unwritten: &'a mut Option<io::Error>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.output
            .write_all(buffer.get(..read).unwrap_or_default())
            .map_err(|error| {
                let told = io::Error::from(error.kind());
                *self.unwritten = Some(error);
                told
            })?;
        Ok(read)
    }
}
