//! The rule of each attribute, the same on create and on update: what is taken, what is refused, by
//! which words.

use crate::{
    callers::{Caller, id},
    server::TestServer,
};
use serde_json::{Value, json};

/// Sends the value in a create and in an update of `attribute`, and shows what became of it.
fn taken(account: &Caller, attribute: &str, value: &Value) -> [Value; 2] {
    let created = account.created_from(with(attribute, value));
    let other = account.created("other");
    let updated = account
        .update(id(&other), json!({ attribute: value }))
        .assert_status(200)
        .json();
    [created[attribute].clone(), updated[attribute].clone()]
}

fn with(attribute: &str, value: &Value) -> Value {
    let mut body = json!({"name": "x", "type": "email", "destination_ids": []});
    body[attribute] = value.clone();
    body
}

/// What is taken, and what it becomes.
fn assert_taken(attribute: &str, table: &[(Value, Value)]) {
    let server = TestServer::start();
    let account = server.account("ops");
    for (sent, expected) in table {
        assert_eq!(
            taken(&account, attribute, sent),
            [expected.clone(), expected.clone()],
            "{attribute}: {sent}"
        );
    }
}

/// What is refused: on create and on update the same single message, which begins with the
/// attribute's name.
fn assert_refused(attribute: &str, values: &[Value]) {
    let server = TestServer::start();
    let account = server.account("ops");
    let existing = account.created("x");

    for value in values {
        let on_create = account.create(with(attribute, value));
        let on_update = account.update(id(&existing), json!({ attribute: value }));
        let message = on_create
            .assert_error(400, &[&format!("'{attribute}' ")])
            .messages();
        assert!(
            message[0].starts_with(&format!("'{attribute}' ")),
            "{message:?}"
        );
        assert_eq!(on_update.assert_error(400, &[""]).messages(), message);
    }

    assert_eq!(
        account.get(id(&existing)).json(),
        existing,
        "what was answered 4xx changed nothing"
    );
    assert_eq!(account.total(""), 1);
}

fn same(values: impl IntoIterator<Item = Value>) -> Vec<(Value, Value)> {
    values
        .into_iter()
        .map(|value| (value.clone(), value))
        .collect()
}

#[test]
fn name_has_1_to_255_characters_after_trimming() {
    let longest = "ü".repeat(255);
    assert_taken(
        "name",
        &[
            (json!("a"), json!("a")),
            (json!("  Devops\tEmail \n"), json!("Devops\tEmail")),
            (json!(longest), json!(longest)),
            (json!(format!("  {longest}  ")), json!(longest)),
            (json!("\"\\/\u{1}🦀"), json!("\"\\/\u{1}🦀")),
        ],
    );
    let too_long = json!("ü".repeat(256));
    assert_refused(
        "name",
        &[
            json!(""),
            json!("   "),
            too_long,
            json!(1),
            json!(true),
            json!(["x"]),
            json!({}),
        ],
    );
}

#[test]
fn type_has_1_to_64_of_a_z_0_9_and_underscore() {
    assert_taken(
        "type",
        &same([
            json!("email"),
            json!("carrier_pigeon_2"),
            json!("a"),
            json!("z".repeat(64)),
        ]),
    );
    let values = ["", "Email", "e-mail", " email", "é", "e mail"].map(|text| json!(text));
    assert_refused("type", &values);
    assert_refused("type", &[json!("z".repeat(65)), json!(1), json!(["email"])]);
}

#[test]
fn destination_without_a_prefix_is_refused() {
    let tail = "Aa0_-".repeat(12) + "xxxx";
    assert_taken(
        "destination_ids",
        &same([
            json!([]),
            json!(["tem_ByxQ3ukgTM"]),
            json!(["xyz_1", "tem_1"]),
            json!([format!("abc_{tail}")]),
        ]),
    );
    let malformed = [
        "", "tem_", "tem", "te_x", "team_x", "TEM_x", "t3m_x", "tem-x", "tem_a b", "tem_ä",
        " tem_x",
    ];
    assert_refused(
        "destination_ids",
        &malformed.map(|text| json!(["tem_good", text])),
    );
    assert_refused(
        "destination_ids",
        &[json!([format!("tem_{}", "x".repeat(65))])],
    );
}

