//! Every file has a module comment and is not too long.

use super::{assert_none, source::Source, sources};

const MAX_LINES: usize = 400;

fn violations(source: &Source) -> Vec<String> {
    let Source { name, text, .. } = source;
    let mut found = Vec::new();
    if !text.starts_with("//! ") {
        found.push(format!(
            "{name}:1: the file must start with a module comment ('//! ')"
        ));
    }

    let lines = text.lines().count();
    if lines > MAX_LINES {
        found.push(format!(
            "{name}:{}: the file has {lines} lines; the limit is {MAX_LINES}",
            MAX_LINES + 1
        ));
    }

    found
}

#[test]
fn every_file_has_a_module_comment_and_is_not_too_long() {
    assert_none(&sources().iter().flat_map(violations).collect::<Vec<_>>());
}

#[test]
fn planted_file_violations_are_found() {
    assert_eq!(
        violations(&Source::new("src/a.rs", "use std::fmt;\n")).len(),
        1
    );
    assert_eq!(
        violations(&Source::new(
            "src/a.rs",
            &"//! Long.\n".repeat(MAX_LINES + 1)
        ))
        .len(),
        1
    );
    assert_eq!(
        violations(&Source::new("src/a.rs", &"//! Long.\n".repeat(MAX_LINES))),
        [""; 0]
    );
}
