//! The service for kinds of objects that have no rules beyond those of their attributes.

use super::{
    error::ServiceError,
    idempotency,
    lists::{Lists, PageCache},
    objects::{self, encode},
};
use crate::{
    clock::Clock,
    domain::{
        caller::{Caller, WriteAccess},
        entity_tag::Preconditions,
        idempotency::IdempotencyKey,
        ids::AccountId,
        rejection::Rejection,
        resource::{NewObject, Resource},
    },
    ids::{IdBasis, Ids},
    store::{Collection, Store, Stored, Transaction},
};
use std::marker::PhantomData;

/// How new objects of a kind get their ids.
type GenerateId<R> = fn(&Ids, IdBasis<'_>) -> <R as Resource>::Id;

/// The service for one kind of object. Cloning is cheap.
#[derive(Debug)]
pub struct Resources<R: Resource> {
    store: Store,
    clock: Clock,
    ids: Ids,
    collection: Collection,
    generate_id: GenerateId<R>,
    lists: Lists,
    kind: PhantomData<fn() -> R>,
}

impl<R: Resource> Resources<R> {
    /// A service for the objects in `collection`, which caches pages of lists in `pages`.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        (collection, generate_id): (Collection, GenerateId<R>),
        pages: PageCache,
    ) -> Self {
        let lists = Lists::new(store.clone(), collection, R::SCHEMA, pages);
        Self {
            store,
            clock,
            ids,
            collection,
            generate_id,
            lists,
            kind: PhantomData,
        }
    }

    /// Creates an object in the writer's account under the account's next tinyId. A repeated
    /// request under the same key gets the first response.
    ///
    /// # Errors
    /// The key was used for another draft; the store failed.
    pub async fn create(
        &self,
        writer: &WriteAccess,
        draft: R::Draft,
        key: Option<IdempotencyKey>,
    ) -> Result<(R::Id, Stored), ServiceError> {
        let request = key
            .map(|key| idempotency::tagged_fingerprint(key, R::NAME, &draft))
            .transpose()?;
        let (account, clock) = (writer.account().clone(), self.clock.clone());
        let (ids, collection, generate_id) = (self.ids.clone(), self.collection, self.generate_id);

        self.store
            .write(move |transaction| {
                let now = clock.now_in(&account);
                if let Some(request) = &request
                    && let Some(record) =
                        idempotency::find_first(transaction, &account, request, now)?
                {
                    let object: R = objects::decode(&record)?;
                    return Ok((object.id().clone(), record));
                }

                let tiny_id = transaction.next_tiny_id(collection, &account)?;
                let basis = IdBasis::new(&account, tiny_id);
                let id = unused_id(transaction, collection, basis, |basis| {
                    generate_id(&ids, basis)
                })?;
                let new = NewObject {
                    tiny_id,
                    sid: account.clone(),
                    id: id.clone(),
                    now,
                };
                let record = insert::<R>(transaction, collection, draft, new)?;
                if let Some(request) = &request {
                    transaction.put_idempotency_record(
                        &account,
                        request,
                        &clock,
                        record.clone(),
                    )?;
                }

                Ok((id, record))
            })
            .await
    }

    /// Creates an object with this id in an account, unless there is one.
    ///
    /// # Errors
    /// The store failed.
    pub async fn ensure(
        &self,
        account: &AccountId,
        id: R::Id,
        draft: R::Draft,
    ) -> Result<(), ServiceError> {
        if self
            .store
            .record(self.collection, &id.to_string())?
            .is_some()
        {
            return Ok(());
        }

        let (account, clock, collection) = (account.clone(), self.clock.clone(), self.collection);
        self.store
            .write(move |transaction| {
                if transaction.record(collection, &id.to_string())?.is_some() {
                    return Ok(());
                }
                let new = NewObject {
                    tiny_id: transaction.next_tiny_id(collection, &account)?,
                    now: clock.now_in(&account),
                    sid: account.clone(),
                    id,
                };
                insert::<R>(transaction, collection, draft, new).map(drop)
            })
            .await
    }

    /// The stored record of an object in the caller's account.
    ///
    /// # Errors
    /// No such object in this account; the store failed.
    pub fn get(&self, caller: &Caller, id: &R::Id) -> Result<Stored, ServiceError> {
        self.get_of(&caller.account, id)
    }

    /// The size in bytes of an object in the writer's account.
    ///
    /// # Errors
    /// No such object in this account; the store failed.
    pub fn bytes(&self, writer: &WriteAccess, id: &R::Id) -> Result<usize, ServiceError> {
        Ok(self.get_of(writer.account(), id)?.as_ref().len())
    }

    fn get_of(&self, account: &AccountId, id: &R::Id) -> Result<Stored, ServiceError> {
        let found = self.store.record(self.collection, &id.to_string())?;
        Ok(found
            .filter(|record| self.collection.owns(account, record))
            .ok_or(Rejection::NotFound(R::NAME))?)
    }

    /// Applies a patch and returns the new record.
    ///
    /// # Errors
    /// No such object in this account; a precondition failed; the store failed.
    pub async fn update(
        &self,
        writer: &WriteAccess,
        id: R::Id,
        patch: R::Patch,
        conditions: Preconditions,
    ) -> Result<Stored, ServiceError> {
        let (account, clock) = (writer.account().clone(), self.clock.clone());
        let (collection, id) = (self.collection, id.to_string());
        self.store
            .write(move |transaction| {
                let (mut object, current): (R, _) =
                    objects::owned(transaction, collection, &account, &id, R::NAME)?;
                conditions.check(current.as_ref())?;
                if !object.apply(patch, clock.now_in(&account)) {
                    return Ok(current);
                }
                let record = encode(&object)?;
                transaction.replace(collection, &id, record.clone());
                Ok(record)
            })
            .await
    }

    /// Deletes an object. Its tinyId is not used again.
    ///
    /// # Errors
    /// No such object in this account; a precondition failed; the store failed.
    pub async fn delete(
        &self,
        writer: &WriteAccess,
        id: R::Id,
        conditions: Preconditions,
    ) -> Result<(), ServiceError> {
        let account = writer.account().clone();
        let (collection, id) = (self.collection, id.to_string());
        self.store
            .write(move |transaction| {
                let (object, current): (R, _) =
                    objects::owned(transaction, collection, &account, &id, R::NAME)?;
                conditions.check(current.as_ref())?;
                Ok(transaction.delete(collection, &account, object.tiny_id(), &id)?)
            })
            .await
    }

    /// Lists of these objects.
    pub fn lists(&self) -> &Lists {
        &self.lists
    }
}

// Derived, it would demand that `R` is `Clone`.
impl<R: Resource> Clone for Resources<R> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            lists: self.lists.clone(),
            ..*self
        }
    }
}

fn unused_id<I: ToString>(
    transaction: &Transaction<'_>,
    collection: Collection,
    mut basis: IdBasis<'_>,
    generate: impl Fn(IdBasis<'_>) -> I,
) -> Result<I, ServiceError> {
    loop {
        let id = generate(basis);
        basis.attempt = basis.attempt.saturating_add(1);
        if transaction.record(collection, &id.to_string())?.is_none() {
            return Ok(id);
        }
    }
}

fn insert<R: Resource>(
    transaction: &mut Transaction<'_>,
    collection: Collection,
    draft: R::Draft,
    new: NewObject<R::Id>,
) -> Result<Stored, ServiceError> {
    let (sid, id, tiny_id) = (new.sid.clone(), new.id.to_string(), new.tiny_id);
    let record = encode(&R::create(draft, new))?;
    transaction.insert(collection, &sid, tiny_id, &id, record.clone())?;
    Ok(record)
}
