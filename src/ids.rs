//! The only source of randomness: ids, secrets and request ids.
//! A source is passed to everything that generates ids, so that tests can seed it.

mod seeds;

pub use seeds::Seeds;

use crate::domain::ids::{AccountId, AlertId, IntegrationId, KeyId, LogId, TeamId, UserId};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Characters behind an id's prefix: 84 bits, and within the 7 to 14 that public clients accept.
const ID_LENGTH: usize = 14;
/// Characters of a secret: 256 bits and a little.
const SECRET_LENGTH: usize = 43;

const TOKEN_PREFIX: &str = "tok_";
const REQUEST_PREFIX: &str = "req_";
/// Characters behind the prefix of a request id.
const REQUEST_ID_LENGTH: usize = 18;

/// A source of ids and secrets.
#[derive(Clone, Debug)]
pub enum Ids {
    /// The operating system's generator.
    Random,
    /// A reproducible sequence, for tests only: everything it generates can be guessed.
    Seeded(Arc<AtomicU64>),
    /// Ids that can be derived from a seed, for all accounts or for one, and else are random.
    Seedable(Arc<Seeds>),
}

/// What an id is derived from where its account has a seed.
#[derive(Clone, Copy, Debug)]
pub struct IdBasis<'a> {
    /// The account of the object.
    pub account: &'a AccountId,
    /// The number of the object in the account.
    pub number: u64,
    /// Which of the ids that the object may have: another one if an id is in use.
    pub attempt: u64,
}

impl<'a> IdBasis<'a> {
    /// The first id of an object.
    pub fn new(account: &'a AccountId, number: u64) -> Self {
        Self {
            account,
            number,
            attempt: 0,
        }
    }
}

impl Ids {
    /// A repeatable source.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(AtomicU64::new(seed)))
    }

    /// A new integration id: `int_` and 14 characters.
    pub fn integration(&self, basis: IdBasis<'_>) -> IntegrationId {
        self.object(basis, IntegrationId::PREFIX, IntegrationId::parse)
    }

    /// A new alert id.
    pub fn alert(&self, basis: IdBasis<'_>) -> AlertId {
        self.object(basis, AlertId::PREFIX, AlertId::parse)
    }

    /// A new log id.
    pub fn log(&self, basis: IdBasis<'_>) -> LogId {
        self.object(basis, LogId::PREFIX, LogId::parse)
    }

    /// A new third-party id for an event without one: a UUID of version 4.
    pub fn thirdparty(&self, basis: IdBasis<'_>) -> String {
        let bytes = self
            .bytes_for(basis, "thirdparty", 16)
            .first_chunk()
            .copied()
            .unwrap_or_default();
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    /// A new ULID: 48 bits of time in milliseconds, and 80 random bits.
    pub fn ulid(&self, basis: IdBasis<'_>, millis: i64) -> String {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let chance = self
            .bytes_for(basis, "ulid", 10)
            .into_iter()
            .fold(0, |bits: u128, byte| bits << 8 | u128::from(byte));
        let bits = u128::from(millis.cast_unsigned() & 0xFFFF_FFFF_FFFF) << 80 | chance;
        let digit = |place: u32| {
            let digit = usize::try_from(bits >> (5 * place) & 31).unwrap_or_default();
            char::from(DIGITS.get(digit).copied().unwrap_or(b'0'))
        };
        (0..26).rev().map(digit).collect()
    }

    /// A random number.
    pub fn number(&self) -> u64 {
        let bytes = match self {
            Self::Random | Self::Seedable(_) => nanoid::rngs::default(8),
            Self::Seeded(state) => seeded_bytes(state, 8),
        };
        bytes.first_chunk().copied().map_or(0, u64::from_le_bytes)
    }

    /// A number by which the retries of messages differ.
    pub fn retry_jitter(&self, basis: IdBasis<'_>) -> u64 {
        self.bytes_for(basis, "retry", 8)
            .first_chunk()
            .copied()
            .map_or(0, u64::from_le_bytes)
    }

    fn bytes_for(&self, basis: IdBasis<'_>, kind: &str, size: usize) -> Vec<u8> {
        match self {
            Self::Random => nanoid::rngs::default(size),
            Self::Seeded(state) => seeded_bytes(state, size),
            Self::Seedable(seeds) => match seeds.series(basis, kind) {
                Some(state) => seeded_bytes(&state, size),
                None => nanoid::rngs::default(size),
            },
        }
    }

    fn object<T, E>(
        &self,
        basis: IdBasis<'_>,
        prefix: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> T {
        let series = match self {
            Self::Random | Self::Seeded(_) => None,
            Self::Seedable(seeds) => seeds.series(basis, prefix),
        };
        match series {
            None => self.prefixed(prefix, parse),
            Some(state) => Self::Seeded(Arc::new(state)).prefixed(prefix, parse),
        }
    }

    /// A new id for a token of the control plane.
    pub fn token(&self, basis: IdBasis<'_>) -> String {
        let series = match self {
            Self::Random | Self::Seeded(_) => None,
            Self::Seedable(seeds) => seeds.series(basis, TOKEN_PREFIX),
        };
        let text = match series {
            None => self.text(ID_LENGTH),
            Some(state) => Self::Seeded(Arc::new(state)).text(ID_LENGTH),
        };
        format!("{TOKEN_PREFIX}{text}")
    }

    /// The id of a request, if its account has a seed.
    pub fn request(&self, account: &AccountId) -> Option<String> {
        let Self::Seedable(seeds) = self else {
            return None;
        };
        let number = seeds.next_request(account)?;
        let state = seeds.series(IdBasis::new(account, number), REQUEST_PREFIX)?;
        let text = Self::Seeded(Arc::new(state)).text(REQUEST_ID_LENGTH);
        Some(format!("{REQUEST_PREFIX}{text}"))
    }

    /// A new user id.
    pub fn user(&self, basis: IdBasis<'_>) -> UserId {
        self.object(basis, UserId::PREFIX, UserId::parse)
    }

    /// A new team id.
    pub fn team(&self, basis: IdBasis<'_>) -> TeamId {
        self.object(basis, TeamId::PREFIX, TeamId::parse)
    }

    /// A new id for a user who is declared in the configuration.
    pub fn declared_user(&self) -> UserId {
        self.prefixed(UserId::PREFIX, UserId::parse)
    }

    /// A new account id.
    pub fn account(&self) -> AccountId {
        self.prefixed(AccountId::PREFIX, AccountId::parse)
    }

    /// A new id for an API key.
    pub fn key(&self) -> KeyId {
        self.prefixed(KeyId::PREFIX, KeyId::parse)
    }

    /// A new secret of 43 characters of `A-Za-z0-9_-`.
    pub fn secret(&self) -> String {
        self.text(SECRET_LENGTH)
    }

    fn prefixed<T, E>(&self, prefix: &str, parse: impl Fn(&str) -> Result<T, E>) -> T {
        // Every id allows nanoid's alphabet, so the first iteration returns.
        loop {
            if let Ok(id) = parse(&format!("{prefix}{}", self.text(ID_LENGTH))) {
                return id;
            }
        }
    }

    fn text(&self, length: usize) -> String {
        match self {
            Self::Random | Self::Seedable(_) => nanoid::nanoid!(length),
            Self::Seeded(state) => nanoid::format(
                |size| seeded_bytes(state, size),
                &nanoid::alphabet::SAFE,
                length,
            ),
        }
    }
}

/// Bytes of the SplitMix64 sequence.
fn seeded_bytes(state: &AtomicU64, size: usize) -> Vec<u8> {
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    std::iter::repeat_with(|| {
        let mut z = state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)).to_le_bytes()
    })
    .flatten()
    .take(size)
    .collect()
}

