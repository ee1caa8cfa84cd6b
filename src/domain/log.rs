//! Logs of requests between third parties and integrations: the request, its interpretation and its
//! outcome.
//!
//! The attributes up to `level` are those of PagerTree's reference, "Log". The others are ours.

mod earlier_form;

pub use earlier_form::{is_earlier_form, present_query, upgrade};

use super::{
    ids::{AccountId, AlertId, IntegrationId, LogId, ObjectId},
    list::{Attribute, AttributeKind, Schema},
    timestamp::Timestamp,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The attributes for filters, sorting and selection, in the order of the object.
pub const SCHEMA: Schema = Schema(&[
    Attribute::new("sid", AttributeKind::Text),
    Attribute::new("id", AttributeKind::Text),
    Attribute::new("createdAt", AttributeKind::Time),
    Attribute::new("updatedAt", AttributeKind::Time),
    Attribute::new("meta", AttributeKind::Object),
    Attribute::new("tinyId", AttributeKind::Number),
    Attribute::new("content", AttributeKind::Text),
    Attribute::new("type", AttributeKind::Text),
    Attribute::new("subtype", AttributeKind::Text).or_null(),
    Attribute::new("owner_id", AttributeKind::Text),
    Attribute::new("source_id", AttributeKind::Text),
    Attribute::new("level", AttributeKind::Number),
    Attribute::new("alert_id", AttributeKind::Text).or_null(),
    Attribute::thirdparty_id("thirdparty_id"),
    Attribute::new("action", AttributeKind::Text),
    Attribute::new("outcome", AttributeKind::Text),
    Attribute::new("status", AttributeKind::Number).or_null(),
    Attribute::new("event", AttributeKind::Object),
    Attribute::new("request", AttributeKind::Object),
    Attribute::new("response", AttributeKind::Object).or_null(),
]);

/// A log, as stored and as returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The account. Must be first: the store identifies the owner by the first bytes of a record.
    pub sid: AccountId,
    /// The identifier.
    pub id: LogId,
    /// Time of the event.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// The same.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
    /// Free-form metadata.
    pub meta: Map<String, Value>,
    /// 1, 2, 3 … within the account in order of creation, never reused.
    #[serde(rename = "tinyId")]
    pub tiny_id: u64,
    /// A message. For a request, the outcome.
    pub content: String,
    /// What was logged.
    #[serde(rename = "type")]
    pub log_type: LogType,
    /// Direction of a request.
    #[serde(rename = "subtype")]
    pub direction: Option<LogDirection>,
    /// The object that the log is about: of a request, the alert, or the integration if it affected
    /// none.
    pub owner_id: ObjectId,
    /// The integration, or the author of the log.
    pub source_id: ObjectId,
    /// Severity: [`NORMAL_LEVEL`] or [`FAILURE_LEVEL`], unless a caller has chosen another.
    pub level: u8,
    /// The alert created or affected.
    pub alert_id: Option<AlertId>,
    /// The third party's id.
    pub thirdparty_id: Option<String>,
    /// The interpretation: create, recreate, acknowledge, resolve, other, blocked or disabled. For
    /// an outgoing request, the name of the event.
    pub action: String,
    /// The outcome and its reason.
    pub outcome: String,
    /// The HTTP status of the response. Null for an outgoing request without one.
    pub status: Option<u16>,
    /// The parsed event.
    pub event: Map<String, Value>,
    /// The request.
    pub request: LoggedRequest,
    /// The response to an outgoing request.
    pub response: Option<Response>,
}

/// The level of logs in PagerTree's reference.
pub const NORMAL_LEVEL: u8 = 2;
/// The level of a request that was refused or has failed.
pub const FAILURE_LEVEL: u8 = 3;

/// The level of the log of a request with this response. An outgoing request without a response has
/// failed.
pub fn level_of(status: Option<u16>) -> u8 {
    match status {
        Some(..400) => NORMAL_LEVEL,
        Some(400..) | None => FAILURE_LEVEL,
    }
}

/// The owner of the log of a request.
pub fn owner_of(alert: Option<&AlertId>, integration: &IntegrationId) -> ObjectId {
    alert.map_or_else(|| integration.clone().into(), |alert| alert.clone().into())
}

/// What was logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogType {
    /// A request, or a note.
    Log,
    /// A recipient's response to a broadcast.
    Response,
    /// A recipient's comment.
    Feedback,
    /// A decision of a router.
    Router,
}

/// Direction of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LogDirection {
    /// From a third party to this server.
    Incoming,
    /// From this server to a third party.
    Outgoing,
}

/// A logged request. Headers that contain credentials are masked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedRequest {
    /// `POST`, `GET`, …
    pub method: String,
    /// The path. For an outgoing request, the URL without its query.
    pub path: String,
    /// The query.
    pub query: String,
    /// The peer's address, or the sender of a mail.
    pub remote: Option<String>,
    /// Lower-case names with their values, in their original order.
    pub headers: Map<String, Value>,
    /// The body.
    pub body: LogBody,
}

/// A logged response.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Lower-case names with their values.
    pub headers: Map<String, Value>,
    /// The body.
    pub body: LogBody,
}

