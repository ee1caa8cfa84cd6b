//! At most so many of something per minute for each name.

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

/// A limit per minute and name. A name that was quiet for a minute may use all of its minute at
/// once.
#[derive(Debug)]
pub struct Throttle {
    limiter: Option<Limiter>,
    per_minute: u32,
    policy: &'static str,
    what: &'static str,
    checks: AtomicU32,
}

type Limiter =
    RateLimiter<Key, DefaultKeyedStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// A name's hash. Anybody may send a name of any length, and it is kept for a while.
type Key = [u8; 32];

/// Names that have been quiet are forgotten after so many checks.
const FORGET_EVERY: u32 = 512;

impl Throttle {
    /// Allows `per_minute` of `what` (a plural); 0 is no limit. `policy` is a word for it, in
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

    /// The same for settings that were read again: who has used up a minute has done so, unless the
    /// limit is another one now.
    pub fn renewed(
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

    /// Counts one, and tells what is left of the limit, if there is one.
    ///
    /// # Errors
    /// [`Rejection::TooMany`], with the time after which the next is allowed.
    pub fn check(&self, name: &str) -> Result<Option<Quota>, Rejection> {
        let Some(limiter) = &self.limiter else {
            return Ok(None);
        };

        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
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

fn key(name: &str) -> Key {
    Sha256::digest(name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_allowed_is_told_when_to_come_back() {
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
    fn what_is_left_is_told_with_each_one() {
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
    fn who_is_not_quiet_is_not_forgotten() {
        let throttle = Throttle::per_minute(1, "requests", "requests");
        assert!(throttle.check("a").is_ok());
        for other in 0..3 * FORGET_EVERY {
            assert!(throttle.check(&other.to_string()).is_ok());
        }
        assert!(throttle.check("a").is_err());
    }

    #[test]
    fn names_that_differ_only_at_their_end_are_two_and_kept_short() {
        let throttle = Throttle::per_minute(1, "requests", "requests");
        let long = "x".repeat(1 << 20);
        assert!(
            throttle.check(&format!("{long}a")).is_ok()
                && throttle.check(&format!("{long}b")).is_ok()
        );
        assert!(throttle.check(&format!("{long}a")).is_err());
        assert_eq!(std::mem::size_of_val(&key(&long)), 32);
    }

    /// A reload let everybody begin anew, so that whoever tried passwords had only to wait for one.
    #[test]
    fn what_was_counted_stays_counted_while_the_limit_is_the_same() {
        let throttle = Throttle::renewed(None, 1, "requests", "requests");
        assert!(throttle.check("a").is_ok());
        let renewed = Throttle::renewed(Some(&throttle), 1, "requests", "requests");
        assert!(renewed.check("a").is_err() && renewed.check("b").is_ok());
        assert!(
            Throttle::renewed(Some(&throttle), 2, "requests", "requests")
                .check("a")
                .is_ok(),
            "another limit"
        );
    }

    #[test]
    fn zero_is_no_limit() {
        let throttle = Throttle::per_minute(0, "requests", "requests");
        assert!((0..1000).all(|_| throttle.check("a").is_ok()));
    }
}
