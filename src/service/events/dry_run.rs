//! Dry runs: what a request would do, without keeping anything.
//!
//! A dry run applies the request in a command of the store's writer, as an event would be, and then
//! fails the command. So it cannot differ from the real thing, and leaves nothing.

use super::{EventAck, Events, event_log, not_found};
use crate::{
    adapters::{self, RequestParts},
    domain::{
        alert::Alert,
        caller::Caller,
        event::ParsedEvent,
        ids::{IntegrationId, LogId},
        integration::Integration,
        interpretation::{FieldError, Interpretation},
        log::{Log, LogDirection},
        rejection::Rejection,
    },
    service::{error::ServiceError, objects},
    store::{ALERTS, INTEGRATIONS, LOGS, StoreError, Stored, Transaction},
};
use serde::Serialize;
use serde_json::{Map, Value};

/// A request to try against an integration.
#[derive(Clone, Debug)]
pub struct DryRun {
    /// The request.
    pub parts: RequestParts,
    /// Options in place of the integration's own.
    pub options: Option<Map<String, Value>>,
    /// Whether the request need not present the integration's secret. A logged one cannot: its
    /// secret is masked.
    pub skips_secret: bool,
}

/// What would have happened.
#[derive(Clone, Debug, Serialize)]
pub struct DryRunReport {
    /// The status of the response.
    status: u16,
    /// What each event of the request would have done.
    events: Vec<DryRunEvent>,
}

/// What one event would have done: what its log would say, and how it came about.
#[derive(Clone, Debug, Serialize)]
struct DryRunEvent {
    action: &'static str,
    outcome: String,
    thirdparty_id: Option<String>,
    /// The place of the action of the custom definition that decided.
    rule: Option<String>,
    errors: Vec<FieldError>,
    /// Rendered templates by their places.
    rendered: Map<String, Value>,
    event: Map<String, Value>,
    /// The alert afterwards. One that would have been created has no ids.
    alert: Option<Map<String, Value>>,
    /// The parameters of the request, as adapters see them.
    parameters: Value,
}

/// A parsed event of a request, `None` if the integration is disabled, and its parameters.
type ParsedParameters = (Option<ParsedEvent>, Value);

/// Why the command of a dry run failed. It always does.
enum DryRunEnd {
    Done(Box<DryRunReport>),
    Failed(StoreError),
}

impl From<StoreError> for DryRunEnd {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Events {
    /// Tries a request against an integration of the caller's account.
    ///
    /// # Errors
    /// No such integration in this account; the options are invalid; the store failed.
    pub async fn dry_run(
        &self,
        caller: &Caller,
        id: &IntegrationId,
        run: DryRun,
    ) -> Result<DryRunReport, ServiceError> {
        let record = Some(self.record(id)?)
            .filter(|record| INTEGRATIONS.owns(&caller.account, record))
            .ok_or_else(not_found)?;
        let mut integration: Integration = objects::decode(&record)?;
        if let Some(options) = run.options {
            integration.options = options;
        }

        let mut parts = run.parts;
        parts.received_at = Some(self.clock.now_in(&integration.sid));
        let is_costly = adapters::is_costly(&parts, &integration.options);
        let skips_secret = run.skips_secret;
        let parse = move || parse_all(integration, parts, skips_secret);
        let (integration, parsed) = self.pool.run(&caller.account, is_costly, parse).await??;

        let service = self.clone();
        let command = move |transaction: &mut Transaction<'_>| {
            let report = service.report(transaction, &integration, parsed)?;
            Err::<(), _>(DryRunEnd::Done(Box::new(report)))
        };
        match self.store.write(command).await {
            Err(DryRunEnd::Done(report)) => Ok(*report),
            Err(DryRunEnd::Failed(error)) => Err(error.into()),
            Ok(()) => Err(StoreError::Unavailable.into()),
        }
    }

