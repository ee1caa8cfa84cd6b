//! Changes to the records of a collection. Records, index and counters change together.

use super::Transaction;
use crate::{
    domain::{ids::AccountId, import::integration::MAX_TINY_ID},
    store::{
        Collection, StoreError,
        entries::Stored,
        trees::{self, Counters, Tree},
    },
};

impl Transaction<'_> {
    /// The tinyId of the account's next object.
    ///
    /// # Errors
    /// [`StoreError::TinyIdsExhausted`] when the account has used up its numbers, or the store
    /// cannot be read.
    pub fn next_tiny_id(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> Result<u64, StoreError> {
        let next = self
            .counters(collection, account)?
            .last_tiny_id
            .saturating_add(1);
        // An import refuses higher numbers, so an export with one could not be read back.
        if next > MAX_TINY_ID {
            Err(StoreError::TinyIdsExhausted)
        } else {
            Ok(next)
        }
    }

    /// The record with this id, of any account.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn record(&self, collection: Collection, id: &str) -> Result<Option<Stored>, StoreError> {
        self.get(collection.records, id.as_bytes())
    }

    /// Adds a record under the tinyId that [`next_tiny_id`](Self::next_tiny_id) returned.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn insert(
        &mut self,
        collection: Collection,
        account: &AccountId,
        tiny_id: u64,
        id: &str,
        record: Stored,
    ) -> Result<(), StoreError> {
        let counters = self.counters(collection, account)?;
        self.put(collection.records, id.into(), record);
        self.put(
            collection.index,
            trees::index_key(account, tiny_id),
            id.as_bytes().to_vec().into(),
        );

        let counters = Counters {
            last_tiny_id: counters.last_tiny_id.max(tiny_id),
            live: counters.live.saturating_add(1),
        };

        self.put_counters(collection, account, counters);
        Ok(())
    }

    /// Replaces the record of an existing object.
    pub fn replace(&mut self, collection: Collection, id: &str, record: Stored) {
        self.put(collection.records, id.into(), record);
    }

    /// Deletes an existing object.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn delete(
        &mut self,
        collection: Collection,
        account: &AccountId,
        tiny_id: u64,
        id: &str,
    ) -> Result<(), StoreError> {
        let counters = self.counters(collection, account)?;
        self.remove(collection.records, id.into());
        self.remove(collection.index, trees::index_key(account, tiny_id));
        self.put_counters(
            collection,
            account,
            Counters {
                live: counters.live.saturating_sub(1),
                ..counters
            },
        );

        Ok(())
    }

    fn counters(
        &self,
        collection: Collection,
        account: &AccountId,
    ) -> Result<Counters, StoreError> {
        let key = trees::counters_key(account, collection.name);
        Counters::decode_optional(self.get(Tree::Accounts, &key)?)
    }

    fn put_counters(&mut self, collection: Collection, account: &AccountId, counters: Counters) {
        self.put(
            Tree::Accounts,
            trees::counters_key(account, collection.name),
            counters.encode().into(),
        );
    }
}
