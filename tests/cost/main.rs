//! What inputs cost, counted in bytes that are allocated and never in time: four times as long an
//! input may take four times as much.
//!
//! This is the short form of `scripts/cost-fuzz`, which measures all of the program with the
//! release build and draws from the same words. An input is a prefix, a unit that is repeated, and
//! a suffix, where one of a kind belongs. The shapes are the same in every run.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use pagertree_local::{
    adapters::{self, InboundRequest, RequestParts},
    domain::{
        alert_input::{AlertDraft, AllowedSources},
        body::Strictness,
        ids::AccountId,
        integration,
        integration_input::IntegrationDraft,
        list::ListQuery,
        masking::Secrets,
        reserved,
    },
    store::{self, INTEGRATIONS, Store, StoreError},
};
use serde_json::{Map, Value, json};
use std::{collections::BTreeMap, fs, hint::black_box, path::Path};

/// Shapes of each kind.
const SHAPES: u64 = 12;
/// Bytes of the shorter inputs; the longer ones have four times as many.
const LENGTH: usize = 3_000;
/// Growth by chance, and by what is made once: beyond this factor, and these bytes, an input takes
/// too much.
const FACTOR: u64 = 6;
const ALWAYS: u64 = 300_000;

/// Of one read by id, with the engine's own.
const MAX_READ_ALLOCATIONS: u64 = 4;

type Words = BTreeMap<String, Vec<String>>;

fn fixture(name: &str) -> String {
    fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

/// A unit to repeat, and what stands around it.
#[derive(Debug)]
struct Shape([String; 3]);

impl Shape {
    /// One of these words, the same for the same number.
    fn draw(words: &[String], number: u64) -> Self {
        let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |most: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % most
        };

        let mut text = |least: usize| {
            let count = least + next(3);
            (0..count)
                .map(|_| words[next(words.len())].as_str())
                .collect::<String>()
        };

        Self([text(0), text(1), text(0)])
    }

    fn grown(&self, length: usize) -> String {
        let [prefix, unit, suffix] = &self.0;
        format!(
            "{prefix}{}{suffix}",
            unit.repeat(length / unit.len().max(1))
        )
    }
}

/// Bytes that are allocated while an input is dealt with.
fn work(deal: &dyn Fn(&str), input: &str) -> u64 {
    allocation_counter::measure(|| deal(input)).bytes_total
}

/// Whether inputs of a kind take no more than they may.
fn check(kind: &str, shapes: impl IntoIterator<Item = Shape>, deal: &dyn Fn(&str)) {
    for shape in shapes {
        let (short, long) = (shape.grown(LENGTH), shape.grown(4 * LENGTH));
        // What is made once in a thread.
        deal(&short);
        let (little, much) = (work(deal, &short), work(deal, &long));
        assert!(
            much <= FACTOR * little + ALWAYS,
            "{kind}: {little} and {much} bytes for {shape:?}"
        );
    }
}

fn drawn(words: &Words, language: &str) -> Vec<Shape> {
    (0..SHAPES)
        .map(|number| Shape::draw(&words[language], number))
        .collect()
}

fn read(kind: &str, content_type: &str, options: &Value, body: &str) {
    let headers = vec![("content-type".to_owned(), content_type.to_owned())];
    let parts = RequestParts {
        method: "POST".into(),
        headers,
        body: body.into(),
        ..RequestParts::default()
    };
    let options = options.as_object().unwrap();
    let request = InboundRequest::new(parts);
    let parsed = adapters::parse(kind, &request, options);
    black_box(adapters::response_body(kind, &request, &parsed));
}

fn data() -> String {
    let list: Vec<Value> = (0..50)
        .map(|number| json!({"a": number, "b": "x"}))
        .collect();
    json!({"event_type": "create", "id": "1", "title": "t", "l": list, "t": "x".repeat(2_000), "o": {"a": 1, "b": [1]}, "a": 1}).to_string()
}

#[test]
fn what_is_read_takes_as_much_as_it_is_long() {
    let words: Words = serde_json::from_str(&fixture("words.json")).unwrap();
    let form = "application/x-www-form-urlencoded";
    check("html", drawn(&words, "html"), &|text| {
        read(
            "cloudflare",
            "application/json",
            &json!({}),
            &json!({ "text": text }).to_string(),
        );
    });

    check("mail", drawn(&words, "mail"), &|text| {
        read(
            "email",
            "message/rfc822",
            &json!({}),
            &format!("Subject: x\r\n{text}"),
        )
    });

    check("html in mail", drawn(&words, "html"), &|text| {
        read(
            "email",
            "message/rfc822",
            &json!({}),
            &format!("Subject: x\r\nContent-Type: text/html\r\n\r\n{text}"),
        );
    });

    check("form", drawn(&words, "form"), &|text| {
        read("webhook", form, &json!({}), text)
    });

    check("json", drawn(&words, "json"), &|text| {
        read("webhook", "application/json", &json!({}), text)
    });

    let data = data();
    check("template", drawn(&words, "template"), &|text| {
        read(
            "webhook",
            "application/json",
            &json!({"title_template": text, "title_template_enabled": true}),
            &data,
        );
    });

    check("path", drawn(&words, "path"), &|text| {
        read(
            "webhook",
            "application/json",
            &json!({ "wrapper_key": text }),
            &data,
        )
    });

    check("definition", drawn(&words, "yaml"), &|text| {
        read(
            "custom_webhook",
            "application/json",
            &json!({ "custom_definition": text }),
            &data,
        );
    });
}

