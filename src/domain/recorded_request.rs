//! A recorded HTTP request with its response: an entry of the journal, and what the conditions of
//! `match` are about.

use super::{
    ids::AccountId,
    list::{Attribute, AttributeKind, Schema},
    masking::{Secrets, mask_headers, mask_json, mask_query},
    timestamp::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// The attributes for filters, sorting and selection, in the order of the entry.
pub const SCHEMA: Schema = Schema(&[
    Attribute::new("id", AttributeKind::Text),
    Attribute::new("at", AttributeKind::Time),
    Attribute::new("sid", AttributeKind::Text).or_null(),
    Attribute::new("kind", AttributeKind::Text),
    Attribute::new("type", AttributeKind::Text).or_null(),
    Attribute::new("method", AttributeKind::Text),
    Attribute::new("path", AttributeKind::Text),
    Attribute::new("query", AttributeKind::Object),
    Attribute::new("headers", AttributeKind::Object),
    Attribute::new("body", AttributeKind::Object).or_null(),
    Attribute::new("status", AttributeKind::Number).or_null(),
    Attribute::new("response", AttributeKind::Object).or_null(),
    Attribute::new("duration_us", AttributeKind::Number).or_null(),
    Attribute::new("fault", AttributeKind::Object).or_null(),
]);

/// Attributes that are known only once the response is.
pub const RESPONSE_ATTRIBUTES: [&str; 4] = ["status", "response", "duration_us", "fault"];

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestKind {
    /// A call of the API.
    Api,
    /// An event of a third party.
    Event,
    /// An outgoing webhook.
    Webhook,
}

impl RequestKind {
    /// All kinds, as `kind` names them.
    pub const NAMES: [&str; 3] = ["api", "event", "webhook"];
}

/// A request, with its response once there is one.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedRequest {
    /// The id of the request, as in `Request-Id`.
    pub id: String,
    /// When its head had arrived.
    pub at: Timestamp,
    /// The account. Null if no credential named one.
    pub sid: Option<AccountId>,
    /// What it is for.
    pub kind: RequestKind,
    /// The type of the integration that it creates or names.
    #[serde(rename = "type")]
    pub integration_type: Option<String>,
    /// The method.
    pub method: String,
    /// The path, without the query. For a webhook, the URL without its query.
    pub path: String,
    /// The parameters. Repeated ones have an array of values.
    pub query: Map<String, Value>,
    /// Lower-case names with their values.
    pub headers: Map<String, Value>,
    /// The body, unless it is empty or was not read.
    pub body: Option<RecordedBody>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: RecordedOutcome,
}

/// The response to a request.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RecordedOutcome {
    /// The status. Null if the connection was closed without one.
    pub status: Option<u16>,
    /// The response.
    pub response: Option<RecordedResponse>,
    /// From the head of the request to its response, in microseconds.
    pub duration_us: Option<u64>,
    /// The fault that was injected.
    pub fault: Option<InjectedFault>,
}

/// A response.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedResponse {
    /// Lower-case names with their values.
    pub headers: Map<String, Value>,
    /// The body, unless it is empty or streamed.
    pub body: Option<RecordedBody>,
}

/// A fault that was injected into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct InjectedFault {
    /// The position of its rule. Null if the request asked for it with `Prefer`.
    pub rule: Option<usize>,
    /// The number of the request among those that matched the rule.
    pub number: u64,
}

/// Bytes of a body that are kept.
pub const MAX_RECORDED_BODY_BYTES: usize = 64 << 10;

/// A body: JSON, or the beginning of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecordedBody {
    /// The value, if the body is JSON and not too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// The beginning of any other body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The size of the whole body in bytes.
    pub bytes: usize,
}

