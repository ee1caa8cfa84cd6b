//! The log of a delivery attempt: the request and its response, or why it was not sent.

use super::attempt::DeliveryAttempt;
use crate::{
    domain::{
        ids::LogId,
        log::{self, Log, LogBody, LogDirection, LogType, LoggedRequest, Response},
        masking::{mask_headers, mask_query},
        timestamp::Timestamp,
        webhook::OutboxMessage,
    },
    ids::{IdBasis, Ids},
    service::objects::{self, encode},
    store::{LOGS, StoreError, Transaction},
};
use serde_json::Map;

pub(super) fn write_log(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    message: &OutboxMessage,
    attempt: &DeliveryAttempt,
    outcome: String,
) -> Result<(), StoreError> {
    let (request, response) = match attempt {
        DeliveryAttempt::Dropped(_) => (LoggedRequest::default(), None),
        DeliveryAttempt::Sent(request, outcome) => {
            let (path, query) = mask_url(&request.url);
            let request = LoggedRequest {
                method: request.method.name().to_owned(),
                path,
                query,
                remote: None,
                headers: mask_headers(request.headers.iter().map(|(name, value)| (name, value))),
                body: LogBody::of(&request.body),
            };
            (request, outcome.as_ref().ok())
        }
    };

    let status = response.map(|response| response.status);
    let tiny_id = transaction.next_tiny_id(LOGS, &message.sid)?;
    let basis = IdBasis::new(&message.sid, tiny_id);
    let id = objects::unused(
        transaction,
        LOGS,
        basis,
        |basis| ids.log(basis),
        LogId::as_str,
    )?;
    let log = Log {
        sid: message.sid.clone(),
        id,
        created_at: now,
        updated_at: now,
        meta: Map::new(),
        tiny_id,
        content: outcome.clone(),
        log_type: LogType::Log,
        direction: Some(LogDirection::Outgoing),
        owner_id: log::owner_of(message.alert_id.as_ref(), &message.integration_id),
        source_id: message.integration_id.clone().into(),
        level: log::level_of(status),
        alert_id: message.alert_id.clone(),
        thirdparty_id: message.thirdparty_id.clone(),
        action: message.event.clone(),
        outcome,
        status,
        event: Map::new(),
        request,
        response: response.map(|response| Response {
            headers: mask_headers(response.headers.iter().map(|(name, value)| (name, value))),
            body: LogBody {
                bytes: response.body_bytes,
                ..LogBody::of(&response.body)
            },
        }),
    };

    transaction.insert(LOGS, &message.sid, tiny_id, log.id.as_str(), encode(&log)?)
}

/// Splits a URL into location and query, and masks user info and the values of credentials.
fn mask_url(url: &str) -> (String, String) {
    let (location, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = location.split_once("://").unwrap_or(("", location));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let location = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => location.to_owned(),
    };
    (location, mask_query(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_urls_are_masked() {
        for (url, location, query) in [
            ("http://x/hook", "http://x/hook", ""),
            (
                "https://me:p@ss@x:8080/a@b?c=d",
                "https://***@x:8080/a@b",
                "c=d",
            ),
            (
                "http://x?Token=1&b&api-key=2=3&at=me@x",
                "http://x",
                "Token=***&b&api-key=***&at=me@x",
            ),
            ("no url", "no url", ""),
        ] {
            assert_eq!(
                mask_url(url),
                (location.to_owned(), query.to_owned()),
                "{url}"
            );
        }
    }
}
