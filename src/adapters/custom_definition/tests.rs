//! Which requests rules match, which definitions are faulty, and the events of actions.

use super::*;
use crate::adapters::{InboundRequest, RequestParts, field::VendorOptions, vendors};
use proptest::prelude::*;
use serde_json::Map;

fn request(body: &str) -> InboundRequest {
    let headers = vec![
        ("content-type".into(), "text/plain".into()),
        ("x-source".into(), "probe".into()),
    ];
    InboundRequest::new(RequestParts {
        method: "POST".into(),
        headers,
        body: body.into(),
        ..RequestParts::default()
    })
}

fn apply_definition(definition: &str, body: &str) -> ParsedEvent {
    let options = Map::from_iter([("custom_definition".to_owned(), Value::from(definition))]);
    (vendors::get("custom_webhook").parse)(&request(body), VendorOptions::new(&options))
}

fn reason(parsed: ParsedEvent) -> String {
    match parsed {
        ParsedEvent::Ignored {
            reason,
            interpretation,
            ..
        } => interpretation.append_errors_to(reason),
        other => panic!("{other:?}"),
    }
}

fn id(parsed: &ParsedEvent) -> Option<&str> {
    match parsed {
        ParsedEvent::Event(event) => event.thirdparty_id.as_deref(),
        _ => None,
    }
}

const BODY: &str = r#"{
    "state": "Down", "count": 5, "ratio": 1.50, "big": 9007199254740993, "none": null, "tags": ["web", "eu"], "empty": [],
    "inner": {"list": [{"name": "a", "n": 1}, {"name": "b", "n": 2}], "text": "two\nlines"}
}"#;

fn matches(condition: &str) -> bool {
    let definition = format!(
        "rules: [{{match: {condition}, actions: [{{type: resolve, thirdparty_id: hit}}]}}]\ndefault: {{actions: []}}"
    );
    let parsed = apply_definition(&definition, BODY);
    if let ParsedEvent::Ignored { reason, .. } = &parsed {
        assert!(reason.starts_with("no rule"), "{condition}: {reason}");
    }
    id(&parsed) == Some("hit")
}

#[test]
fn conditions_hold_as_in_mongodb() {
    for condition in [
        "{}",
        "{always: true}",
        "{log.data.state: Down, log.data.count: 5}",
        "{log.data.ratio: 1.5}",
        "{log.data.none: null}",
        "{log.data.missing: null}",
        "{log.data.tags: eu}",
        "{log.data.tags: [web, eu]}",
        "{log.data.tags.0: web}",
        "{log.data.inner.list.name: b}",
        "{log.data.inner.list.1.n: 2}",
        "{log.data.inner.list: {n: 1.0, name: a}}",
        "{log.method: POST, log.headers.X-Source: probe, log.headers.x-source: probe}",
        "{log.data.count: {$gt: 4, $lt: 6, $gte: 5, $lte: 5, $ne: 4}}",
        "{log.data.big: {$gt: 9007199254740992}}",
        "{log.data.state: {$gt: Aaa}}",
        "{log.data.state: {$in: [Up, Down]}}",
        "{log.data.state: {$nin: [Up]}}",
        "{log.data.missing: {$in: [null], $nin: [1], $ne: 1}}",
        "{log.data.tags: {$all: [eu, web]}}",
        "{log.data.none: {$exists: true}, log.data.missing: {$exists: false}}",
        "{log.data.state: {$regex: '^down$', $options: i}}",
        "{log.data.inner.text: {$regex: '^lines$', $options: m}}",
        "{log.data.inner.text: {$regex: 'two.lines', $options: s}}",
        "{log.data.tags: {$regex: '^e'}}",
        "{log.data.state: {$not: {$regex: up}}}",
        "{log.data.state: {$not: Up}}",
        "{$or: [{log.data.state: Up}, {log.data.count: 5}]}",
        "{$and: [{log.data.state: Down}, {log.data.count: {$or: [1, 5]}}]}",
        "{$nor: [{log.data.state: Up}, {log.data.count: 1}]}",
        "{$not: {log.data.state: Up}}",
        "{log.data.count: {$mod: [2, 1]}}",
        "{log.data.tags: {$size: 2}, log.data.empty: {$size: 0}}",
        "{log.data.tags: {$type: array}, log.data.count: {$type: number}}",
        "{log.data.inner.list: {$elemMatch: {name: b, n: {$gt: 1}}}}",
        "{log.data.tags: {$elemMatch: {$eq: eu}}}",
    ] {
        assert!(matches(condition), "{condition}");
    }
}

