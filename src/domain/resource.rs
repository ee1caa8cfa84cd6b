//! Objects that callers create, read, update and delete, and that have no rules beyond those of
//! their attributes: users and teams.
//!
//! One service and one set of handlers serve every kind.

use super::{
    body::Strictness, ids::AccountId, list::Schema, rejection::Rejection, timestamp::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::fmt::Display;

/// Attributes that the server sets when it creates an object.
#[derive(Clone, Debug)]
pub struct NewObject<I> {
    /// The account.
    pub sid: AccountId,
    /// The identifier.
    pub id: I,
    /// The number within the account.
    pub tiny_id: u64,
    /// The time.
    pub now: Timestamp,
}

/// A kind of object.
pub trait Resource: Serialize + DeserializeOwned + Send + 'static {
    /// Identifiers of this kind.
    type Id: Clone + Display + Send + 'static;
    /// The input to create an object.
    type Draft: Clone + Serialize + Send + 'static;
    /// A partial update.
    type Patch: Clone + Send + 'static;

    /// The name in messages, such as `Team`.
    const NAME: &'static str;
    /// The path of the list, such as `/team`.
    const PATH: &'static str;
    /// The attributes for filters, sorting and selection, in the order of the object.
    const SCHEMA: Schema;

    /// Parses an identifier.
    fn parse_id(text: &str) -> Option<Self::Id>;

    /// Parses the body of a create.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error, in the order of the object's attributes.
    fn parse_draft(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self::Draft, Rejection>;

    /// Parses the body of an update. `{}` is a patch that changes nothing.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error, in the order of the object's attributes.
    fn parse_patch(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self::Patch, Rejection>;

    /// Creates an object.
    fn create(draft: Self::Draft, new: NewObject<Self::Id>) -> Self;

    /// Applies a patch. Returns whether anything changed; only then `updatedAt` moves forward.
    fn apply(&mut self, patch: Self::Patch, now: Timestamp) -> bool;

    /// The identifier.
    fn id(&self) -> &Self::Id;

    /// The number within the account.
    fn tiny_id(&self) -> u64;
}
