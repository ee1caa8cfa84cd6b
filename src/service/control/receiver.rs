//! The integration that a request names in its path.

use super::Control;
use crate::{
    domain::{
        ids::{AccountId, IntegrationId},
        integration::Integration,
        masking::Secrets,
    },
    service::objects,
    store::INTEGRATIONS,
};

/// An integration, as far as the hooks of requests need it.
#[derive(Debug)]
pub struct Receiver {
    /// Its account.
    pub account: AccountId,
    /// Its type.
    pub integration_type: String,
    /// The secrets in its options.
    pub secrets: Secrets,
}

impl Control {
    /// The integration with this id, of any account. `None` if there is none or it cannot be read.
    pub fn receiver(&self, id: &str) -> Option<Receiver> {
        let id = IntegrationId::parse(id).ok()?;
        let record = self.store.record(INTEGRATIONS, id.as_str()).ok()??;
        let integration: Integration = objects::decode(&record).ok()?;
        Some(Receiver {
            secrets: Secrets::of(&integration.options),
            integration_type: integration.integration_type.as_str().to_owned(),
            account: integration.sid,
        })
    }
}
