//! The account as its API shows it. Accounts are not created: a credential has one.
//!
//! Source of the attributes: PagerTree's reference, "Account", without what belongs to billing and
//! notifications.

use super::{ids::AccountId, timestamp::Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

/// An account, as returned.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// The account itself.
    pub sid: AccountId,
    /// The same.
    pub id: AccountId,
    /// Time of the first object.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// The same: an account does not change.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
    /// Free-form metadata.
    pub meta: Map<String, Value>,
    /// Its identifier: accounts have no other name here.
    pub name: AccountId,
}

impl Account {
    /// An account that has existed since `created_at`.
    pub fn new(id: AccountId, created_at: Timestamp) -> Self {
        Self {
            sid: id.clone(),
            id: id.clone(),
            created_at,
            updated_at: created_at,
            meta: Map::new(),
            name: id,
        }
    }
}
