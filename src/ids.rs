//! The only source of randomness: ids, secrets and request ids.
//! A source is passed to everything that generates ids, so that tests can seed it.

use crate::domain::ids::{AccountId, AlertId, IntegrationId, KeyId, LogId, TeamId, UserId};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Characters behind an id's prefix: 84 bits, and within the 7 to 14 that public clients accept.
const ID_LENGTH: usize = 14;
/// Characters of a secret: 256 bits and a little.
const SECRET_LENGTH: usize = 43;

/// A source of ids and secrets.
#[derive(Clone, Debug)]
pub enum Ids {
    /// The operating system's generator.
    Random,
    /// A reproducible sequence, for tests only: everything it generates can be guessed.
    Seeded(Arc<AtomicU64>),
}

impl Ids {
    /// A repeatable source.
    pub fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(AtomicU64::new(seed)))
    }

    /// A new integration id: `int_` and 14 characters.
    pub fn integration(&self) -> IntegrationId {
        self.prefixed(IntegrationId::PREFIX, IntegrationId::parse)
    }

    /// A new alert id.
    pub fn alert(&self) -> AlertId {
        self.prefixed(AlertId::PREFIX, AlertId::parse)
    }

    /// A new log id.
    pub fn log(&self) -> LogId {
        self.prefixed(LogId::PREFIX, LogId::parse)
    }

    /// A new third-party id for an event without one: a UUID of version 4.
    pub fn thirdparty(&self) -> String {
        let bytes = self.bytes(16).first_chunk().copied().unwrap_or_default();
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    /// A new ULID: 48 bits of time in milliseconds, and 80 random bits.
    pub fn ulid(&self, millis: i64) -> String {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let chance = self
            .bytes(10)
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
        self.bytes(8)
            .first_chunk()
            .copied()
            .map_or(0, u64::from_le_bytes)
    }

    fn bytes(&self, size: usize) -> Vec<u8> {
        match self {
            Self::Random => nanoid::rngs::default(size),
            Self::Seeded(state) => seeded_bytes(state, size),
        }
    }

    /// A new user id.
    pub fn user(&self) -> UserId {
        self.prefixed(UserId::PREFIX, UserId::parse)
    }

    /// A new team id.
    pub fn team(&self) -> TeamId {
        self.prefixed(TeamId::PREFIX, TeamId::parse)
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
            Self::Random => nanoid::nanoid!(length),
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
    start: String,
    count: AtomicU64,
}

impl RequestIds {
    /// A series that begins with eight random characters.
    pub fn new(ids: &Ids) -> Self {
        Self {
            start: format!("req_{}", ids.text(8)),
            count: AtomicU64::new(0),
        }
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
        let id = Ids::Random.integration();
        assert_eq!(id.as_str().len(), "int_".len() + 14);
    }

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let make = |seed| {
            let ids = Ids::seeded(seed);
            (ids.integration(), ids.secret())
        };
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
    }

    /// The time is that of the example in the specification of ULIDs, which begins with 01ARZ3NDEK.
    #[test]
    fn ulids_begin_with_the_time() {
        let ulid = Ids::seeded(1).ulid(1_469_922_850_259);
        assert_eq!((&ulid[..10], ulid.len()), ("01ARZ3NDEK", 26));
        assert_ne!(ulid, Ids::seeded(2).ulid(1_469_922_850_259));
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
