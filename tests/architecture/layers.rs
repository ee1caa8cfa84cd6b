//! Which layer may name which.

use super::{assert_none, source::Source, sources};

/// Each layer and those that it may name, besides itself. Arrows point down only.
pub(crate) const ALLOWED: [(&str, &[&str]); 14] = [
    ("main", &["cli"]),
    // Signals that come twice within a second are one.
    (
        "cli",
        &[
            "app", "config", "service", "store", "domain", "clock", "ids", "logging",
        ],
    ),
    (
        "app",
        &[
            "http_client",
            "http",
            "smtp",
            "config",
            "service",
            "store",
            "domain",
            "clock",
            "ids",
            "logging",
        ],
    ),
    (
        "http",
        &["adapters", "service", "store", "domain", "clock", "ids"],
    ),
    ("smtp", &["adapters", "service", "domain"]),
    (
        "service",
        &["adapters", "http_client", "store", "domain", "clock", "ids"],
    ),
    ("adapters", &["domain"]),
    // Only to measure how long something takes.
    ("store", &["domain", "clock"]),
    ("logging", &["clock"]),
    ("config", &["domain"]),
    ("clock", &["domain"]),
    ("http_client", &["domain"]),
    ("ids", &["domain"]),
    ("domain", &[]),
];

/// A path that leads to a layer.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    line: usize,
    layer: String,
}

/// Every path that names a layer from the root: `crate::…`, as many `super::` as lead there, and
/// for the binary the library's name; in `use` with all its groups, and in plain code.
fn imports(source: &Source) -> Vec<Import> {
    let mut found = Vec::new();
    let ups = "super::".repeat(source.depth());
    let roots = ["crate::", "pagertree_local::", ups.as_str()];

    for root in roots.into_iter().filter(|root| !root.is_empty()) {
        for offset in source
            .words(root)
            .filter(|offset| !source.code[..*offset].ends_with("super::"))
        {
            let start = offset + root.len();
            // Still further up there is nothing, and `super::super` of a shorter path was found as
            // the longer one.
            for (at, layer) in first_names(&source.code[start..]) {
                if layer != "super" {
                    found.push(Import {
                        line: source.line(start + at),
                        layer: layer.to_owned(),
                    });
                }
            }
        }
    }

    found.sort_by_key(|import| import.line);
    found
}

/// The names that a path goes on with, and where: one, or each of a group.
fn first_names(rest: &str) -> Vec<(usize, &str)> {
    let Some(group) = rest.strip_prefix('{') else {
        return name_at(rest, 0).into_iter().collect();
    };

    let (mut depth, mut names, mut expected) = (0_usize, Vec::new(), true);
    for (offset, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => expected = true,
            _ if character.is_whitespace() => {}
            _ if depth == 0 && expected => {
                names.extend(name_at(rest, offset + 1));
                expected = false;
            }
            _ => {}
        }
    }

    names
}

fn name_at(text: &str, offset: usize) -> Option<(usize, &str)> {
    let rest = &text[offset..];
    let length = rest
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(rest.len());
    (length > 0).then(|| (offset, &rest[..length]))
}

fn violations(source: &Source) -> Vec<String> {
    let layer = source.layer();
    // The root lists the layers, and fuzz targets are not part of the product.
    if matches!(layer, "lib" | "fuzzing") {
        return Vec::new();
    }

    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == layer) else {
        return vec![format!(
            "{}: the layer '{layer}' stands in no line of ALLOWED in tests/architecture",
            source.name
        )];
    };

    let forbidden =
        |import: &Import| import.layer != layer && !allowed.contains(&import.layer.as_str());
    let sentence = |import: Import| {
        let (name, line, named) = (&source.name, import.line, import.layer);
        format!(
            "{name}:{line}: '{layer}' may not use '{named}', only {}",
            [&[layer], *allowed].concat().join(", ")
        )
    };

    imports(source)
        .into_iter()
        .filter(forbidden)
        .map(sentence)
        .collect()
}

#[test]
fn arrows_point_down_only() {
    assert_none(&sources().iter().flat_map(violations).collect::<Vec<_>>());
}

#[test]
fn every_layer_is_there_and_names_another() {
    let sources = sources();
    for (layer, allowed) in ALLOWED {
        let files: Vec<_> = sources
            .iter()
            .filter(|source| source.layer() == layer)
            .collect();

        assert!(!files.is_empty(), "there is no layer '{layer}'");
        let found: Vec<_> = files
            .iter()
            .flat_map(|source| imports(source))
            .map(|import| import.layer)
            .collect();
        let others = found.iter().filter(|found| **found != layer).count();

        assert!(
            allowed.is_empty() || others > 0,
            "the reader finds no import of '{layer}', only {found:?}"
        );
    }
}

#[test]
fn a_planted_violation_is_found_wherever_it_hides() {
    for (name, code, line) in [
        ("src/domain/ids.rs", "use crate::store::Store;", 1),
        (
            "src/domain/ids.rs",
            "\nuse crate::{\n    domain::{list::{self, Select}, caller},\n    store::Store,\n};",
            4,
        ),
        (
            "src/domain/ids.rs",
            "use crate::{domain::x, clock::{Clock}};",
            1,
        ),
        (
            "src/store/check.rs",
            "fn f() {\n  let x = crate::service::lists::run();\n}",
            2,
        ),
        (
            "src/store/check.rs",
            "pub(crate) use crate::http::State as Other;",
            1,
        ),
        ("src/service.rs", "use super::http::State;", 1),
        ("src/service/lists.rs", "use super::super::http::State;", 1),
        (
            "src/domain/list/page.rs",
            "use super::super::super::{\n domain,\n http::State};",
            3,
        ),
        (
            "src/main.rs",
            "fn main() { pagertree_local::store::check() }",
            1,
        ),
        ("src/gadgets/grafana.rs", "", 0),
    ] {
        let found = violations(&Source::new(name, code));
        let place = if line == 0 {
            format!("{name}: ")
        } else {
            format!("{name}:{line}: ")
        };
        assert!(
            matches!(&found[..], [one] if one.starts_with(&place)),
            "{name} {code} gives {found:?}"
        );
    }
}

#[test]
fn what_is_allowed_or_no_code_is_left_alone() {
    for (name, code) in [
        (
            "src/domain/ids.rs",
            "use crate::domain::{list::store, caller::http};\nuse super::rejection::Rejection;",
        ),
        (
            "src/service/lists.rs",
            "use crate::{clock::Clock, store::{http, cli}};\nuse super::http;",
        ),
        (
            "src/domain/ids.rs",
            "// use crate::store::Store;\nconst A: &str = \"crate::store\";",
        ),
        (
            "src/domain/ids.rs",
            "#[cfg(test)]\nmod tests { use crate::store::Store; }",
        ),
        ("src/domain/ids/tests.rs", "use crate::store::Store;"),
        ("src/lib.rs", "pub mod store;"),
    ] {
        assert_eq!(violations(&Source::new(name, code)), [""; 0], "{code}");
    }
}
