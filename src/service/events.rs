//! What third parties report: understood, brought into order with what came before, and kept, all
//! in one commit.

mod outcome;
mod refused;

pub use refused::Refused;

use super::{
    blocking::{self, BlockingPool},
    error::ServiceError,
    metrics::EventMetrics,
    objects,
    throttle::Throttle,
    webhooks::DispatchSignal,
};
use crate::{
    adapters::{self, InboundRequest, RequestParts, ResponseBody},
    clock::Clock,
    domain::{
        event::ParsedEvent,
        ids::{AccountId, IntegrationId},
        integration::Integration,
        log::LoggedRequest,
        quota::Quota,
        rejection::Rejection,
    },
    ids::Ids,
    store::{INTEGRATIONS, Store, Stored},
};
use std::sync::Arc;

/// A request of a third party.
#[derive(Clone, Debug)]
pub struct IncomingRequest {
    /// What was sent.
    pub parts: RequestParts,
    /// The path that it was sent to.
    pub path: String,
    /// Where it came from.
    pub remote: Option<String>,
}

/// What the third party is answered: a status, and nearly always nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventAck {
    /// Taken, whatever became of it. (200)
    Accepted,
    /// The integration takes no events now. (405)
    Disabled,
    /// A token or signature is wrong. (403)
    Blocked,
}

impl EventAck {
    fn of_disabled(integration: &Integration) -> Self {
        if repeats_for_ever(integration) {
            Self::Accepted
        } else {
            Self::Disabled
        }
    }

    /// The HTTP status. Source: api.md section 7.
    pub fn status(self) -> u16 {
        match self {
            Self::Accepted => 200,
            Self::Blocked => 403,
            Self::Disabled => 405,
        }
    }
}

/// What came of an event.
#[derive(Clone, Debug)]
pub struct EventReply {
    /// The status of the answer.
    pub receipt: EventAck,
    /// Its body, for the few third parties that read one.
    pub answer: Option<ResponseBody>,
    /// What is left of the limit of events, if there is one.
    pub quota: Option<Quota>,
}

/// The desk for events.
#[derive(Clone, Debug)]
pub struct Events {
    store: Store,
    clock: Clock,
    ids: Ids,
    dispatch_signal: DispatchSignal,
    event_metrics: EventMetrics,
    confirms: bool,
    blocking: BlockingPool,
    /// Bounds the logs of events that are refused.
    refusals: Arc<Throttle>,
}

/// An integration, and what it made of a request.
struct ParsedRequest {
    record: Stored,
    integration: Integration,
    parsed: Option<ParsedEvent>,
    answer: Option<ResponseBody>,
    /// The request as its log shows it, without secrets of the integration.
    shown: LoggedRequest,
}

/// A request as adapters see it, and where it came from.
struct IncomingEvent {
    request: InboundRequest,
    path: String,
    remote: Option<String>,
    /// Whether there were more events than there may be, so that nothing comes of it.
    is_too_much: bool,
}

/// What came of trying to keep an event.
enum KeepOutcome {
    /// With what it was taken for.
    Done(EventAck, &'static str),
    /// The integration, which is another now, has to say anew what it makes of the event.
    Changed(Stored),
}

impl Events {
    /// A desk that works on `store` and rings `dispatch_signal` when there may be something to send. Whether
    /// it `confirms` is whether the subscriptions that third parties want confirmed are.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        dispatch_signal: DispatchSignal,
        event_metrics: EventMetrics,
        confirms: bool,
    ) -> Self {
        let refusals = Arc::new(Throttle::per_minute(
            1,
            "refusals",
            "logs of refused events",
        ));

        Self {
            store,
            clock,
            ids,
            dispatch_signal,
            event_metrics,
            confirms,
            blocking: BlockingPool::new(),
            refusals,
        }
    }

    /// The integration of type `email` that is called so.
    ///
    /// # Errors
    /// There is none; the store failed.
    pub fn mailbox(&self, name: &str) -> Result<IntegrationId, ServiceError> {
        let id = IntegrationId::parse(name).map_err(|_| not_found())?;
        let found = self
            .store
            .record(INTEGRATIONS, id.as_str())?
            .ok_or_else(not_found)?;

        match objects::decode::<Integration>(&found)?
            .integration_type
            .as_str()
        {
            "email" => Ok(id),
            _ => Err(not_found().into()),
        }
    }

    /// Whether there is such an integration.
    ///
    /// # Errors
    /// There is none; the store failed.
    pub fn find(&self, id: &IntegrationId) -> Result<(), ServiceError> {
        self.store
            .record(INTEGRATIONS, id.as_str())?
            .ok_or_else(not_found)?;
        Ok(())
    }

    /// What an event would be answered, without one.
    ///
    /// # Errors
    /// No such integration; the store failed.
    pub fn look(&self, id: &IntegrationId) -> Result<EventAck, ServiceError> {
        let found = self
            .store
            .record(INTEGRATIONS, id.as_str())?
            .ok_or_else(not_found)?;
        let integration: Integration = objects::decode(&found)?;
        Ok(if integration.enabled {
            EventAck::Accepted
        } else {
            EventAck::of_disabled(&integration)
        })
    }

