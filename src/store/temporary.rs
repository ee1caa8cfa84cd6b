//! Temporary folders for stores: made for one process, removed when it ends, or by a later one if
//! it was killed.
//!
//! A process holds a lock on a file in its folder for as long as it lives. The lock goes with the
//! process, however it ends, and unlike a process id it means the same in every container that
//! shares the temporary folder.

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
/// The engine's own lock, for folders of versions that had no other.
const ENGINE_LOCK: &str = "store/db";

/// A folder may be swept away between its making and its locking, by a process that starts at the
/// same time.
const MAX_ATTEMPTS: usize = 100;

/// A folder that goes away by itself.
#[derive(Debug)]
pub struct TemporaryFolder {
    folder: TempDir,
    _lock: Option<File>,
}

impl TemporaryFolder {
    /// A new one, only for this user.
    ///
    /// # Errors
    /// The temporary folder takes none.
    pub fn create() -> io::Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::create_once() {
                Ok(Some(made)) => return Ok(made),
                Ok(None) if attempt < MAX_ATTEMPTS => attempt += 1,
                Ok(None) => return Err(io::Error::other("others remove what is made there")),
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
            // There are no locks here, so nobody sweeps.
            Err(TryLockError::Error(_)) => Ok(Some(Self {
                folder,
                _lock: None,
            })),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Where a store in it is expected, by those who sweep too.
    pub(super) fn store(&self) -> PathBuf {
        self.path().join(STORE)
    }
}

/// Whether the open file is still the one of this name.
fn is_same(file: &File, path: &Path) -> bool {
    let ids = |found: fs::Metadata| (found.dev(), found.ino());
    file.metadata().ok().map(ids) == path.symlink_metadata().ok().map(ids)
}

/// Removes the folders of processes that were killed, on a thread of its own: there may be many,
/// and nobody waits for it.
pub fn sweep_temporary_folders() {
    let begun = thread::Builder::new()
        .name("temporary-sweep".into())
        .spawn(|| {
            let folders = sweep_below(&env::temp_dir());
            if folders > 0 {
                log::info!(folders; "Temporary stores of processes that were killed were removed");
            }
        });
    if let Err(error) = begun {
        log::warn!(error:display; "Temporary stores of processes that were killed are not looked for");
    }
}

fn sweep_below(temporary: &Path) -> usize {
    // Whoever cannot be read is left alone.
    let entries = fs::read_dir(temporary).into_iter().flatten().flatten();
    let ours = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    ours.filter(|entry| sweep_one(&entry.path()).is_ok_and(|removed| removed))
        .count()
}

/// Removes a folder, if it is one of this user's whose process is gone.
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

    // The lock file goes last, so that what is left by an interrupted sweep is found by the next.
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
