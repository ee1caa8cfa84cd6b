//! Verifications: how many recorded requests match, and the nearest misses.

use super::{Control, ControlScope};
use crate::{
    domain::{list::RawObject, request_match::RequestMatch},
    service::objects::unreadable,
    store::{StoreError, Stored},
};
use serde::Deserialize;
use serde_json::Value;
use std::cmp::Reverse;

/// How many requests are expected to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpectedCount {
    min: u64,
    max: Option<u64>,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The number of requests that match.
    pub matched: u64,
    /// Why that is not as expected. Empty if it is.
    pub messages: Vec<String>,
}

/// Near misses, or matching requests, that a message lists.
const MAX_LISTED: usize = 5;

impl Default for ExpectedCount {
    /// At least one.
    fn default() -> Self {
        Self { min: 1, max: None }
    }
}

impl ExpectedCount {
    /// Parses a number, or an object with `min`, `max` or both.
    ///
    /// # Errors
    /// The rest of a sentence that begins with the name of the attribute.
    pub fn parse(value: Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Range {
            min: Option<u64>,
            max: Option<u64>,
        }

        let expected = "must be a whole number, or an object like {\"min\":1,\"max\":3}";
        if let Some(exact) = value.as_u64() {
            return Ok(Self {
                min: exact,
                max: Some(exact),
            });
        }

        let text = value.to_string();
        match serde_json::from_value(value) {
            Ok(Range {
                min: None,
                max: None,
            })
            | Err(_) => Err(format!("{expected}, but was {text}")),
            Ok(Range {
                min,
                max: Some(max),
            }) if min.unwrap_or_default() > max => Err(format!(
                "must have a 'min' of at most its 'max', but was {text}"
            )),
            Ok(Range { min, max }) => Ok(Self {
                min: min.unwrap_or_default(),
                max,
            }),
        }
    }

    fn is_satisfied_by(self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }

    fn wanted(self) -> String {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => min.to_string(),
            (0, Some(max)) => format!("at most {max}"),
            (min, Some(max)) => format!("{min} to {max}"),
            (min, None) => format!("at least {min}"),
        }
    }
}

impl Control {
    /// Counts the recorded requests of a scope that match. May take long.
    ///
    /// # Errors
    /// An entry cannot be read.
    pub fn verify(
        &self,
        scope: &ControlScope,
        conditions: &RequestMatch,
        expected: ExpectedCount,
    ) -> Result<Verification, StoreError> {
        let was_recording = self.journal.start(scope);
        let entries = self.journal.entries(scope);
        let (mut matching, mut misses) = (Vec::new(), Vec::new());

        for (position, entry) in entries.iter().enumerate() {
            let object = RawObject::parse(entry.as_ref()).map_err(unreadable)?;
            let report = conditions.report(&object);
            if report.is_match() {
                matching.push(request_name(entry));
            } else {
                misses.push((report.likeness(), position, report));
            }
        }

        let matched = matching.len().try_into().unwrap_or(u64::MAX);
        let mut messages = Vec::new();
        if !expected.is_satisfied_by(matched) {
            let wanted = expected.wanted();
            messages.push(match (was_recording, entries.len()) {
                (false, _) => {
                    "No request was recorded: the journal of this account begins now. Call GET \
                     /_local/requests before the requests to verify, or set test.journal"
                        .to_owned()
                }
                (true, 0) => format!("0 requests matched, wanted {wanted}; none was recorded"),
                (true, recorded) => {
                    format!("{matched} of {recorded} recorded requests matched, wanted {wanted}")
                }
            });

            if matched < expected.min {
                // The nearest first, and of equally near ones the latest.
                misses.sort_by_key(|(likeness, position, _)| Reverse((*likeness, *position)));
                let nearest = misses.iter().take(MAX_LISTED);
                messages.extend(nearest.filter_map(|(_, position, report)| {
                    Some(report.sentence(&request_name(entries.get(*position)?)))
                }));
            } else {
                let listed = matching.iter().take(MAX_LISTED);
                messages.extend(listed.map(|name| format!("{name} matched")));
            }
        }

        Ok(Verification { matched, messages })
    }
}

/// What a message calls an entry: its method and path.
pub fn request_name(entry: &Stored) -> String {
    #[derive(Deserialize)]
    struct MethodAndPath {
        method: String,
        path: String,
    }
    serde_json::from_slice::<MethodAndPath>(entry.as_ref()).map_or_else(
        |_| "A request".to_owned(),
        |line| format!("{} {}", line.method, line.path),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expected_count_is_a_number_or_a_range() {
        let satisfied_by = |value: Value| {
            let expected = ExpectedCount::parse(value).unwrap();
            [0, 1, 2, 3].map(|count| expected.is_satisfied_by(count))
        };
        assert_eq!(satisfied_by(json!(2)), [false, false, true, false]);
        assert_eq!(satisfied_by(json!({"min": 2})), [false, false, true, true]);
        assert_eq!(satisfied_by(json!({"max": 1})), [true, true, false, false]);
        assert_eq!(
            satisfied_by(json!({"min": 1, "max": 2})),
            [false, true, true, false]
        );
    }

    #[test]
    fn malformed_count_is_refused() {
        for value in [
            json!(-1),
            json!("1"),
            json!({}),
            json!({"mn": 1}),
            json!({"min": 2, "max": 1}),
            json!(1.5),
        ] {
            assert!(ExpectedCount::parse(value.clone()).is_err(), "{value}");
        }
    }
}
