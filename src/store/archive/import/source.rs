//! The file of an import. It is read twice, so it must not change meanwhile.

use super::super::{ArchiveError, format};
use std::{
    fs::{File, Metadata},
    io::{self, BufRead, BufReader, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// Far longer than any exported line. A longer line means that the file has no lines at all.
const MAX_LINE_BYTES: u64 = 64 << 20;

pub(super) struct Source {
    path: PathBuf,
    file: File,
    state: (u64, Option<SystemTime>),
}

/// One line without its line feed.
pub(super) struct SourceLine {
    /// Counted from 1.
    pub(super) number: u64,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
    /// The line continues beyond `bytes`; nothing after it is read.
    pub(super) is_too_long: bool,
}

/// Where an object is in the file.
pub(super) struct ObjectPosition {
    pub(super) offset: u64,
    pub(super) length: usize,
    /// Whether the line contains exactly the bytes to be stored.
    pub(super) is_verbatim: bool,
}

impl ObjectPosition {
    /// The object as it is stored, given its line. `None` if the line has none.
    pub(super) fn record_in(&self, line: &[u8]) -> Option<Vec<u8>> {
        match self.is_verbatim {
            true => format::verbatim(line).map(<[u8]>::to_vec),
            false => match format::read(line) {
                Ok(format::Line::Object(read)) => Some(read.meta.canonical),
                Ok(format::Line::Account(_)) | Err(_) => None,
            },
        }
    }
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, ArchiveError> {
        let unreadable = ArchiveError::file(path, "read");
        let file = File::open(path).map_err(&unreadable)?;
        let metadata = file.metadata().map_err(&unreadable)?;

        if !metadata.is_file() {
            let source = io::Error::new(
                io::ErrorKind::InvalidInput,
                "it must be a regular file, because it is read twice",
            );
            return Err(unreadable(source));
        }

        Ok(Self {
            path: path.to_owned(),
            file,
            state: state(&metadata),
        })
    }

    pub(super) fn length(&self) -> u64 {
        self.state.0
    }

    /// Calls `visit` with each line.
    pub(super) fn for_each_line(
        &self,
        mut visit: impl FnMut(SourceLine) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let mut input = BufReader::with_capacity(1 << 16, &self.file);
        let (mut number, mut offset) = (0_u64, 0_u64);
        loop {
            let mut bytes = Vec::new();
            let read = (&mut input)
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut bytes)
                .map_err(self.unreadable())?;

            if read == 0 {
                return Ok(());
            }

            number = number.saturating_add(1);
            let length = u64::try_from(read).unwrap_or(u64::MAX);
            // A line of exactly the maximum ends in its line feed; anything else was cut off.
            let is_too_long = length == MAX_LINE_BYTES && bytes.last() != Some(&b'\n');

            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }

            visit(SourceLine {
                number,
                offset,
                bytes,
                is_too_long,
            })?;

            if is_too_long {
                return Ok(());
            }

            offset = offset.saturating_add(length);
        }
    }

    /// Reads a previously validated object again, as it is stored.
    pub(super) fn record(&self, position: &ObjectPosition) -> Result<Vec<u8>, ArchiveError> {
        let mut line = vec![0; position.length];
        self.file
            .read_exact_at(&mut line, position.offset)
            .map_err(self.unreadable())?;

        position.record_in(&line).ok_or_else(|| self.changed())
    }

    /// # Errors
    /// The file has changed since it was validated.
    pub(super) fn check_unchanged(&self) -> Result<(), ArchiveError> {
        let now = self.file.metadata().map_err(self.unreadable())?;
        if state(&now) == self.state {
            Ok(())
        } else {
            Err(self.changed())
        }
    }

    fn changed(&self) -> ArchiveError {
        ArchiveError::Refused(format!(
            "'{}' changed while it was being read; import a copy that no program writes to",
            self.path.display()
        ))
    }

    fn unreadable(&self) -> impl Fn(io::Error) -> ArchiveError {
        ArchiveError::file(&self.path, "read")
    }
}

fn state(metadata: &Metadata) -> (u64, Option<SystemTime>) {
    (metadata.len(), metadata.modified().ok())
}
