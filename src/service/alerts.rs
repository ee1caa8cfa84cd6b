//! The service for alerts: create, read, update, delete, list, and apply actions.

mod mass_action;
mod records;

pub(super) use records::{dedup_key, delete, insert, latest, save_action};

use super::{
    dispatch_signal::DispatchSignal,
    error::ServiceError,
    idempotency,
    lists::{Lists, PageCache},
    objects,
};
use crate::{
    clock::Clock,
    domain::{
        alert::{Alert, AlertAction, AlertOrigin, SCHEMA},
        alert_input::{AlertDraft, AlertPatch, AllowedSources, PatchEffect, foreign_source},
        body::Strictness,
        caller::{Caller, WriteAccess},
        entity_tag::Preconditions,
        event::{AlertUrgency, Content},
        idempotency::IdempotencyKey,
        ids::{AccountId, AlertId, IntegrationId},
        integration::Integration,
        rejection::Rejection,
        timestamp::Timestamp,
    },
    ids::Ids,
    store::{ALERTS, INTEGRATIONS, Store, Stored, Transaction},
};
use records::{find_active, replace};
use serde_json::{Map, Value};

const NAME: &str = "Alert";

/// The service for alerts. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Alerts {
    store: Store,
    clock: Clock,
    ids: Ids,
    lists: Lists,
    dispatch_signal: DispatchSignal,
}

