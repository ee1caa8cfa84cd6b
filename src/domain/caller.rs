//! The authenticated caller: the account behind a credential, and its permissions.

use super::{
    ids::{AccountId, UserId},
    rejection::Rejection,
};

/// Permissions of a credential in its account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// All requests.
    ReadWrite,
    /// Only requests that change nothing.
    ReadOnly,
}

/// An authenticated caller, confined to `account`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The `sid` of everything the caller creates or can see.
    pub account: AccountId,
    /// Permissions.
    pub access: Access,
    /// The user, if the credential is a user's token rather than a key.
    pub user: Option<UserId>,
}

/// A caller with permission to write. Every function that changes data takes one, so that the check
/// cannot be forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteAccess {
    caller: Caller,
    from_foreign_page: bool,
}

impl WriteAccess {
    /// The account to write to.
    pub fn account(&self) -> &AccountId {
        &self.caller.account
    }

    /// Marks the request as sent by a web page that is not trusted with private addresses.
    pub fn from_foreign_page(self, from_foreign_page: bool) -> Self {
        Self {
            from_foreign_page,
            ..self
        }
    }

    /// Whether the request was sent by an untrusted web page.
    pub fn is_from_foreign_page(&self) -> bool {
        self.from_foreign_page
    }

    /// The id recorded as the author of a change: the user's, or the account's for a key.
    pub fn actor(&self) -> &str {
        self.caller
            .user
            .as_ref()
            .map_or(self.caller.account.as_str(), UserId::as_str)
    }
}

impl Caller {
    /// Checks the permission to write.
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
