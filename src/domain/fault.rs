//! Faults that a test injects: which requests they hit, and what becomes of those.
//!
//! Every decision follows from the seed, the rule and the number of the request among those that
//! match the rule, never from the time. So the same requests get the same faults each time.

mod chance;
mod parse;
#[cfg(test)]
mod tests;

pub use chance::Chance;

use super::request_match::RequestMatch;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The faults of an account.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    /// Decides about probabilities and random delays.
    pub seed: u64,
    /// The first rule that fires wins.
    pub rules: Vec<FaultRule>,
}

/// A rule: which requests it hits, and how.
#[derive(Clone, Debug)]
pub struct FaultRule {
    /// Which requests it counts.
    pub conditions: RequestMatch,
    /// The numbers of the requests that it hits. `None` for all.
    pub nth: Option<BTreeSet<u64>>,
    /// How often it fires. `None` for any number of times.
    pub times: Option<u64>,
    /// The probability with which it hits each of these requests.
    pub probability: Option<f64>,
    /// What it does.
    pub action: FaultAction,
    /// The rule as it was given.
    pub source: Map<String, Value>,
}

/// What becomes of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultAction {
    /// How long it waits first, or after the commit with [`FaultOutcome::SlowStore`].
    pub delay: Option<FaultDelay>,
    /// What happens instead of, or beside, the ordinary response.
    pub outcome: Option<FaultOutcome>,
}

/// A delay in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FaultDelay {
    /// Always the same.
    Fixed(u64),
    /// Evenly distributed.
    Uniform {
        /// The shortest.
        min: u64,
        /// The longest.
        max: u64,
    },
    /// Mostly short, with a long tail, as delays of real servers are.
    LogNormal {
        /// Half of the delays are shorter.
        median: u64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
}

/// What happens instead of, or beside, the ordinary response.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultOutcome {
    /// This response. The request is not processed.
    Status(StatusFault),
    /// The connection is closed.
    Close(CloseFault),
    /// Requests beyond a rate get 429. The others are processed.
    Limit {
        /// Requests in a window.
        requests: u64,
        /// Its length.
        per_seconds: u64,
    },
    /// 503, as if too many writes were waiting. Nothing is changed.
    BusyStore,
    /// The request is processed, and its response takes as long as if the disk were slow.
    SlowStore,
}

/// A response that replaces the ordinary one.
#[derive(Clone, Debug, PartialEq)]
pub struct StatusFault {
    /// The status, 200 to 599.
    pub status: u16,
    /// The body: JSON, or a text. `None` for an error body.
    pub body: Option<Value>,
    /// The value of `Retry-After`.
    pub retry_after: Option<u64>,
}

/// When the connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseFault {
    /// Before the request is processed.
    Before,
    /// After it has been processed, without a response.
    AfterCommit,
    /// After it has been processed, in the middle of the response's body.
    MidBody,
}

/// The longest delay.
pub const MAX_DELAY_MILLIS: u64 = 60_000;
/// The delay of a slow store unless the rule gives one.
pub const DEFAULT_SLOW_MILLIS: u64 = 1_000;

impl FaultRule {
    /// Whether the rule may hit the request with this number, however often it has fired.
    pub fn hits(&self, number: u64, chance: Chance) -> bool {
        let is_chosen = self.nth.as_ref().is_none_or(|nth| nth.contains(&number));
        is_chosen
            && self
                .probability
                .is_none_or(|probability| chance.number(0) < probability)
    }
}

impl FaultDelay {
    /// The delay of one request in milliseconds.
    pub fn millis(self, chance: Chance) -> u64 {
        match self {
            Self::Fixed(millis) => millis,
            Self::Uniform { min, max } => {
                let width = max.saturating_sub(min).saturating_add(1);
                min.saturating_add(chance.below(1, width))
            }
            Self::LogNormal { median, sigma } => chance.log_normal(1, median, sigma),
        }
        .min(MAX_DELAY_MILLIS)
    }
}
