//! Checks that change nothing.

use super::{
    Check, Failure,
    answer::Answer,
    probe::{Call, Probe},
};
use chrono::DateTime;
use serde_json::{Map, Value};

const OBJECT: &str = "The integration object";
const LIST: &str = "List all integrations";
const RETRIEVE: &str = "Retrieve an integration";
const ERRORS: &str = "Errors";

const UNKNOWN: &str = "/integration/int_conformance00";

pub(super) const CHECKS: &[Check] = &[
    Check {
        section: LIST,
        statement: "GET /integration returns data, has_more and total_count",
        run: list_has_its_members,
    },
    Check {
        section: LIST,
        statement: "has_more and total_count agree with the page",
        run: list_counts,
    },
    Check {
        section: LIST,
        statement: "limit is the maximum length of a page, and pages do not overlap",
        run: list_pages,
    },
    Check {
        section: LIST,
        statement: "sort=-createdAt returns the newest first",
        run: list_sorts,
    },
    Check {
        section: LIST,
        statement: "an attribute filters the list",
        run: list_filters,
    },
    Check {
        section: LIST,
        statement: "select returns only the attributes that it names",
        run: list_selects,
    },
    Check {
        section: OBJECT,
        statement: "every attribute is present and has the documented type",
        run: object_has_its_attributes,
    },
    Check {
        section: OBJECT,
        statement: "ids have the prefixes acc_ and int_",
        run: object_has_prefixed_ids,
    },
    Check {
        section: OBJECT,
        statement: "times are in UTC, and updatedAt is not before createdAt",
        run: object_has_times,
    },
    Check {
        section: RETRIEVE,
        statement: "GET /integration/:id returns the object of the list",
        run: retrieve_returns_the_object,
    },
    Check {
        section: ERRORS,
        statement: "an unknown id is 404 with the error body",
        run: |probe| probe.get(UNKNOWN)?.expect_error(404).map(drop),
    },
    Check {
        section: ERRORS,
        statement: "a request without a credential is 401 with the error body",
        run: missing_credential_is_refused,
    },
    Check {
        section: ERRORS,
        statement: "an unknown path is 404",
        run: |probe| probe.get("/no-such-route")?.expect_status(404),
    },
];

fn list_has_its_members(probe: &mut Probe) -> Result<(), Failure> {
    let answer = probe.get("/integration")?;
    answer.data()?;
    let list = answer.object()?;
    let has_more = list.get("has_more").is_some_and(Value::is_boolean);
    let total = list.get("total_count").is_some_and(Value::is_u64);
    if has_more && total {
        return Ok(());
    }
    let names: Vec<&String> = list.keys().collect();
    Err(answer.broken(
        &format!("the list had {names:?}"),
        "a boolean has_more and a number total_count",
    ))
}

fn total_of(answer: &Answer) -> Result<usize, Failure> {
    let total = answer.object()?.get("total_count").and_then(Value::as_u64);
    let total = total.and_then(|total| usize::try_from(total).ok());
    total.ok_or_else(|| answer.broken("total_count was missing", "a number"))
}

fn list_counts(probe: &mut Probe) -> Result<(), Failure> {
    let answer = probe.get("/integration?limit=1")?;
    let (length, total) = (answer.data()?.len(), total_of(&answer)?);
    let has_more = answer.object()?.get("has_more").and_then(Value::as_bool);
    if length == total.min(1) && has_more == Some(total > 1) {
        return Ok(());
    }
    let seen = format!("{length} elements, total_count {total} and has_more {has_more:?}");
    Err(answer.broken(
        &seen,
        "one element at most, and has_more if there are others",
    ))
}

fn list_pages(probe: &mut Probe) -> Result<(), Failure> {
    let first = probe.get("/integration?limit=1&offset=0")?;
    if total_of(&first)? < 2 {
        return Err(Failure::Untested(
            "the account has fewer than two integrations".into(),
        ));
    }
    let second = probe.get("/integration?limit=1&offset=1")?;
    let id = |answer: &Answer| {
        Ok(answer
            .data()?
            .first()
            .and_then(|object| object.get("id"))
            .cloned())
    };
    match (id(&first)?, id(&second)?) {
        (Some(first), Some(other)) if first != other => Ok(()),
        (first, other) => Err(second.broken(
            &format!("the pages had {first:?} and {other:?}"),
            "another element",
        )),
    }
}