#[test]
fn conditions_fail_as_in_mongodb() {
    for condition in [
        "{always: false}",
        "{log.data.state: down}",
        "{log.data.state: Down, log.data.count: 6}",
        "{log.data.count: '5'}",
        "{log.data.missing: 1}",
        "{log.data.count: {$gt: '4'}}",
        "{log.data.state: {$gt: 4}}",
        "{log.data.missing: {$lt: 4}}",
        "{log.data.tags: {$ne: eu}}",
        "{log.data.tags: {$nin: [eu]}}",
        "{log.data.tags: {$all: [eu, us]}}",
        "{log.data.count: {$regex: '5'}}",
        "{log.data.none: {$exists: false}}",
        "{$or: [{log.data.state: Up}]}",
        "{$nor: [{log.data.state: Down}]}",
        "{log.data.inner.list: {$elemMatch: {name: b, n: 1}}}",
        "{log.data.count: {$mod: [0, 0]}}",
        "{log.data.count.deeper: 5}",
    ] {
        assert!(!matches(condition), "{condition}");
    }
}

#[test]
fn the_first_rule_that_matches_decides_and_its_first_action_counts() {
    let definition = "
rules:
  - match: {log.data.state: Up}
    actions: [{type: create, title: no}]
  - match: {log.data.state: Down}
    actions:
      - {type: Acknowledge, thirdparty_id: '{{log.data.count}}'}
      - {type: resolve, thirdparty_id: never}
  - match: {always: true}
    actions: [{type: resolve, thirdparty_id: never}]
";
    let parsed = apply_definition(definition, BODY);
    assert_eq!(id(&parsed), Some("5"));
    assert!(
        matches!(&parsed, ParsedEvent::Event(event) if event.action == Action::Acknowledge),
        "{parsed:?}"
    );
}

#[test]
fn what_no_rule_matches_is_for_the_default() {
    let rules = "rules: [{match: {always: false}, actions: [{type: create}]}]\n";
    let default = "default: {actions: [{type: ignore, reason: 'unhandled: {{log.data.state}}'}]}";
    assert_eq!(
        reason(apply_definition(rules, BODY)),
        "no rule of the custom definition matches"
    );
    assert_eq!(
        reason(apply_definition(&(rules.to_owned() + default), BODY)),
        "unhandled: Down"
    );
    assert_eq!(
        reason(apply_definition(
            "default: {actions: [{type: ignore}]}",
            BODY
        )),
        "ignored by a rule of the custom definition"
    );
    assert_eq!(
        id(&apply_definition(
            "default: {actions: [{type: resolve, thirdparty_id: x}]}",
            BODY
        )),
        Some("x")
    );
}

#[test]
fn data_are_made_readable_before() {
    let rules = "rules: [{match: {log.data.Message.state: ALARM}, actions: [{type: resolve, thirdparty_id: '{{log.data.Id}}'}]}]";
    let sns = r#"{"Id": 7, "Message": "{\"state\": \"ALARM\"}"}"#;
    assert_eq!(
        id(&apply_definition(
            &format!("preprocess: [{{type: parse_sns}}]\n{rules}"),
            sns
        )),
        Some("7")
    );
    assert_eq!(id(&apply_definition(rules, sns)), None);
    let in_data = rules.replace("log.data.Message.state", "log.data.data.state");
    assert_eq!(
        id(&apply_definition(
            &format!("preprocess: [{{type: parse_sns}}]\n{in_data}"),
            sns
        )),
        Some("7")
    );
    let text = "default: {actions: [{type: resolve, thirdparty_id: '{{log.data}}|{{log.body}}'}]}";
    assert_eq!(
        id(&apply_definition(
            &format!("preprocess: [{{type: parse_json}}]\n{text}"),
            "5 down"
        )),
        Some("5 down|5 down")
    );
    assert_eq!(id(&apply_definition(text, "plain")), Some("plain|plain"));
}

#[test]
fn everything_an_action_can_say() {
    let definition = "
default:
  actions:
    - type: create
      title: ''
      urgency: '{{uppercase \"silent\"}}'
      tags: '{{log.data.tags}}, night ,eu'
      dedup_keys: [a, '{{log.data.count}}', a]
      meta: {state: '{{log.data.state}}', n: 1, list: ['{{log.data.count}}']}
      incident: true
      incident_severity: sev-3
      incident_message: bridge
      additional_data:
        - {format: text, value: '{{log.data.count}}'}
        - {format: text, label: Raw, value: 5}
        - {format: link, label: Link, value: no address}
        - {format: nonsense, label: L, value: v}
        - no mapping
";
    let ParsedEvent::Event(event) = apply_definition(definition, BODY) else {
        panic!("no event")
    };

    let content = serde_json::to_value(&event.content).unwrap();
    let expected = json!({
        "title": "Untitled Alert", "description": "", "urgency": "silent", "tags": ["web", "eu", "night"],
        "additional_data": [
            {"type": "text", "label": "Untitled", "value": "5"}, {"type": "text", "label": "Raw", "value": 5},
        ],
        "meta": {"state": "Down", "n": 1, "list": ["5"]}, "incident": {"severity": "SEV-3", "message": "bridge"},
        "dedup_keys": ["a", "5"],
    });

    assert_eq!((event.thirdparty_id, content), (None, expected));
}

