//! A response of the server, with assertions.

use crate::api_document::Exchange;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use ureq::{
    Body,
    http::{self, HeaderMap},
};

#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Response {
    pub(crate) fn read(response: http::Response<Body>) -> Self {
        let (head, mut body) = response.into_parts();
        Self {
            status: head.status.as_u16(),
            headers: head.headers,
            text: body.read_to_string().unwrap(),
        }
    }

    /// Asserts that the OpenAPI document describes this response to such a request.
    #[track_caller]
    pub(crate) fn documented(self, method: &str, target: &str) -> Self {
        let headers = self.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            (name.as_str().to_owned(), value.into_owned())
        });
        Exchange {
            method,
            target,
            status: self.status,
            headers: headers.collect(),
            body: self.text.as_bytes(),
        }
        .assert_documented();
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn header_names(&self) -> BTreeSet<&str> {
        self.headers.keys().map(|name| name.as_str()).collect()
    }

    #[track_caller]
    pub(crate) fn assert_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The error body: nothing but `errors`, each nothing but a `message`; as many as `parts`, each
    /// holding its part.
    #[track_caller]
    pub(crate) fn assert_error(self, status: u16, parts: &[&str]) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/json"),
            "{self:?}"
        );

        let messages = self.messages();
        assert_eq!(messages.len(), parts.len(), "{messages:#?}");
        for (message, part) in messages.iter().zip(parts) {
            assert!(message.contains(part), "'{part}' is not in: {message}");
        }

        let exactly: Vec<Value> = messages
            .iter()
            .map(|message| json!({"message": message}))
            .collect();

        assert_eq!(self.json(), json!({"errors": exactly}));
        self
    }

    /// Every message of an error body.
    #[track_caller]
    pub(crate) fn messages(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no errors in {self:?}"));
        errors
            .iter()
            .map(|error| error["message"].as_str().unwrap().to_owned())
            .collect()
    }
}
