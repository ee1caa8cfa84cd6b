//! Validates complete integrations of an import: attributes set by the server count, and none may
//! be missing or unknown.

use crate::domain::{
    body::{self, AttributeReader, Strictness},
    ids::{AccountId, IntegrationId},
    integration::{Integration, SCHEMA},
    integration_input::{IntegrationDraft, SERVER_ATTRIBUTES},
    rejection::Rejection,
    timestamp::Timestamp,
};
use serde_json::{Map, Value};

/// The largest integer that every JSON parser reads exactly.
pub const MAX_TINY_ID: u64 = (1 << 53) - 1;

/// Attributes that a create may omit, but a stored integration always has.
const REQUIRED_IN_IMPORTS: [&str; 4] = ["meta", "enabled", "urgency", "options"];

impl Integration {
    /// Parses all attributes.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every fault.
    pub fn parse_import(attributes: Map<String, Value>) -> Result<Self, Rejection> {
        let mut faults = missing_or_unknown(&attributes);
        let (own, others) = attributes
            .into_iter()
            .partition(|(name, _)| SERVER_ATTRIBUTES.contains(&name.as_str()));
        let own = collect(ServerAttributes::read(own), &mut faults);
        let draft = collect(
            IntegrationDraft::parse(others, Strictness::Lenient),
            &mut faults,
        );

        match (own, draft) {
            (
                Some(ServerAttributes {
                    sid,
                    id,
                    created_at,
                    updated_at,
                    tiny_id,
                }),
                Some(draft),
            ) if faults.is_empty() => Ok(Self {
                updated_at,
                ..Self::create(draft, sid, id, tiny_id, created_at)
            }),
            _ => Err(Rejection::Invalid(faults)),
        }
    }
}

/// Errors for attributes that a create may omit, and for those that it would ignore.
fn missing_or_unknown(attributes: &Map<String, Value>) -> Vec<String> {
    let unknown = attributes
        .keys()
        .filter(|name| SCHEMA.0.iter().all(|attribute| attribute.name != *name));
    let unknown = unknown.map(|name| format!("'{}' is not a known parameter", body::excerpt(name)));
    let missing = REQUIRED_IN_IMPORTS.into_iter();
    let missing = missing.filter(|name| !attributes.contains_key(*name));
    unknown
        .chain(missing.map(|name| format!("'{name}' is a required parameter")))
        .collect()
}

fn collect<T>(outcome: Result<T, Rejection>, faults: &mut Vec<String>) -> Option<T> {
    outcome
        .map_err(|rejection| faults.extend(rejection.messages()))
        .ok()
}

/// Attributes set by the server.
struct ServerAttributes {
    sid: AccountId,
    id: IntegrationId,
    created_at: Timestamp,
    updated_at: Timestamp,
    tiny_id: u64,
}

impl ServerAttributes {
    fn read(attributes: Map<String, Value>) -> Result<Self, Rejection> {
        let mut body = AttributeReader::new(attributes);
        let sid = body.required("sid", |value| {
            AccountId::parse(&body::text(value)?).map_err(|fault| fault.to_string())
        });

        let id = body.required("id", |value| {
            IntegrationId::parse(&body::text(value)?).map_err(|fault| fault.to_string())
        });

        let created_at = body.required("createdAt", time);
        let updated_at = body.required("updatedAt", |value| not_before(created_at, time(value)?));
        let tiny_id = body.required("tinyId", tiny_id);

        body.finish(Strictness::Strict)?;
        match (sid, id, created_at, updated_at, tiny_id) {
            (Some(sid), Some(id), Some(created_at), Some(updated_at), Some(tiny_id)) => Ok(Self {
                sid,
                id,
                created_at,
                updated_at,
                tiny_id,
            }),
            // Unreachable: the reader has refused an object without one of them.
            _ => Err(Rejection::invalid(format!(
                "{} are required parameters",
                SERVER_ATTRIBUTES.join(", ")
            ))),
        }
    }
}

fn time(value: Value) -> Result<Timestamp, String> {
    let text = body::text(value)?;
    Timestamp::parse_rfc3339(&text).ok_or_else(|| {
        format!(
            "must be a time like '2018-04-27T00:02:50.419Z', but was '{}'",
            body::excerpt(&text)
        )
    })
}

fn not_before(created_at: Option<Timestamp>, updated_at: Timestamp) -> Result<Timestamp, String> {
    match created_at {
        Some(created_at) if updated_at < created_at => Err(format!(
            "must not be before 'createdAt', but was {updated_at}"
        )),
        _ => Ok(updated_at),
    }
}

fn tiny_id(value: Value) -> Result<u64, String> {
    let number = value
        .as_u64()
        .filter(|number| (1..=MAX_TINY_ID).contains(number));
    number.ok_or_else(|| {
        format!(
            "must be a whole number from 1 to {MAX_TINY_ID}, but was {}",
            body::excerpt(&value.to_string())
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn whole() -> Value {
        json!({
            "sid": "acc_1", "id": "int_1", "createdAt": "2018-04-27T00:02:50.419Z", "updatedAt": "2018-04-27T00:02:51.000Z",
            "meta": {"b": 1, "a": 2.50}, "tinyId": 7, "name": "n", "type": "email", "enabled": true, "urgency": "low",
            "destination_ids": ["tem_1"], "options": {},
        })
    }

    fn faults(change: impl FnOnce(&mut Map<String, Value>)) -> Vec<String> {
        let mut attributes = whole().as_object().unwrap().clone();
        change(&mut attributes);
        Integration::parse_import(attributes)
            .unwrap_err()
            .messages()
    }

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let text = serde_json::to_string(&whole()).unwrap();
        let integration = Integration::parse_import(serde_json::from_str(&text).unwrap()).unwrap();
        assert_eq!(serde_json::to_string(&integration).unwrap(), text);
    }

    /// Attributes that are not stored while they have their default value.
    const MAY_BE_ABSENT: &[&str] = &[];

    #[test]
    fn every_attribute_must_be_there() {
        let all = SCHEMA.0.iter();
        for attribute in all.filter(|attribute| !MAY_BE_ABSENT.contains(&attribute.name)) {
            let found = faults(|attributes| drop(attributes.shift_remove(attribute.name)));
            assert_eq!(
                found,
                [format!("'{}' is a required parameter", attribute.name)]
            );
        }
    }

    #[test]
    fn every_fault_is_reported() {
        let found = faults(|attributes| {
            attributes.insert("sid".into(), json!("int_1"));
            attributes.insert("updatedAt".into(), json!("2018-04-26T00:00:00Z"));
            attributes.insert("tinyId".into(), json!(0));
            attributes.insert("urgency".into(), json!("loud"));
            attributes.insert("colour".into(), json!("red"));
        });

        for (found, expected) in
            found
                .iter()
                .zip(["'colour'", "'sid'", "'updatedAt'", "'tinyId'", "'urgency'"])
        {
            assert!(found.starts_with(expected), "{found}");
        }

        assert_eq!(found.len(), 5);
    }

    #[test]
    fn numbers_are_whole_and_leave_room_for_the_next() {
        for bad in [
            json!(0),
            json!(-1),
            json!(1.5),
            json!("1"),
            json!(1_u64 << 53),
        ] {
            assert_eq!(
                faults(|attributes| drop(attributes.insert("tinyId".into(), bad))).len(),
                1
            );
        }
    }
}