#[test]
fn destinations_must_be_an_array_of_strings() {
    assert_refused(
        "destination_ids",
        &[
            json!("tem_x"),
            json!({}),
            json!(1),
            json!([1]),
            json!([null]),
            json!([["tem_x"]]),
            json!(["tem_x", {}]),
        ],
    );
}

#[test]
fn duplicate_destinations_are_dropped() {
    assert_taken(
        "destination_ids",
        &[(
            json!(["tem_b", "tem_a", "tem_b", "tem_c", "tem_a"]),
            json!(["tem_b", "tem_a", "tem_c"]),
        )],
    );
}

#[test]
fn more_than_a_hundred_destinations_are_refused() {
    let ids = |count| {
        json!(
            (0..count)
                .map(|number| format!("tem_{number}"))
                .collect::<Vec<_>>()
        )
    };
    assert_taken("destination_ids", &same([ids(100)]));
    assert_refused("destination_ids", &[ids(101)]);
}

#[test]
fn enabled_must_be_a_boolean_or_its_text() {
    assert_taken(
        "enabled",
        &[
            (json!(true), json!(true)),
            (json!(false), json!(false)),
            (json!("true"), json!(true)),
            (json!("false"), json!(false)),
        ],
    );
    assert_refused(
        "enabled",
        &[
            json!("yes"),
            json!("True"),
            json!(""),
            json!(0),
            json!(1),
            json!([]),
            json!({}),
        ],
    );
}

#[test]
fn unknown_urgency_is_refused() {
    assert_taken(
        "urgency",
        &same(["low", "medium", "high", "critical"].map(|text| json!(text))),
    );
    assert_refused(
        "urgency",
        &[
            json!("High"),
            json!(""),
            json!("urgent"),
            json!(3),
            json!(["low"]),
        ],
    );
}

#[test]
fn meta_and_options_accept_any_object() {
    for attribute in ["meta", "options"] {
        assert_taken(
            attribute,
            &same([
                json!({}),
                json!({"a": {"b": [1, "x", null, true]}, "": 0, "ü.x": ""}),
            ]),
        );
        assert_refused(attribute, &[json!([]), json!("{}"), json!(1), json!(true)]);
    }
}

#[test]
fn null_is_refused_for_every_writable_attribute() {
    for attribute in [
        "meta",
        "name",
        "type",
        "enabled",
        "urgency",
        "destination_ids",
        "options",
    ] {
        assert_refused(attribute, &[Value::Null]);
    }
}

#[test]
fn all_errors_are_reported_in_the_order_of_attributes() {
    let server = TestServer::start();
    let account = server.account("ops");
    let existing = account.created("x");
    let wrong = json!({
        "options": 1, "destination_ids": "x", "urgency": "loud", "enabled": "yes",
        "type": "No!", "name": " ", "meta": [],
    });

    let order = [
        "'meta'",
        "'name'",
        "'type'",
        "'enabled'",
        "'urgency'",
        "'destination_ids'",
        "'options'",
    ];
    account.create(wrong.clone()).assert_error(400, &order);
    account
        .update(id(&existing), wrong)
        .assert_error(400, &order);
}

#[test]
fn error_message_states_what_is_allowed() {
    let server = TestServer::start();
    let account = server.account("ops");
    for (attribute, value, right) in [
        ("name", json!(""), "must have 1 to 255 characters"),
        ("type", json!("E"), "must be 1 to 64 of a-z 0-9 _"),
        ("enabled", json!("yes"), "must be true or false"),
        (
            "urgency",
            json!("x"),
            "must be low, medium, high or critical",
        ),
        (
            "destination_ids",
            json!(["tem_a", "x"]),
            "at position 1 must be three lower-case letters",
        ),
        ("meta", json!([]), "must be an object, but was an array"),
        ("options", Value::Null, "must not be null"),
    ] {
        account
            .create(with(attribute, &value))
            .assert_error(400, &[right]);
    }
}
