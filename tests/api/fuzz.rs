//! Whatever arrives at the incoming route of whatever type: an answer that means something, a log,
//! and a server that goes on.
//!
//! `PROPTEST_CASES=20000 cargo test --test api fuzz` tries longer.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    test_runner::{TestCaseError, TestRunner},
};
use serde_json::{Value, json};
use std::{fs, path::Path};

/// A real request, as the vendor of its type sends it, and an integration to send it to.
struct Seed {
    kind: String,
    integration: String,
    body: Value,
    headers: Vec<(String, String)>,
    query: Value,
}

struct Target {
    server: TestServer,
    account: Caller,
    seeds: Vec<Seed>,
}

impl Target {
    fn start() -> Self {
        let server = TestServer::start();
        let account = server.account("fuzz");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
        let paths = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut paths: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|end| end == "json"))
            .collect();
        paths.sort();
        let mut seeds = Vec::new();

        for path in paths {
            let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            for case in file["cases"].as_array().unwrap() {
                let options = case.get("options").cloned().unwrap_or_else(|| json!({}));
                let body = json!({"name": "n", "type": file["type"], "destination_ids": [], "options": options});
                let request = &case["request"];
                let headers = request["headers"].as_object().into_iter().flatten();

                seeds.push(Seed {
                    kind: file["type"].as_str().unwrap().to_owned(),
                    integration: id(&account.created_from(body)).to_owned(),
                    body: request["body"].clone(),
                    headers: headers
                        .map(|(name, value)| (name.to_lowercase(), text(value)))
                        .collect(),
                    query: request["query"].clone(),
                });
            }
        }

        assert!(
            seeds.len() > 150,
            "there are only {} requests to begin with",
            seeds.len()
        );

        Self {
            server,
            account,
            seeds,
        }
    }

    /// Sends `body`, or nothing to `/g`, and looks that it was taken, or refused for its
    /// credentials, and left a log.
    fn send(
        &self,
        seed: &Seed,
        caller: &Caller,
        query: &str,
        body: Option<&[u8]>,
    ) -> Result<(), TestCaseError> {
        let path = format!("/integration/{}", seed.integration);
        let answer = match body {
            Some(body) => caller.send_bytes("POST", &format!("{path}?{query}"), body),
            None => caller.send("GET", &format!("{path}/g?{query}"), None),
        };

        prop_assert!(
            [200, 403].contains(&answer.status),
            "{}: {answer:?}",
            seed.kind
        );

        let log = self
            .account
            .send("GET", "/log?limit=1&sort=-tinyId", None)
            .assert_status(200)
            .json();
        let log = &log["data"][0];

        prop_assert_eq!(&log["source_id"], &seed.integration);
        prop_assert_eq!(&log["status"], answer.status);
        prop_assert_eq!(
            &log["request"]["body"]["bytes"],
            body.unwrap_or_default().len()
        );
        prop_assert!(
            log["outcome"]
                .as_str()
                .is_some_and(|outcome| !outcome.is_empty()),
            "{log:#}"
        );

        if let Some(alert) = log["alert_id"].as_str() {
            self.account
                .send("GET", &format!("/alert/{alert}"), None)
                .assert_status(200);
        }

        Ok(())
    }

    /// Everything that came of it can be read still.
    fn is_sound(&self) {
        for kind in ["alert", "log"] {
            let list = self
                .account
                .send("GET", &format!("/{kind}?limit=1"), None)
                .assert_status(200)
                .json();
            let total = list["total_count"].as_u64().unwrap();

            assert!(total > 0);
            let last = self
                .account
                .send("GET", &format!("/{kind}?offset={}", total - 1), None)
                .assert_status(200)
                .json();

            assert_eq!(last["data"].as_array().unwrap().len(), 1, "the last {kind}");
        }
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn form(object: &Value) -> String {
    let pairs = object
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name, text(value)));
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn multipart(object: &Value) -> String {
    let part = |name, value| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let pairs = object.as_object().into_iter().flatten();
    pairs
        .map(|(name, value)| part(name, text(value)))
        .chain(["--b--\r\n".to_owned()])
        .collect()
}

fn run<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig {
        max_shrink_iters: 256,
        failure_persistence: None,
        ..Default::default()
    };
    TestRunner::new(config)
        .run(&strategy, test)
        .unwrap_or_else(|error| panic!("{error}"));
}

fn media_type() -> impl Strategy<Value = String> {
    prop_oneof![
        select(vec![
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=b",
            "message/rfc822",
            "text/plain",
            "application/xml",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,40}",
    ]
}

/// Bytes of any kind, and those that begin as a body does that is read further.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let begun = select(vec![
        "",
        "{\"",
        "[[",
        "a=",
        "--b\r\nContent-Disposition: form-data; name=\"",
        "Subject: =?",
        "\u{feff}{",
    ]);
    (begun, vec(any::<u8>(), 0..600)).prop_map(|(begun, bytes)| [begun.as_bytes(), &bytes].concat())
}

