//! The log of one request between a third party and an integration: what came, what it was taken for, what became of it.
//!
//! PagerTree's v3 has logs without a published form; the attributes that all objects have are its, the others ours.

use super::{
    ids::{AccountId, AlertId, IntegrationId, LogId},
    list::{Attribute, Kind, Schema},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The attributes by which logs are filtered, sorted and selected, in the order in which they are written.
pub const SCHEMA: Schema = Schema(&[
    Attribute { name: "sid", kind: Kind::Text },
    Attribute { name: "id", kind: Kind::Text },
    Attribute { name: "createdAt", kind: Kind::Time },
    Attribute { name: "updatedAt", kind: Kind::Time },
    Attribute { name: "meta", kind: Kind::Object },
    Attribute { name: "tinyId", kind: Kind::Number },
    Attribute { name: "type", kind: Kind::Text },
    Attribute { name: "source_id", kind: Kind::Text },
    Attribute { name: "alert_id", kind: Kind::Text },
    Attribute { name: "thirdparty_id", kind: Kind::Text },
    Attribute { name: "action", kind: Kind::Text },
    Attribute { name: "outcome", kind: Kind::Text },
    Attribute { name: "status", kind: Kind::Number },
    Attribute { name: "event", kind: Kind::Object },
    Attribute { name: "request", kind: Kind::Object },
    Attribute { name: "response", kind: Kind::Object },
]);

/// One log, exactly what is stored and answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// The account. First on purpose: the store recognises the owner by the first bytes of the record.
    pub sid: AccountId,
    /// The identifier.
    pub id: LogId,
    /// When it happened.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// The same.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
    /// Free-form metadata.
    pub meta: Map<String, Value>,
    /// 1, 2, 3 … within the account, in order of creation, never used twice.
    #[serde(rename = "tinyId")]
    pub tiny_id: u64,
    /// Who asked whom.
    #[serde(rename = "type")]
    pub direction: Direction,
    /// The integration.
    pub source_id: IntegrationId,
    /// The alert that it led to or was about.
    pub alert_id: Option<AlertId>,
    /// What the third party calls what the request is about.
    pub thirdparty_id: Option<String>,
    /// What the request was taken for: create, recreate, acknowledge, resolve, other, blocked or disabled; of an
    /// outgoing request, the name of the event.
    pub action: String,
    /// What became of it and why, in a sentence.
    pub outcome: String,
    /// The HTTP status of the answer; of an outgoing request that got none, null.
    pub status: Option<u16>,
    /// What the adapter made of the request.
    pub event: Map<String, Value>,
    /// The request.
    pub request: Request,
    /// The answer to an outgoing request.
    pub response: Option<Response>,
}

/// Who asked whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// A third party asked us.
    Incoming,
    /// We asked a third party.
    Outgoing,
}

/// A request. Values of headers that are credentials are masked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `POST`, `GET`, …
    pub method: String,
    /// The path; of an outgoing request, the URL without its query.
    pub path: String,
    /// What stood behind the `?`.
    pub query: String,
    /// The peer's address, or what a message came from.
    pub remote: Option<String>,
    /// Names in lower case, with their values as texts, in the order in which they came.
    pub headers: Map<String, Value>,
    /// The body.
    pub body: Body,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Names in lower case, with their values as texts.
    pub headers: Map<String, Value>,
    /// The body.
    pub body: Body,
}

/// As much of a body as is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// As text; bytes that are none are replaced.
    pub text: String,
    /// How many bytes there were, of which the text may show only the first.
    pub bytes: usize,
}

/// So many bytes of a body are kept.
pub const BODY_KEPT: usize = 64 << 10;

impl Body {
    /// The beginning of a body.
    pub fn of(bytes: &[u8]) -> Self {
        let kept = bytes.get(..BODY_KEPT).unwrap_or(bytes);
        Self { text: String::from_utf8_lossy(kept).into_owned(), bytes: bytes.len() }
    }
}

/// In place of what must not be shown.
const MASK: &str = "***";

/// Headers as they are kept: names in lower case, several of one name in one, credentials masked.
pub fn masked<N: AsRef<str>, V: AsRef<str>>(headers: impl IntoIterator<Item = (N, V)>) -> Map<String, Value> {
    let mut masked = Map::new();
    for (name, value) in headers {
        let name = name.as_ref().to_ascii_lowercase();
        let value = if is_credential(&name) { MASK } else { value.as_ref() };
        match masked.get_mut(&name) {
            Some(Value::String(before)) if value != MASK => {
                before.push_str(", ");
                before.push_str(value);
            }
            _ => drop(masked.insert(name, value.into())),
        }
    }
    masked
}

fn is_credential(name: &str) -> bool {
    const PARTS: [&str; 8] =
        ["authorization", "cookie", "token", "secret", "signature", "api-key", "apikey", "password"];
    name == "cf-webhook-auth" || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        let names = [
            "Authorization",
            "Cookie",
            "Pagertree-Token",
            "X-Api-Key",
            "Sentry-Hook-Signature",
            "Cf-Webhook-Auth",
            "Content-Type",
            "User-Agent",
        ];
        let shown = masked(names.map(|name| (name, "x")));
        let open: Vec<_> = shown.iter().filter(|(_, value)| *value == "x").map(|(name, _)| name.as_str()).collect();
        assert_eq!(open, ["content-type", "user-agent"]);
        assert_eq!(masked([("A", "1"), ("a", "2"), ("Cookie", "1"), ("cookie", "2")])["a"], "1, 2");
    }

    #[test]
    fn so_much_of_a_body_is_kept() {
        let body = Body::of(&vec![b'x'; BODY_KEPT + 1]);
        assert_eq!((body.text.len(), body.bytes), (BODY_KEPT, BODY_KEPT + 1));
        assert_eq!(Body::of(b"\xff!").text, "\u{fffd}!");
    }
}
