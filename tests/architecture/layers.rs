//! Layers import only those below them, as the table in `src/lib.rs` allows.

use super::{assert_none, source::Source, sources};

/// The table of layers in `src/lib.rs`: each layer with the layers that it may use besides itself.
fn layers() -> Vec<(String, Vec<String>)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let quoted = |cell: &str| {
        cell.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };

    let layers: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"))
        .map(|row| row.split(" | ").collect::<Vec<_>>())
        .filter_map(|cells| Some((quoted(cells.first()?).pop()?, quoted(cells.get(2)?))))
        .collect();
    assert!(layers.len() > 10, "the table was not found: {layers:?}");
    layers
}

/// A path into a layer.
#[derive(Debug, PartialEq, Eq)]
struct Import {
    line: usize,
    layer: String,
}

/// Every path that names a layer from the root: `crate::…`, `super::` up to the root, or the name of
/// the library in the binary. Covers `use` with nested groups, and paths in code.
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
            // There is nothing above the root: `super::super` is a longer path that was found already.
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

/// The next name of a path, or each name of a group, with its offset.
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

fn violations(source: &Source, layers: &[(String, Vec<String>)]) -> Vec<String> {
    let layer = source.layer();
    // The root lists the layers, and fuzz targets are not part of the product.
    if matches!(layer, "lib" | "fuzzing") {
        return Vec::new();
    }

    let Some((_, allowed)) = layers.iter().find(|(known, _)| known == layer) else {
        return vec![format!(
            "{}: the table in src/lib.rs has no layer '{layer}'",
            source.name
        )];
    };

    let forbidden = |import: &Import| import.layer != layer && !allowed.contains(&import.layer);
    let sentence = |import: Import| {
        let (name, line, named) = (&source.name, import.line, import.layer);
        format!(
            "{name}:{line}: '{layer}' may not use '{named}', only {}",
            allowed.join(", ")
        )
    };

    imports(source)
        .into_iter()
        .filter(forbidden)
        .map(sentence)
        .collect()
}

#[test]
fn imports_point_down_only() {
    let layers = layers();
    let found = sources()
        .iter()
        .flat_map(|source| violations(source, &layers))
        .collect::<Vec<_>>();
    assert_none(&found);
}

#[test]
fn every_allowed_import_is_used() {
    let sources = sources();
    for (layer, allowed) in layers() {
        let found: Vec<_> = sources
            .iter()
            .filter(|source| source.layer() == layer)
            .flat_map(imports)
            .map(|import| import.layer)
            .collect();
        let unused: Vec<_> = allowed
            .iter()
            .filter(|allowed| !found.contains(allowed))
            .collect();

        assert!(
            unused.is_empty(),
            "'{layer}' does not use {unused:?}, which the table in src/lib.rs allows"
        );
    }
}

#[test]
fn layers_are_listed_above_those_they_use() {
    let layers = layers();
    let position = |name: &str| layers.iter().position(|(layer, _)| layer == name);
    for (layer, allowed) in &layers {
        for lower in allowed {
            assert!(
                position(layer) < position(lower),
                "'{layer}' may use '{lower}', which must be below it in the table"
            );
        }
    }
}

#[test]
fn planted_imports_are_found() {
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
        let found = violations(&Source::new(name, code), &layers());
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
fn allowed_imports_and_text_outside_code_pass() {
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
        let found = violations(&Source::new(name, code), &layers());
        assert_eq!(found, [""; 0], "{code}");
    }
}
