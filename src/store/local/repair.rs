//! Repairs what would keep the engine from opening a store although no data is lost, and removes
//! what a killed process left.
//!
//! A snapshot file only saves the engine from reading its whole log, and `conf` holds the segment
//! size, which the log reveals too. Both have checksums; on a mismatch the engine refuses the store
//! with a vague message. So a damaged snapshot or `conf` is moved aside before the engine opens,
//! which then reads everything from the log.

use super::layout::{CONF, LEGACY_SEGMENT_BYTES, LOG, PROBE_FILE, SEGMENT_BYTES};
use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

const QUARANTINE_PREFIX: &str = "damaged.";

/// Removes unfinished snapshots and moves damaged snapshots and a damaged `conf` aside. Does
/// nothing while another process holds the store; opening it reports that.
pub(super) fn repair(folder: &Path) -> io::Result<()> {
    let Ok(log) = File::open(folder.join(LOG)) else {
        return Ok(());
    };

    // The engine's own lock.
    if log.try_lock().is_err() {
        return Ok(());
    }

    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_snapshot = name.starts_with("snap.");

        if (is_snapshot && name.ends_with(".generating")) || name == PROBE_FILE {
            // The engine would accept an unfinished snapshot as complete. The probe file is 9 MiB of
            // nothing.
            fs::remove_file(&path)?;
        } else if (is_snapshot && !is_valid_snapshot(&path)?)
            || (name == CONF && !is_valid_conf(&path)?)
        {
            let quarantined = format!("{QUARANTINE_PREFIX}{name}");
            fs::rename(&path, folder.join(&quarantined))?;
            let folder = folder.display();
            log::warn!(folder:display, quarantined; "Moved the damaged file '{name}' of the store aside; no data is lost, the log holds all of it");
        }
    }

    log.unlock()
}

/// Whether the engine accepts a snapshot: its content, 8 bytes that nothing depends on, and the
/// checksum of the content.
fn is_valid_snapshot(path: &Path) -> io::Result<bool> {
    let snapshot = fs::read(path)?;
    let Some((rest, checksum)) = snapshot.split_last_chunk() else {
        return Ok(false);
    };
    let Some((content, _)) = rest.split_last_chunk::<8>() else {
        return Ok(false);
    };
    Ok(!content.is_empty() && crc32fast::hash(content) == u32::from_le_bytes(*checksum))
}

/// Whether the engine accepts `conf`. It rewrites an empty one.
fn is_valid_conf(path: &Path) -> io::Result<bool> {
    let conf = fs::read(path)?;
    let checked = conf
        .split_last_chunk()
        .is_some_and(|(text, sum)| crc32fast::hash(text) == u32::from_le_bytes(*sum));
    Ok(conf.is_empty() || checked)
}

/// The segment size that the store was created with: from `conf`, or, if that cannot be read, from
/// the log.
pub(super) fn segment_size(folder: &Path) -> usize {
    let conf = fs::read(folder.join(CONF)).unwrap_or_default();
    let conf = String::from_utf8_lossy(&conf);
    let size = conf
        .lines()
        .find_map(|line| line.strip_prefix("segment_size: ")?.trim().parse().ok());

    // Other sizes make the engine panic; ours only make it report a mismatch.
    let size = size.filter(|size: &usize| size.is_power_of_two() && (256..=1 << 24).contains(size));
    size.unwrap_or_else(|| {
        if has_legacy_segments(folder) {
            LEGACY_SEGMENT_BYTES
        } else {
            SEGMENT_BYTES
        }
    })
}

