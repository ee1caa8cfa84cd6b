//! Entry points for the fuzz targets in `fuzz/`: each takes bytes as an attacker could send them
//! and panics if an invariant is broken.
//!
//! They are compiled for tests and for fuzzing only. Tests run them on the seeds in `fuzz/seeds`.

use crate::{
    adapters::{self, RequestParts},
    domain::{
        alert, integration,
        list::{ListQuery, RawObject, Schema, SortOrder},
        log,
    },
    http, smtp,
    store::archive,
};
use serde_json::{Map, Value, json};

/// Panics if an input breaks an invariant.
pub type Target = fn(&[u8]);

/// All targets by name. Each name is a file in `fuzz/fuzz_targets` and a folder in `fuzz/seeds`.
pub const TARGETS: [(&str, Target); 9] = [
    ("definition", definition),
    ("event", event),
    ("html", html),
    ("http", http),
    ("import", import),
    ("list", list),
    ("mime", mime),
    ("smtp", smtp),
    ("template", template),
];

/// The longest text of an event: a description. Adapters cut everything else much earlier.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// An object that has a value of every kind, for filters and sort keys to look at.
const OBJECT: &str = r#"{"sid":"acc_1","id":"alt_1","tinyId":7,"name":"n","title":"t","type":"webhook",
    "status":"open","enabled":true,"tags":["a","b"],"destination_ids":["tem_1"],
    "createdAt":"2024-02-29T12:00:00.000Z","meta":{"a":1.5e3,"b":{"c":["x",null,{}]}},
    "additional_data":[{"type":"text","label":"l","value":"v"}]}"#;

/// The query string of a list: parse it, then evaluate its filters, order, attributes and links.
pub fn list(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    for schema in [integration::SCHEMA, alert::SCHEMA, log::SCHEMA] {
        evaluate_list_query(schema, &query);
    }
}

fn evaluate_list_query(schema: Schema, raw: &str) {
    let Ok(query) = ListQuery::parse(schema, raw) else {
        return;
    };
    let Ok(object) = RawObject::parse(OBJECT.as_bytes()) else {
        return;
    };

    let matches = query.filters.matches(&object);
    assert!(
        matches || !query.filters.is_empty(),
        "a list without filters matches everything"
    );

    if let SortOrder::Sorted(sort) = &query.order {
        assert!(
            sort.key(&object) == sort.key(&object),
            "equal objects have equal sort keys"
        );
    }

    for total in [0, 1, u64::MAX] {
        let links = query.page.links("http://localhost/alert", raw, total);
        assert!(!links.contains(['\r', '\n']), "a header value is one line");
    }

    if let Some(selected) = query
        .select
        .and_then(|select| select.apply(OBJECT.as_bytes()).ok())
    {
        assert!(
            serde_json::from_slice::<Map<String, Value>>(&selected).is_ok(),
            "a selection is an object"
        );
    }
}

/// Commands and a message of an SMTP session.
pub fn smtp(data: &[u8]) {
    smtp::fuzzing::run_session(data);
}

/// A line of an import.
pub fn import(data: &[u8]) {
    archive::fuzzing::read_line(data);
}

/// The head and the body of an HTTP/1.1 request.
pub fn http(data: &[u8]) {
    http::fuzzing::read_request(data);
}

/// An event of one of the types whose bodies differ most, which the first byte selects.
pub fn event(data: &[u8]) {
    const TYPES: [&str; 12] = [
        "webhook",
        "amazonwebservices",
        "azure_monitor",
        "cloudflare",
        "crowdstrike",
        "datadog",
        "hetrix_tools",
        "prometheus",
        "sentry",
        "site24x7",
        "uptimerobot",
        "zabbix",
    ];
    const CONTENT_TYPES: [&str; 3] = [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain; charset=iso-2022-jp",
    ];

    let Some((selector, body)) = data.split_first() else {
        return;
    };
    let selector = usize::from(*selector);
    let kind = TYPES.get(selector % TYPES.len()).copied();
    let content_type = CONTENT_TYPES
        .get(selector / TYPES.len() % CONTENT_TYPES.len())
        .copied();

    parse_event(
        kind.unwrap_or_default(),
        content_type.unwrap_or_default(),
        &json!({}),
        body,
    );
}

/// HTML in an event, which is sanitised.
pub fn html(data: &[u8]) {
    let html = String::from_utf8_lossy(data);
    let body = json!({ "text": html }).to_string();
    parse_event(
        "cloudflare",
        "application/json",
        &json!({}),
        body.as_bytes(),
    );

    let message = format!("Subject: x\r\nContent-Type: text/html\r\n\r\n{html}");
    for level in ["default", "restricted", "basic", "relaxed"] {
        let options = json!({ "sanitize_level": level });
        parse_event("email", "message/rfc822", &options, message.as_bytes());
    }
}

/// An email message.
pub fn mime(data: &[u8]) {
    parse_event("email", "message/rfc822", &json!({}), data);
}

/// A template, and after a zero byte the event that it renders.
pub fn template(data: &[u8]) {
    let (template, body) = split(data);
    let options = json!({
        "title_template": template,
        "title_template_enabled": true,
        "description_template": template,
        "description_template_enabled": true,
        "wrapper_key": template,
    });
    parse_event("webhook", "application/json", &options, body);
}

/// A definition in YAML, and after a zero byte the event or message that it reads.
pub fn definition(data: &[u8]) {
    let (definition, body) = split(data);
    let options = json!({
        "custom_definition": definition,
        "custom_definition_enabled": true,
    });
    parse_event("custom_webhook", "application/json", &options, body);
    parse_event("email", "message/rfc822", &options, body);
}

/// The text before the first zero byte, and the bytes after it.
fn split(data: &[u8]) -> (String, &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let text = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    (text, parts.next().unwrap_or_default())
}

fn parse_event(kind: &str, content_type: &str, options: &Value, body: &[u8]) {
    let Value::Object(options) = options else {
        return;
    };
    let parts = RequestParts {
        method: "POST".into(),
        headers: vec![("content-type".into(), content_type.into())],
        body: body.to_vec(),
        ..RequestParts::default()
    };

    let (first, others) = adapters::split_request(parts, kind);
    for request in std::iter::once(&first).chain(&others) {
        let parsed = adapters::parse(kind, request, options);
        let text = format!("{parsed:?}");
        assert!(
            text.len() <= MAX_TEXT_BYTES.saturating_add(body.len().saturating_mul(64)),
            "an event is bounded, but this one has {} bytes",
            text.len()
        );
        drop(adapters::response_body(kind, request, &parsed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn all_seeds_pass() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        for (name, target) in TARGETS {
            let mut seeds = 0;
            for seed in fs::read_dir(fuzz.join("seeds").join(name)).unwrap() {
                target(&fs::read(seed.unwrap().path()).unwrap());
                seeds += 1;
            }
            assert!(seeds > 0, "{name} has no seeds");
        }
    }

    #[test]
    fn every_target_has_a_program_and_seeds() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
        let targets = TARGETS.map(|(name, _)| name.to_owned()).to_vec();
        assert_eq!(names(&fuzz.join("fuzz_targets")), targets);
        assert_eq!(names(&fuzz.join("seeds")), targets);
    }
}