impl Alerts {
    /// A service over `store`. It wakes the dispatcher through `dispatch_signal` and caches pages
    /// of lists in `pages`.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        dispatch_signal: DispatchSignal,
        pages: PageCache,
    ) -> Self {
        let lists = Lists::new(store.clone(), ALERTS, SCHEMA, pages);
        Self {
            store,
            clock,
            ids,
            lists,
            dispatch_signal,
        }
    }

    /// Parses the body of a create.
    ///
    /// # Errors
    /// Everything that is wrong with the body; the store failed.
    pub fn draft(
        &self,
        writer: &WriteAccess,
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<AlertDraft, ServiceError> {
        let source_id = attributes
            .get("source_id")
            .and_then(Value::as_str)
            .and_then(|id| IntegrationId::parse(id).ok());
        let source = source_id
            .map(|id| self.store.record(INTEGRATIONS, id.as_str()))
            .transpose()?
            .flatten();
        let authors = AllowedSources {
            own: [writer.account().as_str(), writer.actor()],
            integration: source.is_some_and(|record| INTEGRATIONS.owns(writer.account(), &record)),
        };

        Ok(AlertDraft::parse(attributes, authors, strictness)?)
    }

    /// Creates an alert in the writer's account, with the writer or one of the account's
    /// integrations as its source. A repeated request under the same key gets the first response.
    ///
    /// # Errors
    /// The integration is not of this account; there is an active alert with this source and
    /// third-party id; the key was used for another draft; the store failed.
    pub async fn create(
        &self,
        writer: &WriteAccess,
        draft: AlertDraft,
        key: Option<IdempotencyKey>,
    ) -> Result<(AlertId, Stored), ServiceError> {
        let (writer, clock, ids) = (writer.clone(), self.clock.clone(), self.ids.clone());
        let request = key
            .map(|key| idempotency::tagged_fingerprint(key, "alert", &draft))
            .transpose()?;
        let outcome = self
            .store
            .write(move |transaction| {
                let now = clock.now_in(writer.account());
                if let Some(request) = &request
                    && let Some(record) =
                        idempotency::find_first(transaction, writer.account(), request, now)?
                {
                    let alert: Alert = objects::decode(&record)?;
                    return Ok((alert.id, record));
                }

                let (content, origin) = split(transaction, &writer, draft)?;
                if let Some(active) = find_active(transaction, writer.account(), &origin)? {
                    let id = active.id;
                    let message = format!(
                        "The alert '{id}' with this source and thirdparty_id is still active"
                    );
                    return Err(Rejection::Conflict(message).into());
                }

                let (alert, record) =
                    insert(transaction, &ids, writer.account(), content, origin, now)?;
                if let Some(request) = &request {
                    transaction.put_idempotency_record(
                        writer.account(),
                        request,
                        &clock,
                        record.clone(),
                    )?;
                }

                Ok((alert.id, record))
            })
            .await;
        self.dispatch_signal.notify();

        outcome
    }

    /// The stored record of an alert in the caller's account.
    ///
    /// # Errors
    /// No such alert in this account; the store failed.
    pub fn get(&self, caller: &Caller, id: &AlertId) -> Result<Stored, ServiceError> {
        self.get_of(&caller.account, id)
    }

    /// The size in bytes of an alert in the writer's account.
    ///
    /// # Errors
    /// No such alert in this account; the store failed.
    pub fn bytes(&self, writer: &WriteAccess, id: &AlertId) -> Result<usize, ServiceError> {
        Ok(self.get_of(writer.account(), id)?.as_ref().len())
    }

    /// The stored record of an alert in an account.
    ///
    /// # Errors
    /// No such alert in this account; the store failed.
    pub fn get_of(&self, account: &AccountId, id: &AlertId) -> Result<Stored, ServiceError> {
        let found = self.store.record(ALERTS, id.as_str())?;
        Ok(found
            .filter(|record| ALERTS.owns(account, record))
            .ok_or(Rejection::NotFound(NAME))?)
    }

    /// Parses the body of an update. Returns it with the current size of the alert in bytes.
    ///
    /// # Errors
    /// Everything that is wrong with the body; no such alert in this account; the store failed.
    pub fn patch(
        &self,
        writer: &WriteAccess,
        id: &AlertId,
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<(AlertPatch, usize), ServiceError> {
        let current = self.get_of(writer.account(), id);
        // An invalid body is reported first, even if there is no such alert.
        let stored = current
            .as_ref()
            .map(objects::decode)
            .unwrap_or_else(|_| Ok(Map::new()))?;
        let patch = AlertPatch::parse(attributes, &stored, strictness)?;
        Ok((patch, current?.as_ref().len()))
    }

    /// Applies a patch and returns the new record.
    ///
    /// # Errors
    /// No such alert in this account; a precondition failed; the alert's status does not allow the
    /// new one; the store failed.
    pub async fn update(
        &self,
        writer: &WriteAccess,
        id: AlertId,
        patch: AlertPatch,
        conditions: Preconditions,
    ) -> Result<Stored, ServiceError> {
        let actor = writer.actor().to_owned();
        self.change(
            writer,
            id,
            conditions,
            move |transaction, mut alert, now, current| {
                let effect = patch
                    .apply(&mut alert, &actor, now)
                    .map_err(Rejection::invalid)?;
                match effect {
                    PatchEffect::Unchanged => Ok(current),
                    PatchEffect::Edited => Ok(replace(transaction, &alert)?),
                    PatchEffect::Acted(action) => Ok(save_action(transaction, &alert, action)?),
                }
            },
        )
        .await
    }

    /// Applies an action and returns the new record.
    ///
    /// # Errors
    /// No such alert in this account; a precondition failed; the alert's status does not allow the
    /// action; the store failed.
    pub async fn apply(
        &self,
        writer: &WriteAccess,
        id: AlertId,
        action: AlertAction,
        strictness: Strictness,
        conditions: Preconditions,
    ) -> Result<Stored, ServiceError> {
        let actor = writer.actor().to_owned();
        self.change(
            writer,
            id,
            conditions,
            move |transaction, mut alert, now, _| {
                alert
                    .apply_action(action, &actor, now, strictness)
                    .map_err(Rejection::invalid)?;
                Ok(save_action(transaction, &alert, action)?)
            },
        )
        .await
    }

    async fn change<F>(
        &self,
        writer: &WriteAccess,
        id: AlertId,
        conditions: Preconditions,
        change: F,
    ) -> Result<Stored, ServiceError>
    where
        F: FnOnce(&mut Transaction<'_>, Alert, Timestamp, Stored) -> Result<Stored, ServiceError>
            + Clone
            + Send
            + 'static,
    {
        let (account, clock) = (writer.account().clone(), self.clock.clone());
        let outcome = self.store.write(move |transaction| {
            let (alert, current) =
                objects::owned(transaction, ALERTS, &account, id.as_str(), NAME)?;
            conditions.check(current.as_ref())?;
            change(transaction, alert, clock.now_in(&account), current)
        });
        let outcome = outcome.await;
        self.dispatch_signal.notify();
        outcome
    }

    /// Deletes an alert. Its tinyId is not used again.
    ///
    /// # Errors
    /// No such alert in this account; a precondition failed; the store failed.
    pub async fn delete(
        &self,
        writer: &WriteAccess,
        id: AlertId,
        conditions: Preconditions,
    ) -> Result<(), ServiceError> {
        let writer = writer.clone();
        self.store
            .write(move |transaction| {
                let account = writer.account();
                let (alert, current) =
                    objects::owned(transaction, ALERTS, account, id.as_str(), NAME)?;
                conditions.check(current.as_ref())?;
                Ok(delete(transaction, &alert)?)
            })
            .await
    }

    /// Lists of alerts.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }
}

/// Splits a draft into content and origin. What the draft leaves open comes from its source.
fn split(
    transaction: &Transaction<'_>,
    writer: &WriteAccess,
    draft: AlertDraft,
) -> Result<(Content, AlertOrigin), ServiceError> {
    let integration = draft
        .source_id
        .map(|id| source(transaction, writer.account(), &id))
        .transpose()?;
    let (source_id, urgency, destination_ids) = match integration {
        Some(Integration {
            id,
            urgency,
            destination_ids,
            ..
        }) => (String::from(id), urgency.into(), destination_ids),
        None => (writer.actor().to_owned(), AlertUrgency::Medium, Vec::new()),
    };

    let content = Content {
        title: draft.title,
        description: draft.description,
        urgency: draft.urgency,
        tags: draft.tags,
        additional_data: draft.additional_data,
        meta: draft.meta,
        incident: None,
        dedup_keys: Vec::new(),
    };

    let origin = AlertOrigin {
        subtype: draft.subtype,
        thirdparty_id: draft.thirdparty_id,
        source_id: Some(source_id),
        s_log_id: None,
        destination_ids: draft.destination_ids.unwrap_or(destination_ids),
        urgency,
    };

    Ok((content, origin))
}

fn source(
    transaction: &Transaction<'_>,
    account: &AccountId,
    id: &IntegrationId,
) -> Result<Integration, ServiceError> {
    let found = transaction
        .record(INTEGRATIONS, id.as_str())?
        .filter(|record| INTEGRATIONS.owns(account, record));
    let record = found.ok_or_else(|| Rejection::invalid(foreign_source(id)))?;
    Ok(objects::decode(&record)?)
}
