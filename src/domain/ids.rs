//! Identifiers: three lower-case letters for the kind, `_`, and 1 to 64 of `A-Za-z0-9_-`.
//!
//! Each kind has its own type, built only by `parse`, so that every id is well-formed. No character
//! needs escaping in JSON, URLs or store keys.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Length of the part after the prefix.
const TAIL: std::ops::RangeInclusive<usize> = 1..=64;

fn is_tail(tail: &str) -> bool {
    TAIL.contains(&tail.len())
        && tail
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// A malformed id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be '{expected}' and 1 to 64 of A-Z a-z 0-9 _ -, but was '{found}'")]
pub struct MalformedId {
    expected: &'static str,
    found: String,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Prefix of every id of this kind.
            pub const PREFIX: &str = $prefix;

            /// Parses an id.
///
/// # Errors
/// The id is malformed.
            pub fn parse(text: &str) -> Result<Self, MalformedId> {
                match text.strip_prefix(Self::PREFIX) {
                    Some(tail) if is_tail(tail) => Ok(Self(text.into())),
                    _ => Err(MalformedId { expected: Self::PREFIX, found: text.chars().take(80).collect() }),
                }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = MalformedId;
            fn try_from(text: String) -> Result<Self, MalformedId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

/// Cannot collide with random ids, which are longer.
const FAN_OUT: &str = "int_-fan-out-";

impl IntegrationId {
    /// The reserved id under which the outbox keeps an account's events until they are fanned out
    /// to its webhooks.
    pub fn fan_out() -> Self {
        Self(FAN_OUT.into())
    }

    /// Whether this is the reserved id of [`fan_out`](Self::fan_out).
    pub fn is_fan_out(&self) -> bool {
        &*self.0 == FAN_OUT
    }
}

id!(
    /// An account, the `sid` of every object in it.
    AccountId, "acc_"
);
id!(
    /// An integration. Unguessable, since knowing the id suffices to post events.
    IntegrationId, "int_"
);
id!(
    /// An alert.
    AlertId, "alt_"
);
id!(
    /// The log of a request.
    LogId, "log_"
);
id!(
    /// A user of an account.
    UserId, "usr_"
);
id!(
    /// A team of an account.
    TeamId, "tem_"
);
id!(
    /// The public half of an API key: what `x-api-key` carries.
    KeyId, "key_"
);

macro_rules! id_of_any_kind {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Three lower-case letters, `_`, and 1 to 64 of `A-Za-z0-9_-`; `None` for anything
            /// else.
            pub fn parse(text: &str) -> Option<Self> {
                is_id_of_any_kind(text).then(|| Self(text.into()))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                Self::parse(&text).ok_or_else(|| format!("'{text}' is not {}", $what))
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.into()
            }
        }
    };
}

fn is_id_of_any_kind(text: &str) -> bool {
    text.split_once('_').is_some_and(|(kind, tail)| {
        kind.len() == 3 && kind.bytes().all(|b| b.is_ascii_lowercase()) && is_tail(tail)
    })
}

id_of_any_kind!(
    /// A destination of alerts: a team, router, user or schedule. Only its id is known here.
    DestinationId, "a destination id"
);
id_of_any_kind!(
    /// Any object of an account.
    ObjectId, "the id of an object"
);

impl DestinationId {
    /// Whether the kind is one that the reference lists: team, router, user or schedule.
    pub fn is_published_kind(&self) -> bool {
        ["tem_", "rtr_", "usr_", "skd_"]
            .iter()
            .any(|kind| self.0.starts_with(kind))
    }
}

impl From<IntegrationId> for ObjectId {
    fn from(id: IntegrationId) -> Self {
        Self(id.0)
    }
}

impl From<AlertId> for ObjectId {
    fn from(id: AlertId) -> Self {
        Self(id.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_a_prefix_and_a_tail() {
        for good in ["int_HJ3eGW-6M", "int_a", &format!("int_{}", "x".repeat(64))] {
            assert_eq!(IntegrationId::parse(good).unwrap().as_str(), good);
        }

        for bad in [
            "",
            "int_",
            "int",
            "acc_x",
            "INT_x",
            "int_ä",
            "int_a b",
            "int_a\0",
            &format!("int_{}", "x".repeat(65)),
        ] {
            assert!(IntegrationId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn destinations_take_any_three_letter_kind() {
        assert!(
            DestinationId::parse("tem_ByxQ3ukgTM")
                .unwrap()
                .is_published_kind()
        );
        assert!(!DestinationId::parse("abc_1").unwrap().is_published_kind());
        for bad in ["", "tem_", "te_x", "team_x", "TEM_x", "t3m_x", "tem-x"] {
            assert!(DestinationId::parse(bad).is_none(), "{bad:?}");
        }
    }
}
