//! The order and the filters of lists, evaluated on plain JSON.

use super::{super::world::Object, Filter};
use serde_json::Value;
use std::cmp::Reverse;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Directed {
    Up(Key),
    Down(Reverse<Key>),
}

/// Values of all kinds, in the order in which a list sorts them.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Missing,
    Boolean(bool),
    Number(i64),
    /// Times too: written alike, they sort like texts.
    Text(String),
    Array(Vec<String>),
}

fn value<'a>(object: &'a Object, attribute: &str) -> Option<&'a Value> {
    match attribute.split_once('.') {
        None => object.get(attribute),
        Some((head, below)) => object[head].get(below),
    }
}

impl Key {
    pub(super) fn of(object: &Object, attribute: &str) -> Self {
        match value(object, attribute) {
            None | Some(Value::Null) => Self::Missing,
            Some(Value::Bool(flag)) => Self::Boolean(*flag),
            Some(Value::Number(number)) => Self::Number(number.as_i64().unwrap()),
            Some(Value::String(text)) => Self::Text(text.clone()),
            Some(Value::Array(items)) => Self::Array(
                items
                    .iter()
                    .map(|item| item.as_str().unwrap().into())
                    .collect(),
            ),
            Some(Value::Object(_)) => panic!("nothing sorts by an object"),
        }
    }
}

impl Filter {
    pub(super) fn matches(&self, object: &Object) -> bool {
        if self.operator == "ne" {
            return !Self {
                operator: "equals",
                ..self.clone()
            }
            .matches(object);
        }

        let asked = self.value.as_str();
        match (self.attribute, value(object, self.attribute)) {
            (_, None) => false,
            ("createdAt" | "updatedAt", Some(Value::String(time))) => {
                self.compares(&millis(time), millis)
            }
            (_, Some(Value::String(text))) => match self.operator {
                "beginsWith" => text.starts_with(asked),
                "contains" => text.contains(asked),
                _ => self.compares(text, str::to_owned),
            },
            ("tinyId", Some(number)) => {
                self.compares(&number.as_f64().unwrap(), |asked| asked.parse().unwrap())
            }
            (_, Some(Value::Number(number))) => asked
                .parse::<f64>()
                .is_ok_and(|asked| number.as_f64() == Some(asked)),
            (_, Some(Value::Bool(flag))) => {
                asked == flag.to_string() || asked == u8::from(*flag).to_string()
            }
            (_, Some(Value::Null)) => asked == "null",
            (_, Some(Value::Array(items))) => items.iter().any(|item| item == asked),
            (_, Some(Value::Object(_))) => panic!("nothing asks for an object"),
        }
    }

    fn compares<T: PartialOrd>(&self, stored: &T, read: impl Fn(&str) -> T) -> bool {
        let asked = || read(&self.value);
        match self.operator {
            "equals" => *stored == asked(),
            "lt" => *stored < asked(),
            "lte" => *stored <= asked(),
            "gt" => *stored > asked(),
            "gte" => *stored >= asked(),
            "between" => {
                let (low, high) = self.value.split_once("..").unwrap();
                *stored >= read(low) && *stored <= read(high)
            }
            other => panic!("there is no operator {other}"),
        }
    }
}

/// A time in milliseconds; every time that this test writes has no finer parts.
fn millis(text: &str) -> i64 {
    match chrono::DateTime::parse_from_rfc3339(text) {
        Ok(time) => time.timestamp_millis(),
        Err(_) => {
            let (seconds, millis) = text.split_once('.').unwrap_or((text, "000"));
            format!("{seconds}{millis}").parse().unwrap()
        }
    }
}
