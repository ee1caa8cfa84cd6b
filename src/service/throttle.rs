//! Rate limits per minute and name.
//!
//! The generic cell rate algorithm: each name has a time at which its quota is full again, and each
//! check moves that time by the interval between two. Time is that of the account, so that a test
//! which moves its clock by a minute has the whole quota again.

use crate::{
    clock::Clock,
    domain::{ids::AccountId, quota::Quota, rejection::Rejection},
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Instant,
};

/// A rate limit for each name. A name that has been idle for a minute may use its whole quota at
/// once.
#[derive(Debug)]
pub struct Throttle {
    clock: Clock,
    started: Instant,
    /// When the quota of each name is full again, in nanoseconds since `started`.
    full_at: [Mutex<HashMap<NameDigest, i128>>; SHARDS],
    per_minute: u32,
    policy: &'static str,
    what: &'static str,
    checks: AtomicU32,
}

/// The hash of a name. Clients may send names of any length, which are kept for a while.
type NameDigest = [u8; 32];

/// Threads that check different names rarely wait for each other.
const SHARDS: usize = 16;
/// Idle names are removed after this many checks.
const CLEANUP_INTERVAL: u32 = 512;
/// Nanoseconds.
const MINUTE: i128 = 60_000_000_000;
/// Nanoseconds.
const SECOND: i128 = 1_000_000_000;

impl Throttle {
    /// Allows `per_minute` of `what`, which is a plural; 0 is no limit. `policy` names the limit in
    /// headers.
    pub fn per_minute(
        clock: Clock,
        per_minute: u32,
        policy: &'static str,
        what: &'static str,
    ) -> Self {
        Self {
            started: clock.stopwatch(),
            clock,
            full_at: std::array::from_fn(|_| Mutex::default()),
            per_minute,
            policy,
            what,
            checks: AtomicU32::new(0),
        }
    }

    /// A limit for reloaded settings. Keeps the counts of `before` if the limit is the same.
    pub fn reloaded(
        before: Option<&Arc<Self>>,
        clock: &Clock,
        per_minute: u32,
        policy: &'static str,
        what: &'static str,
    ) -> Arc<Self> {
        let same = before.filter(|before| before.per_minute == per_minute);
        same.map_or_else(
            || Arc::new(Self::per_minute(clock.clone(), per_minute, policy, what)),
            Arc::clone,
        )
    }

    /// Counts one, and returns what is left of the quota, if there is a limit. `account` is whose
    /// time counts, if it is known.
    ///
    /// # Errors
    /// [`Rejection::TooMany`] with the time until the next is allowed.
    pub fn check(
        &self,
        name: &str,
        account: Option<&AccountId>,
    ) -> Result<Option<Quota>, Rejection> {
        if self.per_minute == 0 {
            return Ok(None);
        }

        let now = i128::from(self.clock.elapsed_micros(account, self.started)) * 1000;
        if self.checks.fetch_add(1, Ordering::Relaxed) % CLEANUP_INTERVAL == CLEANUP_INTERVAL - 1 {
            self.remove_idle(now);
        }

        let key: NameDigest = Sha256::digest(name).into();
        let interval = MINUTE / i128::from(self.per_minute);
        let Some(shard) = self.full_at.get(usize::from(key[0]) % SHARDS) else {
            return Ok(None);
        };
        let mut full_at = shard.lock().unwrap_or_else(PoisonError::into_inner);

        // Where the clock was moved back, the quota is exhausted at worst.
        let before = full_at.get(&key).copied().unwrap_or(now);
        let before = before.clamp(now, now + MINUTE);
        let after = before + interval;
        let excess = after - now - MINUTE;
        if excess > 0 {
            full_at.insert(key, before);
            return Err(self.refusal(excess));
        }

        full_at.insert(key, after);
        let remaining = (MINUTE - (after - now)) / interval;
        Ok(Some(self.quota(remaining.try_into().unwrap_or_default())))
    }

    /// Removes the names whose quota is full. Where clocks were moved, `now` is not everyone's.
    fn remove_idle(&self, now: i128) {
        if self.clock.is_adjusted() {
            return;
        }
        for shard in &self.full_at {
            let mut full_at = shard.lock().unwrap_or_else(PoisonError::into_inner);
            full_at.retain(|_, full_at| *full_at > now);
        }
    }

