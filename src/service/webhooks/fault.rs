//! Faults that a test injects into outgoing webhooks.

use super::worker::OutboxWorker;
use crate::{
    domain::{
        fault::{CloseFault, FaultOutcome, StatusFault},
        list::RawObject,
        log::LogBody,
        masking::Secrets,
        recorded_request::{
            RecordedBody, RecordedOutcome, RecordedRequest, RequestKind, record_headers,
            record_query,
        },
        webhook::{self, OutboxMessage},
    },
    http_client::{OutboundRequest, OutboundResponse, SendError},
    service::control::FiredFault,
};
use serde_json::Value;
use std::time::Duration;

impl OutboxWorker {
    /// The fault that hits the request of a webhook.
    pub(super) fn injected_fault(
        &self,
        message: &OutboxMessage,
        request: &OutboundRequest,
    ) -> Option<WebhookFault> {
        let account = Some(message.sid.clone());
        let faults = self.faults.as_ref()?;
        if !faults.concern(&account) {
            return None;
        }

        let now = self.clock.now_in(&message.sid);
        let (path, query) = request.url.split_once('?').unwrap_or((&request.url, ""));
        let body = &request.body;
        let record = RecordedRequest {
            id: message.message_id.clone(),
            at: now,
            sid: account.clone(),
            kind: RequestKind::Webhook,
            integration_type: Some(webhook::TYPE.to_owned()),
            method: request.method.name().to_owned(),
            path: path.to_owned(),
            query: record_query(query),
            headers: record_headers(request.headers.iter().map(|(name, value)| (name, value))),
            body: RecordedBody::new(body, body.len(), false, &Secrets::None),
            outcome: RecordedOutcome::default(),
        };

        let record = serde_json::to_vec(&record).ok()?;
        let record = RawObject::parse(&record).ok()?;
        let fault = faults.decide(&account, &record, true, now)?;
        Some(WebhookFault(fault))
    }
}

/// A fault that hits a webhook.
#[derive(Clone, Debug)]
pub(super) struct WebhookFault(FiredFault);

impl WebhookFault {
    /// How long to wait before the request.
    pub(super) fn delay_before(&self) -> Duration {
        match self.0.outcome {
            Some(FaultOutcome::SlowStore) => Duration::ZERO,
            _ => Duration::from_millis(self.0.delay_millis),
        }
    }

    /// How long to wait after it.
    pub(super) fn delay_after(&self) -> Duration {
        match self.0.outcome {
            Some(FaultOutcome::SlowStore) => Duration::from_millis(self.0.delay_millis),
            _ => Duration::ZERO,
        }
    }

    /// The outcome of an attempt whose request is not sent.
    pub(super) fn outcome_instead(&self) -> Option<Result<OutboundResponse, SendError>> {
        match self.0.outcome.as_ref()? {
            FaultOutcome::Status(status) => Some(Ok(response(status))),
            FaultOutcome::Limit { .. } => Some(Ok(plain_response(429))),
            FaultOutcome::BusyStore => Some(Ok(plain_response(503))),
            FaultOutcome::Close(CloseFault::Before) => Some(Err(closed())),
            FaultOutcome::Close(CloseFault::AfterCommit | CloseFault::MidBody)
            | FaultOutcome::SlowStore => None,
        }
    }

    /// The outcome of an attempt whose request was sent.
    pub(super) fn outcome_after(
        &self,
        outcome: Result<OutboundResponse, SendError>,
    ) -> Result<OutboundResponse, SendError> {
        match self.0.outcome {
            Some(FaultOutcome::Close(_)) => Err(closed()),
            Some(
                FaultOutcome::Status(_)
                | FaultOutcome::Limit { .. }
                | FaultOutcome::BusyStore
                | FaultOutcome::SlowStore,
            )
            | None => outcome,
        }
    }
}

fn closed() -> SendError {
    SendError::Transient("the connection was closed (injected fault)".to_owned())
}

fn plain_response(status: u16) -> OutboundResponse {
    response(&StatusFault {
        status,
        body: None,
        retry_after: None,
    })
}

fn response(fault: &StatusFault) -> OutboundResponse {
    let body = match &fault.body {
        None => LogBody::default(),
        Some(Value::String(text)) => LogBody::of(text.as_bytes()),
        Some(json) => LogBody::of(json.to_string().as_bytes()),
    };
    let retry_after = fault
        .retry_after
        .map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
    OutboundResponse {
        status: fault.status,
        headers: retry_after.into_iter().collect(),
        body_bytes: body.bytes,
        body: body.text.into_bytes(),
    }
}