    fn report(
        &self,
        transaction: &mut Transaction<'_>,
        integration: &Integration,
        parsed: Vec<ParsedParameters>,
    ) -> Result<DryRunReport, StoreError> {
        let (mut acks, mut events, mut log_ids) = (Vec::new(), Vec::new(), Vec::new());
        for (parsed, parameters) in parsed {
            let id = event_log::unused_id(transaction, &self.ids, &integration.sid)?;
            let (ack, outcome) =
                self.apply_parsed(transaction, integration, parsed.as_ref(), &id)?;
            log_ids.push(id);
            acks.push(ack);

            let alert = outcome
                .alert_id
                .map(|id| transaction.record(ALERTS, id.as_str()))
                .transpose()?
                .flatten()
                .map(|record| alert_afterwards(&record, &log_ids))
                .transpose()?;
            let interpretation = interpretation_of(parsed);
            let rendered = interpretation.rendered.iter().cloned();

            events.push(DryRunEvent {
                action: outcome.action,
                outcome: outcome.text,
                thirdparty_id: outcome.thirdparty_id,
                errors: interpretation.errors().to_vec(),
                rendered: rendered.map(|(place, text)| (place, text.into())).collect(),
                rule: interpretation.rule,
                event: outcome.event,
                alert,
                parameters,
            });
        }

        let ack = acks.first().copied().unwrap_or(EventAck::Accepted);
        Ok(DryRunReport {
            status: self.statuses.status(ack),
            events,
        })
    }

    /// The request in a log of the caller's account.
    ///
    /// # Errors
    /// No such log in this account; it has no request to this server, or only the beginning of one;
    /// the store failed.
    pub fn logged_request(
        &self,
        caller: &Caller,
        id: &LogId,
    ) -> Result<RequestParts, ServiceError> {
        let record = self.store.record(LOGS, id.as_str())?;
        let record = record
            .filter(|record| LOGS.owns(&caller.account, record))
            .ok_or(Rejection::NotFound("Log"))?;
        let Log {
            direction, request, ..
        } = objects::decode(&record)?;

        if direction != Some(LogDirection::Incoming) {
            return Err(Rejection::invalid(
                "'log_id' must be the log of an incoming request, but this one is not",
            )
            .into());
        }
        let Some(body) = request.body.whole() else {
            let message = format!(
                "'log_id' must be a log with a whole body, but this one has only the beginning of \
                 {} bytes; send the request itself as 'request'",
                request.body.bytes
            );
            return Err(Rejection::invalid(message).into());
        };

        let headers = request.headers.iter().map(|(name, value)| {
            let value = value.as_str().unwrap_or_default();
            match name.as_str() {
                // The log has the decoded text.
                "content-type" => (name.clone(), without_charset(value)),
                _ => (name.clone(), value.to_owned()),
            }
        });
        let parts = RequestParts {
            method: request.method,
            query: request.query,
            headers: headers
                .filter(|(name, _)| name != "content-encoding")
                .collect(),
            body,
            remote_ip: request.remote,
            ..RequestParts::default()
        };
        Ok(parts)
    }
}

/// Parses all events of a request, after checking the options.
fn parse_all(
    mut integration: Integration,
    parts: RequestParts,
    skips_secret: bool,
) -> Result<(Integration, Vec<ParsedParameters>), ServiceError> {
    let kind = integration.integration_type.as_str();
    let definition = adapters::used_definition(kind, &integration.options);
    let errors = definition.map_or_else(Vec::new, |text| adapters::validate_definition(&text));
    if !errors.is_empty() {
        return Err(Rejection::Invalid(errors).into());
    }

    let (first, further) = adapters::split_request(parts, kind);
    if let Some(option) = adapters::secret_option(kind).filter(|_| skips_secret) {
        integration.options.shift_remove(option);
    }

    let parsed = std::iter::once(first).chain(further).map(|request| {
        let parsed = integration
            .enabled
            .then(|| adapters::parse_event(&integration, &request));
        (parsed, request.into_parameters())
    });
    let parsed = parsed.collect();
    Ok((integration, parsed))
}

fn interpretation_of(parsed: Option<ParsedEvent>) -> Interpretation {
    match parsed {
        Some(ParsedEvent::Event(event)) => event.interpretation,
        Some(ParsedEvent::Ignored { interpretation, .. }) => interpretation,
        Some(ParsedEvent::Blocked { .. }) | None => Interpretation::default(),
    }
}

/// An alert as JSON. One that was created under one of these logs loses the ids that it will never
/// have.
fn alert_afterwards(record: &Stored, log_ids: &[LogId]) -> Result<Map<String, Value>, StoreError> {
    let alert: Alert = objects::decode(record)?;
    let mut members: Map<String, Value> = objects::decode(record)?;
    if alert.s_log_id.is_some_and(|id| log_ids.contains(&id)) {
        for name in ["id", "tinyId", "s_log_id"] {
            members.shift_remove(name);
        }
    }
    Ok(members)
}

/// A media type without the parameter `charset`.
fn without_charset(content_type: &str) -> String {
    let is_charset = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case("charset")
    };
    let parts = content_type
        .split(';')
        .filter(|parameter| !is_charset(parameter));
    parts.collect::<Vec<_>>().join(";")
}