    fn refusal(&self, wait: i128) -> Rejection {
        let seconds = (wait + SECOND - 1) / SECOND;
        let retry_after = u64::try_from(seconds).unwrap_or(60).max(1);
        Rejection::TooMany {
            message: format!(
                "Too many {}: at most {} per minute are allowed",
                self.what, self.per_minute
            ),
            retry_after,
            quota: Quota {
                reset_seconds: retry_after,
                ..self.quota(0)
            },
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::AdjustableClock,
        domain::{clock_change::parse_setting, timestamp::Timestamp},
    };

    fn limit(per_minute: u32) -> Throttle {
        Throttle::per_minute(Clock::System, per_minute, "requests", "requests")
    }

    #[test]
    fn excess_is_refused_with_a_retry_time() {
        let throttle = limit(2);
        assert!(throttle.check("a", None).is_ok() && throttle.check("a", None).is_ok());
        let refused = throttle.check("a", None).unwrap_err();

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
        assert!(throttle.check("b", None).is_ok(), "another name");
    }

    #[test]
    fn each_check_returns_the_remaining_quota() {
        let throttle = limit(60);
        let quota = |remaining, reset_seconds| Quota {
            policy: "requests",
            per_minute: 60,
            remaining,
            reset_seconds,
        };

        assert_eq!(throttle.check("a", None).unwrap(), Some(quota(59, 1)));
        assert_eq!(throttle.check("b", None).unwrap(), Some(quota(59, 1)));
        assert!(
            throttle
                .check("a", None)
                .unwrap()
                .is_some_and(|quota| quota.remaining <= 59 && quota.reset_seconds <= 2)
        );
        assert_eq!(limit(0).check("a", None).unwrap(), None);
    }

    #[test]
    fn active_name_survives_cleanup() {
        let throttle = limit(1);
        assert!(throttle.check("a", None).is_ok());
        for other in 0..3 * CLEANUP_INTERVAL {
            assert!(throttle.check(&other.to_string(), None).is_ok());
        }
        assert!(throttle.check("a", None).is_err());
    }

    #[test]
    fn long_names_are_hashed_and_distinct() {
        let throttle = limit(1);
        let long = "x".repeat(1 << 20);
        assert!(
            throttle.check(&format!("{long}a"), None).is_ok()
                && throttle.check(&format!("{long}b"), None).is_ok()
        );
        assert!(throttle.check(&format!("{long}a"), None).is_err());
    }

    /// A reload used to reset all counts, which helped an attacker who guesses passwords.
    #[test]
    fn reload_with_the_same_limit_keeps_counts() {
        let throttle = Throttle::reloaded(None, &Clock::System, 1, "requests", "requests");
        assert!(throttle.check("a", None).is_ok());
        let reloaded =
            Throttle::reloaded(Some(&throttle), &Clock::System, 1, "requests", "requests");
        assert!(reloaded.check("a", None).is_err() && reloaded.check("b", None).is_ok());
        assert!(
            Throttle::reloaded(Some(&throttle), &Clock::System, 2, "requests", "requests")
                .check("a", None)
                .is_ok(),
            "another limit"
        );
    }

    #[test]
    fn zero_disables_the_limit() {
        let throttle = limit(0);
        assert!((0..1000).all(|_| throttle.check("a", None).is_ok()));
    }

    #[test]
    fn quota_follows_the_clock_of_its_account() {
        let adjustable = Arc::new(AdjustableClock::new(Clock::System, None));
        let clock = Clock::Adjustable(Arc::clone(&adjustable));
        let throttle = Throttle::per_minute(clock, 1, "requests", "requests");
        let [ours, theirs] = ["acc_1", "acc_2"].map(|sid| AccountId::parse(sid).unwrap());
        let check = |account: &AccountId| throttle.check(account.as_str(), Some(account)).is_ok();
        let (start, still) = parse_setting("2026-01-01T00:00:00Z@0").unwrap();

        adjustable.adjust(Some(&ours), start, still);
        assert!(check(&ours) && !check(&ours));
        assert!(check(&theirs) && !check(&theirs));
        adjustable.adjust(Some(&ours), start.saturating_add_millis(60_000), still);
        assert!(check(&ours) && !check(&ours), "a minute later");
        assert!(!check(&theirs), "no minute has passed for others");
        adjustable.adjust(Some(&ours), Timestamp::EPOCH, still);
        assert!(!check(&ours), "time that was moved back returns nothing");
        adjustable.adjust(
            Some(&ours),
            Timestamp::EPOCH.saturating_add_millis(60_000),
            still,
        );
        assert!(check(&ours), "nor does it lock anyone out for long");
    }
}
