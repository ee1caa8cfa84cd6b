//! Destinations that name users and teams of an account.

use super::error::ServiceError;
use crate::{
    domain::{body::Strictness, caller::WriteAccess, ids::DestinationId, rejection::Rejection},
    store::{Collection, Store, TEAMS, USERS},
};

/// The service for destinations. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Destinations {
    store: Store,
}

impl Destinations {
    /// A service over `store`.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Checks, in strict mode, that each user and team exists, once the account has any of its kind
    /// besides the caller. Before that, tests may name any.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every destination that does not exist; the store failed.
    pub fn check(
        &self,
        writer: &WriteAccess,
        destinations: &[DestinationId],
        strictness: Strictness,
    ) -> Result<(), ServiceError> {
        if strictness == Strictness::Lenient || destinations.is_empty() {
            return Ok(());
        }

        let (has_users, has_teams) = (
            self.has_others(USERS, writer)?,
            self.has_others(TEAMS, writer)?,
        );
        let mut errors = Vec::new();
        for (position, id) in destinations.iter().enumerate() {
            let id = id.as_str();
            let (collection, kind) = match id.split_once('_') {
                Some(("usr", _)) if has_users => (USERS, "user"),
                Some(("tem", _)) if has_teams => (TEAMS, "team"),
                _ => continue,
            };
            let found = self.store.record(collection, id)?;
            if !found.is_some_and(|record| collection.owns(writer.account(), &record)) {
                errors.push(format!(
                    "'destination_ids' at position {position} must be a {kind} of this account, but \
                     was '{id}'"
                ));
            }
        }

        match errors.is_empty() {
            true => Ok(()),
            false => Err(Rejection::Invalid(errors).into()),
        }
    }

    /// Whether the account has objects other than the caller, whom logging in creates.
    fn has_others(
        &self,
        collection: Collection,
        writer: &WriteAccess,
    ) -> Result<bool, ServiceError> {
        let caller = self.store.record(collection, writer.actor())?;
        let count = self.store.snapshot()?.count(collection, writer.account())?;
        Ok(count > u64::from(caller.is_some()))
    }
}
