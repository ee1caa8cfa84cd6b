//! A blocking HTTP client.

use std::{net::SocketAddr, time::Duration};

use serde_json::{Value, json};
use ureq::{
    Agent,
    http::{HeaderMap, Request},
};

/// An HTTP client of one server that sends the same headers with every request. Clones share the
/// connections.
#[derive(Clone)]
pub(crate) struct Client {
    agent: Agent,
    address: SocketAddr,
    headers: Vec<(String, String)>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None);
        let agent = config
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into();

        Self {
            agent,
            address,
            headers: Vec::new(),
        }
    }

    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.try_call("GET", path, None).unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        self.try_call("POST", path, Some(body)).unwrap()
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Response {
        self.try_call("PUT", path, Some(body)).unwrap()
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.try_call("DELETE", path, None).unwrap()
    }

    /// Creates an integration with this name and returns it.
    #[track_caller]
    pub(crate) fn create(&self, name: &str) -> Value {
        let response = self.post("/integration", &integration(name));
        assert_eq!(response.status, 200, "{response:?}");
        response.json()
    }

    /// Sends a request. Fails if there is no complete response.
    pub(crate) fn try_call(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, ureq::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address));

        for (name, value) in &self.headers {
            request = request.header(name, value);
        }

        let response = match body {
            None => self.agent.run(request.body(())?),
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent
                    .run(request.body(serde_json::to_vec(body).unwrap())?)
            }
        };

        Response::read(response?)
    }
}

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Response {
    fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let body = response.body_mut().read_to_vec()?;
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body,
        })
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The messages of an error body.
    #[track_caller]
    pub(crate) fn messages(&self) -> Vec<String> {
        let entries = self.json()["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no error body: {}", self.text()))
            .clone();
        entries
            .iter()
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The body of a request that creates an integration.
pub(crate) fn integration(name: &str) -> Value {
    json!({ "name": name, "type": "webhook", "destination_ids": ["tem_1"] })
}