fn list_sorts(probe: &mut Probe) -> Result<(), Failure> {
    let answer = probe.get("/integration?sort=-createdAt")?;
    let data = answer.data()?;
    if data.len() < 2 {
        return Err(Failure::Untested(
            "the account has fewer than two integrations".into(),
        ));
    }
    let times: Option<Vec<i64>> = data
        .iter()
        .map(|object| millis(object, "createdAt"))
        .collect();
    match times {
        Some(times) if times.is_sorted_by(|earlier, later| earlier >= later) => Ok(()),
        times => Err(answer.broken(&format!("the times were {times:?}"), "descending order")),
    }
}

fn list_filters(probe: &mut Probe) -> Result<(), Failure> {
    let subject = probe.subject()?;
    let kind = subject
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let answer = probe.get(&format!("/integration?type={kind}"))?;
    let data = answer.data()?;
    let others = data
        .iter()
        .filter(|object| object.get("type") != subject.get("type"));
    match (data.len(), others.count()) {
        (0, _) => Err(answer.broken("the list was empty", "all integrations of this type")),
        (_, 0) => Ok(()),
        (_, others) => Err(answer.broken(&format!("{others} had another type"), "only this type")),
    }
}

fn list_selects(probe: &mut Probe) -> Result<(), Failure> {
    probe.subject()?;
    let answer = probe.get("/integration?select=sid,id")?;
    for object in answer.data()? {
        let mut names: Vec<&str> = object.keys().map(String::as_str).collect();
        names.sort_unstable();
        if names != ["id", "sid"] {
            return Err(answer.broken(&format!("an element had {names:?}"), "sid and id"));
        }
    }
    Ok(())
}

fn object_has_its_attributes(probe: &mut Probe) -> Result<(), Failure> {
    let subject = probe.subject()?;
    attributes(&subject).map_err(|fault| {
        let id = subject.get("id").cloned().unwrap_or_default();
        Failure::Broken(format!("the integration {id}: {fault}"))
    })
}

/// Compares an object with the table of its attributes.
pub(super) fn attributes(object: &Map<String, Value>) -> Result<(), String> {
    type Kind = (&'static str, fn(&Value) -> bool);
    const TEXT: Kind = ("a string", Value::is_string);
    const OBJECT: Kind = ("an object", Value::is_object);
    const TABLE: [(&str, Kind); 12] = [
        ("sid", TEXT),
        ("id", TEXT),
        ("createdAt", TEXT),
        ("updatedAt", TEXT),
        ("meta", OBJECT),
        ("tinyId", ("a number", Value::is_u64)),
        ("name", TEXT),
        ("type", TEXT),
        ("enabled", ("a boolean", Value::is_boolean)),
        ("urgency", TEXT),
        ("destination_ids", ("an array", Value::is_array)),
        ("options", OBJECT),
    ];

    for (name, (kind, is_kind)) in TABLE {
        match object.get(name) {
            None => return Err(format!("'{name}' is missing; documented is {kind}")),
            Some(value) if !is_kind(value) => {
                return Err(format!("'{name}' was {value}; documented is {kind}"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

fn object_has_prefixed_ids(probe: &mut Probe) -> Result<(), Failure> {
    let subject = probe.subject()?;
    for (name, prefix) in [("sid", "acc_"), ("id", "int_")] {
        let value = subject
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !value.starts_with(prefix) {
            return Err(Failure::Broken(format!(
                "'{name}' was '{value}'; documented is {prefix}..."
            )));
        }
    }
    Ok(())
}

fn object_has_times(probe: &mut Probe) -> Result<(), Failure> {
    let subject = probe.subject()?;
    match (millis(&subject, "createdAt"), millis(&subject, "updatedAt")) {
        (Some(created), Some(updated)) if created <= updated => Ok(()),
        _ => Err(Failure::Broken(format!(
            "createdAt was {:?} and updatedAt {:?}; documented are times like 2018-04-27T00:02:50.419Z",
            subject.get("createdAt"),
            subject.get("updatedAt")
        ))),
    }
}

/// Milliseconds since the epoch, if the attribute is a time in UTC.
pub(super) fn millis(object: &Map<String, Value>, name: &str) -> Option<i64> {
    let text = object
        .get(name)?
        .as_str()
        .filter(|text| text.ends_with('Z'))?;
    Some(DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis())
}

fn retrieve_returns_the_object(probe: &mut Probe) -> Result<(), Failure> {
    let subject = probe.subject()?;
    let id = subject
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let answer = probe.get(&format!("/integration/{id}"))?;
    answer.expect_status(200)?;
    if answer.object()? == subject {
        return Ok(());
    }
    Err(answer.broken(
        "the object differs from that of the list",
        "the same object",
    ))
}

fn missing_credential_is_refused(probe: &mut Probe) -> Result<(), Failure> {
    let call = Call {
        without_credential: true,
        ..Call::default()
    };
    probe
        .send("GET", "/integration", &call)?
        .expect_error(401)
        .map(drop)
}
