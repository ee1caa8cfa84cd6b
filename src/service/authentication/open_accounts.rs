//! The accounts of open mode, each derived from its credential.

use super::invalid_credential;
use crate::domain::{
    ids::{AccountId, UserId},
    rejection::Rejection,
};
use sha2::{Digest, Sha256};

/// In open mode, each user name has its own user and account.
pub(super) fn user_and_account(username: &str) -> Result<(UserId, AccountId), Rejection> {
    let tail = derive(&[b"user", username.as_bytes()]);
    let id =
        UserId::parse(&format!("{}{tail}", UserId::PREFIX)).map_err(|_| invalid_credential())?;
    let sid = AccountId::parse(&format!("{}{tail}", AccountId::PREFIX))
        .map_err(|_| invalid_credential())?;
    Ok((id, sid))
}

/// The account of a credential.
pub(super) fn account_of(parts: &[&[u8]]) -> Result<AccountId, Rejection> {
    AccountId::parse(&format!("{}{}", AccountId::PREFIX, derive(parts)))
        .map_err(|_| invalid_credential())
}

/// Fourteen characters derived from the parts by hashing.
pub(super) fn derive(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }

    let alphabet = &nanoid::alphabet::SAFE;
    hash.finalize()
        .iter()
        .take(14)
        .filter_map(|byte| alphabet.get(usize::from(byte & 63)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_in_open_mode_never_changes() {
        // With another value, every server in open mode would lose access to its objects.
        assert_eq!(
            account_of(&[b"token", b"<token>"]).unwrap().as_str(),
            "acc_L6_iCZSMHsLD8J"
        );
        assert_ne!(derive(&[b"a", b"bc"]), derive(&[b"ab", b"c"]));
        assert_eq!(derive(&[b"x"]).len(), 14);
    }
}
