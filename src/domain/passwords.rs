//! Hashing what people choose (argon2) and what is random (SHA-256).

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The argon2id hash of a password, salted, in PHC form. Takes some 20 ms and 19 MiB, on purpose.
///
/// # Errors
/// The machine gives no randomness or no memory; as a sentence.
pub fn hash(password: &str) -> Result<String, String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| format!("the password cannot be hashed: {error}"))
}

/// Whether a text is a hash that [`verify`] can use.
pub fn is_hash(text: &str) -> bool {
    text.starts_with("$argon2") && PasswordHash::new(text).is_ok_and(|hash| hash.hash.is_some())
}

/// Whether the password is the one that was hashed. As slow as [`hash`], also without a hash: how
/// long it takes does not tell whether there is one.
pub fn verify(password: &str, hashed: Option<&str>) -> bool {
    let Some(parsed) = hashed.and_then(|hashed| PasswordHash::new(hashed).ok()) else {
        let _as_slow = hash(password);
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &parsed)
        .is_ok()
}

/// The SHA-256 of a random secret.
pub fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// Whether the secret has this digest; takes the same time wherever they differ.
pub fn matches(secret: &[u8], expected: &[u8; 32]) -> bool {
    digest(secret).ct_eq(expected).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_knows_its_password_and_no_other() {
        let hashed = hash("correct horse").unwrap();
        assert!(is_hash(&hashed), "{hashed}");
        assert!(verify("correct horse", Some(&hashed)));
        assert!(!verify("battery staple", Some(&hashed)));
        assert!(!verify("correct horse", None));
        assert!(
            !is_hash("correct horse") && !is_hash("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ")
        );
    }
}
