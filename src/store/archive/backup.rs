//! Backups: a whole store as one file, including the token secret and idempotency records.
//! docs/backup.md describes them for users.
//!
//! ```text
//! pagertree-local backup 1 \n
//! 0x01, length (u16), name                                   begins a tree
//! 0x02, length of key (u32), length of value (u32), both     an entry, in key order
//! 0x00, number of entries (u64), SHA-256 of all before it    the end; nothing follows
//! ```
//!
//! Numbers are big-endian. A file without its end is invalid, so truncation is detected.

use super::{
    ArchiveError, Cancelled, Progress,
    export::SCAN_CHUNK,
    file_kind::{self, BACKUP_MAGIC},
    high_water_marks::count_live,
    load::{counts_as_progress, entries_for_objects, is_store_specific},
};
use crate::store::{Snapshot, trees::Tree};
use sha2::{Digest, Sha256};
use std::io::{self, Read, Write};

const VERSION: &[u8] = b"1";
const END: u8 = 0;
const TREE: u8 = 1;
const ENTRY: u8 = 2;

/// Why a file cannot be used as a backup. The message continues a sentence that begins with the
/// file's name.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// It begins differently; what it is instead, if known.
    #[error("{}", .0.unwrap_or("is not a backup"))]
    NotABackup(Option<&'static str>),
    /// A newer version of this program wrote it.
    #[error("was written by a newer version of pagertree-local; use that version")]
    Newer,
    /// It is truncated.
    #[error("is truncated: the end of the backup is missing")]
    CutOff,
    /// It is corrupt.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// Reading it was cancelled.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::CutOff
        } else {
            Self::Unreadable(error)
        }
    }
}

/// Writes the whole store as of one commit. Returns the number of entries.
///
/// # Errors
/// The store cannot be read, or `out` cannot be written.
pub fn backup(
    snapshot: &Snapshot,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<u64, ArchiveError> {
    progress.begin("saving", backup_steps(snapshot));
    let mut out = BackupWriter {
        out,
        digest: Sha256::new(),
        entries: 0,
    };

    out.write(&[BACKUP_MAGIC, VERSION, b"\n"])?;
    for tree in Tree::ALL {
        let name = tree.name().as_bytes();
        out.write(&[
            &[TREE],
            &u16::try_from(name.len()).unwrap_or_default().to_be_bytes(),
            name,
        ])?;

        for entry in snapshot.scan_all(tree, SCAN_CHUNK) {
            let (key, value) = entry?;
            if !is_store_specific(tree, &key) {
                out.entry(&key, value.as_ref())?;
                progress.advance(u64::from(counts_as_progress(tree)))?;
            }
        }
    }

    let entries = out.end()?;
    progress.end();
    Ok(entries)
}

struct BackupWriter<'a> {
    out: &'a mut dyn Write,
    digest: Sha256,
    entries: u64,
}

impl BackupWriter<'_> {
    fn write(&mut self, parts: &[&[u8]]) -> Result<(), ArchiveError> {
        for part in parts {
            self.digest.update(part);
            self.out.write_all(part).map_err(ArchiveError::Output)?;
        }
        Ok(())
    }

    fn entry(&mut self, key: &[u8], value: &[u8]) -> Result<(), ArchiveError> {
        let length = |bytes: &[u8]| {
            let length = u32::try_from(bytes.len());
            length
                .map(u32::to_be_bytes)
                .map_err(|_| ArchiveError::Refused("an entry is larger than 4 GiB".into()))
        };
        let (key_length, value_length) = (length(key)?, length(value)?);
        self.entries = self.entries.saturating_add(1);
        self.write(&[&[ENTRY], &key_length, &value_length, key, value])
    }

    fn end(mut self) -> Result<u64, ArchiveError> {
        let entries = self.entries;
        self.write(&[&[END], &entries.to_be_bytes()])?;
        let Self { out, digest, .. } = self;
        out.write_all(&digest.finalize())
            .and_then(|()| out.flush())
            .map_err(ArchiveError::Output)?;
        Ok(entries)
    }
}

/// Reads a backup entry by entry. Entries are verified only once the end has been read.
pub(super) struct Reader<R> {
    input: R,
    digest: Sha256,
    tree: Option<Tree>,
    last_key: Option<Vec<u8>>,
    entries: u64,
    bytes_read: u64,
}

/// Tree, key and value.
pub(super) type TreeEntry = (Tree, Vec<u8>, Vec<u8>);

impl<R: Read> Reader<R> {
    pub(super) fn new(input: R) -> Result<Self, BackupError> {
        let mut reader = Self {
            input,
            digest: Sha256::new(),
            tree: None,
            last_key: None,
            entries: 0,
            bytes_read: 0,
        };

        let beginning = reader.bytes_up_to(BACKUP_MAGIC.len() as u64)?;
        if beginning != BACKUP_MAGIC {
            return Err(BackupError::NotABackup(file_kind::describe(&beginning)));
        }

        if reader.array::<2>()? != [VERSION, b"\n"].concat()[..] {
            return Err(BackupError::Newer);
        }

        Ok(reader)
    }

    /// The next entry; `None` after the end, once the checksum has been verified.
    pub(super) fn next(&mut self) -> Result<Option<TreeEntry>, BackupError> {
        loop {
            match self.array::<1>()? {
                [TREE] => self.begin_tree()?,
                [ENTRY] => return self.entry().map(Some),
                [END] => return self.end().map(|()| None),
                _ => {
                    return Err(BackupError::Damaged("unknown record type"));
                }
            }
        }
    }