#[test]
fn what_callers_send_takes_as_much_as_it_is_long() {
    let words: Words = serde_json::from_str(&fixture("words.json")).unwrap();
    check("body", drawn(&words, "json"), &|text| {
        let body = format!(
            r#"{{"title":"t","name":"n","type":"email","destination_ids":[],"tags":{text},"meta":{{"x":{text}}}}}"#
        );

        black_box(reserved::has_reserved_name(body.as_bytes()));
        let Ok(Value::Object(attributes)) = serde_json::from_str(&body) else {
            return;
        };

        let authors = AllowedSources {
            own: ["acc_1", "usr_1"],
            integration: true,
        };

        let _any = black_box(AlertDraft::parse(
            attributes.clone(),
            authors,
            Strictness::Strict,
        ));
        let _any = black_box(IntegrationDraft::parse(attributes, Strictness::Lenient));
    });

    check("query", drawn(&words, "query"), &|text| {
        let _any = black_box(ListQuery::parse(integration::SCHEMA, text));
    });
}

/// Each got a copy of the body that all of them had come in.
#[test]
fn several_events_of_a_request_take_as_much_as_it_is_long() {
    let event = json!({"event_type": "create", "id": "1", "title": "t".repeat(2_000)});
    let body = Value::Array(vec![event; 80]).to_string();
    let parts = RequestParts {
        body: body.clone().into(),
        ..RequestParts::default()
    };

    let taken = allocation_counter::measure(|| {
        drop(black_box(adapters::split_request(parts.clone(), "webhook")))
    })
    .bytes_total;
    let length = u64::try_from(body.len()).unwrap();

    assert!(
        (length..30 * length).contains(&taken),
        "{taken} bytes for {length}"
    );
}

/// Each was replaced in a copy of the text.
#[test]
fn secrets_take_as_much_as_they_and_the_text_are_long() {
    let unit = |unit: &str| Shape([String::new(), unit.to_owned(), String::new()]);
    check(
        "secrets",
        [unit("secret-"), unit("x"), unit("abcdefghijklmnop ")],
        &|text| {
            let options: Map<String, Value> = (0..text.len() / 40)
                .map(|number| {
                    (
                        format!("token{number}"),
                        format!("secret{number:06}").into(),
                    )
                })
                .collect();
            black_box(Secrets::of(&options).mask(text));
        },
    );
}

/// Every member of what real programs send, with the text in its place.
#[test]
fn events_of_every_type_take_as_much_as_they_are_long() {
    let words: Words = serde_json::from_str(&fixture("words.json")).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events");
    let mut types = 0;

    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }

        let known: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let Some(kind) = known["type"].as_str() else {
            continue;
        };

        types += 1;
        let bodies = known["cases"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|case| &case["request"]["body"]);
        let Some(body) = bodies
            .filter(|body| body.is_object())
            .max_by_key(|body| body.to_string().len())
        else {
            continue;
        };

        let shapes = (0..4).map(|number| Shape::draw(&words["text"], number));
        let texts = texts(body);
        check(kind, shapes, &|text| {
            let part: String = text.chars().take(text.len() / texts).collect();
            read(
                kind,
                "application/json",
                &json!({}),
                &filled(body, &part).to_string(),
            );
        });
    }

    assert!(types > 40, "{types}");
}

fn texts(value: &Value) -> usize {
    let inner = match value {
        Value::Array(items) => items.iter().map(texts).sum(),
        Value::Object(members) => members.values().map(texts).sum(),
        _ => 0,
    };
    inner.max(1)
}

/// The value with so much added to each text in it.
fn filled(value: &Value, text: &str) -> Value {
    match value {
        Value::String(known) => format!("{known}{text}").into(),
        Value::Array(items) => items.iter().map(|item| filled(item, text)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), filled(value, text)))
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// That it finds what it is for: a text that is copied for each of its parts.
#[test]
#[should_panic(expected = "quadratic")]
fn what_takes_more_is_found() {
    let shape = Shape([String::new(), "x,".to_owned(), String::new()]);
    check("quadratic", [shape], &|text| {
        text.split(',')
            .for_each(|_| drop(black_box(text.to_owned())))
    });
}

/// Reading a record shares the engine's buffer: the allocations do not depend on its size.
#[test]
fn a_read_by_id_allocates_no_more_for_a_large_record() {
    let folder = tempfile::tempdir().unwrap();
    let options = store::Options {
        cache_bytes: 1 << 24,
        index_bytes: 0,
        snapshot_bytes: 1 << 20,
        queue: 8,
        batch: 8,
        durability: store::Durability::Ephemeral,
        token_secret: Some("secret".into()),
        contention: None,
    };
    let store = Store::open(folder.path(), &options).unwrap();
    let account = AccountId::parse("acc_1").unwrap();
    let sizes = [(1, "int_small", 100), (2, "int_large", 500_000)];
    actix_rt::System::new()
        .block_on(store.write(move |transaction| {
            for (tiny_id, id, size) in sizes {
                let filling = "x".repeat(size);
                let record = json!({"sid": "acc_1", "filling": filling, "tinyId": tiny_id});
                let record = record.to_string().into_bytes();
                transaction.insert(INTEGRATIONS, &account, tiny_id, id, record.into())?;
            }
            Ok::<_, StoreError>(())
        }))
        .unwrap();

    for (_, id, _) in sizes {
        let read = || drop(black_box(store.record(INTEGRATIONS, id).unwrap().unwrap()));
        // The first read fetches the page.
        read();
        let allocated = allocation_counter::measure(read);
        assert!(
            allocated.count_total <= MAX_READ_ALLOCATIONS && allocated.bytes_total < 1_000,
            "{id}: {allocated:?}"
        );
    }
}
