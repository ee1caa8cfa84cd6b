//! The `Idempotency-Key` of a create: who sends the same request again, not knowing whether the
//! first one arrived, gets the first answer again and creates nothing.

/// A key that the client chose for one request: 1 to 255 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// Takes a key.
    ///
    /// # Errors
    /// What would be right.
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

    /// The key as it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request that may be the repetition of an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotentRequest {
    /// What the client calls it.
    pub key: IdempotencyKey,
    /// A digest of what it asks for; another one under the same key is another request.
    pub fingerprint: [u8; 32],
}

/// For how long an answer can be asked for again, in milliseconds: a day.
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