    /// The number of entries read.
    pub(super) fn entries(&self) -> u64 {
        self.entries
    }

    /// The number of bytes read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    fn begin_tree(&mut self) -> Result<(), BackupError> {
        let length = u16::from_be_bytes(self.array()?);
        let name = self.bytes(length.into())?;
        let tree = Tree::ALL
            .into_iter()
            .find(|tree| tree.name().as_bytes() == name)
            .ok_or(BackupError::Newer)?;
        if self.tree >= Some(tree) {
            return Err(BackupError::Damaged("trees out of order"));
        }
        (self.tree, self.last_key) = (Some(tree), None);
        Ok(())
    }

    fn entry(&mut self) -> Result<TreeEntry, BackupError> {
        let [key_length, value_length] = [
            u32::from_be_bytes(self.array()?),
            u32::from_be_bytes(self.array()?),
        ];
        let (key, value) = (
            self.bytes(key_length.into())?,
            self.bytes(value_length.into())?,
        );
        let tree = self
            .tree
            .ok_or(BackupError::Damaged("an entry before the first tree"))?;

        if self.last_key.as_ref().is_some_and(|last| *last >= key) {
            return Err(BackupError::Damaged("entries out of order"));
        }

        self.last_key = Some(key.clone());
        self.entries = self.entries.saturating_add(1);
        Ok((tree, key, value))
    }

    fn end(&mut self) -> Result<(), BackupError> {
        if u64::from_be_bytes(self.array()?) != self.entries {
            return Err(BackupError::Damaged("wrong number of entries"));
        }

        let expected = self.digest.clone().finalize();
        if self.array::<32>()? != *expected {
            return Err(BackupError::Damaged("checksum mismatch"));
        }

        match self.input.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(BackupError::Damaged("trailing data")),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes)?;
        self.note(&bytes);
        Ok(bytes)
    }

    /// Allocates for the bytes that exist, not for a length that may be corrupt.
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, BackupError> {
        let bytes = self.bytes_up_to(length)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) < length {
            return Err(BackupError::CutOff);
        }
        Ok(bytes)
    }

    fn bytes_up_to(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&mut self.input).take(length).read_to_end(&mut bytes)?;
        self.note(&bytes);
        Ok(bytes)
    }

    fn note(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes_read = self
            .bytes_read
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
}

/// The number of steps that [`backup`] and [`verify_backup`] report.
pub fn backup_steps(snapshot: &Snapshot) -> u64 {
    entries_for_objects(count_live(snapshot.scan_all(Tree::Accounts, SCAN_CHUNK)))
}

/// Reads a backup to its end, reporting `steps` steps. Returns the number of entries.
///
/// # Errors
/// The backup is corrupt, truncated or cannot be read, or the work was cancelled.
pub fn verify_backup(
    input: impl Read,
    steps: u64,
    progress: &Progress,
) -> Result<u64, BackupError> {
    progress.begin("saving", steps);
    let mut reader = Reader::new(input)?;
    while let Some((tree, _, _)) = reader.next()? {
        progress.advance(u64::from(counts_as_progress(tree)))?;
    }
    progress.end();
    Ok(reader.entries())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = BackupWriter {
            out: &mut bytes,
            digest: Sha256::new(),
            entries: 0,
        };

        writer.write(&[BACKUP_MAGIC, VERSION, b"\n"]).unwrap();
        for tree in [Tree::Meta, Tree::Integrations] {
            let name = tree.name().as_bytes();
            writer
                .write(&[
                    &[TREE],
                    &u16::try_from(name.len()).unwrap().to_be_bytes(),
                    name,
                ])
                .unwrap();
            writer.entry(b"a", b"value of a").unwrap();
            writer.entry(b"b", b"").unwrap();
        }

        writer.end().unwrap();
        bytes
    }

    fn verified(bytes: &[u8]) -> Result<u64, BackupError> {
        verify_backup(bytes, 0, &Progress::none())
    }

    #[test]
    fn entries_survive_writing_and_reading() {
        let bytes = written();
        let mut reader = Reader::new(&*bytes).unwrap();
        let mut found = Vec::new();

        while let Some(entry) = reader.next().unwrap() {
            found.push(entry);
        }

        assert_eq!(found.len(), 4);
        assert_eq!(
            found[0],
            (Tree::Meta, b"a".to_vec(), b"value of a".to_vec())
        );
        assert_eq!(found[3], (Tree::Integrations, b"b".to_vec(), Vec::new()));
    }

    #[test]
    fn truncation_at_any_byte_is_detected() {
        let bytes = written();
        for length in 0..bytes.len() {
            let fault = verified(&bytes[..length]).unwrap_err();
            assert!(
                matches!(fault, BackupError::CutOff | BackupError::NotABackup(None)),
                "{length}: {fault}"
            );
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_is_detected() {
        let bytes = written();
        for position in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[position] ^= 1 << (position % 8);
            assert!(verified(&wrong).is_err(), "{position}");
        }
        assert!(matches!(
            verified(&[&bytes[..], b"x"].concat()),
            Err(BackupError::Damaged(_))
        ));
    }

    #[test]
    fn a_newer_version_is_told_from_garbage() {
        let newer = [BACKUP_MAGIC, b"2\n"].concat();
        assert!(matches!(verified(&newer), Err(BackupError::Newer)));
        assert!(matches!(
            verified(b"garbage that is long enough to be one"),
            Err(BackupError::NotABackup(None))
        ));
    }
}
