//! The file of `--port-file`: there only while the server of which it tells serves.
//!
//! What an earlier server left is removed first thing. The port is written under a name that nobody
//! else uses and moved into place, so that nobody reads half a number, nor that of a server beside
//! this one.

use super::StartError;
use std::{fs, fs::Permissions, io, io::Write, os::unix::fs::PermissionsExt, path::Path};

/// Removes what an earlier server left, so that nobody takes its port for that of the server which
/// starts now.
///
/// # Errors
/// Something is in its place that must not be replaced, or cannot be.
pub fn remove_stale_port_file(path: &Path) -> Result<(), StartError> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    remove(path).map_err(|source| unwritable(path, source))
}

fn remove(path: &Path) -> io::Result<()> {
    // A pipe or a device is not a file to be replaced, nor is a link to one.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it is there and no regular file",
        ));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes it, whole at once.
pub(super) fn write(path: &Path, port: u16) -> Result<(), StartError> {
    write_beside(path, port).map_err(|source| unwritable(path, source))
}

fn write_beside(path: &Path, port: u16) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));

    // Whoever may read what this user writes may know the port.
    let mode = Permissions::from_mode(0o666);
    let mut beside = tempfile::Builder::new()
        .prefix(".port-")
        .permissions(mode)
        .tempfile_in(folder)?;

    writeln!(beside, "{port}")?;
    remove(path)?;
    beside.persist(path).map(drop).map_err(|error| error.error)
}

fn unwritable(path: &Path, source: io::Error) -> StartError {
    StartError::File {
        path: path.to_owned(),
        source,
    }
}