/// Whether the log's second segment begins where it does in early stores.
fn has_legacy_segments(folder: &Path) -> bool {
    let mut header = [0_u8; 20];
    let read = File::open(folder.join(LOG))
        .and_then(|log| log.read_exact_at(&mut header, LEGACY_SEGMENT_BYTES as u64));
    let (checksum, numbers) = header.split_at(4);
    read.is_ok() && (!crc32fast::hash(numbers)).to_le_bytes() == checksum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Opens a store that may have been open a moment ago: the engine's threads hold its lock until
    /// they end.
    fn open(folder: &Path, segment: usize) -> sled::Db {
        const ATTEMPTS: usize = 1_000_000;
        for _ in 0..ATTEMPTS {
            match sled::Config::new()
                .path(folder)
                .segment_size(segment)
                .open()
            {
                Err(sled::Error::Io(error))
                    if error.to_string().contains("could not acquire lock") =>
                {
                    std::thread::yield_now();
                }
                outcome => return outcome.unwrap(),
            }
        }

        panic!("the lock of {} is never released", folder.display());
    }

    fn make(folder: &Path, segment: usize, values: u32) {
        let db = open(folder, segment);
        for number in 0..values {
            db.insert(number.to_be_bytes(), vec![1; 1_000]).unwrap();
        }
        db.flush().unwrap();
    }

    /// The engine writes one when it opens a log that has grown.
    fn snapshot(folder: &Path) -> Option<std::path::PathBuf> {
        let mut entries = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries.find(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("snap.")
        })
    }

    #[test]
    fn an_unfinished_snapshot_is_removed_unless_the_store_is_open() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), SEGMENT_BYTES, 1);
        let unfinished = folder.path().join("snap.0FFFFFFFFFFFFFFF.generating");
        let probe = folder.path().join("probe");

        fs::write(&unfinished, "").unwrap();
        fs::write(&probe, "left by a killed process").unwrap();
        let held = File::open(folder.path().join(LOG)).unwrap();

        held.lock().unwrap();
        repair(folder.path()).unwrap();
        assert!(
            unfinished.exists() && probe.exists(),
            "another process has the store open"
        );
        held.unlock().unwrap();
        repair(folder.path()).unwrap();
        assert!(!unfinished.exists() && !probe.exists());
    }

    #[test]
    fn valid_files_stay_and_damaged_ones_are_moved_aside() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), SEGMENT_BYTES, 100);
        make(folder.path(), SEGMENT_BYTES, 100);

        let (snapshot, conf) = (snapshot(folder.path()).unwrap(), folder.path().join(CONF));
        repair(folder.path()).unwrap();
        for path in [&snapshot, &conf] {
            let whole = fs::read(path).unwrap();
            // Nothing depends on the length field of a snapshot.
            let counts =
                |at: usize| path == &conf || !(whole.len() - 12..whole.len() - 4).contains(&at);

            for at in (0..whole.len()).filter(|at| counts(*at)) {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << (at % 8);
                fs::write(path, damaged).unwrap();
                repair(folder.path()).unwrap();
                assert!(!path.exists(), "byte {at} of {}", path.display());
            }

            fs::write(path, &whole[..whole.len() / 2]).unwrap();
            repair(folder.path()).unwrap();
            assert!(!path.exists(), "{} cut off", path.display());
            fs::write(path, whole).unwrap();
        }

        repair(folder.path()).unwrap();
        assert!(snapshot.exists() && conf.exists());
        fs::write(&snapshot, "").unwrap();
        repair(folder.path()).unwrap();
        assert!(!snapshot.exists());
    }

    #[test]
    fn the_segment_size_is_found_with_and_without_conf() {
        for (segment, values) in [
            (SEGMENT_BYTES, 0),
            (SEGMENT_BYTES, 5_000),
            (LEGACY_SEGMENT_BYTES, 5_000),
        ] {
            let folder = tempfile::tempdir().unwrap();
            make(folder.path(), segment, values);
            assert_eq!(segment_size(folder.path()), segment);
            for nonsense in ["", "segment_size: 3", "segment_size: x"] {
                fs::write(folder.path().join(CONF), nonsense).unwrap();
                assert_eq!(segment_size(folder.path()), segment, "{nonsense:?}");
            }
            fs::remove_file(folder.path().join(CONF)).unwrap();
            assert_eq!(segment_size(folder.path()), segment);
        }
    }

    fn entries(folder: &Path, segment: usize) -> Vec<(sled::IVec, sled::IVec)> {
        let db = open(folder, segment);
        db.iter().collect::<Result<_, _>>().unwrap()
    }

    /// The assumption behind moving a snapshot aside. The segments are small, so that the log
    /// reuses them many times.
    #[test]
    fn the_engine_recovers_the_same_entries_without_its_snapshot() {
        const SEGMENT_BYTES: usize = 1 << 13;
        let mut random = 2_026_u64;
        let mut below = |most: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % most
        };

        let folder = tempfile::tempdir().unwrap();
        let mut without = 0;
        for round in 0..40 {
            let db = open(folder.path(), SEGMENT_BYTES);
            for _ in 0..below(1_000) {
                let key = below(300).to_be_bytes();
                match below(3) {
                    0 => db.remove(key).unwrap(),
                    _ => db
                        .insert(key, vec![below(256) as u8; below(1_500) as usize])
                        .unwrap(),
                };
            }

            db.flush().unwrap();
            drop(db);
            let copy = tempfile::tempdir().unwrap();

            for (from, to) in
                ["", "blobs"].map(|name| (folder.path().join(name), copy.path().join(name)))
            {
                fs::create_dir_all(&to).unwrap();
                for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
                    // Fails for folders.
                    let _ignored = fs::copy(entry.path(), to.join(entry.file_name()));
                }
            }

            if let Some(snapshot) = snapshot(copy.path()) {
                fs::remove_file(snapshot).unwrap();
                without += 1;
            }

            assert_eq!(
                entries(copy.path(), SEGMENT_BYTES),
                entries(folder.path(), SEGMENT_BYTES),
                "in round {round}"
            );
        }

        assert!(without > 30, "only {without} of the stores had one");
    }
}
