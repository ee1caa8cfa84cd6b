//! The disk beneath a running server: what is durable, what is not yet, and what a power cut
//! leaves.
//!
//! Durable is what a completed sync of the very file (or, for names, of the very folder) found when
//! it began. Every change since is kept, lost, or torn by sector, independently. A failed sync is
//! not repaired by the next one: the kernel forgets that the data is not on disk, and only writing
//! it again helps.

use super::{
    chance::Chance,
    file::{Change, File},
    image::Image,
    names::{NameChange, Names, Node},
    trace::Record,
};
use std::collections::BTreeMap;

/// Whether a sync of this path counts; `true` for `fdatasync`. Lets a test simulate a server that
/// omits one.
pub(crate) type Counts = fn(path: &str, only_data: bool) -> bool;

#[derive(Clone, Debug)]
enum Place {
    File(usize),
    Folder(String),
}

pub(crate) struct Disk<'t> {
    files: Vec<File<'t>>,
    /// By path; the root is "".
    folders: BTreeMap<String, Names>,
    /// The file or folder of every path, as the server sees it.
    now: BTreeMap<String, Node>,
    open: BTreeMap<i32, Place>,
    /// Syncs in progress, by number: their object, and how many operations preceded them.
    syncing: BTreeMap<i64, (Place, u64)>,
    happened: u64,
    counts: Counts,
}

/// Splits a path into folder and name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl<'t> Disk<'t> {
    /// A disk on which everything is durable.
    pub(crate) fn holding(image: &Image, counts: Counts) -> Self {
        let (files, open, syncing) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let folders = BTreeMap::from([(String::new(), Names::default())]);
        let now = BTreeMap::from([(String::new(), Node::Folder)]);
        let mut disk = Self {
            files,
            folders,
            now,
            open,
            syncing,
            happened: 0,
            counts,
        };

        for (path, bytes) in &image.0 {
            let node = disk.node(path, bytes.clone());
            let (folder, name) = split(path);
            disk.folders.get_mut(folder).unwrap().add_sure(name, node);
        }

        disk
    }

    /// Adds a file or folder without a name.
    fn node(&mut self, path: &str, bytes: Option<Vec<u8>>) -> Node {
        let node = match bytes {
            None => {
                self.folders.insert(path.to_owned(), Names::default());
                Node::Folder
            }
            Some(bytes) => {
                self.files.push(File::new(path, bytes));
                Node::File(self.files.len() - 1)
            }
        };

        self.now.insert(path.to_owned(), node);
        node
    }

    pub(crate) fn happens(&mut self, record: &Record<'t>) {
        self.happened += 1;
        match *record {
            Record::Open {
                descriptor,
                path,
                fresh,
                emptied,
            } => self.open(descriptor, path, fresh, emptied),
            Record::Write {
                descriptor,
                offset,
                bytes,
            } => self.change(descriptor, Change::Write { offset, bytes }),
            Record::Length { descriptor, length } => {
                self.change(descriptor, Change::Length(length))
            }
            Record::Room { descriptor, length } => self.change(descriptor, Change::Room(length)),
            Record::Close { descriptor } => drop(self.open.remove(&descriptor)),
            Record::Double { descriptor, of } => {
                drop(self.open.insert(descriptor, self.open[&of].clone()))
            }
            Record::Folder { path } => self.add(path, None),
            Record::Rename { from, to } => self.rename(from, to),
            Record::Remove { path } => {
                let node = self.now.remove(path).unwrap();
                let (folder, name) = split(path);
                self.change_names(
                    folder,
                    NameChange::Remove {
                        name: name.to_owned(),
                        node,
                    },
                );
            }
            Record::SyncBegins {
                descriptor,
                number,
                only_data,
            } => {
                let place = self.open[&descriptor].clone();
                let path = match &place {
                    Place::File(file) => &self.files[*file].path,
                    Place::Folder(path) => path,
                };
                if (self.counts)(path, only_data) {
                    self.syncing.insert(number, (place, self.happened));
                }
            }
            Record::SyncEnds { number } => match self.syncing.remove(&number) {
                Some((Place::File(file), began)) => self.files[file].synced(began),
                Some((Place::Folder(path), began)) => {
                    self.folders.get_mut(&path).unwrap().synced(began)
                }
                None => {}
            },
            Record::SyncFails { number } => {
                if let Some((Place::File(file), _)) = self.syncing.remove(&number) {
                    self.files[file].failed();
                }
            }
        }
    }

    fn open(&mut self, descriptor: i32, path: &str, fresh: bool, emptied: bool) {
        if fresh {
            self.add(path, Some(Vec::new()));
        }

        let place = match self.now.get(path) {
            Some(Node::File(file)) => Place::File(*file),
            Some(Node::Folder) => Place::Folder(path.to_owned()),
            None => panic!("the trace opens '{path}' and does not know where it came from"),
        };

        self.open.insert(descriptor, place);
        if emptied {
            self.change(descriptor, Change::Length(0));
        }
    }

    fn change(&mut self, descriptor: i32, change: Change<'t>) {
        match &self.open[&descriptor] {
            Place::File(file) => self.files[*file].change(self.happened, change),
            Place::Folder(path) => panic!("'{path}' is a folder and cannot be written to"),
        }
    }

    fn add(&mut self, path: &str, bytes: Option<Vec<u8>>) {
        let node = self.node(path, bytes);
        let (folder, name) = split(path);
        self.change_names(
            folder,
            NameChange::Add {
                name: name.to_owned(),
                node,
            },
        );
    }

    fn rename(&mut self, from: &str, to: &str) {
        let node = self.now.remove(from).unwrap();
        self.now.insert(to.to_owned(), node);
        let ((folder, from), (same, to)) = (split(from), split(to));

        assert!(
            folder == same && node != Node::Folder,
            "'{folder}/{from}' becomes '{same}/{to}': not modelled"
        );
        self.change_names(
            folder,
            NameChange::Rename {
                from: from.to_owned(),
                to: to.to_owned(),
                node,
            },
        );
    }

    fn change_names(&mut self, folder: &str, change: NameChange) {
        self.folders
            .get_mut(folder)
            .unwrap()
            .change(self.happened, change);
    }

    /// What a power cut at this moment leaves.
    pub(crate) fn left(&self, chance: &mut Chance) -> Image {
        let mut image = Image::default();
        self.leave("", chance, &mut image);
        image
    }

    fn leave(&self, folder: &str, chance: &mut Chance, image: &mut Image) {
        for (name, node) in self.folders[folder].left(chance) {
            let path = if folder.is_empty() {
                name
            } else {
                format!("{folder}/{name}")
            };

            match node {
                Node::File(file) => drop(image.0.insert(path, Some(self.files[file].left(chance)))),
                Node::Folder => {
                    self.leave(&path, chance, image);
                    image.0.insert(path, None);
                }
            }
        }
    }
}
