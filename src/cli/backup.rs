//! `backup`: the whole store in one file, taken from a stopped or a running server.

use super::{
    CliError,
    admin_client::{self, Transfer},
    atomic_file::AtomicFile,
    print_result,
    signals::Interruption,
    store_args::{StoreArgs, StoreLocation},
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
pub(super) struct BackupArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// File to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn run(
    arguments: BackupArgs,
    interruption: &Interruption,
) -> Result<ExitCode, CliError> {
    let (location, path) = (arguments.store.locate(interruption)?, arguments.file);
    let create = || AtomicFile::create(&location, &path);
    let (entries, output) = match read_local(&location, create()?) {
        Err(ArchiveError::Open(OpenError::Locked(_))) => fetch_from_server(&location, create()?)?,
        outcome => outcome?,
    };

    output.finish()?;
    print_result(format_args!(
        "wrote {entries} entries to '{}'",
        path.display()
    ))?;

    Ok(ExitCode::SUCCESS)
}

fn read_local(
    location: &StoreLocation,
    mut output: AtomicFile,
) -> Result<(u64, AtomicFile), ArchiveError> {
    let (copying, progress) = (location.progress(), location.progress());
    read_offline(
        &location.store,
        location.cache_bytes,
        &copying,
        move |snapshot| {
            let entries = backup(snapshot, &mut output, &progress)?;
            Ok((entries, output))
        },
    )
}

/// Verifies the server's response while writing it to the file.
fn fetch_from_server(
    location: &StoreLocation,
    mut output: AtomicFile,
) -> Result<(u64, AtomicFile), CliError> {
    let Transfer { body, steps } = admin_client::get(location, "/_local/backup")?;
    let mut write_failure = None;
    let tee = Tee {
        input: body,
        output: &mut output,
        write_failure: &mut write_failure,
    };

    let verified = verify_backup(
        BufReader::with_capacity(1 << 16, tee),
        steps,
        &location.progress(),
    );

    match (verified, write_failure) {
        (Ok(entries), _) => Ok((entries, output)),
        (Err(_), Some(error)) => Err(output.write_error(&error)),
        (Err(BackupError::Cancelled(cancelled)), None) => Err(cancelled.into()),
        (Err(fault), None) => Err(CliError(format!(
            "the backup sent by the server is unusable: {fault}; check the server's log and try again"
        ))),
    }
}

/// A reader that copies everything it reads to the output file.
struct Tee<'a, R> {
    input: R,
    output: &'a mut AtomicFile,
    /// The write error, which must not be mistaken for a read error.
    write_failure: &'a mut Option<io::Error>,
}

impl<R: Read> Read for Tee<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.output
            .write_all(buffer.get(..read).unwrap_or_default())
            .map_err(|error| {
                let told = io::Error::from(error.kind());
                *self.write_failure = Some(error);
                told
            })?;
        Ok(read)
    }
}