    /// Takes an event, if `throttle` allows one more of this integration. What became of it stands
    /// in the log that it left.
    ///
    /// # Errors
    /// No such integration; too many events; the store failed.
    pub async fn take(
        &self,
        id: IntegrationId,
        arrival: IncomingRequest,
        throttle: &Throttle,
    ) -> Result<EventReply, ServiceError> {
        let found = self
            .store
            .record(INTEGRATIONS, id.as_str())?
            .ok_or_else(not_found)?;
        let integration: Integration = objects::decode(&found)?;
        let (is_too_much, quota) = match throttle.check(id.as_str()) {
            // Whatever is refused is sent for ever by these.
            Err(Rejection::TooMany { quota, .. }) if repeats_for_ever(&integration) => {
                (true, Some(quota))
            }
            Err(rejection) => {
                self.log_refused(
                    &id,
                    Refused {
                        arrival,
                        status: TOO_MANY_REQUESTS,
                        reason: TOO_MANY.to_owned(),
                    },
                )
                .await;
                return Err(rejection.into());
            }
            Ok(quota) => (false, quota),
        };

        let IncomingRequest {
            parts,
            path,
            remote,
        } = arrival;
        let takes_long = adapters::is_costly(&parts, &integration.options);
        let account = integration.sid.clone();
        let read = move || {
            let (request, further) =
                InboundRequest::split(parts, integration.integration_type.as_str());
            let arrived = IncomingEvent {
                request,
                path,
                remote,
                is_too_much,
            };
            let understood = understand(found, integration, &arrived);
            (Arc::new(arrived), understood, further)
        };

        let (arrived, understood, further) = self.blocking.read(&account, takes_long, read).await?;
        let (receipt, answer) = self
            .settle(&id, &account, Arc::clone(&arrived), understood)
            .await?;

        for request in further {
            let is_too_much = throttle.check(id.as_str()).is_err();
            let (path, remote) = (arrived.path.clone(), arrived.remote.clone());
            let event = Arc::new(IncomingEvent {
                request,
                path,
                remote,
                is_too_much,
            });

            let record = self
                .store
                .record(INTEGRATIONS, id.as_str())?
                .ok_or_else(not_found)?;
            let understood = self
                .understand(&account, record, Arc::clone(&event))
                .await?;

            self.settle(&id, &account, event, understood).await?;
        }

        if takes_long {
            blocking::discard(arrived);
        }

        Ok(EventReply {
            receipt,
            answer,
            quota,
        })
    }

    /// Keeps what came of an event, and has it understood again as often as the integration has
    /// changed meanwhile: never on the writer's thread, which all others wait for.
    async fn settle(
        &self,
        id: &IntegrationId,
        account: &AccountId,
        arrived: Arc<IncomingEvent>,
        mut understood: ParsedRequest,
    ) -> Result<(EventAck, Option<ResponseBody>), ServiceError> {
        loop {
            let answer = understood.answer.take();
            match self.keep(id, understood).await? {
                KeepOutcome::Done(receipt, action) => {
                    self.event_metrics.count_event(action);
                    return Ok((receipt, answer));
                }
                KeepOutcome::Changed(record) => {
                    understood = self
                        .understand(account, record, Arc::clone(&arrived))
                        .await?;
                }
            }
        }
    }

    async fn understand(
        &self,
        account: &AccountId,
        record: Stored,
        arrived: Arc<IncomingEvent>,
    ) -> Result<ParsedRequest, ServiceError> {
        let integration: Integration = objects::decode(&record)?;
        let takes_long = adapters::is_costly(arrived.request.parts(), &integration.options);
        let read = move || understand(record, integration, &arrived);
        Ok(self.blocking.read(account, takes_long, read).await?)
    }

    /// Keeps what came of an event, unless the integration is another now than the one that
    /// understood it.
    async fn keep(
        &self,
        id: &IntegrationId,
        understood: ParsedRequest,
    ) -> Result<KeepOutcome, ServiceError> {
        let (clock, ids, confirms, id) = (
            self.clock.clone(),
            self.ids.clone(),
            self.confirms,
            id.clone(),
        );
        let kept = self.store.write(move |transaction| {
            let current = transaction
                .record(INTEGRATIONS, id.as_str())?
                .ok_or_else(not_found)?;
            if current != understood.record {
                return Ok(KeepOutcome::Changed(current));
            }
            let (receipt, action) =
                outcome::keep(transaction, &ids, clock.now(), understood, confirms)?;
            Ok(KeepOutcome::Done(receipt, action))
        });

        let kept = kept.await;
        self.dispatch_signal.notify();
        kept
    }
}

fn not_found() -> Rejection {
    Rejection::NotFound("Integration")
}

fn understand(record: Stored, integration: Integration, arrived: &IncomingEvent) -> ParsedRequest {
    let (kind, options, request) = (
        integration.integration_type.as_str(),
        &integration.options,
        &arrived.request,
    );
    let read = || {
        if arrived.is_too_much {
            too_much()
        } else {
            adapters::parse(kind, request, options)
        }
    };

    let parsed = integration.enabled.then(read);
    // What this type of third party wants to read.
    let answer = parsed
        .as_ref()
        .and_then(|parsed| adapters::response_body(kind, request, parsed));

    let shown = outcome::shown(&integration, arrived);
    ParsedRequest {
        record,
        integration,
        parsed,
        answer,
        shown,
    }
}

const TOO_MANY: &str = "there were more events than limits.events_per_minute allows";
/// As HTTP says it.
const TOO_MANY_REQUESTS: u16 = 429;

fn too_much() -> ParsedEvent {
    ParsedEvent::Ignored {
        reason: TOO_MANY.to_owned(),
        thirdparty_id: None,
        confirm: None,
    }
}

fn repeats_for_ever(integration: &Integration) -> bool {
    adapters::retries_until_ok(integration.integration_type.as_str())
}
