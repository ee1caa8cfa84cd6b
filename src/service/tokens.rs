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
}

/// The result of verifying a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenStatus {
    /// Signed by this store, and not expired.
    Valid(Claims),
    /// Signed by this store, but expired.
    Expired,
    /// Not a token, or not signed by this store.
    Foreign,
}

/// Issues and verifies tokens.
#[derive(Clone)]
pub struct Tokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

impl Tokens {
    /// Tokens signed with `secret`.
    pub fn new(secret: &[u8]) -> Self {
        // The library wants its cryptography set once per process. An error means that it is set.
        let _ignored = CryptoProvider::install_default(&HMAC_SHA256);

        let mut validation = Validation::new(Algorithm::HS256);
        validation.required_spec_claims.clear();
        // `verify` checks expiry by our own clock.
        validation.validate_exp = false;
        validation.validate_aud = false;

        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            validation,
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
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
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

    /// Verifies a token. It expires by the time of its account.
    pub fn verify(&self, token: &[u8], clock: &Clock) -> TokenStatus {
        // Most credentials are not tokens, so this check must be cheap.
        if !token.starts_with(b"eyJ") {
            return TokenStatus::Foreign;
        }

        let Ok(read) = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation)
        else {
            return TokenStatus::Foreign;
        };

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
        Tokens::new(b"secret")
            .issue(user, account, at(1_000), 60)
            .unwrap()
    }

    #[test]
    fn token_is_valid_until_it_expires() {
        let tokens = Tokens::new(b"secret");
        assert!(
            matches!(tokens.verify(token().as_bytes(), &clock_at(1_059)), TokenStatus::Valid(claims) if claims.exp == 1_060)
        );
        assert_eq!(
            tokens.verify(token().as_bytes(), &clock_at(1_060)),
            TokenStatus::Expired
        );
    }

    #[test]
    fn token_with_another_signature_is_foreign() {
        assert_eq!(
            Tokens::new(b"other").verify(token().as_bytes(), &clock_at(1_000)),
            TokenStatus::Foreign
        );
        // RFC 7515's example of an unsigned token, shortened: {"alg":"none"} . {"id":"usr_1"} .
        let unsigned = b"eyJhbGciOiJub25lIn0.eyJpZCI6InVzcl8xIn0.";
        assert_eq!(
            Tokens::new(b"secret").verify(unsigned, &clock_at(1_000)),
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
