//! Every adapter against requests in its vendor's format, and against garbage.
//!
//! The requests stand in `tests/fixtures/events`, one file for each type; docs in
//! `tests/fixtures/events/README.md`.

use super::{InboundRequest, RequestParts, parse, response_body, vendors::VENDORS};
use crate::domain::{
    body::Strictness,
    event::{Action, Event, ParsedEvent},
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events")
}

fn files(folder: &Path) -> Vec<Value> {
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();

    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });

    paths.sort();
    paths
        .iter()
        .map(|path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap())
        .collect()
}

fn pairs(object: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

fn inbound(request: &Value) -> InboundRequest {
    let headers = pairs(&request["headers"])
        .into_iter()
        .map(|(name, value)| (name.to_lowercase(), value));
    let headers: Vec<_> = headers.collect();
    let kind = headers
        .iter()
        .find(|(name, _)| name == "content-type")
        .map_or("", |(_, kind)| kind.as_str());
    let form = |pairs| {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    };

    let (mut body, mut fields) = (Vec::new(), Vec::new());
    match &request["body"] {
        Value::Null => {}
        Value::String(text) => body = text.clone().into_bytes(),
        object if kind.starts_with("multipart/") => fields = pairs(object),
        object if kind.starts_with("application/x-www-form-urlencoded") => {
            body = form(pairs(object)).into_bytes()
        }
        other => body = other.to_string().into_bytes(),
    }

    let query = form(pairs(&request["query"]));
    let is_strict = headers
        .iter()
        .any(|(name, value)| name == "x-strict" && value == "true");
    let strictness = if is_strict {
        Strictness::Strict
    } else {
        Strictness::Lenient
    };

    InboundRequest::new(RequestParts {
        method: request["method"].as_str().unwrap().into(),
        query,
        headers,
        fields,
        body,
        strictness,
        ..RequestParts::default()
    })
}

/// The parsed in the words in which fixtures expect it.
fn shown(parsed: &ParsedEvent) -> Value {
    match parsed {
        ParsedEvent::Blocked { .. } => json!({"action": "blocked"}),
        ParsedEvent::Ignored { thirdparty_id, .. } => {
            json!({"action": "other", "thirdparty_id": thirdparty_id})
        }
        ParsedEvent::Event(event) => {
            let Event {
                action,
                thirdparty_id,
                first_creates,
                content,
                ..
            } = &**event;
            let mut shown = json!({"action": action, "thirdparty_id": thirdparty_id, "first_creates": first_creates});

            if matches!(action, Action::Create | Action::Recreate) {
                let content = serde_json::to_value(content).unwrap();
                shown
                    .as_object_mut()
                    .unwrap()
                    .extend(content.as_object().unwrap().clone());
            }

            shown
        }
    }
}

#[test]
fn fixtures_are_parsed_as_expected() {
    let mut covered = BTreeSet::new();
    for file in files(&folder()) {
        let kind = file["type"].as_str().unwrap();
        for case in file["cases"].as_array().unwrap() {
            let options = case
                .get("options")
                .map_or_else(Map::new, |options| options.as_object().unwrap().clone());
            let found = shown(&parse(kind, &inbound(&case["request"]), &options));

            for (name, expected) in case["expect"].as_object().unwrap() {
                assert_eq!(
                    &found[name], expected,
                    "{kind}, {}: {name} in {found:#}",
                    case["name"]
                );
            }

            covered.insert((
                kind.to_owned(),
                found["action"].as_str().unwrap().to_owned(),
            ));
        }
    }

    for kind in VENDORS.iter().map(|vendor| vendor.name) {
        for action in ["create", "other"] {
            let known = covered.contains(&(kind.to_owned(), action.to_owned()));
            assert!(
                known || ALWAYS_CREATES.contains(&kind),
                "there is no fixture of '{kind}' for {action}"
            );
        }
    }
}

/// Whatever arrives is an alert.
const ALWAYS_CREATES: [&str; 5] = [
    "cloudflare",
    "email",
    "form",
    "mattermost_outgoing_webhook",
    "slackoutgoingwebhook",
];

/// JSON of any shape, in which names that adapters know are likely.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![4 => prop::sample::select(names_in_fixtures()), 1 => any::<String>()];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        names.clone().prop_map(Value::from),
    ];

    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone(), inner), 0..8)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// Every name and every text in a fixture.
fn names_in_fixtures() -> Vec<String> {
    fn collect(value: &Value, into: &mut BTreeSet<String>) {
        match value {
            Value::String(text) => drop(into.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
            Value::Object(members) => members.iter().for_each(|(name, value)| {
                into.insert(name.clone());
                collect(value, into);
            }),
            _ => {}
        }
    }

    let mut names = BTreeSet::new();
    files(&folder())
        .iter()
        .flat_map(|file| file["cases"].as_array().unwrap())
        .for_each(|case| {
            collect(&case["request"]["body"], &mut names);
            collect(&case["request"]["query"], &mut names);
        });

    names.into_iter().collect()
}

fn survives(parts: &RequestParts, options: &Map<String, Value>) {
    let request = InboundRequest::new(parts.clone());
    for kind in VENDORS.iter().map(|vendor| vendor.name) {
        let parsed = parse(kind, &request, options);
        response_body(kind, &request, &parsed);
        if let ParsedEvent::Event(event) = parsed {
            assert_ne!(
                event.thirdparty_id.as_deref(),
                Some(""),
                "{kind}: an id is there or not"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn adapters_survive_arbitrary_json(body in any_json(), options in any_json(), header in any::<String>()) {
        let options = options.as_object().cloned().unwrap_or_default();
        let headers = vec![("content-type".into(), "application/json".into()), ("authorization".into(), header)];
        survives(&RequestParts { body: body.to_string().into(), headers, ..RequestParts::default() }, &options);
    }

    #[test]
    fn adapters_survive_arbitrary_bytes(body in any::<Vec<u8>>(), query in any::<String>(), kind in any::<String>()) {
        let headers = vec![("content-type".into(), kind)];
        survives(&RequestParts { method: "POST".into(), query, headers, body, ..RequestParts::default() }, &Map::new());
    }
}
