//! The state of a rate limit, for the headers `RateLimit` and `RateLimit-Policy`.

/// A rate limit and its remaining quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Name of the policy.
    pub policy: &'static str,
    /// Requests allowed per minute.
    pub per_minute: u32,
    /// Requests that remain.
    pub remaining: u32,
    /// Seconds until the quota is full again, or, if it is exhausted, until the next request is
    /// allowed.
    pub reset_seconds: u64,
}
