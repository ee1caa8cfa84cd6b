//! The number of the last acknowledged commit, in a file beside the engine's own.
//!
//! The engine treats damage in its log as the end of the log: it opens with whatever precedes the
//! damage, without an error. So every commit carries a number inside the store, and once the commit
//! is durable its number is written here. A store whose last commit is lower has lost acknowledged
//! data. The file is not synced: after a power cut it may lag behind the store, but is never ahead
//! of it.

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

/// Beside `db`.
const WATERMARK_FILE: &str = "acknowledged";

/// The open file: the number and its complement, so that a torn write is detected.
#[derive(Debug)]
pub(super) struct Watermark(File);

impl Watermark {
    /// Opens or creates the file in `folder`.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(WATERMARK_FILE))?;
        let watermark = Self(file);

        if watermark.0.metadata()?.len() == 0 {
            // Reserve the space while the disk has some.
            watermark.set(0)?;
            watermark.0.sync_all()?;
        }

        Ok(watermark)
    }

    /// The number; 0 if the file is torn or empty.
    pub(super) fn get(&self) -> io::Result<u64> {
        let mut bytes = [0; 16];
        match self.0.read_exact_at(&mut bytes, 0) {
            Err(short) if short.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
            outcome => outcome?,
        }

        let both = u128::from_be_bytes(bytes);
        let (number, complement) = ((both >> 64) as u64, both as u64);
        if number == !complement {
            return Ok(number);
        }

        // A power cut may leave zeros, which is no damage.
        if both != 0 {
            log::warn!(
                "The file '{WATERMARK_FILE}' of the store is damaged; cannot tell whether the last commits are present"
            );
        }

        Ok(0)
    }

    /// Records that the commit with this number is durable.
    pub(super) fn set(&self, number: u64) -> io::Result<()> {
        let both = u128::from(number) << 64 | u128::from(!number);
        self.0.write_all_at(&both.to_be_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_survives_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let watermark = Watermark::open(folder.path()).unwrap();
        assert_eq!(watermark.get().unwrap(), 0);
        watermark.set(u64::MAX - 7).unwrap();
        assert_eq!(
            Watermark::open(folder.path()).unwrap().get().unwrap(),
            u64::MAX - 7
        );
    }

    #[test]
    fn a_torn_file_yields_zero() {
        let folder = tempfile::tempdir().unwrap();
        for torn in [&b"short"[..], &[0; 16], &[0xA5; 16]] {
            std::fs::write(folder.path().join(WATERMARK_FILE), torn).unwrap();
            assert_eq!(Watermark::open(folder.path()).unwrap().get().unwrap(), 0);
        }
    }
}
