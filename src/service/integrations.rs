//! The service for integrations: create, read, update, delete and list.

use super::{
    blocking::BlockingPool,
    error::ServiceError,
    idempotency,
    lists::{Lists, PageCache},
    objects::{self, encode},
    webhooks,
};
use crate::{
    adapters,
    clock::Clock,
    domain::{
        caller::{Caller, WriteAccess},
        egress::EgressPolicy,
        entity_tag::Preconditions,
        idempotency::IdempotencyKey,
        ids::{AccountId, IntegrationId},
        integration::{Integration, SCHEMA},
        integration_input::{IntegrationDraft, IntegrationPatch},
        rejection::Rejection,
    },
    ids::{IdBasis, Ids},
    store::{Collection, INTEGRATIONS, Store, Stored, Transaction},
};
use serde_json::{Map, Value};

const COLLECTION: Collection = INTEGRATIONS;
const NAME: &str = "Integration";

/// The service for integrations. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Integrations {
    store: Store,
    clock: Clock,
    ids: Ids,
    webhook_rules: WebhookRules,
    lists: Lists,
    pool: BlockingPool,
}

/// Rules for integrations that send webhooks.
#[derive(Clone, Copy, Debug)]
pub struct WebhookRules {
    /// The addresses that webhooks may connect to.
    pub egress: EgressPolicy,
    /// Maximum number of senders in an account.
    pub max_senders: usize,
}

