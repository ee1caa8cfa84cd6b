//! The form of logs before schema version 3, which stores and exports of that time contain.
//!
//! Its `type` was the direction of the request, and it had none of `content`, `subtype`, `owner_id`
//! and `level`.

use super::level_of;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Whether a log has the earlier form.
pub fn is_earlier_form(attributes: &Map<String, Value>) -> bool {
    direction_in_type(attributes).is_some() && !attributes.contains_key("subtype")
}

/// Gives a log of the earlier form the present one. Leaves other logs as they are.
pub fn upgrade(attributes: Map<String, Value>) -> Map<String, Value> {
    let Some(direction) = direction_in_type(&attributes).filter(|_| is_earlier_form(&attributes))
    else {
        return attributes;
    };

    let named = |name: &str| attributes.get(name).cloned().unwrap_or_default();
    let status = attributes.get("status").and_then(Value::as_u64);
    let level = level_of(status.and_then(|status| status.try_into().ok()));
    let owner = match named("alert_id") {
        Value::Null => named("source_id"),
        alert => alert,
    };

    let mut added = vec![
        ("content", named("outcome")),
        ("type", "log".into()),
        ("subtype", direction.into()),
        ("owner_id", owner),
        ("source_id", named("source_id")),
        ("level", level.into()),
    ];

    // The new attributes are in one block, at the place of `type`.
    let mut upgraded = Map::with_capacity(attributes.len().saturating_add(added.len()));
    for (name, value) in attributes {
        match name.as_str() {
            "type" => upgraded.extend(added.drain(..).map(|(name, value)| (name.into(), value))),
            "source_id" => {}
            _ => {
                upgraded.insert(name, value);
            }
        }
    }

    upgraded
}

/// The query of a list with the direction, which was the `type` of a log, as its `subtype`, so that
/// `type=incoming` and `type=outgoing` still find what they did.
pub fn present_query(raw_query: &str) -> Cow<'_, str> {
    if !raw_query.contains("type=incoming") && !raw_query.contains("type=outgoing") {
        return raw_query.into();
    }

    let pairs = raw_query.split('&').map(|pair| match pair {
        "type=incoming" => "subtype=INCOMING",
        "type=outgoing" => "subtype=OUTGOING",
        other => other,
    });
    pairs.collect::<Vec<_>>().join("&").into()
}

fn direction_in_type(attributes: &Map<String, Value>) -> Option<&'static str> {
    match attributes.get("type")?.as_str()? {
        "incoming" => Some("INCOMING"),
        "outgoing" => Some("OUTGOING"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::log::Log;

    fn earlier(alert: &str, status: &str) -> Map<String, Value> {
        let text = format!(
            r#"{{"sid":"acc_1","id":"log_1","createdAt":"2018-04-27T00:00:00.000Z",
            "updatedAt":"2018-04-27T00:00:00.000Z","meta":{{}},"tinyId":1,"type":"incoming",
            "source_id":"int_1","alert_id":{alert},"thirdparty_id":null,"action":"create",
            "outcome":"an alert was created","status":{status},"event":{{"n":1.50}},"request":
            {{"method":"POST","path":"/","query":"","remote":null,"headers":{{}},
            "body":{{"text":"","bytes":0}}}},"response":null}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn filter_by_direction_is_kept() {
        for (given, present) in [
            ("", ""),
            ("type=log&limit=1", "type=log&limit=1"),
            ("limit=1&type=outgoing", "limit=1&subtype=OUTGOING"),
            ("type=incoming", "subtype=INCOMING"),
            ("content=type=incoming", "content=type=incoming"),
        ] {
            assert_eq!(present_query(given), present);
        }
    }

    #[test]
    fn upgraded_log_is_in_the_present_form() {
        for (alert, status, owner, level) in [
            (r#""alt_1""#, "200", "alt_1", 2),
            ("null", "403", "int_1", 3),
            ("null", "null", "int_1", 3),
        ] {
            let upgraded = upgrade(earlier(alert, status));
            let text = serde_json::to_string(&upgraded).unwrap();
            let log: Log = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_string(&log).unwrap(), text, "canonical");
            assert_eq!((log.owner_id.as_str(), log.level), (owner, level));
            assert_eq!(log.content, "an alert was created");
            assert_eq!(upgrade(upgraded.clone()), upgraded);
        }
    }
}
