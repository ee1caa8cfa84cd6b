//! Who is calling: the account behind a credential and what the credential may do.

use super::{
    ids::{AccountId, UserId},
    rejection::Rejection,
};

/// What a credential may do in its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everything.
    ReadWrite,
    /// Everything that changes nothing.
    ReadOnly,
}

/// Somebody with a valid credential. Everything they see and create lies within `account`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The `sid` of all that the caller creates, and the wall around all that they see.
    pub account: AccountId,
    /// Whether they may write.
    pub access: Access,
    /// The user, when the credential is a user's token and not a key.
    pub user: Option<UserId>,
}

/// A caller who may write. What changes something takes this, so that the check cannot be
/// forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteAccess {
    caller: Caller,
    from_foreign_page: bool,
}

impl WriteAccess {
    /// The account that is written to.
    pub fn account(&self) -> &AccountId {
        &self.caller.account
    }

    /// The same, on behalf of a web page that is not trusted with what only this machine or network
    /// reaches.
    pub fn from_foreign_page(self, from_foreign_page: bool) -> Self {
        Self {
            from_foreign_page,
            ..self
        }
    }

    /// Whether a web page of a stranger asks.
    pub fn is_from_foreign_page(&self) -> bool {
        self.from_foreign_page
    }

    /// The id that stands for who did something: the user's, or without one, as with a key, the
    /// account's.
    pub fn actor(&self) -> &str {
        self.caller
            .user
            .as_ref()
            .map_or(self.caller.account.as_str(), UserId::as_str)
    }
}

impl Caller {
    /// The right to write.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] for a read-only credential.
    pub fn into_write_access(self) -> Result<WriteAccess, Rejection> {
        match self.access {
            Access::ReadWrite => Ok(WriteAccess { caller: self, from_foreign_page: false }),
            Access::ReadOnly => Err(Rejection::Forbidden(
                "You don't have access to the resource requested: this credential may read but not write".into(),
            )),
        }
    }
}
