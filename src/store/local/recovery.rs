//! What recovery does to the files of a store that is closed after a failure.
//!
//! After a failed sync the kernel may take dirty pages for clean. So everything in the files is
//! written again and synced before anything is built on it.

use super::layout::{BLOBS, LOG, PROBE_FILE, SEGMENT_BYTES};
use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

/// As much as the engine writes at once, which is a segment, and a margin.
const PROBE_LEN: usize = SEGMENT_BYTES + (1 << 20);

const REWRITE_CHUNK_LEN: usize = 1 << 20;

/// Writes and syncs a file that serves no other purpose.
pub(in crate::store) fn probe(folder: &Path) -> io::Result<()> {
    let path = folder.join(PROBE_FILE);
    // Remove what a killed process left: the disk may lack just that space. Usually there is none.
    let _ignored = fs::remove_file(&path);
    let written = File::create_new(&path).and_then(|mut file| {
        file.write_all(&vec![0; PROBE_LEN])?;
        file.sync_all()
    });
    // The disk may lack just this space.
    let removed = fs::remove_file(&path);
    written.and(removed)
}

/// Writes all files of the store again with their contents, and syncs them.
pub(in crate::store) fn rewrite(folder: &Path) -> io::Result<()> {
    let held = File::options()
        .read(true)
        .write(true)
        .open(folder.join(LOG))?;
    // Take the engine's own lock, so that no other process opens the store meanwhile.
    held.try_lock()?;
    rewrite_file(&held)?;
    for blob in files(&folder.join(BLOBS))? {
        rewrite_file(&File::options().read(true).write(true).open(blob)?)?;
    }
    held.unlock()
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect()
}

fn rewrite_file(file: &File) -> io::Result<()> {
    let mut chunk = vec![0; REWRITE_CHUNK_LEN];
    let mut offset = 0;
    loop {
        let length = file.read_at(&mut chunk, offset)?;
        let Some(read) = chunk.get(..length).filter(|read| !read.is_empty()) else {
            break;
        };
        file.write_all_at(read, offset)?;
        offset = offset.saturating_add(length.try_into().unwrap_or(u64::MAX));
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewriting_preserves_the_contents() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bytes: Vec<u8> = (0..REWRITE_CHUNK_LEN + 4_321)
            .map(|number| (number % 251) as u8)
            .collect();
        fs::write(&path, &bytes).unwrap();
        rewrite_file(&File::options().read(true).write(true).open(&path).unwrap()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn a_probe_leaves_nothing_behind_and_fails_without_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(PROBE_FILE), "left by a killed process").unwrap();
        probe(folder.path()).unwrap();
        assert_eq!(files(folder.path()).unwrap(), Vec::<PathBuf>::new());
        assert!(probe(&folder.path().join("absent")).is_err());
    }
}
