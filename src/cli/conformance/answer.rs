//! A response, and what checks ask of it.

use super::Failure;
use serde_json::{Map, Value};

/// A response of the server.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// The request, such as `GET /integration`.
    pub(super) request: String,
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    /// The failure of a check: what was seen, and what is documented.
    pub(super) fn broken(&self, seen: &str, documented: &str) -> Failure {
        Failure::Broken(format!(
            "{}: {seen}; documented is {documented}",
            self.request
        ))
    }

    /// A header, by its name in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Requires a status.
    pub(super) fn expect_status(&self, status: u16) -> Result<(), Failure> {
        if self.status == status {
            return Ok(());
        }
        let start: String = self.body.chars().take(200).collect();
        let seen = format!("the status was {} ({})", self.status, start.trim());
        Err(self.broken(&seen, &status.to_string()))
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Failure> {
        serde_json::from_str(&self.body)
            .map_err(|error| self.broken(&format!("the body is not JSON ({error})"), "JSON"))
    }

    /// The body as an object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Failure> {
        match self.json()? {
            Value::Object(object) => Ok(object),
            other => Err(self.broken(&format!("the body was {other}"), "an object")),
        }
    }

    /// The elements of a list.
    pub(super) fn data(&self) -> Result<Vec<Map<String, Value>>, Failure> {
        self.expect_status(200)?;
        let list = self.object()?;
        let Some(Value::Array(data)) = list.get("data") else {
            return Err(self.broken(
                "there was no array `data`",
                "`data`, `has_more` and `total_count`",
            ));
        };
        let objects = data.iter().map(|element| match element {
            Value::Object(object) => Ok(object.clone()),
            other => Err(self.broken(&format!("an element was {other}"), "an object")),
        });
        objects.collect()
    }

    /// Requires the documented error body, and returns its messages.
    pub(super) fn expect_error(&self, status: u16) -> Result<String, Failure> {
        self.expect_status(status)?;
        let body = self.object()?;
        let errors = body.get("errors").and_then(Value::as_array);
        let messages: Option<Vec<&str>> =
            errors
                .filter(|errors| !errors.is_empty())
                .and_then(|errors| {
                    errors
                        .iter()
                        .map(|error| error.get("message")?.as_str())
                        .collect()
                });
        match messages {
            Some(messages) => Ok(messages.join("; ")),
            None => Err(self.broken(
                &format!("the body was {}", self.body.trim()),
                r#"{"errors": [{"message": "..."}]}"#,
            )),
        }
    }
}
