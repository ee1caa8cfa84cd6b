//! Checks that create, update and delete integrations.

use super::{
    Check, Failure,
    probe::{Call, Probe},
    reads::{attributes, millis},
};
use serde_json::{Map, Value, json};

const CREATE: &str = "Create an integration";
const UPDATE: &str = "Update an integration";
const DELETE: &str = "Delete an integration";
const ERRORS: &str = "Errors";

pub(super) const CHECKS: &[Check] = &[
    Check {
        section: CREATE,
        statement: "POST /integration returns the new object with what was sent",
        run: create_returns_the_object,
    },
    Check {
        section: CREATE,
        statement: "meta is free form and kept as it is",
        run: create_keeps_meta,
    },
    Check {
        section: CREATE,
        statement: "tinyId counts up",
        run: create_counts_up,
    },
    Check {
        section: CREATE,
        statement: "a created integration can be retrieved",
        run: created_can_be_retrieved,
    },
    Check {
        section: ERRORS,
        statement: "a missing name is 400, and the message names it",
        run: missing_name_is_refused,
    },
    Check {
        section: ERRORS,
        statement: "malformed JSON is 400 with the error body",
        run: malformed_json_is_refused,
    },
    Check {
        section: UPDATE,
        statement: "PUT changes the attributes that it names, and no others",
        run: update_is_partial,
    },
    Check {
        section: UPDATE,
        statement: "PUT of an unknown id is 404",
        run: update_of_unknown_id_is_refused,
    },
];

/// Run after the reads, which need what these checks delete.
pub(super) const LAST_CHECKS: &[Check] = &[
    Check {
        section: DELETE,
        statement: "DELETE is 204 without a body",
        run: delete_has_no_body,
    },
    Check {
        section: DELETE,
        statement: "a deleted integration is 404 for GET and DELETE",
        run: deleted_is_gone,
    },
];

fn create_returns_the_object(probe: &mut Probe) -> Result<(), Failure> {
    let answer = probe.create(&json!({"enabled": false, "urgency": "low"}))?;
    answer.expect_status(200)?;
    let object = answer.object()?;
    attributes(&object).map_err(|fault| Failure::Broken(format!("{}: {fault}", answer.request)))?;
    for (name, value) in [
        ("type", json!("webhook")),
        ("enabled", json!(false)),
        ("urgency", json!("low")),
    ] {
        if object.get(name) != Some(&value) {
            return Err(answer.broken(
                &format!("'{name}' was {:?}", object.get(name)),
                &value.to_string(),
            ));
        }
    }
    Ok(())
}

fn create_keeps_meta(probe: &mut Probe) -> Result<(), Failure> {
    let meta =
        json!({"text": "é\u{1F600}", "number": 1.5, "deep": {"list": [1, null, {"a": true}]}});
    let answer = probe.create(&json!({"enabled": false, "meta": meta}))?;
    answer.expect_status(200)?;
    match answer.object()?.get("meta") {
        Some(kept) if *kept == meta => Ok(()),
        kept => Err(answer.broken(&format!("'meta' was {kept:?}"), &meta.to_string())),
    }
}

fn create_counts_up(probe: &mut Probe) -> Result<(), Failure> {
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let answer = probe.create(&json!({"enabled": false}))?;
        answer.expect_status(200)?;
        numbers.push(answer.object()?.get("tinyId").and_then(Value::as_u64));
    }
    match numbers.as_slice() {
        [Some(first), Some(second)] if first < second => Ok(()),
        other => Err(Failure::Broken(format!(
            "tinyId was {other:?}; documented is a human friendly id"
        ))),
    }
}

fn retrieve(probe: &mut Probe, id: &str) -> Result<Map<String, Value>, Failure> {
    let answer = probe.get(&format!("/integration/{id}"))?;
    answer.expect_status(200)?;
    answer.object()
}

fn created_can_be_retrieved(probe: &mut Probe) -> Result<(), Failure> {
    let answer = probe.create(&json!({"enabled": false}))?;
    answer.expect_status(200)?;
    let id = probe.newest()?.to_owned();
    if retrieve(probe, &id)? == answer.object()? {
        return Ok(());
    }
    Err(answer.broken("GET returned another object", "the same object"))
}

fn send(
    probe: &mut Probe,
    method: &str,
    path: &str,
    body: &str,
) -> Result<super::answer::Answer, Failure> {
    let call = Call {
        body: Some(body),
        ..Call::default()
    };
    probe.send(method, path, &call)
}

fn missing_name_is_refused(probe: &mut Probe) -> Result<(), Failure> {
    let body = r#"{"type": "webhook", "destination_ids": []}"#;
    let answer = send(probe, "POST", "/integration", body)?;
    let message = answer.expect_error(400)?;
    if message.contains("name") {
        return Ok(());
    }
    Err(answer.broken(
        &format!("the message was '{message}'"),
        "that 'name' is required",
    ))
}

fn malformed_json_is_refused(probe: &mut Probe) -> Result<(), Failure> {
    send(probe, "POST", "/integration", "{\"name\": ")?
        .expect_error(400)
        .map(drop)
}

fn update_is_partial(probe: &mut Probe) -> Result<(), Failure> {
    let id = probe.newest()?.to_owned();
    let before = retrieve(probe, &id)?;
    let answer = send(
        probe,
        "PUT",
        &format!("/integration/{id}"),
        r#"{"urgency": "critical"}"#,
    )?;
    answer.expect_status(200)?;

    let after = answer.object()?;
    if millis(&after, "updatedAt") < millis(&before, "updatedAt") {
        return Err(answer.broken("updatedAt moved backwards", "when this object last updated"));
    }
    let mut expected = before;
    expected.insert("urgency".into(), json!("critical"));
    expected.insert(
        "updatedAt".into(),
        after.get("updatedAt").cloned().unwrap_or_default(),
    );
    if after == expected {
        return Ok(());
    }
    Err(answer.broken(
        &format!("the object was {}", Value::Object(after)),
        &Value::Object(expected).to_string(),
    ))
}

fn update_of_unknown_id_is_refused(probe: &mut Probe) -> Result<(), Failure> {
    send(probe, "PUT", "/integration/int_conformance00", "{}")?
        .expect_error(404)
        .map(drop)
}

fn delete_has_no_body(probe: &mut Probe) -> Result<(), Failure> {
    let path = format!("/integration/{}", probe.newest()?);
    let answer = probe.send("DELETE", &path, &Call::default())?;
    answer.expect_status(204)?;
    match answer.body.len() {
        0 => Ok(()),
        length => Err(answer.broken(&format!("the body had {length} bytes"), "no content")),
    }
}

fn deleted_is_gone(probe: &mut Probe) -> Result<(), Failure> {
    let path = format!("/integration/{}", probe.newest()?);
    probe.send("DELETE", &path, &Call::default())?;
    for method in ["GET", "DELETE"] {
        probe
            .send(method, &path, &Call::default())?
            .expect_error(404)?;
    }
    Ok(())
}
