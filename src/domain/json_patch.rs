//! JSON Patch (RFC 6902): the operations that turn one JSON value into another.

use serde_json::{Map, Value, json};

/// The operations that turn `from` into `to`, which may not exist. Objects are compared member by
/// member; arrays of one length item by item, others are replaced.
pub fn diff(from: Option<&Value>, to: Option<&Value>) -> Vec<Value> {
    let mut operations = Vec::new();
    match (from, to) {
        (None, None) => {}
        (None, Some(to)) => operations.push(json!({"op": "add", "path": "", "value": to})),
        (Some(_), None) => operations.push(json!({"op": "remove", "path": ""})),
        (Some(from), Some(to)) => compare(from, to, "", &mut operations),
    }
    operations
}

fn compare(from: &Value, to: &Value, path: &str, operations: &mut Vec<Value>) {
    match (from, to) {
        (from, to) if from == to => {}
        (Value::Object(from), Value::Object(to)) => compare_members(from, to, path, operations),
        (Value::Array(from), Value::Array(to)) if from.len() == to.len() => {
            for (position, (from, to)) in from.iter().zip(to).enumerate() {
                compare(from, to, &format!("{path}/{position}"), operations);
            }
        }
        (_, to) => operations.push(json!({"op": "replace", "path": path, "value": to})),
    }
}

fn compare_members(
    from: &Map<String, Value>,
    to: &Map<String, Value>,
    path: &str,
    operations: &mut Vec<Value>,
) {
    for (name, value) in from {
        let path = member_path(path, name);
        match to.get(name) {
            Some(to) => compare(value, to, &path, operations),
            None => operations.push(json!({"op": "remove", "path": path})),
        }
    }

    for (name, value) in to.iter().filter(|(name, _)| !from.contains_key(*name)) {
        let path = member_path(path, name);
        operations.push(json!({"op": "add", "path": path, "value": value}));
    }
}

/// The pointer to a member (RFC 6901).
fn member_path(path: &str, name: &str) -> String {
    format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_named() {
        let from = json!({"a": 1, "b": {"c": [1, 2], "d/e~": 0}, "gone": null});
        let to = json!({"a": 1, "b": {"c": [1, 3], "d/e~": 1}, "new": [1]});
        assert_eq!(
            diff(Some(&from), Some(&to)),
            [
                json!({"op": "replace", "path": "/b/c/1", "value": 3}),
                json!({"op": "replace", "path": "/b/d~1e~0", "value": 1}),
                json!({"op": "remove", "path": "/gone"}),
                json!({"op": "add", "path": "/new", "value": [1]}),
            ]
        );
    }

    #[test]
    fn values_that_appear_and_vanish_are_whole() {
        let value = json!([1]);
        assert_eq!(
            diff(None, Some(&value)),
            [json!({"op": "add", "path": "", "value": [1]})]
        );
        assert_eq!(
            diff(Some(&value), None),
            [json!({"op": "remove", "path": ""})]
        );
        assert_eq!(
            diff(Some(&value), Some(&json!([1, 2]))),
            [json!({"op": "replace", "path": "", "value": [1, 2]})]
        );
        assert_eq!(diff(Some(&value), Some(&value)), Vec::<Value>::new());
    }
}
