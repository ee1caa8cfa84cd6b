//! The file of `--port-file`, which exists only while its server is ready.
//!
//! A stale file is removed before anything else. The port is written to a temporary file with a
//! unique name, which is then renamed, so that readers never see a partial number or the port of
//! another server.

use super::StartError;
use std::{fs, fs::Permissions, io, io::Write, os::unix::fs::PermissionsExt, path::Path};

/// Removes a stale file, so that its port is not mistaken for that of the server being started.
///
/// # Errors
/// The path is taken by something other than a regular file, or the file cannot be removed.
pub fn remove_stale_port_file(path: &Path) -> Result<(), StartError> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    remove(path).map_err(|source| unwritable(path, source))
}

fn remove(path: &Path) -> io::Result<()> {
    // Never replace a pipe or a device, nor a link to one.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "it exists and is not a regular file",
        ));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes the file atomically.
pub(super) fn write(path: &Path, port: u16) -> Result<(), StartError> {
    write_beside(path, port).map_err(|source| unwritable(path, source))
}

fn write_beside(path: &Path, port: u16) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));

    // The port is no secret; the umask decides who can read it.
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
