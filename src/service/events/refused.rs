//! Events that are refused before they are read: whoever waits for one finds out why it never came.

use super::{Events, IncomingRequest, outcome};
use crate::{
    adapters::InboundRequest,
    domain::{ids::IntegrationId, integration::Integration},
    service::{error::ServiceError, objects},
    store::INTEGRATIONS,
};

/// An event that was refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What came of it.
    pub arrival: IncomingRequest,
    /// What it was answered: a status of HTTP, or a reply code of SMTP.
    pub status: u16,
    /// Why, in a sentence.
    pub reason: String,
}

impl Events {
    /// Leaves a log of an event that was refused, one a minute for each integration and status, so
    /// that refusing stays cheap. Where there is no such integration, or nothing can be written,
    /// there is none.
    pub async fn log_refused(&self, id: &IntegrationId, refused: Refused) {
        if self
            .refusals
            .check(&format!("{} {}", refused.status, id.as_str()))
            .is_err()
        {
            return;
        }
        if let Err(fault) = self.write_refused(id.clone(), refused).await {
            log::debug!(fault:debug; "A refused event left no log");
        }
    }

    async fn write_refused(&self, id: IntegrationId, refused: Refused) -> Result<(), ServiceError> {
        let Some(found) = self.store.record(INTEGRATIONS, id.as_str())? else {
            return Ok(());
        };

        let integration: Integration = objects::decode(&found)?;
        let Refused {
            arrival:
                IncomingRequest {
                    parts,
                    path,
                    remote,
                },
            status,
            reason,
        } = refused;
        let shown = outcome::shown_request(&integration, &InboundRequest::new(parts), path, remote);
        let (clock, ids) = (self.clock.clone(), self.ids.clone());
        let written = self.store.write(move |transaction| {
            // It may have been deleted meanwhile.
            if transaction.record(INTEGRATIONS, id.as_str())?.is_none() {
                return Ok(());
            }

            Ok(outcome::write_refused(
                transaction,
                &ids,
                clock.now(),
                &integration,
                status,
                reason,
                shown,
            )?)
        });

        written.await
    }
}
