//! What to try against an integration: a request, or the one in a log, and options.

use super::{
    body::{self, AttributeReader, Strictness},
    ids::LogId,
    rejection::Rejection,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value};

/// The input of a dry run.
#[derive(Clone, Debug, PartialEq)]
pub struct DryRunInput {
    /// The request.
    pub source: DryRunSource,
    /// Replaces the options of the integration.
    pub options: Option<Map<String, Value>>,
}

/// Where the request of a dry run comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum DryRunSource {
    /// It is part of the input.
    Request(DryRunRequest),
    /// It is in this log.
    Log(LogId),
}

/// A request as third parties send it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DryRunRequest {
    /// `POST` by default.
    pub method: String,
    /// The query string, without the `?`.
    pub query: String,
    /// Names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

impl DryRunInput {
    /// Parses the body of a dry run.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error.
    pub fn parse(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self, Rejection> {
        let has = |name| attributes.contains_key(name);
        if has("request") == has("log_id") {
            return Err(Rejection::invalid(
                "Either 'request' (an object with 'method', 'query', 'headers' and 'body') or \
                 'log_id' is a required parameter",
            ));
        }

        let mut reader = AttributeReader::new(attributes);
        let request = reader.optional("request", |value| request(value, strictness));
        let log_id = reader.optional("log_id", |value| {
            LogId::parse(&body::text(value)?).map_err(|error| error.to_string())
        });
        let options = reader.optional("options", body::object);
        reader.finish(strictness)?;

        let source = match (request, log_id) {
            (Some(request), _) => DryRunSource::Request(request),
            (None, Some(id)) => DryRunSource::Log(id),
            // Unreachable: either is there, or the reader has refused it.
            (None, None) => return Err(Rejection::invalid("'request' is a required parameter")),
        };
        Ok(Self { source, options })
    }
}

fn request(value: Value, strictness: Strictness) -> Result<DryRunRequest, String> {
    let attributes = body::object(value)?;
    if attributes.contains_key("body") && attributes.contains_key("body_base64") {
        return Err("must have either 'body' or 'body_base64', but has both".to_owned());
    }

    let mut reader = AttributeReader::new(attributes);
    let method = reader.optional("method", method);
    let query = reader.optional("query", body::text);
    let headers = reader.optional("headers", headers);
    let text = reader.optional("body", |value| Ok(body_of(value)));
    let bytes = reader.optional("body_base64", |value| {
        let decoded = BASE64_STANDARD.decode(body::text(value)?.trim());
        decoded.map_err(|error| format!("must be base64, but has an error: {error}"))
    });
    reader
        .finish(strictness)
        .map_err(|rejection| format!("is invalid: {rejection}"))?;

    Ok(DryRunRequest {
        method: method.unwrap_or_else(|| "POST".to_owned()),
        query: query.unwrap_or_default(),
        headers: headers.unwrap_or_default(),
        body: text.or(bytes).unwrap_or_default(),
    })
}

/// A string is the raw body, any other value a JSON body.
fn body_of(value: Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

fn method(value: Value) -> Result<String, String> {
    let method = body::text(value)?.to_ascii_uppercase();
    match method.as_str() {
        "GET" | "POST" | "SMTP" => Ok(method),
        other => Err(format!(
            "must be GET, POST or SMTP, but was '{}'",
            body::excerpt(other)
        )),
    }
}

fn headers(value: Value) -> Result<Vec<(String, String)>, String> {
    let mut headers = Vec::new();
    for (name, value) in body::object(value)? {
        let name = name.trim().to_ascii_lowercase();
        let values = match value {
            Value::Array(values) => values,
            value => vec![value],
        };

        for value in values {
            let value = body::text(value).map_err(|error| format!("at '{name}' {error}"))?;
            headers.push((name.clone(), value));
        }
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(input: &Value) -> Result<DryRunInput, String> {
        let attributes = input.as_object().unwrap().clone();
        DryRunInput::parse(attributes, Strictness::Lenient).map_err(|error| error.to_string())
    }

    fn request_of(request: Value) -> DryRunRequest {
        match parse(&json!({"request": request})).unwrap().source {
            DryRunSource::Request(request) => request,
            DryRunSource::Log(id) => panic!("{id}"),
        }
    }

    #[test]
    fn requests_have_defaults_and_any_kind_of_body() {
        assert_eq!(
            request_of(json!({})),
            DryRunRequest {
                method: "POST".into(),
                ..DryRunRequest::default()
            }
        );

        let request = request_of(json!({
            "method": "get", "query": "a=1", "body": {"b": [1.5]},
            "headers": {"X-Source": "probe", "Via": ["a", "b"]},
        }));
        let headers = [("x-source", "probe"), ("via", "a"), ("via", "b")];
        assert_eq!(
            request,
            DryRunRequest {
                method: "GET".into(),
                query: "a=1".into(),
                headers: headers
                    .map(|(name, value)| (name.into(), value.into()))
                    .into(),
                body: br#"{"b":[1.5]}"#.into(),
            }
        );
        assert_eq!(request_of(json!({"body": "a=1"})).body, b"a=1");
        assert_eq!(request_of(json!({"body_base64": "/w=="})).body, b"\xff");
    }

    #[test]
    fn contradictory_and_malformed_input_is_refused() {
        for (input, expected) in [
            (json!({}), "Either 'request'"),
            (
                json!({"request": {}, "log_id": "log_1"}),
                "Either 'request'",
            ),
            (json!({"log_id": "x"}), "'log_id' must be 'log_'"),
            (json!({"request": 1}), "'request' must be an object"),
            (
                json!({"request": {"method": "PUT"}}),
                "must be GET, POST or SMTP",
            ),
            (
                json!({"request": {"headers": {"A": 1}}}),
                "'headers' at 'a' must be a string",
            ),
            (
                json!({"request": {"body_base64": "!"}}),
                "'body_base64' must be base64",
            ),
            (
                json!({"request": {"body": 1, "body_base64": ""}}),
                "but has both",
            ),
            (
                json!({"request": {}, "options": []}),
                "'options' must be an object",
            ),
        ] {
            let error = parse(&input).unwrap_err();
            assert!(error.contains(expected), "{input}: {error}");
        }
    }
}