#[test]
fn random_bytes_are_answered() {
    let target = Target::start();
    let query = vec(any::<u8>(), 0..60)
        .prop_map(|bytes| form_urlencoded::byte_serialize(&bytes).collect::<String>());
    let query = prop_oneof![query, "[a-z0-9&=%+.]{0,40}"];

    run(
        (
            any::<Index>(),
            media_type(),
            query,
            option::weighted(0.9, body()),
        ),
        |(at, kind, query, body)| {
            let seed = at.get(&target.seeds);
            let caller = target.server.anonymous().with("Content-Type", &kind);
            target.send(seed, &caller, &query, body.as_deref())
        },
    );
    target.is_sound();
}

/// A longer one is refused before it arrives.
const LONGEST_QUERY: usize = 4_000;

/// What a part of a request is changed to.
fn change() -> impl Strategy<Value = Option<Value>> {
    let number = prop_oneof![
        Just(f64::MAX),
        Just(-1e20),
        Just(1e-320),
        any::<f64>().prop_filter("JSON", |it| it.is_finite())
    ];

    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        any::<bool>().prop_map(|it| Some(it.into())),
        any::<i64>().prop_map(|it| Some(it.into())),
        any::<u64>().prop_map(|it| Some(it.into())),
        number.prop_map(|it| Some(it.into())),
        any::<String>().prop_map(|it| Some(it.into())),
        select(vec![
            "",
            " ",
            "{{",
            "{{#if",
            "-",
            "9999-99-99T99:99:99Z",
            "NaN",
            "1e999",
            "<b",
            "&#x110000;",
            "\u{0}",
            "ﬀ\u{202e}"
        ])
        .prop_map(|it| Some(it.into())),
        (1_usize..50_000).prop_map(|length| Some("ß".repeat(length).into())),
        (1_usize..100).prop_map(|depth| Some((0..depth).fold(json!(1), |inner, _| json!([inner])))),
        Just(Some(json!([]))),
        Just(Some(json!({}))),
        Just(Some(json!([null, {}, [], "", 0]))),
    ]
}

/// Where there is anything in `value`.
fn places(value: &Value, here: &str, into: &mut Vec<String>) {
    into.push(here.to_owned());
    match value {
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| places(item, &format!("{here}/{at}"), into));
        }
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            places(
                member,
                &format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")),
                into,
            );
        }),
        _ => {}
    }
}

/// Changes what is at one place; `None` takes it away.
fn changed(mut value: Value, at: Index, change: Option<Value>) -> Value {
    let mut all = Vec::new();
    places(&value, "", &mut all);
    let place = at.get(&all);

    match (change, place.rsplit_once('/')) {
        (None, Some((above, name))) => match value.pointer_mut(above) {
            Some(Value::Object(members)) => {
                drop(members.remove(&name.replace("~1", "/").replace("~0", "~")))
            }
            Some(Value::Array(items)) => drop(items.pop()),
            _ => {}
        },
        (change, _) => {
            if let Some(found) = value.pointer_mut(place) {
                *found = change.unwrap_or_default();
            }
        }
    }

    value
}

#[test]
fn mutated_requests_are_answered() {
    let target = Target::start();
    let changes = vec((any::<Index>(), change()), 1..4);
    let cut = option::weighted(0.2, any::<Index>());
    let with_headers = prop::bool::weighted(0.8);

    run(
        (any::<Index>(), changes, 0_u8..10, cut, with_headers),
        |(at, changes, shape, cut, with_headers)| {
            let seed = at.get(&target.seeds);
            let whole = json!({"body": seed.body, "query": seed.query});
            let whole = changes
                .into_iter()
                .fold(whole, |whole, (at, change)| changed(whole, at, change));
            let (kind, mut body) = match (&whole["body"], shape) {
                (Value::String(text), _) => (None, text.clone()),
                (object, 0) => (Some("application/x-www-form-urlencoded"), form(object)),
                (object, 1) => (Some("multipart/form-data; boundary=b"), multipart(object)),
                (object, _) => (Some("application/json"), object.to_string()),
            };

            let kind = kind.or_else(|| {
                seed.headers
                    .iter()
                    .find(|(name, _)| name == "content-type")
                    .map(|(_, kind)| kind.as_str())
            });

            if let Some(cut) = cut {
                let ends: Vec<_> = body.char_indices().map(|(at, _)| at).chain([0]).collect();
                body.truncate(*cut.get(&ends));
            }

            let headers = seed
                .headers
                .iter()
                .filter(|(name, _)| with_headers && name != "content-type");
            let caller = headers.fold(target.server.anonymous(), |caller, (name, value)| {
                caller.with(name, value)
            });

            let caller =
                kind.map_or_else(|| caller.clone(), |kind| caller.with("Content-Type", kind));
            let mut query = form(&whole["query"]);

            query.truncate(LONGEST_QUERY);
            target.send(seed, &caller, &query, Some(body.as_bytes()))
        },
    );
    target.is_sound();
}
