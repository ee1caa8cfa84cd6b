//! The tokens of `/public/login`: JSON Web Tokens, signed with HMAC-SHA-256 and the store's secret.
//!
//! The claims are `id` (the user), `sid` (the account), `iat` and `exp` in Unix seconds. A public
//! client decodes a token without verifying it and reads `id`.

use crate::{
    clock::Clock,
    domain::{
        ids::{AccountId, UserId},
        timestamp::Timestamp,
    },
};
use jsonwebtoken::{
    Algorithm, DecodingKey, DecodingKeyKind, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::ErrorKind,
    signature,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
};

/// The claims of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The user.
    pub id: UserId,
    /// The account.
    pub sid: AccountId,
    /// Time of issue in Unix seconds.
    pub iat: i64,
    /// Time of expiry in Unix seconds.
    pub exp: i64,
    /// What only tokens of the control plane have.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestClaims>,
}

/// The further claims of a token that the control plane has issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestClaims {
    /// The id of the token, by which it is revoked.
    pub jti: String,
    /// The run of the server that has issued it. The token ends with the run, since what was
    /// revoked is known in memory only.
    pub run: String,
    /// Whether it may only read.
    pub read_only: bool,
}

/// The result of verifying a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenStatus {
    /// Signed by this store, and not expired.
    Valid(Claims),
    /// Signed by this store, but expired.
    Expired,
    /// Issued by the control plane, and revoked since.
    Revoked,
    /// Issued by a server of this program, but not signed by this store: damaged, or of another
    /// store.
    Damaged,
    /// Not a token of this program.
    Foreign,
}

/// Issues and verifies tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    header: Header,
    /// What every token begins with.
    prefix: Box<[u8]>,
    /// Names this run of the server.
    run: Box<str>,
    /// Ids of tokens of this run that were revoked.
    revoked: Arc<RwLock<HashSet<String>>>,
}

/// The key id in the header of each token, by which tokens of this program are known.
const KEY_ID: &str = "pagertree-local";

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Tokens signed with `secret`, in a run of the server named `run`.
    pub fn new(secret: &[u8], run: &str) -> Self {
        // The library wants its cryptography set once per process. An error means that it is set.
        let _ignored = CryptoProvider::install_default(&HMAC_SHA256);

        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        // `verify` checks expiry by our own clock.
        validation.validate_exp = false;
        validation.validate_aud = false;

        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(KEY_ID.to_owned());
        let signing = EncodingKey::from_secret(secret);
        let sample = jsonwebtoken::encode(&header, &(), &signing).unwrap_or_default();
        let prefix = sample.split_inclusive('.').next().unwrap_or_default();

        Self {
            signing,
            checking: DecodingKey::from_secret(secret),
            validation,
            prefix: prefix.as_bytes().into(),
            header,
            run: run.into(),
            revoked: Arc::default(),
        }
    }

    /// Issues a token for a user, valid for `lifetime` seconds from `now`.
    ///
    /// # Errors
    /// The library failed to sign.
    pub fn issue(
        &self,
        id: UserId,
        sid: AccountId,
        now: Timestamp,
        lifetime: u32,
    ) -> Result<String, String> {
        let iat = now.seconds();
        let claims = Claims {
            id,
            sid,
            iat,
            exp: iat.saturating_add(lifetime.into()),
            test: None,
        };
        self.sign(&claims)
    }

    /// Issues a token for a test, which ends with this run of the server.
    ///
    /// # Errors
    /// The library failed to sign.
    pub fn issue_test_token(
        &self,
        claims: Claims,
        token_id: String,
        read_only: bool,
    ) -> Result<String, String> {
        let test = TestClaims {
            jti: token_id,
            run: self.run.to_string(),
            read_only,
        };
        self.sign(&Claims {
            test: Some(test),
            ..claims
        })
    }

    fn sign(&self, claims: &Claims) -> Result<String, String> {
        jsonwebtoken::encode(&self.header, claims, &self.signing)
            .map_err(|error| format!("cannot sign the token: {error}"))
    }

    /// The account in a token that this store has signed, also if it has expired.
    pub fn named_account(&self, token: &[u8]) -> Option<AccountId> {
        if !token.starts_with(b"eyJ") {
            return None;
        }
        let read = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation);
        read.ok().map(|read| read.claims.sid)
    }

    /// Revokes a token of this run by its id.
    pub fn revoke(&self, token_id: &str) {
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.insert(token_id.to_owned());
    }

    /// Lets a token id be used again: after a reset, a seeded account repeats its ids.
    pub fn reinstate(&self, token_id: &str) {
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.remove(token_id);
    }

    fn is_revoked(&self, test: &TestClaims) -> bool {
        let revoked = self.revoked.read().unwrap_or_else(PoisonError::into_inner);
        *test.run != *self.run || revoked.contains(&test.jti)
    }

    /// Verifies a token. It expires by the time of its account.
    pub fn verify(&self, token: &[u8], clock: &Clock) -> TokenStatus {
        // Most credentials are not tokens, so this check must be cheap.
        if !token.starts_with(b"eyJ") {
            return TokenStatus::Foreign;
        }

        let Ok(read) = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation)
        else {
            return if token.starts_with(&self.prefix) {
                TokenStatus::Damaged
            } else {
                TokenStatus::Foreign
            };
        };

        if read
            .claims
            .test
            .as_ref()
            .is_some_and(|test| self.is_revoked(test))
        {
            return TokenStatus::Revoked;
        }

        if read.claims.exp <= clock.now_in(&read.claims.sid).seconds() {
            TokenStatus::Expired
        } else {
            TokenStatus::Valid(read.claims)
        }
    }
}

