//! Who calls: anybody with whatever credential, always with the same methods.

use crate::response::Response;
use serde_json::{Value, json};
use std::net::SocketAddr;
use ureq::{
    Agent,
    http::{Request, header::CONTENT_TYPE, request::Builder},
};

/// A client that sends the same headers with each request. Cloning is cheap, and a clone may go to
/// another thread.
#[derive(Clone)]
pub(crate) struct Caller {
    agent: Agent,
    origin: String,
    headers: Vec<(String, String)>,
    /// Whether responses may be injected faults.
    expects_faults: bool,
}

impl Caller {
    pub(crate) fn new(address: SocketAddr) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true);
        let agent = config.proxy(None).max_redirects(0).build().new_agent();
        Self {
            agent,
            origin: format!("http://{address}"),
            headers: Vec::new(),
            expects_faults: false,
        }
    }

    /// The same caller, whose responses may be injected faults, which the OpenAPI document does not
    /// describe.
    pub(crate) fn faulty(&self) -> Self {
        Self {
            expects_faults: true,
            ..self.clone()
        }
    }

    fn checked(&self, response: Response, method: &str, path: &str) -> Response {
        if self.expects_faults {
            response
        } else {
            response.documented(method, path)
        }
    }

    /// The same caller, sending one more header.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut caller = self.clone();
        caller.headers.push((name.into(), value.into()));
        caller
    }

    pub(crate) fn create(&self, body: Value) -> Response {
        self.send("POST", "/integration", Some(&body.to_string()))
    }

    pub(crate) fn get(&self, id: &str) -> Response {
        self.send("GET", &format!("/integration/{id}"), None)
    }

    pub(crate) fn update(&self, id: &str, body: Value) -> Response {
        self.send(
            "PUT",
            &format!("/integration/{id}"),
            Some(&body.to_string()),
        )
    }

    pub(crate) fn delete(&self, id: &str) -> Response {
        self.send("DELETE", &format!("/integration/{id}"), None)
    }

    /// `query` without its question mark, encoded.
    pub(crate) fn list(&self, query: &str) -> Response {
        self.send("GET", &format!("/integration?{query}"), None)
    }

    /// Any request. A body is sent as JSON unless the caller has another `Content-Type`.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&str>) -> Response {
        match body {
            Some(body) => self.send_bytes(method, path, body.as_bytes()),
            None => {
                let request = self.request(method, path).body(()).unwrap();
                let response = Response::read(self.agent.run(request).unwrap());
                self.checked(response, method, path)
            }
        }
    }

    /// The same, with a body that need not be text.
    pub(crate) fn send_bytes(&self, method: &str, path: &str, body: &[u8]) -> Response {
        let typed = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
        let request = self.request(method, path);
        let request = if typed {
            request
        } else {
            request.header(CONTENT_TYPE, "application/json")
        };
        let response = Response::read(self.agent.run(request.body(body).unwrap()).unwrap());
        self.checked(response, method, path)
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    /// An integration of this name that exists now; everything else about it is as short as it can
    /// be.
    pub(crate) fn created(&self, name: &str) -> Value {
        self.created_from(json!({"name": name, "type": "email", "destination_ids": []}))
    }

    /// An integration that exists now.
    pub(crate) fn created_from(&self, body: Value) -> Value {
        self.create(body).assert_status(200).json()
    }

    /// The names on one page of the list, in its order.
    pub(crate) fn names(&self, query: &str) -> Vec<String> {
        self.listed(query, "name")
            .iter()
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    }

    /// One attribute of all on one page of the list, in its order.
    pub(crate) fn listed(&self, query: &str, attribute: &str) -> Vec<Value> {
        let list = self.list(query).assert_status(200).json();
        list["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| object[attribute].clone())
            .collect()
    }

    /// How many match, as the list says.
    pub(crate) fn total(&self, query: &str) -> u64 {
        self.list(query).assert_status(200).json()["total_count"]
            .as_u64()
            .unwrap()
    }
}

/// The id of an object.
pub(crate) fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// A text as it stands in a query.
pub(crate) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