impl Integrations {
    /// A service over `store`, which caches pages of lists in `pages`.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        webhook_rules: WebhookRules,
        pages: PageCache,
    ) -> Self {
        let lists = Lists::new(store.clone(), COLLECTION, SCHEMA, pages);
        Self {
            store,
            clock,
            ids,
            webhook_rules,
            lists,
            pool: BlockingPool::new(),
        }
    }

    /// Creates an integration in the writer's account under the account's next tinyId. A repeated
    /// request under the same key gets the first response.
    ///
    /// # Errors
    /// The key was used for another draft; the account has too many senders; the store failed.
    pub async fn create(
        &self,
        writer: &WriteAccess,
        draft: IntegrationDraft,
        key: Option<IdempotencyKey>,
    ) -> Result<(IntegrationId, Stored), ServiceError> {
        let kind = draft.integration_type.as_str();
        self.validate_parsing(writer, kind, &draft.options).await?;
        let (writer, clock, ids) = (writer.clone(), self.clock.clone(), self.ids.clone());
        let WebhookRules {
            egress,
            max_senders,
        } = self.webhook_rules;
        let request = key
            .map(|key| idempotency::fingerprint(key, &draft))
            .transpose()?;

        self.store
            .write(move |transaction| {
                let account = writer.account();
                let now = clock.now_in(account);
                if let Some(request) = &request
                    && let Some(record) =
                        idempotency::find_first(transaction, account, request, now)?
                {
                    let integration: Integration = objects::decode(&record)?;
                    return Ok((integration.id, record));
                }

                let tiny_id = transaction.next_tiny_id(COLLECTION, account)?;
                let id = objects::unused(
                    transaction,
                    COLLECTION,
                    IdBasis::new(account, tiny_id),
                    |basis| ids.integration(basis),
                    IntegrationId::as_str,
                )?;
                let integration =
                    Integration::create(draft, account.clone(), id.clone(), tiny_id, now);
                webhooks::check_origin(&integration, &writer, egress)?;
                webhooks::validate_options(&integration)?;
                let record = encode(&integration)?;
                transaction.insert(COLLECTION, account, tiny_id, id.as_str(), record.clone())?;
                webhooks::register(transaction, &integration, max_senders)?;

                if let Some(request) = &request {
                    transaction.put_idempotency_record(account, request, &clock, record.clone())?;
                }

                Ok((id, record))
            })
            .await
    }

    /// The stored record of an integration in the caller's account.
    ///
    /// # Errors
    /// No such integration in this account; the store failed.
    pub fn get(&self, caller: &Caller, id: &IntegrationId) -> Result<Stored, ServiceError> {
        self.get_of(&caller.account, id)
    }

    /// The size in bytes of an integration in the writer's account.
    ///
    /// # Errors
    /// No such integration in this account; the store failed.
    pub fn bytes(&self, writer: &WriteAccess, id: &IntegrationId) -> Result<usize, ServiceError> {
        Ok(self.get_of(writer.account(), id)?.as_ref().len())
    }

    fn get_of(&self, account: &AccountId, id: &IntegrationId) -> Result<Stored, ServiceError> {
        let found = self.store.record(COLLECTION, id.as_str())?;
        Ok(found
            .filter(|record| COLLECTION.owns(account, record))
            .ok_or(Rejection::NotFound(NAME))?)
    }

    /// Applies a patch and returns the new record.
    ///
    /// # Errors
    /// No such integration in this account; a precondition failed; the account has too many
    /// senders; the store failed.
    pub async fn update(
        &self,
        writer: &WriteAccess,
        id: IntegrationId,
        patch: IntegrationPatch,
        conditions: Preconditions,
    ) -> Result<Stored, ServiceError> {
        if patch.options.is_some() || patch.integration_type.is_some() {
            let current: Integration = objects::decode(&self.get_of(writer.account(), &id)?)?;
            let kind = patch.integration_type.as_ref();
            let options = patch.options.as_ref();
            let is_changed = kind.is_some_and(|kind| *kind != current.integration_type)
                || options.is_some_and(|options| *options != current.options);
            if is_changed {
                let kind = kind.unwrap_or(&current.integration_type).as_str();
                let options = options.unwrap_or(&current.options);
                self.validate_parsing(writer, kind, options).await?;
            }
        }

        let (
            writer,
            clock,
            WebhookRules {
                egress,
                max_senders,
            },
        ) = (writer.clone(), self.clock.clone(), self.webhook_rules);
        self.store
            .write(move |transaction| {
                let (mut integration, current) = owned(transaction, &writer, &id)?;
                conditions.check(current.as_ref())?;
                // Options written by a version that did not validate them stay valid until they or
                // their type change.
                let options = patch.options.is_some().then(|| integration.options.clone());

                let kind = integration.integration_type.clone();
                if !integration.apply(patch, clock.now_in(writer.account())) {
                    return Ok(current);
                }

                webhooks::check_origin(&integration, &writer, egress)?;
                let have_changed = options.is_some_and(|options| options != integration.options);
                if have_changed || kind != integration.integration_type {
                    webhooks::validate_options(&integration)?;
                }

                let record = encode(&integration)?;
                transaction.replace(COLLECTION, id.as_str(), record.clone());
                webhooks::register(transaction, &integration, max_senders)?;

                Ok(record)
            })
            .await
    }

    /// Deletes an integration. Its tinyId is not used again.
    ///
    /// # Errors
    /// No such integration in this account; a precondition failed; the store failed.
    pub async fn delete(
        &self,
        writer: &WriteAccess,
        id: IntegrationId,
        conditions: Preconditions,
    ) -> Result<(), ServiceError> {
        let writer = writer.clone();
        self.store
            .write(move |transaction| {
                let (integration, current) = owned(transaction, &writer, &id)?;
                conditions.check(current.as_ref())?;
                webhooks::unregister(transaction, writer.account(), &id)?;
                Ok(transaction.delete(
                    COLLECTION,
                    writer.account(),
                    integration.tiny_id,
                    id.as_str(),
                )?)
            })
            .await
    }

    /// Validates the options with which events are parsed: here and not in the transaction, because
    /// that may take long.
    async fn validate_parsing(
        &self,
        writer: &WriteAccess,
        integration_type: &str,
        options: &Map<String, Value>,
    ) -> Result<(), ServiceError> {
        let Some(definition) = adapters::used_definition(integration_type, options) else {
            return Ok(());
        };
        let validate = move || adapters::validate_definition(&definition);
        match self.pool.run(writer.account(), true, validate).await? {
            errors if errors.is_empty() => Ok(()),
            errors => Err(Rejection::Invalid(errors).into()),
        }
    }

    /// Lists of integrations.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }
}

fn owned(
    transaction: &Transaction<'_>,
    writer: &WriteAccess,
    id: &IntegrationId,
) -> Result<(Integration, Stored), ServiceError> {
    objects::owned(transaction, COLLECTION, writer.account(), id.as_str(), NAME)
}