static HMAC_SHA256: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        only_hs256(*algorithm)?;
        Ok(Box::new(HmacSha256::new(key.as_bytes())?))
    },
    verifier_factory: |algorithm, key| {
        only_hs256(*algorithm)?;
        match key.kind() {
            DecodingKeyKind::SecretOrDer(secret) => Ok(Box::new(HmacSha256::new(secret)?)),
            _ => Err(ErrorKind::InvalidKeyFormat.into()),
        }
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn only_hs256(algorithm: Algorithm) -> Result<(), ErrorKind> {
    if algorithm == Algorithm::HS256 {
        Ok(())
    } else {
        Err(ErrorKind::InvalidAlgorithm)
    }
}

struct HmacSha256(hmac::Hmac<sha2::Sha256>);

impl HmacSha256 {
    fn new(secret: &[u8]) -> Result<Self, ErrorKind> {
        use hmac::KeyInit;
        hmac::Hmac::new_from_slice(secret)
            .map(Self)
            .map_err(|_| ErrorKind::InvalidKeyFormat)
    }

    fn over(&self, message: &[u8]) -> hmac::Hmac<sha2::Sha256> {
        use hmac::Mac;
        let mut mac = self.0.clone();
        mac.update(message);
        mac
    }
}

impl signature::Signer<Vec<u8>> for HmacSha256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        use hmac::Mac;
        Ok(self.over(message).finalize().into_bytes().to_vec())
    }
}

impl signature::Verifier<Vec<u8>> for HmacSha256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        use hmac::Mac;
        self.over(message)
            .verify_slice(signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for HmacSha256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for HmacSha256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).unwrap()
    }

    fn clock_at(seconds: i64) -> Clock {
        Clock::manual(seconds * 1000)
    }

    fn token() -> String {
        let (user, account) = (
            UserId::parse("usr_1").unwrap(),
            AccountId::parse("acc_1").unwrap(),
        );
        Tokens::new(b"secret", "run")
            .issue(user, account, at(1_000), 60)
            .unwrap()
    }

    #[test]
    fn token_is_valid_until_it_expires() {
        let tokens = Tokens::new(b"secret", "run");
        assert!(
            matches!(tokens.verify(token().as_bytes(), &clock_at(1_059)), TokenStatus::Valid(claims) if claims.exp == 1_060)
        );
        assert_eq!(
            tokens.verify(token().as_bytes(), &clock_at(1_060)),
            TokenStatus::Expired
        );
    }

    #[test]
    fn token_with_another_signature_is_damaged() {
        let verify =
            |tokens: Tokens, token: &str| tokens.verify(token.as_bytes(), &clock_at(1_000));
        assert_eq!(
            verify(Tokens::new(b"other", "run"), &token()),
            TokenStatus::Damaged
        );
        let token = token();
        let parts: Vec<&str> = token.split('.').collect();
        for damaged in [
            token[..token.len() - 1].to_owned(),
            format!("{token}x"),
            format!("{}.e30.{}", parts[0], parts[2]),
            format!("{}.", parts[0]),
        ] {
            assert_eq!(
                verify(Tokens::new(b"secret", "run"), &damaged),
                TokenStatus::Damaged,
                "{damaged}"
            );
        }
    }

    #[test]
    fn test_token_ends_when_it_is_revoked_and_with_the_run() {
        let (tokens, now) = (Tokens::new(b"secret", "run"), clock_at(1_000));
        let claims = Claims {
            id: UserId::parse("usr_1").unwrap(),
            sid: AccountId::parse("acc_1").unwrap(),
            iat: 1_000,
            exp: 1_060,
            test: None,
        };
        let token = tokens
            .issue_test_token(claims, "tok_1".into(), true)
            .unwrap();
        let verify = |tokens: &Tokens| tokens.verify(token.as_bytes(), &now);
        assert!(matches!(verify(&tokens), TokenStatus::Valid(claims) if claims.test.is_some()));
        assert_eq!(
            verify(&Tokens::new(b"secret", "next")),
            TokenStatus::Revoked
        );
        tokens.revoke("tok_1");
        assert_eq!(verify(&tokens), TokenStatus::Revoked);
    }

    #[test]
    fn other_texts_are_foreign() {
        // RFC 7515's example of an unsigned token, shortened: {"alg":"none"} . {"id":"usr_1"} .
        let unsigned = b"eyJhbGciOiJub25lIn0.eyJpZCI6InVzcl8xIn0.";
        assert_eq!(
            Tokens::new(b"secret", "run").verify(unsigned, &clock_at(1_000)),
            TokenStatus::Foreign
        );
    }

    #[test]
    fn signature_matches_rfc_4231() {
        // RFC 4231, test case 2: key "Jefe".
        use signature::Signer;
        let mac = HmacSha256::new(b"Jefe")
            .unwrap()
            .try_sign(b"what do ya want for nothing?")
            .unwrap();
        assert_eq!(mac[..4], [0x5b, 0xdc, 0xc1, 0x46]);
    }
}
