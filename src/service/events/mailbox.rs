//! Mailboxes: which integration a mail address belongs to.

use super::{Events, MAIL_TYPE};
use crate::{
    domain::{ids::IntegrationId, integration::Integration},
    service::{error::ServiceError, objects},
    store::INTEGRATIONS,
};

/// What the local part of a mail address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// An integration that receives mail.
    Of(IntegrationId),
    /// An integration of another type.
    OtherType(IntegrationId),
    /// Several integrations, whose ids differ only in the case of letters.
    Ambiguous,
    /// Nothing.
    Unknown,
}

impl Events {
    /// The mailbox for the local part of an address: the id of an integration, `<tag>+<id>` as in
    /// PagerTree's addresses, or `<id>+<tag>`. Mail systems may have changed the case of letters.
    ///
    /// # Errors
    /// The store failed.
    pub fn mailbox(&self, local_part: &str) -> Result<Mailbox, ServiceError> {
        let forms = [
            Some(local_part),
            local_part.rsplit_once('+').map(|(_, id)| id),
            local_part.split_once('+').map(|(id, _)| id),
        ];
        let Some(id) = forms.into_iter().flatten().find_map(parse) else {
            return Ok(Mailbox::Unknown);
        };

        if let Some(record) = self.store.record(INTEGRATIONS, id.as_str())? {
            let integration: Integration = objects::decode(&record)?;
            return Ok(match integration.integration_type.as_str() {
                MAIL_TYPE => Mailbox::Of(id),
                _ => Mailbox::OtherType(id),
            });
        }
        self.mailbox_in_any_case(&id)
    }

    fn mailbox_in_any_case(&self, id: &IntegrationId) -> Result<Mailbox, ServiceError> {
        let snapshot = self.store.snapshot()?;
        let exact_len = IntegrationId::PREFIX.len();
        let Some(similar) = snapshot.ids_in_any_case(INTEGRATIONS, id.as_str(), exact_len)? else {
            return Ok(Mailbox::Ambiguous);
        };

        let mut found = Mailbox::Unknown;
        for id in similar {
            found = match (found, self.mailbox(&id)?) {
                (Mailbox::Of(_) | Mailbox::Ambiguous, Mailbox::Of(_)) => Mailbox::Ambiguous,
                (found @ (Mailbox::Of(_) | Mailbox::Ambiguous), _) => found,
                (_, next) => next,
            };
        }
        Ok(found)
    }
}

/// Parses an id whose prefix may be in any case.
fn parse(text: &str) -> Option<IntegrationId> {
    let (prefix, tail) = text.split_at_checked(IntegrationId::PREFIX.len())?;
    if !prefix.eq_ignore_ascii_case(IntegrationId::PREFIX) {
        return None;
    }
    IntegrationId::parse(&[IntegrationId::PREFIX, tail].concat()).ok()
}
