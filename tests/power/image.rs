//! The contents of a disk: every folder and file below one folder.

use std::{collections::BTreeMap, fs, path::Path};

/// The bytes of each file by path; `None` for a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Image(pub(crate) BTreeMap<String, Option<Vec<u8>>>);

impl Image {
    /// Reads a folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut image = Self::default();
        image.add(folder, "");
        image
    }

    fn add(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()) {
            let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
            if entry.file_type().unwrap().is_dir() {
                self.add(&entry.path(), &format!("{path}/"));
                self.0.insert(path, None);
            } else {
                self.0.insert(path, Some(fs::read(entry.path()).unwrap()));
            }
        }
    }

    /// Writes the image into a folder.
    pub(crate) fn write_to(&self, folder: &Path) {
        // In order of paths, so a folder comes before what is in it.
        for (path, bytes) in &self.0 {
            match bytes {
                None => fs::create_dir(folder.join(path)).unwrap(),
                Some(bytes) => fs::write(folder.join(path), bytes).unwrap(),
            }
        }
    }

    /// Every path with the length of its file.
    pub(crate) fn lengths(&self) -> BTreeMap<&str, usize> {
        self.0
            .iter()
            .map(|(path, bytes)| (path.as_str(), bytes.as_ref().map_or(0, Vec::len)))
            .collect()
    }
}
