//! The log of an attempt: what was sent and answered, or why it was not.

use super::{
    super::objects::{self, encode},
    sending::Attempt,
};
use crate::{
    domain::{
        ids::LogId,
        log::{Log, LogBody, LogDirection, LoggedRequest, Response, masked, masked_query},
        timestamp::Timestamp,
        webhook::OutboxMessage,
    },
    ids::Ids,
    store::{LOGS, StoreError, Transaction},
};
use serde_json::Map;

pub(super) fn write_log(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    delivery: &OutboxMessage,
    attempt: &Attempt,
    outcome: String,
) -> Result<(), StoreError> {
    let (request, answer) = match attempt {
        Attempt::Abandoned(_) => (LoggedRequest::default(), None),
        Attempt::Made(parcel, outcome) => {
            let (path, query) = shown(&parcel.url);
            let request = LoggedRequest {
                method: parcel.method.name().to_owned(),
                path,
                query,
                remote: None,
                headers: masked(parcel.headers.iter().map(|(name, value)| (name, value))),
                body: LogBody::of(&parcel.body),
            };
            (request, outcome.as_ref().ok())
        }
    };

    let id = objects::unused(transaction, LOGS, || ids.log(), LogId::as_str)?;
    let tiny_id = transaction.next_tiny_id(LOGS, &delivery.sid)?;
    let log = Log {
        sid: delivery.sid.clone(),
        id,
        created_at: now,
        updated_at: now,
        meta: Map::new(),
        tiny_id,
        direction: LogDirection::Outgoing,
        source_id: delivery.integration_id.clone(),
        alert_id: delivery.alert_id.clone(),
        thirdparty_id: delivery.thirdparty_id.clone(),
        action: delivery.event.clone(),
        outcome,
        status: answer.map(|answer| answer.status),
        event: Map::new(),
        request,
        response: answer.map(|answer| Response {
            headers: masked(answer.headers.iter().map(|(name, value)| (name, value))),
            body: LogBody {
                bytes: answer.body_bytes,
                ..LogBody::of(&answer.body)
            },
        }),
    };

    transaction.insert(LOGS, &delivery.sid, tiny_id, log.id.as_str(), encode(&log)?)
}

/// A URL and its query as they are kept: without what stands before an `@`, and with the values of
/// credentials masked.
fn shown(url: &str) -> (String, String) {
    let (place, query) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = place.split_once("://").unwrap_or(("", place));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let place = match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => place.to_owned(),
    };
    (place, masked_query(query))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_urls_are_masked() {
        for (url, place, query) in [
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
            assert_eq!(shown(url), (place.to_owned(), query.to_owned()), "{url}");
        }
    }
}
