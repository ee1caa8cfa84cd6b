//! `backup`: everything in one file, of a stopped server or a running one.

use super::{
    Sentence,
    output::{Output, Readers},
    place::{Found, Place},
    progress, remote,
};
use crate::store::{
    OpenError,
    moving::{MoveError, backup, read_stopped, verify_backup},
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

pub(super) fn run(arguments: Arguments) -> Result<ExitCode, Sentence> {
    let (found, path) = (arguments.place.find()?, arguments.file);
    let create = || Output::create(&found, &path, Readers::Owner);
    let (entries, output) = match of_stopped(&found, create()?) {
        Err(MoveError::Open(OpenError::Held(_))) => of_running(&found, create()?)?,
        outcome => outcome?,
    };
    output.finish()?;
    writeln!(io::stdout(), "{entries} entries were written to '{}'", path.display())?;
    Ok(ExitCode::SUCCESS)
}

fn of_stopped(found: &Found, mut output: Output) -> Result<(u64, Output), MoveError> {
    let progress = progress::bar();
    read_stopped(&found.store, found.cache_bytes, move |snapshot| {
        let entries = backup(snapshot, &mut output, &progress)?;
        Ok((entries, output))
    })
}

/// What the server sends is verified on its way to the file.
fn of_running(found: &Found, mut output: Output) -> Result<(u64, Output), Sentence> {
    let input = progress::reading("saving", remote::get(found, "/_local/backup")?);
    let tee = Tee { input, output: &mut output };
    let entries = verify_backup(BufReader::with_capacity(1 << 16, tee))
        .map_err(|fault| Sentence(format!("what the server sent {fault}; look into its log, and try again")))?;
    Ok((entries, output))
}

/// Writes what is read through it.
struct Tee<'a, R> {
    input: R,
    output: &'a mut Output,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.output.write_all(buffer.get(..read).unwrap_or_default())?;
        Ok(read)
    }
}