/// The beginning of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogBody {
    /// Decoded text. Invalid bytes are replaced; an event that is not text at all is a `data:` URL.
    pub text: String,
    /// Size of the whole body, in bytes.
    pub bytes: usize,
}

/// Bytes of a body kept in a log.
pub const MAX_LOGGED_BODY_BYTES: usize = 64 << 10;

impl LogBody {
    /// Keeps the beginning of a body.
    pub fn of(bytes: &[u8]) -> Self {
        let kept = bytes.get(..end_of_kept(bytes)).unwrap_or(bytes);
        Self {
            text: String::from_utf8_lossy(kept).into_owned(),
            bytes: bytes.len(),
        }
    }
}

const BINARY_PREFIX: &str = "data:application/octet-stream;base64,";

impl LogBody {
    /// The whole body, or `None` if only its beginning was kept.
    pub fn whole(&self) -> Option<Vec<u8>> {
        if self.bytes > MAX_LOGGED_BODY_BYTES {
            return None;
        }
        if let Some(encoded) = self.text.strip_prefix(BINARY_PREFIX) {
            return BASE64_STANDARD.decode(encoded).ok();
        }
        // Decoding an older charset makes a text longer. One that was cut has nearly this length.
        let is_cut = self.text.len() > MAX_LOGGED_BODY_BYTES - char::MAX.len_utf8();
        (!is_cut).then(|| self.text.clone().into_bytes())
    }

    /// Keeps the beginning of a body that was decoded to `text`, or a `data:` URL of bytes that are
    /// not text in any charset.
    pub fn decoded(text: &str, bytes: &[u8]) -> Self {
        let is_binary = str::from_utf8(bytes).is_err() && text.chars().any(is_no_text);
        let text = if is_binary {
            let kept = bytes.get(..MAX_LOGGED_BODY_BYTES).unwrap_or(bytes);
            format!("{BINARY_PREFIX}{}", BASE64_STANDARD.encode(kept))
        } else {
            text.get(..end_of_kept(text.as_bytes()))
                .unwrap_or(text)
                .to_owned()
        };

        Self {
            text,
            bytes: bytes.len(),
        }
    }
}

fn is_no_text(character: char) -> bool {
    character == char::REPLACEMENT_CHARACTER
        || (character.is_control() && !matches!(character, '\t' | '\n' | '\r'))
}

/// The length to keep, at a character boundary.
fn end_of_kept(bytes: &[u8]) -> usize {
    let is_within = |place: &usize| {
        bytes
            .get(*place)
            .is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000)
    };

    let within = (0..3)
        .map(|back| MAX_LOGGED_BODY_BYTES - back)
        .take_while(is_within)
        .count();

    if bytes.len() > MAX_LOGGED_BODY_BYTES {
        MAX_LOGGED_BODY_BYTES - within
    } else {
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_not_cut_within_a_character() {
        for (before, kept) in [(0, 0), (1, 1), (2, 2), (3, 3)] {
            let mut bytes = vec![b'x'; MAX_LOGGED_BODY_BYTES - before];
            bytes.extend("😀😀".bytes());
            assert_eq!(
                LogBody::of(&bytes).text,
                "x".repeat(MAX_LOGGED_BODY_BYTES - kept),
                "{before}"
            );
        }

        assert_eq!(
            LogBody::of("é".repeat(MAX_LOGGED_BODY_BYTES).as_bytes()).text,
            "é".repeat(MAX_LOGGED_BODY_BYTES / 2)
        );
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_they_are() {
        assert_eq!(
            LogBody::decoded("Kühl", b"K\xfchl"),
            LogBody {
                text: "Kühl".into(),
                bytes: 4
            }
        );

        let binary = LogBody::decoded("\u{8}\u{fffd}", b"\x08\xff");
        assert_eq!(binary.text, "data:application/octet-stream;base64,CP8=");
        assert_eq!(
            LogBody::decoded(&"é".repeat(MAX_LOGGED_BODY_BYTES), b"").text,
            "é".repeat(MAX_LOGGED_BODY_BYTES / 2)
        );
    }

    #[test]
    fn whole_bodies_can_be_read_back_and_cut_ones_cannot() {
        for (text, bytes) in [
            ("Kühl", &b"K\xc3\xbchl"[..]),
            ("\u{8}\u{fffd}", b"\x08\xff"),
            ("", b""),
        ] {
            assert_eq!(LogBody::decoded(text, bytes).whole().unwrap(), bytes);
        }

        for length in [MAX_LOGGED_BODY_BYTES, MAX_LOGGED_BODY_BYTES + 1] {
            assert_eq!(LogBody::of(&vec![b'x'; length]).whole(), None);
        }
        let latin = LogBody::decoded(&"ü".repeat(40_000), &[0xfc; 40_000]);
        assert_eq!(latin.whole(), None);
    }

    #[test]
    fn so_much_of_a_body_is_kept() {
        let body = LogBody::of(&vec![b'x'; MAX_LOGGED_BODY_BYTES + 1]);
        assert_eq!(
            (body.text.len(), body.bytes),
            (MAX_LOGGED_BODY_BYTES, MAX_LOGGED_BODY_BYTES + 1)
        );
        assert_eq!(LogBody::of(b"\xff!").text, "\u{fffd}!");
    }
}
