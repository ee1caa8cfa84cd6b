//! Sends the requests of the checks, at a pace that the server can stand.

use super::{Failure, answer::Answer};
use crate::clock::Clock;
use serde_json::{Map, Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};
use ureq::{Agent, http::Request};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Longest wait that a response with status 429 can ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(120);
/// Requests that a check may repeat after 429.
const MAX_RETRIES: u32 = 5;
/// A name by which people recognise what a killed run left behind.
const NAME: &str = "pagertree-local conformance";

/// The connection to the server, and what the checks have created there.
pub(super) struct Probe {
    agent: Agent,
    base: String,
    token: String,
    destination: String,
    interval: Duration,
    last: Option<Instant>,
    created: Vec<String>,
    /// An integration that the account has, as the server returned it.
    pub(super) subject: Option<Map<String, Value>>,
}

/// A request without its URL.
#[derive(Clone, Debug, Default)]
pub(super) struct Call<'a> {
    pub(super) body: Option<&'a str>,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) without_credential: bool,
}

impl Probe {
    pub(super) fn new(base: &str, token: String, requests_per_minute: u32) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        let is_local = ["http://127.", "http://localhost", "http://[::1]"]
            .iter()
            .any(|start| base.starts_with(start));
        let interval = match is_local {
            true => Duration::ZERO,
            false => Duration::from_secs(60) / requests_per_minute.max(1),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .build();

        Self {
            agent: config.into(),
            base,
            token,
            destination: String::new(),
            interval,
            last: None,
            created: Vec::new(),
            subject: None,
        }
    }

    pub(super) fn set_destination(&mut self, destination: String) {
        self.destination = destination;
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.send("GET", path, &Call::default())
    }

    /// Sends a request, and repeats it when the server asks for patience.
    pub(super) fn send(
        &mut self,
        method: &str,
        path: &str,
        call: &Call<'_>,
    ) -> Result<Answer, Failure> {
        let mut attempt = 0;
        loop {
            let answer = self.send_once(method, path, call)?;
            if answer.status != 429 || attempt == MAX_RETRIES {
                return Ok(answer);
            }
            attempt += 1;
            let seconds = answer
                .header("retry-after")
                .and_then(|text| text.parse().ok());
            let wait = seconds.map_or(self.interval, Duration::from_secs);
            thread::sleep(wait.min(MAX_RETRY_AFTER));
        }
    }

    fn send_once(&mut self, method: &str, path: &str, call: &Call<'_>) -> Result<Answer, Failure> {
        if let Some(last) = self.last {
            thread::sleep(self.interval.saturating_sub(last.elapsed()));
        }
        self.last = Some(Clock::System.stopwatch());

        let url = format!("{}{path}", self.base);
        let unreachable =
            |error: String| Failure::Unreachable(format!("no response from {url}: {error}"));
        let mut request = Request::builder().method(method).uri(&url);
        if !call.without_credential {
            request = request.header("authorization", &self.token);
        }
        if call.body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in call.headers {
            request = request.header(*name, *value);
        }

        let request = request
            .body(call.body.unwrap_or_default())
            .map_err(|error| unreachable(error.to_string()))?;
        let mut response = self
            .agent
            .run(request)
            .map_err(|error| unreachable(error.to_string()))?;
        let headers = response.headers().iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });

        Ok(Answer {
            request: format!("{method} {path}"),
            status: response.status().as_u16(),
            headers: headers.collect(),
            body: response.body_mut().read_to_string().unwrap_or_default(),
        })
    }

    /// Creates an integration, which is removed at the end.
    pub(super) fn create(&mut self, more: &Value) -> Result<Answer, Failure> {
        let mut body = json!({
            "name": NAME,
            "type": "webhook",
            "destination_ids": [self.destination],
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }

        let text = body.to_string();
        let call = Call {
            body: Some(&text),
            ..Call::default()
        };
        let answer = self.send("POST", "/integration", &call)?;
        let id = answer
            .json()
            .ok()
            .and_then(|body| Some(body.get("id")?.as_str()?.to_owned()));
        self.created.extend(id);
        Ok(answer)
    }

    /// The id of the newest integration that the checks have created.
    pub(super) fn newest(&self) -> Result<&str, Failure> {
        let newest = self.created.last().map(String::as_str);
        newest.ok_or_else(|| Failure::Untested("no integration could be created".into()))
    }

    /// An integration of the account, from its list.
    pub(super) fn subject(&mut self) -> Result<Map<String, Value>, Failure> {
        if self.subject.is_none() {
            self.subject = self.get("/integration")?.data()?.into_iter().next();
        }
        let missing = || Failure::Untested("the account has no integration".into());
        self.subject.clone().ok_or_else(missing)
    }

    /// Deletes what the checks have created, as far as it is still there.
    pub(super) fn remove_created(&mut self) {
        for id in std::mem::take(&mut self.created) {
            let path = format!("/integration/{id}");
            match self.send("DELETE", &path, &Call::default()) {
                Ok(answer) if matches!(answer.status, 200..=299 | 404) => {}
                _ => crate::cli::print_error(&format!(
                    "the integration {id}, named '{NAME}', could not be deleted; delete it by hand"
                )),
            }
        }
    }
}
