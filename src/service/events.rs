//! Events of third parties: parses a request, applies its event to the alerts of the integration,
//! and logs it, all in one commit.

mod dry_run;
mod event_log;
mod mailbox;
mod outcome;
mod refused;
mod reply;

pub use dry_run::{DryRun, DryRunReport};
pub use mailbox::Mailbox;
pub use refused::RefusedRequest;
pub use reply::{EventAck, EventReply, EventStatuses};

use super::{
    blocking::{self, BlockingPool},
    dispatch_signal::DispatchSignal,
    error::ServiceError,
    metrics::EventMetrics,
    objects,
    throttle::Throttle,
};
use crate::{
    adapters::{self, InboundRequest, RequestParts, ResponseBody},
    clock::Clock,
    domain::{
        event::ParsedEvent,
        ids::{AccountId, IntegrationId},
        integration::Integration,
        interpretation::Interpretation,
        log::LoggedRequest,
        rejection::Rejection,
    },
    ids::Ids,
    store::{INTEGRATIONS, Store, Stored},
};
use reply::retries_forever;
use std::sync::Arc;

/// A request of a third party. It may hold several events.
#[derive(Clone, Debug)]
pub struct IncomingRequest {
    /// Headers, query and body.
    pub parts: RequestParts,
    /// The path of the request.
    pub path: String,
}

/// What an integration needs of a request.
#[derive(Clone, Debug)]
pub struct Reception {
    /// The account of the integration.
    pub account: AccountId,
    /// Whether it receives mail messages.
    pub receives_mail: bool,
    /// Whether its options may show the URL of a request.
    pub reads_url: bool,
}

/// The service for events. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Events {
    store: Store,
    clock: Clock,
    ids: Ids,
    dispatch_signal: DispatchSignal,
    metrics: EventMetrics,
    statuses: EventStatuses,
    confirms_subscriptions: bool,
    pool: BlockingPool,
    /// Limits the logs of refused requests.
    refusal_logs: Arc<Throttle>,
}

/// An event as adapters see it, and where it came from.
struct IncomingEvent {
    request: InboundRequest,
    path: String,
    /// Whether the rate limit was exceeded. The event is then logged but has no effect.
    is_throttled: bool,
}

/// An event as its integration has parsed it.
#[derive(Clone)]
struct ParsedRequest {
    /// The integration as stored when the event was parsed.
    record: Stored,
    integration: Integration,
    parsed: Option<ParsedEvent>,
    body: Option<ResponseBody>,
    /// The request as the log shows it, without the secrets of the integration.
    logged: LoggedRequest,
}

/// The result of trying to keep an event.
enum KeepOutcome {
    Kept {
        ack: EventAck,
        /// The action in the log.
        action: &'static str,
    },
    /// The integration has changed since the event was parsed, and is now this.
    IntegrationChanged(Stored),
}

