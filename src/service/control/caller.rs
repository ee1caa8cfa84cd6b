//! Who calls the control plane, and for which accounts.

use crate::domain::{
    caller::{Access, Caller},
    ids::AccountId,
    rejection::Rejection,
};

/// The accounts that a call of the control plane is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ControlScope {
    /// The caller's account.
    Account(AccountId),
    /// All accounts of the store.
    AllAccounts,
}

impl ControlScope {
    /// The account, if it is one.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Account(account) => Some(account),
            Self::AllAccounts => None,
        }
    }
}

/// An authenticated caller of the control plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlCaller {
    scope: ControlScope,
    access: Access,
}

/// A caller of the control plane that may change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlWriter {
    scope: ControlScope,
}

impl ControlCaller {
    /// A caller that acts for its own account.
    pub fn for_account(caller: Caller) -> Self {
        Self {
            scope: ControlScope::Account(caller.account),
            access: caller.access,
        }
    }

    /// A caller that acts for all accounts.
    pub fn for_all_accounts(access: Access) -> Self {
        Self {
            scope: ControlScope::AllAccounts,
            access,
        }
    }

    /// The accounts to read.
    pub fn scope(&self) -> &ControlScope {
        &self.scope
    }

    /// Checks the permission to write.
    ///
    /// # Errors
    /// [`Rejection::Forbidden`] for a read-only credential.
    pub fn into_writer(self) -> Result<ControlWriter, Rejection> {
        match self.access {
            Access::ReadWrite => Ok(ControlWriter { scope: self.scope }),
            Access::ReadOnly => Err(Rejection::Forbidden(
                "This credential may read the control plane but not change anything".into(),
            )),
        }
    }
}

impl ControlWriter {
    /// The accounts to change.
    pub fn scope(&self) -> &ControlScope {
        &self.scope
    }
}
