//! Logs of requests that were refused before they were parsed, so that users can find out why an
//! event is missing.

use super::{Events, IncomingRequest, event_log};
use crate::{
    adapters::InboundRequest,
    domain::{ids::IntegrationId, integration::Integration},
    service::{error::ServiceError, objects},
    store::INTEGRATIONS,
};

/// A request that was refused before it was parsed.
#[derive(Clone, Debug)]
pub struct RefusedRequest {
    /// The request, as far as it was received.
    pub incoming: IncomingRequest,
    /// The status of the response: of HTTP, or the reply code of SMTP.
    pub status: u16,
    /// Why it was refused, in words.
    pub reason: String,
}

impl Events {
    /// Logs a refused request: at most one per minute for each integration and status, so that
    /// refusing stays cheap. Does nothing if there is no such integration or nothing can be
    /// written.
    pub async fn log_refused(&self, id: &IntegrationId, refused: RefusedRequest) {
        let key = format!("{} {}", refused.status, id.as_str());
        if self.refusal_logs.check(&key, None).is_err() {
            return;
        }
        if let Err(error) = self.write_refused(id.clone(), refused).await {
            log::debug!(error:debug; "Could not log a refused event");
        }
    }

    async fn write_refused(
        &self,
        id: IntegrationId,
        refused: RefusedRequest,
    ) -> Result<(), ServiceError> {
        let Some(record) = self.store.record(INTEGRATIONS, id.as_str())? else {
            return Ok(());
        };

        let integration: Integration = objects::decode(&record)?;
        let RefusedRequest {
            incoming,
            status,
            reason,
        } = refused;
        let request = InboundRequest::new(incoming.parts);
        let logged = event_log::logged_request(&integration, &request, incoming.path);
        let (clock, ids) = (self.clock.clone(), self.ids.clone());

        self.store
            .write(move |transaction| {
                // It may have been deleted meanwhile.
                if transaction.record(INTEGRATIONS, id.as_str())?.is_none() {
                    return Ok(());
                }

                let outcome = event_log::Outcome::without_event("refused", reason);
                let id = event_log::unused_id(transaction, &ids, &integration.sid)?;
                let entry = event_log::EventLog {
                    id,
                    status,
                    outcome,
                    request: logged,
                };
                Ok(event_log::write(
                    transaction,
                    clock.now_in(&integration.sid),
                    &integration,
                    entry,
                )?)
            })
            .await
    }
}