#[test]
fn a_faulty_definition_leaves_its_reason() {
    let many_rules = "  - {match: {log.data.state: {$regex: 'x{1,9}'}}, actions: []}\n".repeat(300);
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b]\n\
                d: &d [*c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d]\nrules: [*e, *e]\n";

    for (definition, part) in [
        (String::new(), "is not set"),
        ("- a list".into(), "not a mapping"),
        ("rules: [".into(), "is invalid"),
        ("rules: [{actions: []}]".into(), "'match' is missing"),
        (
            "rules: [{match: [], actions: []}]".into(),
            "must be a mapping",
        ),
        (
            "rules: [{match: {a: {$near: 1}}, actions: []}]".into(),
            "unknown operator '$near'",
        ),
        (
            "rules: [{match: {$where: 1}, actions: []}]".into(),
            "unknown operator '$where'",
        ),
        (
            "rules: [{match: {a: {$in: 1}}, actions: []}]".into(),
            "'$in' must be a list",
        ),
        (
            "rules: [{match: {a: {$regex: '(?=a'}}, actions: []}]".into(),
            "regular expression",
        ),
        (
            "rules: [{match: {a: {$regex: '(x{900}){900}'}}, actions: []}]".into(),
            "regular expression",
        ),
        (
            format!(
                "rules: [{{match: {{a: {{$regex: '{}'}}}}, actions: []}}]",
                "x".repeat(1_025)
            ),
            "the limit is 1024",
        ),
        (format!("rules:\n{many_rules}"), "too many steps"),
        (bomb.into(), "is invalid"),
        (
            format!("rules: {}1{}", "[".repeat(60), "]".repeat(60)),
            "is invalid",
        ),
        (format!("rules: []\ntext: {}", "x".repeat(70_000)), "bytes"),
        (
            r#"{"\x24serde_json::private::Number": "1", "a": 2}"#.into(),
            "is invalid",
        ),
    ] {
        let found = reason(apply_definition(&definition, BODY));
        assert!(
            found.contains(part),
            "{}: {found}",
            &definition[..definition.len().min(60)]
        );
    }
}

/// Whatever a rule looks at is paid for with steps: equal values of any size were one step.
#[test]
fn rules_take_as_many_steps_as_they_look_at() {
    let taken = |values: &Value, query: Value| {
        let asked = query::Query::new(values, DateTime::UNIX_EPOCH);
        let before = asked.left();
        asked.matches(&query).unwrap();
        before - asked.left()
    };

    let texts = |count: usize| json!({"list": vec!["x".repeat(1_000); count], "numbers": vec![0; 100 * count]});
    for query in [
        json!({"list": "x".repeat(999) + "y"}),
        json!({"list": {"$in": ["x".repeat(999) + "y"]}}),
        json!({"list": {"$gt": "x".repeat(1_000)}}),
        json!({"numbers.a.b": 1}),
        json!({"numbers": {"$elemMatch": {"$type": "text"}}}),
        json!({"numbers": {"$elemMatch": {"$not": {"$exists": true}}}}),
    ] {
        let (little, much) = (
            taken(&texts(100), query.clone()),
            taken(&texts(400), query.clone()),
        );
        assert!(
            little > 300 && (3 * little..5 * little).contains(&much),
            "{query:.60}: {little} and {much} steps"
        );
    }

    let (short, long) = (json!({"a": {"b": "x"}}), "n".repeat(1_000));
    assert!(
        taken(&short, json!({(long): 1})) > 30,
        "a name is looked up by all of it"
    );
}

/// It may look at each byte with each of its thousand states.
#[test]
fn a_large_expression_is_not_looked_for_in_a_large_text() {
    let body = json!({"t": "ab".repeat(200_000)}).to_string();
    let rule = |pattern: &str| {
        format!("rules: [{{match: {{log.data.t: {{$regex: '{pattern}'}}}}, actions: []}}]")
    };
    assert!(reason(apply_definition(&rule("[ab]*a[ab]{500}c"), &body)).contains("too many steps"));
    assert!(!reason(apply_definition(&rule("[ab]c"), &body)).contains("too many steps"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_definition_breaks_it(pieces in prop::collection::vec(prop::sample::select(vec![
        "rules:", "default:", "actions:", "match:", "preprocess:", "- ", "\n", "\n  ", "{", "}", "[", "]", ": ", ", ", "log.data",
        "$regex", "$in", "$not", "$or", "type", "create", "'{{log.data}}'", "&a ", "*a", "!!str ", "|\n", "? ", "#", "'", "\"",
        "always", "true", "1.5", "~", "---\n", "%YAML", "\\", "é", "<<",
    ]), 0..30), body in any::<String>()) {
        let _ = apply_definition(&pieces.concat(), &body);
    }
}
