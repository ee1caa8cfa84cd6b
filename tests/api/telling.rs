//! Sentences that are seen although the test passes, whose output nobody is shown otherwise.

use std::io::{self, Write};

/// Tells what ran, or what did not and why.
pub(crate) fn tell(sentence: &str) {
    // The test harness holds back only what the printing macros say.
    io::stderr()
        .write_all(format!("{sentence}\n").as_bytes())
        .unwrap();
}
