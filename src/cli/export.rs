//! `export`: the whole store as JSON lines, taken from a stopped or a running server.

use super::{
    CliError,
    admin_client::{self, Transfer},
    atomic_file::AtomicFile,
    salvage,
    signals::Interruption,
    store_args::{StoreArgs, StoreLocation},
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
pub(super) struct ExportArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Recover what is readable in a damaged store, and list what is not
    #[arg(long, requires = "file")]
    salvage: bool,
    /// File to write [default: standard output]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(
    arguments: ExportArgs,
    interruption: &Interruption,
) -> Result<ExitCode, CliError> {
    let location = arguments.store.locate(interruption)?;
    let written = match arguments.file {
        Some(path) if arguments.salvage => return salvage::run(&location, &path),
        Some(path) => {
            let output = export_all(&location, || AtomicFile::create(&location, &path))?;
            output.map(AtomicFile::finish).transpose()?
        }
        None => export_all(&location, || {
            Ok(BufWriter::with_capacity(1 << 16, io::stdout()))
        })?
        .map(|_| ()),
    };

    Ok(if written.is_some() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(BROKEN_PIPE)
    })
}

/// 128 + SIGPIPE, as shells report a program whose reader has closed the pipe.
const BROKEN_PIPE: u8 = 141;

/// Writes the whole store, whether a server has it open or not. Returns `None` if the reader closed
/// the pipe before the end.
fn export_all<W: Write + Send + 'static>(
    location: &StoreLocation,
    output: impl Fn() -> Result<W, CliError>,
) -> Result<Option<W>, CliError> {
    let written = match read_local(location, output()?) {
        Err(ArchiveError::Open(OpenError::Locked(_))) => fetch_from_server(location, output()?)?,
        outcome => outcome,
    };
    match written {
        Err(ArchiveError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        outcome => Ok(Some(outcome?)),
    }
}

fn read_local<W: Write + Send + 'static>(
    location: &StoreLocation,
    mut output: W,
) -> Result<W, ArchiveError> {
    let (copying, progress) = (location.progress(), location.progress());
    read_offline(
        &location.store,
        location.cache_bytes,
        &copying,
        move |snapshot| {
            export(snapshot, &mut output, &progress)?;
            Ok(output)
        },
    )
}

/// The inner result is the transfer's, so that both sources report it alike.
///
/// # Errors
/// The server does not respond.
fn fetch_from_server<W: Write>(
    location: &StoreLocation,
    mut output: W,
) -> Result<Result<W, ArchiveError>, CliError> {
    let Transfer { body, steps } = admin_client::get(location, "/_local/export")?;
    Ok(relay_export(body, &mut output, steps, &location.progress()).map(|()| output))
}
