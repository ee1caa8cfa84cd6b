//! Rate limits per minute and name.

use crate::domain::{quota::Quota, rejection::Rejection};
use governor::{
    RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DefaultKeyedStateStore,
};
use sha2::{Digest, Sha256};
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

/// A rate limit for each name. A name that has been idle for a minute may use its whole quota at
/// once.
#[derive(Debug)]
pub struct Throttle {
    limiter: Option<Limiter>,
    per_minute: u32,
    policy: &'static str,
    what: &'static str,
    checks: AtomicU32,
}

type Limiter = RateLimiter<
    NameDigest,
    DefaultKeyedStateStore<NameDigest>,
    DefaultClock,
    StateInformationMiddleware,
>;

/// The hash of a name. Clients may send names of any length, which are kept for a while.
type NameDigest = [u8; 32];

/// Idle names are removed after this many checks.
const CLEANUP_INTERVAL: u32 = 512;

impl Throttle {
    /// Allows `per_minute` of `what`, which is a plural; 0 is no limit. `policy` names the limit in
    /// headers.
    pub fn per_minute(per_minute: u32, policy: &'static str, what: &'static str) -> Self {
        let limiter = NonZeroU32::new(per_minute)
            .map(|most| RateLimiter::keyed(governor::Quota::per_minute(most)).with_middleware());
        Self {
            limiter,
            per_minute,
            policy,
            what,
            checks: AtomicU32::new(0),
        }
    }

    /// A limit for reloaded settings. Keeps the counts of `before` if the limit is the same.
    pub fn reloaded(
        before: Option<&Arc<Self>>,
        per_minute: u32,
        policy: &'static str,
        what: &'static str,
    ) -> Arc<Self> {
        let same = before.filter(|before| before.per_minute == per_minute);
        same.map_or_else(
            || Arc::new(Self::per_minute(per_minute, policy, what)),
            Arc::clone,
        )
    }

    /// Counts one, and returns what is left of the quota, if there is a limit.
    ///
    /// # Errors
    /// [`Rejection::TooMany`] with the time until the next is allowed.
    pub fn check(&self, name: &str) -> Result<Option<Quota>, Rejection> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };

        if self.checks.fetch_add(1, Ordering::Relaxed) % CLEANUP_INTERVAL == CLEANUP_INTERVAL - 1 {
            limiter.retain_recent();
        }

        match limiter.check_key(&key(name)) {
            Ok(state) => Ok(Some(self.quota(state.remaining_burst_capacity()))),
            Err(refused) => {
                let wait = refused.wait_time_from(limiter.clock().now());
                let retry_after = wait
                    .as_millis()
                    .div_ceil(1000)
                    .try_into()
                    .unwrap_or(60)
                    .max(1);

                Err(Rejection::TooMany {
                    message: format!(
                        "Too many {}: at most {} per minute are allowed",
                        self.what, self.per_minute
                    ),
                    retry_after,
                    quota: Quota {
                        reset_seconds: retry_after,
                        ..self.quota(0)
                    },
                })
            }
        }
    }

    fn quota(&self, remaining: u32) -> Quota {
        let used = u64::from(self.per_minute.saturating_sub(remaining));
        let reset_seconds = used
            .saturating_mul(60)
            .div_ceil(u64::from(self.per_minute.max(1)));
        Quota {
            policy: self.policy,
            per_minute: self.per_minute,
            remaining,
            reset_seconds,
        }
    }
}

fn key(name: &str) -> NameDigest {
    Sha256::digest(name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excess_is_refused_with_a_retry_time() {
        let throttle = Throttle::per_minute(2, "requests", "requests");
        assert!(throttle.check("a").is_ok() && throttle.check("a").is_ok());
        let refused = throttle.check("a").unwrap_err();

        assert!(
            matches!(
                refused,
                Rejection::TooMany {
                    retry_after: 1..=30,
                    ..
                }
            ),
            "{refused:?}"
        );
        assert!(throttle.check("b").is_ok(), "another name");
    }

    #[test]
    fn each_check_returns_the_remaining_quota() {
        let throttle = Throttle::per_minute(60, "requests", "requests");
        let quota = |remaining, reset_seconds| Quota {
            policy: "requests",
            per_minute: 60,
            remaining,
            reset_seconds,
        };

        assert_eq!(throttle.check("a").unwrap(), Some(quota(59, 1)));
        assert_eq!(throttle.check("b").unwrap(), Some(quota(59, 1)));
        assert!(
            throttle
                .check("a")
                .unwrap()
                .is_some_and(|quota| quota.remaining <= 59 && quota.reset_seconds <= 2)
        );
        assert_eq!(
            Throttle::per_minute(0, "requests", "requests")
                .check("a")
                .unwrap(),
            None
        );
    }

    #[test]
    fn active_name_survives_cleanup() {
        let throttle = Throttle::per_minute(1, "requests", "requests");
        assert!(throttle.check("a").is_ok());
        for other in 0..3 * CLEANUP_INTERVAL {
            assert!(throttle.check(&other.to_string()).is_ok());
        }
        assert!(throttle.check("a").is_err());
    }

    #[test]
    fn long_names_are_hashed_and_distinct() {
        let throttle = Throttle::per_minute(1, "requests", "requests");
        let long = "x".repeat(1 << 20);
        assert!(
            throttle.check(&format!("{long}a")).is_ok()
                && throttle.check(&format!("{long}b")).is_ok()
        );
        assert!(throttle.check(&format!("{long}a")).is_err());
        assert_eq!(std::mem::size_of_val(&key(&long)), 32);
    }

    /// A reload used to reset all counts, which helped an attacker who guesses passwords.
    #[test]
    fn reload_with_the_same_limit_keeps_counts() {
        let throttle = Throttle::reloaded(None, 1, "requests", "requests");
        assert!(throttle.check("a").is_ok());
        let reloaded = Throttle::reloaded(Some(&throttle), 1, "requests", "requests");
        assert!(reloaded.check("a").is_err() && reloaded.check("b").is_ok());
        assert!(
            Throttle::reloaded(Some(&throttle), 2, "requests", "requests")
                .check("a")
                .is_ok(),
            "another limit"
        );
    }

    #[test]
    fn zero_disables_the_limit() {
        let throttle = Throttle::per_minute(0, "requests", "requests");
        assert!((0..1000).all(|_| throttle.check("a").is_ok()));
    }
}
