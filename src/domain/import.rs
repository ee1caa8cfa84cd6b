//! Validates complete alerts, logs, users and teams of an import: no attribute may be missing or unknown.

pub mod integration;

use super::{
    alert::{self, Alert},
    body::excerpt,
    limits::{MAX_ADDITIONAL_DATA, MAX_DESCRIPTION_LEN, MAX_TAGS, MAX_TITLE_LEN},
    list::Schema,
    log::{self, Log},
    team::{self, Team},
    timestamp::Timestamp,
    user_profile::{self, UserProfile},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A valid alert, into which attributes of other alerts are inserted one by one.
const VALID_ALERT: &str = r#"{"sid":"acc_1","id":"alt_1","createdAt":"2018-04-27T00:00:00.000Z","updatedAt":"2018-04-27T00:00:00.000Z",
    "meta":{},"tinyId":1,"thirdparty_id":null,"destination_ids":[],"title":"t","description":null,"type":"alert","subtype":"alert",
    "status":"open","urgency":"low","s_log_id":null,"source_id":null,"tags":[],"additional_data":[],"created":0,"acknowledged":null,
    "acknowledgedby":null,"resolved":null,"resolvedby":null,"archived":null,"archivedby":null}"#;
const VALID_LOG: &str = r#"{"sid":"acc_1","id":"log_1","createdAt":"2018-04-27T00:00:00.000Z","updatedAt":"2018-04-27T00:00:00.000Z",
    "meta":{},"tinyId":1,"content":"c","type":"log","subtype":"INCOMING","owner_id":"int_1","source_id":"int_1","level":2,"alert_id":null,"thirdparty_id":null,"action":"create","outcome":"o",
    "status":null,"event":{},"request":{"method":"POST","path":"/","query":"","remote":null,"headers":{},"body":{"text":"","bytes":0}},
    "response":null}"#;

const VALID_USER: &str = r#"{"sid":"acc_1","id":"usr_1","createdAt":"2018-04-27T00:00:00.000Z","updatedAt":"2018-04-27T00:00:00.000Z",
    "meta":{},"tinyId":1,"name":"n","avatar":null,"email":null,"emails":[],"phones":[],"router_id":null,"preferences":{},"roles":{}}"#;
const VALID_TEAM: &str = r#"{"sid":"acc_1","id":"tem_1","createdAt":"2018-04-27T00:00:00.000Z","updatedAt":"2018-04-27T00:00:00.000Z",
    "meta":{},"tinyId":1,"name":"n","description":null,"admin_ids":[],"member_user_ids":[],"router_id":null,"schedule_id":null,
    "stakeholder_ids":[],"preferences":{}}"#;

/// Returns every error of an imported alert.
pub fn validate_alert(attributes: &Map<String, Value>) -> Vec<String> {
    faults(alert::SCHEMA, VALID_ALERT, attributes, |alert: &Alert| {
        let Alert {
            title,
            description,
            tags,
            additional_data,
            created_at,
            updated_at,
            ..
        } = alert;
        let description = description.as_deref().unwrap_or_default();

        vec![
            not_before(*created_at, *updated_at),
            (!is_title(title))
                .then(|| format!("'title' must have 1 to {MAX_TITLE_LEN} characters")),
            (description.chars().count() > MAX_DESCRIPTION_LEN).then(|| {
                format!("'description' must have at most {MAX_DESCRIPTION_LEN} characters")
            }),
            (tags.len() > MAX_TAGS)
                .then(|| format!("'tags' must have at most {MAX_TAGS} different tags")),
            (additional_data.len() > MAX_ADDITIONAL_DATA).then(|| {
                format!("'additional_data' must have at most {MAX_ADDITIONAL_DATA} entries")
            }),
        ]
    })
}

/// Returns every error of an imported log.
pub fn validate_log(attributes: &Map<String, Value>) -> Vec<String> {
    faults(log::SCHEMA, VALID_LOG, attributes, |log: &Log| {
        let is_status = log.status.is_none_or(|status| (100..600).contains(&status));
        let status = (!is_status)
            .then(|| "'status' must be null or an HTTP status from 100 to 599".to_owned());
        vec![not_before(log.created_at, log.updated_at), status]
    })
}

/// Returns every error of an imported user.
pub fn validate_user(attributes: &Map<String, Value>) -> Vec<String> {
    let schema = user_profile::SCHEMA;
    faults(schema, VALID_USER, attributes, |user: &UserProfile| {
        let email = (!user.has_consistent_email())
            .then(|| "'email' must be the first of 'emails', or null without any".to_owned());
        vec![not_before(user.created_at, user.updated_at), email]
    })
}

/// Returns every error of an imported team.
pub fn validate_team(attributes: &Map<String, Value>) -> Vec<String> {
    faults(team::SCHEMA, VALID_TEAM, attributes, |team: &Team| {
        vec![not_before(team.created_at, team.updated_at)]
    })
}

