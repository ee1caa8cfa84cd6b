//! The `Idempotency-Key` of a create. A client that repeats a request, not knowing whether the
//! first one arrived, gets the first response again and creates nothing.

/// A key chosen by the client: 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// Validates a key.
    ///
    /// # Errors
    /// The key is malformed. The message says what would be valid.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).ok().filter(|text| {
            (1..=255).contains(&text.len())
                && text
                    .bytes()
                    .all(|byte| byte == b' ' || byte.is_ascii_graphic())
        });
        text.map(|text| Self(text.into())).ok_or_else(|| {
            "'Idempotency-Key' must have 1 to 255 printable ASCII characters".to_owned()
        })
    }

    /// The key as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The identity of a request that may be a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// The client's key.
    pub key: IdempotencyKey,
    /// Digest of the request. Reusing the key with another digest is a conflict.
    pub fingerprint: [u8; 32],
}

/// How long a response can be replayed: one day, in milliseconds.
pub const REPLAY_WINDOW_MS: i64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printable_and_not_too_long() {
        for good in [&b"a"[..], b"5a2b 7c", &[b'x'; 255]] {
            assert!(IdempotencyKey::parse(good).is_ok());
        }
        for bad in [&b""[..], b"a\tb", "ä".as_bytes(), &[0xff], &[b'x'; 256]] {
            assert!(IdempotencyKey::parse(bad).is_err());
        }
    }
}
