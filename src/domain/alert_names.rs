//! The older names of alerts: `/incident` and `/broadcast`, whose bodies have other attributes.
//!
//! Source: the first edition of PagerTree's reference, and the clients that still follow it.

use super::ids::IntegrationId;
use serde_json::{Map, Value};

/// The body of an incident as that of an alert: `d_team_id` and `d_user_id` are destinations.
pub fn from_incident(mut attributes: Map<String, Value>, own: [&str; 2]) -> Map<String, Value> {
    // Beside `destination_ids` the older names are unknown attributes like any other.
    if !attributes.contains_key("destination_ids") {
        let destinations: Vec<Value> = ["d_team_id", "d_user_id"]
            .into_iter()
            .filter_map(|name| attributes.shift_remove(name))
            .filter(|destination| !destination.is_null())
            .collect();
        if !destinations.is_empty() {
            attributes.insert("destination_ids".to_owned(), destinations.into());
        }
    }
    without_foreign_source(attributes, own)
}

/// The body of a broadcast as that of an alert: `message` is the title, and `user_ids` are
/// destinations.
pub fn from_broadcast(mut attributes: Map<String, Value>, own: [&str; 2]) -> Map<String, Value> {
    for (name, alert_name) in [("message", "title"), ("user_ids", "destination_ids")] {
        if !attributes.contains_key(alert_name)
            && let Some(value) = attributes.shift_remove(name)
        {
            attributes.insert(alert_name.to_owned(), value);
        }
    }
    attributes.insert("subtype".to_owned(), "broadcast".into());
    without_foreign_source(attributes, own)
}

/// Clients name the user of another session, or of another account, as the source. Only
/// integrations can be checked, so any other source is the caller.
fn without_foreign_source(
    mut attributes: Map<String, Value>,
    own: [&str; 2],
) -> Map<String, Value> {
    let is_kept = attributes
        .get("source_id")
        .and_then(Value::as_str)
        .is_none_or(|id| own.contains(&id) || IntegrationId::parse(id).is_ok());
    if !is_kept {
        attributes.shift_remove("source_id");
    }
    attributes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn incident_becomes_an_alert() {
        let own = ["acc_1", "usr_1"];
        for (incident, alert) in [
            (
                json!({"title": "t", "d_team_id": "tem_1", "source_id": "usr_2"}),
                json!({"title": "t", "destination_ids": ["tem_1"]}),
            ),
            (
                json!({"d_team_id": null, "d_user_id": "usr_3", "source_id": "usr_1"}),
                json!({"source_id": "usr_1", "destination_ids": ["usr_3"]}),
            ),
            (
                json!({"d_team_id": "tem_1", "destination_ids": [], "source_id": "int_1"}),
                json!({"d_team_id": "tem_1", "destination_ids": [], "source_id": "int_1"}),
            ),
        ] {
            assert_eq!(from_incident(map(incident), own), map(alert));
        }
    }

    #[test]
    fn broadcast_becomes_an_alert() {
        let found = from_broadcast(
            map(json!({"message": "m", "user_ids": ["usr_1"], "source_id": "usr_9"})),
            ["acc_1", "acc_1"],
        );
        let expected = json!({"title": "m", "destination_ids": ["usr_1"], "subtype": "broadcast"});
        assert_eq!(found, map(expected));
    }
}
