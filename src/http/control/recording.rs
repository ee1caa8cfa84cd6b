//! Records requests and their responses for the journal.

use super::target::IdentifiedRequest;
use crate::domain::{
    ids::AccountId,
    masking::Secrets,
    recorded_request::{
        InjectedFault, MAX_RECORDED_BODY_BYTES, RecordedBody, RecordedOutcome, RecordedRequest,
        RecordedResponse, RequestKind, record_headers, record_query,
    },
    timestamp::Timestamp,
};
use crate::http::{extract::read_body::ReadBody, request_id::REQUEST_ID, state::AppState};
use actix_web::{
    HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::ServiceResponse,
    http::{
        Method, Uri,
        header::{CONTENT_TYPE, HeaderMap},
    },
    web::Bytes,
};
use std::time::Duration;

/// The fault that hit a request, for its entry in the journal.
#[derive(Clone, Copy)]
pub(crate) struct Injection {
    pub(crate) fault: InjectedFault,
    /// Whether the client got no response.
    pub(crate) is_closed: bool,
}

/// A request whose response is awaited.
pub(crate) struct Recording {
    target: IdentifiedRequest,
    at: Timestamp,
    uri: Uri,
}

impl Recording {
    pub(crate) fn new(target: IdentifiedRequest, at: Timestamp, uri: &Uri) -> Self {
        Self {
            target,
            at,
            uri: uri.clone(),
        }
    }

    /// Writes the request and its response to the journal.
    pub(crate) fn finish(
        self,
        state: &AppState,
        response: ServiceResponse,
        took: Duration,
    ) -> ServiceResponse {
        let (response, body) = split_body(response);
        let request = response.request();
        let id = response.headers().get(REQUEST_ID);
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
        let mut record = self.describe(request, id, state);

        if !state.control.journal().is_recording(&record.sid) {
            return response;
        }

        let headers = response.headers();
        let body = body.filter(|_| request.method() != Method::HEAD);
        let injection = request.extensions().get::<Injection>().copied();
        let is_closed = injection.is_some_and(|injection| injection.is_closed);
        record.outcome = RecordedOutcome {
            status: (!is_closed).then(|| response.status().as_u16()),
            response: (!is_closed).then(|| RecordedResponse {
                headers: record_headers(texts(headers)),
                body: body.and_then(|body| body_of(&body, body.len(), headers, &Secrets::None)),
            }),
            duration_us: took.as_micros().try_into().ok(),
            fault: injection.map(|injection| injection.fault),
        };

        if let Err(cause) = state.control.journal().record(&record) {
            log::error!(cause:display; "Could not record a request in the journal");
        }
        response
    }

    /// Whether any fault may hit the request. The account of a login is in its body.
    pub(super) fn may_be_hit(&self, state: &AppState) -> bool {
        self.target.is_login || state.control.faults().concern(&self.target.account)
    }

    /// The type of the integration in the path.
    pub(super) fn integration_type_in_path(&self) -> Option<&str> {
        self.target.integration_type.as_deref()
    }

    /// The entry of a request without its response.
    pub(super) fn describe(
        &self,
        request: &HttpRequest,
        id: &str,
        state: &AppState,
    ) -> RecordedRequest {
        let body = request.extensions();
        let body = body.get::<ReadBody>().and_then(|read| {
            body_of(
                &read.beginning,
                read.length,
                request.headers(),
                &self.target.secrets,
            )
        });
        let sid = if self.target.is_login {
            login_account(state, body.as_ref())
        } else {
            self.target.account.clone()
        };
        RecordedRequest {
            id: id.to_owned(),
            at: self.at,
            sid,
            kind: self.target.kind,
            integration_type: self.integration_type(body.as_ref()),
            method: request.method().as_str().to_owned(),
            path: self.uri.path().to_owned(),
            query: record_query(self.uri.query().unwrap_or_default()),
            headers: record_headers(texts(request.headers())),
            body,
            outcome: RecordedOutcome::default(),
        }
    }

    /// The type of the integration in the path, or of that which the body creates.
    fn integration_type(&self, body: Option<&RecordedBody>) -> Option<String> {
        let of_body = || {
            body?
                .json
                .as_ref()?
                .get("type")?
                .as_str()
                .map(str::to_owned)
        };
        match self.target.kind {
            RequestKind::Api => self.target.integration_type.clone().or_else(of_body),
            RequestKind::Event | RequestKind::Webhook => self.target.integration_type.clone(),
        }
    }
}

/// A login has no credential. Its account is that of the user name.
fn login_account(state: &AppState, body: Option<&RecordedBody>) -> Option<AccountId> {
    let username = body?.json.as_ref()?.get("username")?.as_str()?;
    state.live.load().authenticator.login_account(username)
}

/// The body of a response beside the response, unless it is streamed.
fn split_body(response: ServiceResponse) -> (ServiceResponse, Option<Bytes>) {
    let mut kept = None;
    let response = response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => {
            kept = Some(bytes.clone());
            BoxBody::new(bytes)
        }
        Err(body) => body,
    });
    (response, kept)
}

fn body_of(
    bytes: &[u8],
    length: usize,
    headers: &HeaderMap,
    secrets: &Secrets,
) -> Option<RecordedBody> {
    let end = bytes.len().min(MAX_RECORDED_BODY_BYTES);
    let is_form = headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    RecordedBody::new(bytes.get(..end).unwrap_or(bytes), length, is_form, secrets)
}

fn texts(headers: &HeaderMap) -> impl Iterator<Item = (&str, String)> {
    headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str(), value)
    })
}
