//! The library between the server and its files, built from `shim.c` with the C compiler that Rust
//! uses for linking.

use crate::support::Setup;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Faults that the shim can inject.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Syncs of the log fail.
    EioSync,
    /// Syncs of folders fail once another store has replaced the first.
    EioExchanged,
    /// Syncs hang.
    HangSync,
    /// The disk is full.
    Enospc,
    /// The disk is read-only.
    Erofs,
}

/// The library and its files.
pub(crate) struct Shim {
    folder: tempfile::TempDir,
}

impl Shim {
    pub(crate) fn new() -> Self {
        assert_eq!(
            std::env::consts::OS,
            "linux",
            "power cuts are played with LD_PRELOAD, as Linux has it"
        );

        let shim = Self {
            folder: tempfile::tempdir().unwrap(),
        };

        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power/shim.c");
        let mut command = Command::new("cc");
        command
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o"])
            .arg(shim.library())
            .arg(source);

        let output = command.args(["-ldl", "-lpthread"]).output().unwrap_or_else(|error| {
            panic!(
                "power cuts need a C compiler called cc, which Rust needs too to link programs; starting it: {error}"
            )
        });

        assert!(
            output.status.success(),
            "cc cannot make the shim: {}",
            String::from_utf8_lossy(&output.stderr)
        );

        shim
    }

    /// The same setup with the shim loaded, and an empty trace.
    pub(crate) fn around(&self, setup: Setup) -> Setup {
        let _there_was_none = std::fs::remove_file(self.trace_file());
        let folder = setup.path("").canonicalize().unwrap();
        [
            ("LD_PRELOAD", self.library()),
            ("POWER_FOLDER", folder),
            ("POWER_TRACE", self.trace_file()),
            ("POWER_FAULT", self.fault_file()),
        ]
        .into_iter()
        .fold(setup, |setup, (name, path)| {
            setup.env(name, path.to_str().unwrap())
        })
    }

    /// The records so far.
    pub(crate) fn trace(&self) -> Vec<u8> {
        let trace = std::fs::read(self.trace_file()).unwrap_or_default();
        assert!(
            !trace.is_empty(),
            "the shim was not loaded: the server is not linked against the C library at run time"
        );
        trace
    }

    /// Injects a fault, for running servers and later ones.
    pub(crate) fn fail(&self, fault: Fault) {
        let word = match fault {
            Fault::EioSync => "eio-sync",
            Fault::EioExchanged => "eio-exchanged",
            Fault::HangSync => "hang-sync",
            Fault::Enospc => "enospc",
            Fault::Erofs => "erofs",
        };
        // In one step: no operation may see half a word.
        let new = self.folder.path().join("fault.new");
        std::fs::write(&new, word).unwrap();
        std::fs::rename(new, self.fault_file()).unwrap();
    }

    /// Removes the fault.
    pub(crate) fn work(&self) {
        std::fs::remove_file(self.fault_file()).unwrap();
    }

    fn library(&self) -> PathBuf {
        self.folder.path().join("shim.so")
    }

    fn trace_file(&self) -> PathBuf {
        self.folder.path().join("trace")
    }

    fn fault_file(&self) -> PathBuf {
        self.folder.path().join("fault")
    }
}
