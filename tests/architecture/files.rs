//! The shape of files.

use super::{assert_none, source::Source, sources};

const LONGEST: usize = 600;

fn violations(source: &Source) -> Vec<String> {
    let Source { name, text, .. } = source;
    let mut found = Vec::new();
    if !text.starts_with("//! ") {
        found.push(format!(
            "{name}:1: the file must open with '//! ' and a sentence that says what it is"
        ));
    }

    let lines = text.lines().count();
    if lines > LONGEST {
        found.push(format!(
            "{name}:{}: the file has {lines} lines and may have {LONGEST}",
            LONGEST + 1
        ));
    }

    found
}

#[test]
fn every_file_says_what_it_is_and_is_not_too_long() {
    assert_none(&sources().iter().flat_map(violations).collect::<Vec<_>>());
}

#[test]
fn a_file_that_is_silent_or_too_long_is_found() {
    assert_eq!(
        violations(&Source::new("src/a.rs", "use std::fmt;\n")).len(),
        1
    );
    assert_eq!(
        violations(&Source::new("src/a.rs", &"//! Long.\n".repeat(LONGEST + 1))).len(),
        1
    );
    assert_eq!(
        violations(&Source::new("src/a.rs", &"//! Long.\n".repeat(LONGEST))),
        [""; 0]
    );
}
