//! At most so many of something per minute for each name.

use crate::domain::rejection::Rejection;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
};

/// A limit per minute and name. A name that was quiet for a minute may use all of its minute at once.
#[derive(Debug)]
pub struct Throttle {
    limiter: Option<DefaultKeyedRateLimiter<Box<str>>>,
    per_minute: u32,
    what: &'static str,
    checks: AtomicU32,
}

/// Names that have been quiet are forgotten after so many checks.
const FORGET_EVERY: u32 = 10_000;

impl Throttle {
    /// Allows `per_minute` of `what` (a plural); 0 is no limit.
    pub fn per_minute(per_minute: u32, what: &'static str) -> Self {
        let limiter = NonZeroU32::new(per_minute).map(|most| RateLimiter::keyed(Quota::per_minute(most)));
        Self { limiter, per_minute, what, checks: AtomicU32::new(0) }
    }

    /// Counts one.
    ///
    /// # Errors
    /// [`Rejection::TooMany`], with the time after which the next is allowed.
    pub fn check(&self, name: &str) -> Result<(), Rejection> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        if self.checks.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            limiter.retain_recent();
        }
        limiter.check_key(&name.into()).map_err(|refused| {
            let wait = refused.wait_time_from(limiter.clock().now());
            Rejection::TooMany {
                message: format!("Too many {}: at most {} per minute are allowed", self.what, self.per_minute),
                retry_after: wait.as_millis().div_ceil(1000).try_into().unwrap_or(60).max(1),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_than_allowed_is_told_when_to_come_back() {
        let throttle = Throttle::per_minute(2, "requests");
        assert!(throttle.check("a").is_ok() && throttle.check("a").is_ok());
        let refused = throttle.check("a").unwrap_err();
        assert!(matches!(refused, Rejection::TooMany { retry_after: 1..=30, .. }), "{refused:?}");
        assert!(throttle.check("b").is_ok(), "another name");
    }

    #[test]
    fn zero_is_no_limit() {
        let throttle = Throttle::per_minute(0, "requests");
        assert!((0..1000).all(|_| throttle.check("a").is_ok()));
    }
}