/// Generates request ids that are unique across restarts. Cheap, since every request takes one.
#[derive(Debug)]
pub struct RequestIds {
    ids: Ids,
    start: String,
    count: AtomicU64,
}

impl RequestIds {
    /// A series that begins with eight random characters, or with those of the seed of all accounts.
    pub fn new(ids: &Ids) -> Self {
        let start = match ids {
            Ids::Seedable(seeds) => seeds.initial().map(|seed| Ids::seeded(seed).text(8)),
            Ids::Random | Ids::Seeded(_) => None,
        };
        Self {
            ids: ids.clone(),
            start: format!("{REQUEST_PREFIX}{}", start.unwrap_or_else(|| ids.text(8))),
            count: AtomicU64::new(0),
        }
    }

    /// The id of a request of an account, if the account has a seed.
    pub fn seeded(&self, account: &AccountId) -> Option<String> {
        self.ids.request(account)
    }

    /// The next id, such as `req_V1StGXR8000000000a`.
    pub fn next(&self) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut id = String::with_capacity(self.start.len() + 10);
        id.push_str(&self.start);
        for shift in (0..10).rev() {
            let digit = usize::try_from(count >> (4 * shift) & 15).unwrap_or_default();
            id.push(char::from(DIGITS.get(digit).copied().unwrap_or(b'0')));
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integration_ids_are_as_long_as_clients_accept() {
        let account = AccountId::parse("acc_1").unwrap();
        let id = Ids::Random.integration(IdBasis::new(&account, 1));
        assert_eq!(id.as_str().len(), "int_".len() + 14);
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let make = |seed| {
            let (ids, account) = (Ids::seeded(seed), AccountId::parse("acc_1").unwrap());
            (ids.integration(IdBasis::new(&account, 1)), ids.secret())
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
    }

    /// The time is that of the example in the specification of ULIDs, which begins with 01ARZ3NDEK.
    #[test]
    fn ulids_begin_with_the_time() {
        let account = AccountId::parse("acc_1").unwrap();
        let ulid = |seed| Ids::seeded(seed).ulid(IdBasis::new(&account, 1), 1_469_922_850_259);
        let (ulid, other) = (ulid(1), ulid(2));
        assert_eq!((&ulid[..10], ulid.len()), ("01ARZ3NDEK", 26));
        assert_ne!(ulid, other);
    }

    #[test]
    fn request_ids_count_up() {
        let ids = RequestIds::new(&Ids::seeded(1));
        let (first, second) = (ids.next(), ids.next());
        assert!(
            first.ends_with("0000000000") && second.ends_with("0000000001"),
            "{first} {second}"
        );
    }
}
