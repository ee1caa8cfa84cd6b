//! Integrations that send webhooks: their options, who may create them, and their number.

use crate::{
    domain::{
        caller::WriteAccess,
        egress::EgressPolicy,
        ids::{AccountId, IntegrationId},
        integration::Integration,
        rejection::Rejection,
        webhook, webhook_options,
    },
    http_client,
    service::error::ServiceError,
    store::{StoreError, Transaction},
};

/// Forbids web pages of other sites to create a sender while webhooks may reach private addresses:
/// such a page could send requests into this network, and read the responses in the logs.
///
/// # Errors
/// [`Rejection::Forbidden`]
pub(in crate::service) fn check_origin(
    integration: &Integration,
    writer: &WriteAccess,
    egress: EgressPolicy,
) -> Result<(), Rejection> {
    if !is_sender(integration) || !writer.is_from_foreign_page() || egress == EgressPolicy::Public {
        return Ok(());
    }

    Err(Rejection::Forbidden(
        "A web page of another site may not create an outgoing webhook while webhooks can reach \
         private addresses. Add the page's origin to the setting 'cors.origins', or set \
         'outgoing.reach' to \"public\""
            .into(),
    ))
}

/// Validates the options of a sender.
pub(in crate::service) fn validate_options(integration: &Integration) -> Result<(), Rejection> {
    if !is_sender(integration) {
        return Ok(());
    }
    match webhook_options::validate(&integration.options, http_client::url_error) {
        errors if errors.is_empty() => Ok(()),
        errors => Err(Rejection::Invalid(errors)),
    }
}

/// Records whether an integration is a sender. Called with each write of an integration.
///
/// # Errors
/// The account has `max_senders` already; the store cannot be read.
pub(in crate::service) fn register(
    transaction: &mut Transaction<'_>,
    integration: &Integration,
    max_senders: usize,
) -> Result<(), ServiceError> {
    let is_sender = is_sender(integration);
    if is_sender {
        let senders = transaction.senders(&integration.sid)?;
        // Existing senders stay, also after the limit was lowered.
        if senders.len() >= max_senders && !senders.contains(&integration.id) {
            let message = format!(
                "The account already has {max_senders} integrations of type {}, the maximum set by \
                 outgoing.senders",
                webhook::TYPE
            );
            return Err(Rejection::Conflict(message).into());
        }
    }

    Ok(transaction.set_sender(&integration.sid, &integration.id, is_sender)?)
}

/// Removes an integration that is about to be deleted from the senders.
pub(in crate::service) fn unregister(
    transaction: &mut Transaction<'_>,
    account: &AccountId,
    id: &IntegrationId,
) -> Result<(), StoreError> {
    transaction.set_sender(account, id, false)
}

fn is_sender(integration: &Integration) -> bool {
    integration.integration_type.as_str() == webhook::TYPE
}
