//! Temporary folders for stores. A folder is removed when its process ends, or by a later process
//! if it was killed.
//!
//! A process holds a lock on a file in its folder for as long as it lives. The kernel releases the
//! lock however the process ends, and unlike a process id a lock means the same in every container
//! that shares the temporary folder.

use std::{
    env,
    fs::{self, File, Permissions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
};
use tempfile::TempDir;

const PREFIX: &str = "pagertree-local-";
const STORE: &str = "store";
const LOCK: &str = "lock";
/// The engine's own lock. Early versions had no other.
const ENGINE_LOCK: &str = "store/db";

/// Another process that starts at the same time may remove a folder between its creation and its
/// locking.
const MAX_ATTEMPTS: usize = 100;

/// A temporary folder that is removed on drop.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
    _lock: Option<File>,
}

impl TemporaryFolder {
    /// Creates a folder that only this user can read.
    ///
    /// # Errors
    /// The system's temporary folder cannot be written.
    pub fn create() -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::create_once() {
                Ok(Some(made)) => return Ok(made),
                Ok(None) if attempt < MAX_ATTEMPTS => attempt += 1,
                Ok(None) => {
                    return Err(io::Error::other(
                        "another process keeps removing new folders",
                    ));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn create_once() -> io::Result<Option<Self>> {
        let mode = Permissions::from_mode(0o700);
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            .permissions(mode)
            .tempdir()?;
        let path = folder.path().join(LOCK);
        let lock = match File::create(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            created => created?,
        };

        match lock.try_lock() {
            Ok(()) if is_same(&lock, &path) => Ok(Some(Self {
                folder,
                _lock: Some(lock),
            })),
            Ok(()) | Err(TryLockError::WouldBlock) => Ok(None),
            // This file system has no locks, so no process sweeps here.
            Err(TryLockError::Error(_)) => Ok(Some(Self {
                folder,
                _lock: None,
            })),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder for the store. [`sweep_temporary_folders`] expects it there too.
    pub(super) fn store(&self) -> PathBuf {
        self.path().join(STORE)
    }
}

/// Whether the path still names the open file.
fn is_same(file: &File, path: &Path) -> bool {
    let ids = |found: fs::Metadata| (found.dev(), found.ino());
    file.metadata().ok().map(ids) == path.symlink_metadata().ok().map(ids)
}

/// Removes the folders of killed processes, in the background: there may be many.
pub fn sweep_temporary_folders() {
    let begun = thread::Builder::new()
        .name("temporary-sweep".into())
        .spawn(|| {
            let folders = sweep_below(&env::temp_dir());
            if folders > 0 {
                log::info!(folders; "Removed the temporary stores of killed processes");
            }
        });
    if let Err(error) = begun {
        log::warn!(error:display; "Cannot look for temporary stores of killed processes");
    }
}

fn sweep_below(temporary: &Path) -> usize {
    // Skip what cannot be read.
    let entries = fs::read_dir(temporary).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.filter(|entry| sweep_one(&entry.path()).is_ok_and(|removed| removed))
        .count()
}

/// Removes a folder if it belongs to this user and its process is gone.
fn sweep_one(folder: &Path) -> io::Result<bool> {
    let found = folder.symlink_metadata()?;
    if !found.is_dir() || found.uid() != rustix::process::geteuid().as_raw() {
        return Ok(false);
    }

    let lock = match File::open(folder.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            File::open(folder.join(ENGINE_LOCK))
        }
        opened => opened,
    }?;

    if lock.try_lock().is_err() {
        return Ok(false);
    }

    // Remove the lock file last, so that the next sweep finds what an interrupted one left.
    match fs::remove_dir_all(folder.join(STORE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }

    fs::remove_dir_all(folder)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_folders_whose_lock_is_free_are_swept() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = |name: &str, lock: Option<&str>| {
            let folder = temporary.path().join(name);
            fs::create_dir_all(folder.join("store")).unwrap();
            lock.map(|lock| File::create(folder.join(lock)).unwrap())
        };

        let _dead = folder("pagertree-local-dead", Some(LOCK));
        let _dead_of_old = folder("pagertree-local-old-dead", Some(ENGINE_LOCK));
        let alive = folder("pagertree-local-alive", Some(LOCK)).unwrap();
        let alive_of_old = folder("pagertree-local-old-alive", Some(ENGINE_LOCK)).unwrap();
        let _without = folder("pagertree-local-begun", None);
        let _another = folder("pagertree-other", Some(LOCK));

        alive.lock().unwrap();
        alive_of_old.lock().unwrap();
        std::os::unix::fs::symlink(
            temporary.path().join("pagertree-other"),
            temporary.path().join("pagertree-local-link"),
        )
        .unwrap();
        fs::write(temporary.path().join("pagertree-local-file"), "").unwrap();

        assert_eq!(sweep_below(temporary.path()), 2);
        let entries = fs::read_dir(temporary.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let mut left: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();

        left.sort();
        let expected = ["alive", "begun", "file", "link", "old-alive"]
            .map(|name| format!("pagertree-local-{name}"));

        assert_eq!(
            left,
            [expected.as_slice(), &["pagertree-other".to_owned()]].concat()
        );
    }
}
