//! The log of an attempt: what was sent and answered, or why it was not.

use super::{
    super::objects::{self, encode},
    sending::Attempt,
};
use crate::{
    domain::{
        ids::LogId,
        log::{Body, Direction, Log, Request, Response, masked},
        timestamp::Timestamp,
        webhook::Delivery,
    },
    ids::Ids,
    store::{LOGS, StoreError, Transaction},
};
use serde_json::Map;

pub(super) fn write_log(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    delivery: &Delivery,
    attempt: &Attempt,
    outcome: String,
) -> Result<(), StoreError> {
    let (request, answer) = match attempt {
        Attempt::Abandoned(_) => (Request::default(), None),
        Attempt::Made(parcel, outcome) => {
            let request = Request {
                method: parcel.method.name().to_owned(),
                path: parcel.url.clone(),
                query: String::new(),
                remote: None,
                headers: masked(parcel.headers.iter().map(|(name, value)| (name, value))),
                body: Body::of(&parcel.body),
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
        direction: Direction::Outgoing,
        source_id: delivery.integration_id.clone(),
        alert_id: delivery.alert_id.clone(),
        thirdparty_id: None,
        action: delivery.event.clone(),
        outcome,
        status: answer.map(|answer| answer.status),
        event: Map::new(),
        request,
        response: answer.map(|answer| Response {
            headers: masked(answer.headers.iter().map(|(name, value)| (name, value))),
            body: Body::of(&answer.body),
        }),
    };
    transaction.insert(LOGS, &delivery.sid, tiny_id, log.id.as_str(), encode(&log)?)
}
