//! Messages that are shown although the test passes.

use std::io::{self, Write};

/// Prints a message, past the output capture of the test harness.
pub(crate) fn print(message: &str) {
    // The harness captures only the printing macros.
    io::stderr()
        .write_all(format!("{message}\n").as_bytes())
        .unwrap();
}