impl RecordedBody {
    /// Keeps a body without the secrets in it: the values of members and parameters whose names
    /// denote secrets, and `secrets` anywhere.
    /// `bytes` are its beginning, of `length` bytes in all.
    pub fn new(bytes: &[u8], length: usize, is_form: bool, secrets: &Secrets) -> Option<Self> {
        if length == 0 {
            return None;
        }

        let is_whole = bytes.len() == length && length <= MAX_RECORDED_BODY_BYTES;
        let json = is_whole
            .then(|| serde_json::from_slice::<Value>(bytes).ok())
            .flatten();
        let (json, text) = match json {
            Some(mut value) => {
                mask_json(&mut value);
                (Some(mask_secrets(value, secrets)), None)
            }
            None => (None, Some(text(bytes, is_form, secrets))),
        };

        Some(Self {
            json,
            text,
            bytes: length,
        })
    }
}

fn text(bytes: &[u8], is_form: bool, secrets: &Secrets) -> String {
    let kept = bytes.get(..MAX_RECORDED_BODY_BYTES).unwrap_or(bytes);
    let text = String::from_utf8_lossy(kept);
    let text = if is_form {
        mask_query(&text)
    } else {
        text.into_owned()
    };
    secrets.mask(&text)
}

/// Masks secrets inside the texts of a value.
fn mask_secrets(value: Value, secrets: &Secrets) -> Value {
    match value {
        Value::String(text) => secrets.mask(&text).into(),
        Value::Array(elements) => elements
            .into_iter()
            .map(|element| mask_secrets(element, secrets))
            .collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, mask_secrets(member, secrets)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

/// The parameters of a query by name, with the values of secret ones masked.
pub fn record_query(raw_query: &str) -> Map<String, Value> {
    let masked = mask_query(raw_query);
    let mut parameters = Map::new();
    for (name, value) in form_urlencoded::parse(masked.as_bytes()) {
        let value = Value::from(value.into_owned());
        match parameters.get_mut(name.as_ref()) {
            None => drop(parameters.insert(name.into_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    parameters
}

/// Headers by lower-case name, with credentials masked.
pub fn record_headers<N: AsRef<str>, V: AsRef<str>>(
    headers: impl IntoIterator<Item = (N, V)>,
) -> Map<String, Value> {
    mask_headers(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn recorded(body: &str, is_form: bool) -> Value {
        let body = RecordedBody::new(body.as_bytes(), body.len(), is_form, &Secrets::None);
        serde_json::to_value(body).unwrap()
    }

    #[test]
    fn body_is_kept_as_json_or_text_without_secrets() {
        assert_eq!(
            recorded(r#"{"name":"x","password":"p"}"#, false),
            json!({"json": {"name": "x", "password": "***"}, "bytes": 27})
        );
        assert_eq!(
            recorded("a=1&token=t", true),
            json!({"text": "a=1&token=***", "bytes": 11})
        );
        assert_eq!(recorded("", false), Value::Null);

        let long = format!("\"{}\"", "x".repeat(MAX_RECORDED_BODY_BYTES));
        let kept = recorded(&long, false);
        assert_eq!(kept["bytes"], MAX_RECORDED_BODY_BYTES + 2);
        assert_eq!(
            kept["text"].as_str().map(str::len),
            Some(MAX_RECORDED_BODY_BYTES)
        );
    }

    #[test]
    fn secrets_of_an_integration_are_masked_anywhere() {
        let options = json!({"token": "open sesame"});
        let secrets = Secrets::of(options.as_object().unwrap());
        let bytes = br#"{"a":["say open sesame"]}"#;
        let body = RecordedBody::new(bytes, bytes.len(), false, &secrets);
        assert_eq!(body.unwrap().json, Some(json!({"a": ["say ***"]})));
    }

    #[test]
    fn query_has_a_member_for_each_parameter() {
        assert_eq!(
            Value::Object(record_query("a=1&b=x+y&a=2&a=3&token=t")),
            json!({"a": ["1", "2", "3"], "b": "x y", "token": "***"})
        );
    }
}
