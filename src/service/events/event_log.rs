//! The log that each event leaves.

use super::IncomingEvent;
use crate::{
    adapters::InboundRequest,
    domain::{
        ids::{AccountId, AlertId, LogId},
        integration::Integration,
        log::{self, Log, LogBody, LogDirection, LogType, LoggedRequest},
        masking::{Secrets, mask_headers, mask_query},
        timestamp::Timestamp,
    },
    ids::{IdBasis, Ids},
    service::objects::{self, encode},
    store::{LOGS, StoreError, Transaction},
};
use serde_json::{Map, Value};

/// What became of an event, as its log states it.
pub(super) struct Outcome {
    pub(super) action: &'static str,
    pub(super) thirdparty_id: Option<String>,
    pub(super) alert_id: Option<AlertId>,
    pub(super) text: String,
    pub(super) event: Map<String, Value>,
}

impl Outcome {
    pub(super) fn without_event(action: &'static str, text: impl Into<String>) -> Self {
        Self {
            action,
            thirdparty_id: None,
            alert_id: None,
            text: text.into(),
            event: Map::new(),
        }
    }
}

/// What the log of an event shows.
pub(super) struct EventLog {
    pub(super) id: LogId,
    /// The status of the response.
    pub(super) status: u16,
    pub(super) outcome: Outcome,
    pub(super) request: LoggedRequest,
}

/// An id for the next log of an account.
pub(super) fn unused_id(
    transaction: &Transaction<'_>,
    ids: &Ids,
    account: &AccountId,
) -> Result<LogId, StoreError> {
    let tiny_id = transaction.next_tiny_id(LOGS, account)?;
    let basis = IdBasis::new(account, tiny_id);
    objects::unused(
        transaction,
        LOGS,
        basis,
        |basis| ids.log(basis),
        LogId::as_str,
    )
}

pub(super) fn write(
    transaction: &mut Transaction<'_>,
    now: Timestamp,
    integration: &Integration,
    entry: EventLog,
) -> Result<(), StoreError> {
    let EventLog {
        id,
        status,
        outcome,
        request,
    } = entry;
    let tiny_id = transaction.next_tiny_id(LOGS, &integration.sid)?;
    let log = Log {
        sid: integration.sid.clone(),
        id,
        created_at: now,
        updated_at: now,
        meta: Map::new(),
        tiny_id,
        content: outcome.text.clone(),
        log_type: LogType::Log,
        direction: Some(LogDirection::Incoming),
        owner_id: log::owner_of(outcome.alert_id.as_ref(), &integration.id),
        source_id: integration.id.clone().into(),
        level: log::level_of(Some(status)),
        alert_id: outcome.alert_id,
        thirdparty_id: outcome.thirdparty_id,
        action: outcome.action.to_owned(),
        outcome: outcome.text,
        status: Some(status),
        event: outcome.event,
        request,
        response: None,
    };

    transaction.insert(
        LOGS,
        &integration.sid,
        tiny_id,
        log.id.as_str(),
        encode(&log)?,
    )
}

/// The request of an event as its log shows it. Made before the writer's command, because its cost
/// grows with the options and the text.
pub(super) fn logged_event(integration: &Integration, event: &IncomingEvent) -> LoggedRequest {
    logged_request(integration, &event.request, event.path.clone())
}

/// A request as its log shows it, with credentials and the secrets of the integration masked.
pub(super) fn logged_request(
    integration: &Integration,
    request: &InboundRequest,
    path: String,
) -> LoggedRequest {
    let parts = request.parts();
    let secrets = Secrets::of(&integration.options);
    LoggedRequest {
        method: parts.method.clone(),
        path,
        query: secrets.mask(&mask_query(&parts.query)),
        remote: parts.remote_ip.clone(),
        headers: mask_headers(parts.headers.iter().map(|(name, value)| (name, value))),
        body: logged_body(request, &secrets),
    }
}

fn logged_body(request: &InboundRequest, secrets: &Secrets) -> LogBody {
    let parts = request.parts();
    let mut body = LogBody::decoded(&request.text(), &parts.body);
    let content_type = parts.header("content-type").unwrap_or_default();

    if content_type
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("application/x-www-form-urlencoded")
    {
        body.text = mask_query(&body.text);
    }

    body.text = secrets.mask(&body.text);
    body
}
