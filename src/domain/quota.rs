//! What is left of a limit per minute, for the headers `RateLimit` and `RateLimit-Policy`.

/// A limit, and how much of it is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is limited, a short word.
    pub policy: &'static str,
    /// How many a minute.
    pub per_minute: u32,
    /// How many at once from now.
    pub remaining: u32,
    /// Seconds after which all of them are there again, or, when none is, the next one.
    pub reset_seconds: u64,
}