fn faults<T: DeserializeOwned>(
    schema: Schema,
    sound: &str,
    attributes: &Map<String, Value>,
    rules: impl FnOnce(&T) -> Vec<Option<String>>,
) -> Vec<String> {
    let is_known = |name: &str| schema.find(name).is_some();
    let unknown = attributes.keys().filter(|name| !is_known(name));
    let mut faults: Vec<String> = unknown
        .map(|name| format!("'{}' is not a known parameter", excerpt(name)))
        .collect();

    match serde_json::from_value::<T>(Value::Object(attributes.clone())) {
        Ok(whole) if faults.is_empty() => faults.extend(rules(&whole).into_iter().flatten()),
        _ => faults.extend(validate_one_by_one::<T>(schema, sound, attributes)),
    }

    let missing = schema
        .0
        .iter()
        .filter(|attribute| !attributes.contains_key(attribute.name));

    faults.extend(missing.map(|attribute| format!("'{}' is a required parameter", attribute.name)));
    faults
}

/// Checks each attribute within an otherwise valid object, so that no error hides another.
fn validate_one_by_one<T: DeserializeOwned>(
    schema: Schema,
    sound: &str,
    attributes: &Map<String, Value>,
) -> Vec<String> {
    let sound: Map<String, Value> = serde_json::from_str(sound).unwrap_or_default();
    let known = attributes
        .iter()
        .filter(|(name, _)| schema.find(name).is_some());
    let faulty = known.filter_map(|(name, value)| {
        let mut tried = sound.clone();
        tried.insert(name.clone(), value.clone());
        let error = serde_json::from_value::<T>(Value::Object(tried)).err()?;
        Some(format!("'{name}' {error}"))
    });
    faulty.collect()
}

fn is_title(title: &str) -> bool {
    !title.trim().is_empty() && title.chars().count() <= MAX_TITLE_LEN
}

fn not_before(created_at: Timestamp, updated_at: Timestamp) -> Option<String> {
    (updated_at < created_at)
        .then(|| format!("'updatedAt' must not be before 'createdAt', but was {updated_at}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sound(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    fn changed(text: &str, change: Value) -> Map<String, Value> {
        let mut attributes = sound(text);
        attributes.extend(change.as_object().unwrap().clone());
        attributes
    }

    #[test]
    fn what_is_sound_has_no_fault_and_lacks_nothing() {
        assert_eq!(validate_alert(&sound(VALID_ALERT)), [""; 0]);
        assert_eq!(validate_log(&sound(VALID_LOG)), [""; 0]);
        for attribute in alert::SCHEMA.0 {
            let mut lacking = sound(VALID_ALERT);
            lacking.shift_remove(attribute.name);
            assert_eq!(
                validate_alert(&lacking),
                [format!("'{}' is a required parameter", attribute.name)]
            );
        }

        type Validate = fn(&Map<String, Value>) -> Vec<String>;
        let others: [(Schema, &str, Validate); 3] = [
            (log::SCHEMA, VALID_LOG, validate_log),
            (user_profile::SCHEMA, VALID_USER, validate_user),
            (team::SCHEMA, VALID_TEAM, validate_team),
        ];
        for (schema, valid, validate) in others {
            assert_eq!(validate(&sound(valid)), [""; 0]);
            for attribute in schema.0 {
                let mut lacking = sound(valid);
                lacking.shift_remove(attribute.name);
                let expected = format!("'{}' is a required parameter", attribute.name);
                assert_eq!(validate(&lacking), [expected]);
            }
        }
    }

    #[test]
    fn every_fault_is_told_with_its_attribute() {
        let faults = validate_alert(&changed(
            VALID_ALERT,
            json!({"sid": "int_1", "id": "x", "status": "loud", "urgency": 5, "tags": "a", "colour": "red", "tinyId": "1"}),
        ));
        let named: Vec<_> = faults
            .iter()
            .map(|fault| fault.split('\'').nth(1).unwrap())
            .collect();
        assert_eq!(
            named,
            ["colour", "sid", "id", "tinyId", "status", "urgency", "tags"],
            "{faults:#?}"
        );
    }

    #[test]
    fn rules_are_those_of_the_api() {
        for (change, attribute) in [
            (json!({"title": " "}), "title"),
            (json!({"title": "x".repeat(1_025)}), "title"),
            (
                json!({"updatedAt": "1999-01-01T00:00:00.000Z"}),
                "updatedAt",
            ),
            (json!({"tags": vec!["t"; 101]}), "tags"),
        ] {
            let faults = validate_alert(&changed(VALID_ALERT, change));
            assert!(
                faults.len() == 1 && faults[0].starts_with(&format!("'{attribute}'")),
                "{faults:?}"
            );
        }

        let faults = validate_log(&changed(
            VALID_LOG,
            json!({"status": 9999, "updatedAt": "1999-01-01T00:00:00.000Z"}),
        ));

        assert_eq!(faults.len(), 2, "{faults:?}");
    }
}