impl Events {
    /// A service over `store`.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        dispatch_signal: DispatchSignal,
        metrics: EventMetrics,
        statuses: EventStatuses,
        confirms_subscriptions: bool,
    ) -> Self {
        let refusal_logs =
            Throttle::per_minute(clock.clone(), 1, "refusals", "logs of refused events");
        Self {
            store,
            clock,
            ids,
            dispatch_signal,
            metrics,
            statuses,
            confirms_subscriptions,
            pool: BlockingPool::new(),
            refusal_logs: Arc::new(refusal_logs),
        }
    }

    /// What an integration needs of its requests.
    ///
    /// # Errors
    /// There is no such integration; the store failed.
    pub fn reception(&self, id: &IntegrationId) -> Result<Reception, ServiceError> {
        let integration: Integration = objects::decode(&self.record(id)?)?;
        Ok(Reception {
            receives_mail: integration.integration_type.as_str() == MAIL_TYPE,
            reads_url: adapters::may_show_url(&integration.options),
            account: integration.sid,
        })
    }

    /// The acknowledgement that an event would get now.
    ///
    /// # Errors
    /// There is no such integration; the store failed.
    pub fn preview(&self, id: &IntegrationId) -> Result<EventAck, ServiceError> {
        let integration: Integration = objects::decode(&self.record(id)?)?;
        Ok(if integration.enabled {
            EventAck::Accepted
        } else {
            EventAck::for_disabled(&integration)
        })
    }

    fn record(&self, id: &IntegrationId) -> Result<Stored, ServiceError> {
        let found = self.store.record(INTEGRATIONS, id.as_str())?;
        Ok(found.ok_or_else(not_found)?)
    }

    /// Processes a request within the limit of `throttle`. Each of its events leaves a log.
    ///
    /// # Errors
    /// There is no such integration; too many events; the store failed.
    pub async fn receive(
        &self,
        id: IntegrationId,
        incoming: IncomingRequest,
        throttle: &Throttle,
    ) -> Result<EventReply, ServiceError> {
        let record = self.record(&id)?;
        let integration: Integration = objects::decode(&record)?;
        let (is_throttled, quota) = match throttle.check(id.as_str(), Some(&integration.sid)) {
            Err(Rejection::TooMany { quota, .. }) if retries_forever(&integration) => {
                (true, Some(quota))
            }
            Err(rejection) => {
                let refused = RefusedRequest {
                    incoming,
                    status: self.statuses.throttled,
                    reason: THROTTLED.to_owned(),
                };
                self.log_refused(&id, refused).await;
                return Err(rejection.into());
            }
            Ok(quota) => (false, quota),
        };

        let IncomingRequest { mut parts, path } = incoming;
        parts.received_at = Some(self.clock.now_in(&integration.sid));
        let is_costly = adapters::is_costly(&parts, &integration.options);
        let account = integration.sid.clone();
        let parse_first = move || {
            let kind = integration.integration_type.as_str();
            let (request, further) = adapters::split_request(parts, kind);
            let event = IncomingEvent {
                request,
                path,
                is_throttled,
            };
            let parsed = parse(record, integration, &event);
            (Arc::new(event), parsed, further)
        };

        let (first, parsed, further) = self.pool.run(&account, is_costly, parse_first).await?;
        let (ack, body) = self.keep(&id, &account, Arc::clone(&first), parsed).await?;

        for request in further {
            let event = Arc::new(IncomingEvent {
                request,
                path: first.path.clone(),
                is_throttled: throttle.check(id.as_str(), Some(&account)).is_err(),
            });

            let record = self.record(&id)?;
            let parsed = self.parse(&account, record, Arc::clone(&event)).await?;
            self.keep(&id, &account, event, parsed).await?;
        }

        if is_costly {
            blocking::drop_in_background(first);
        }

        Ok(EventReply { ack, body, quota })
    }

    /// Keeps an event. Parses it again whenever the integration has changed in between, and never
    /// on the writer's thread, which all other writes wait for.
    async fn keep(
        &self,
        id: &IntegrationId,
        account: &AccountId,
        event: Arc<IncomingEvent>,
        mut parsed: ParsedRequest,
    ) -> Result<(EventAck, Option<ResponseBody>), ServiceError> {
        loop {
            let body = parsed.body.take();
            match self.try_keep(id, parsed).await? {
                KeepOutcome::Kept { ack, action } => {
                    self.metrics.count_event(action);
                    return Ok((ack, body));
                }
                KeepOutcome::IntegrationChanged(record) => {
                    parsed = self.parse(account, record, Arc::clone(&event)).await?;
                }
            }
        }
    }

    async fn parse(
        &self,
        account: &AccountId,
        record: Stored,
        event: Arc<IncomingEvent>,
    ) -> Result<ParsedRequest, ServiceError> {
        let integration: Integration = objects::decode(&record)?;
        let is_costly = adapters::is_costly(event.request.parts(), &integration.options);
        let parse = move || parse(record, integration, &event);
        Ok(self.pool.run(account, is_costly, parse).await?)
    }

    /// Keeps an event, unless the integration has changed since it was parsed.
    async fn try_keep(
        &self,
        id: &IntegrationId,
        parsed: ParsedRequest,
    ) -> Result<KeepOutcome, ServiceError> {
        let (id, service) = (id.clone(), self.clone());
        let kept = self.store.write(move |transaction| {
            let current = transaction
                .record(INTEGRATIONS, id.as_str())?
                .ok_or_else(not_found)?;
            if current != parsed.record {
                return Ok(KeepOutcome::IntegrationChanged(current));
            }

            let (ack, action) = service.apply(transaction, parsed)?;
            Ok(KeepOutcome::Kept { ack, action })
        });

        let kept = kept.await;
        self.dispatch_signal.notify();
        kept
    }
}

/// The type of integrations that receive mail.
pub(crate) const MAIL_TYPE: &str = "email";

fn not_found() -> Rejection {
    Rejection::NotFound("Integration")
}

fn parse(record: Stored, integration: Integration, event: &IncomingEvent) -> ParsedRequest {
    let kind = integration.integration_type.as_str();
    let request = &event.request;
    let parsed = integration.enabled.then(|| {
        if event.is_throttled {
            ParsedEvent::Ignored {
                reason: THROTTLED.to_owned(),
                thirdparty_id: None,
                confirm: None,
                interpretation: Interpretation::default(),
            }
        } else {
            adapters::parse_event(&integration, request)
        }
    });

    let body = parsed
        .as_ref()
        .and_then(|parsed| adapters::response_body(kind, request, parsed));
    let logged = event_log::logged_event(&integration, event);

    ParsedRequest {
        record,
        integration,
        parsed,
        body,
        logged,
    }
}

const THROTTLED: &str = "the rate limit of limits.events_per_minute was exceeded";
