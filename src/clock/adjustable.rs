//! A clock that tests move: to another time, for all accounts or for one, at another rate.
//!
//! Without an adjustment, reading the time costs one atomic load more than the clock beneath.

use super::Clock;
use crate::domain::{clock_change::ClockRate, ids::AccountId, timestamp::Timestamp};
use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// A clock that can be moved while the program runs.
#[derive(Debug)]
pub struct AdjustableClock {
    base: Clock,
    created: Instant,
    /// Lets readers skip the lock while nothing is adjusted.
    is_adjusted: AtomicBool,
    adjustments: RwLock<Adjustments>,
    /// Counts the changes of adjustments.
    version: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Adjustments {
    /// At start, and after [`AdjustableClock::clear`].
    initial: Option<ClockAdjustment>,
    /// Of accounts without one of their own.
    all: Option<ClockAdjustment>,
    accounts: HashMap<AccountId, ClockAdjustment>,
}

/// Another time, and how fast it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockAdjustment {
    /// When it was made, by the clock beneath.
    since: Timestamp,
    /// The time that it was set to.
    start: Timestamp,
    /// Microseconds that had passed for the account by then.
    elapsed: i64,
    /// How fast it passes, compared with the clock beneath.
    rate: ClockRate,
}

impl ClockAdjustment {
    /// How fast the time passes.
    pub fn rate(&self) -> ClockRate {
        self.rate
    }

    fn now(&self, base: Timestamp) -> Timestamp {
        let elapsed = base.millis().saturating_sub(self.since.millis());
        let passed = i128::from(elapsed).saturating_mul(self.rate.thousandths().into()) / 1000;
        let limit = if passed < 0 { i64::MIN } else { i64::MAX };
        self.start
            .saturating_add_millis(passed.try_into().unwrap_or(limit))
    }
}

impl ClockAdjustment {
    fn elapsed_micros(&self, now: Timestamp) -> i64 {
        self.elapsed.saturating_add(micros_between(self.start, now))
    }
}

fn micros_between(earlier: Timestamp, later: Timestamp) -> i64 {
    let millis = later.millis().saturating_sub(earlier.millis());
    millis.saturating_mul(1000)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl AdjustableClock {
    /// A clock that shows the time of `base` until it is moved, or from the start another time at
    /// another rate.
    pub fn new(base: Clock, initial: Option<(Timestamp, ClockRate)>) -> Self {
        let since = base.now();
        let initial = initial.map(|(start, rate)| ClockAdjustment {
            since,
            start,
            elapsed: 0,
            rate,
        });
        Self {
            created: base.stopwatch(),
            base,
            is_adjusted: AtomicBool::new(initial.is_some()),
            adjustments: RwLock::new(Adjustments {
                initial,
                all: initial,
                accounts: HashMap::new(),
            }),
            version: watch::Sender::new(0),
        }
    }

    pub(super) fn is_adjusted(&self) -> bool {
        self.is_adjusted.load(Ordering::Acquire)
    }

    pub(super) fn now(&self) -> Timestamp {
        self.time(None)
    }

    pub(super) fn now_in(&self, account: &AccountId) -> Timestamp {
        self.time(Some(account))
    }

    fn time(&self, account: Option<&AccountId>) -> Timestamp {
        let base = self.base.now();
        if !self.is_adjusted() {
            return base;
        }
        let adjustment = self.read().of(account);
        adjustment.map_or(base, |adjustment| adjustment.now(base))
    }

    /// Microseconds since `since` as an account sees them, if its clock was moved.
    ///
    /// Derived from the account's time and not from the stopwatch, so that they stand still with it.
    pub(super) fn elapsed_micros(
        &self,
        account: Option<&AccountId>,
        since: Instant,
    ) -> Option<i64> {
        if !self.is_adjusted() {
            return None;
        }
        let adjustment = self.read().of(account)?;
        let elapsed = adjustment.elapsed_micros(adjustment.now(self.base.now()));
        let later = micros(since.saturating_duration_since(self.created));
        Some(elapsed.saturating_sub(later))
    }

    pub(super) async fn adjusted_since(&self, seen: u64) -> u64 {
        let mut versions = self.version.subscribe();
        let later = versions
            .wait_for(|version| *version != seen)
            .await
            .map(|version| *version);
        // The sender lives as long as `self`, so waiting cannot fail.
        later.unwrap_or(seen)
    }

    /// The adjustment of an account, or of all accounts.
    pub fn adjustment(&self, account: Option<&AccountId>) -> Option<ClockAdjustment> {
        self.read().of(account)
    }

    /// Moves the clock of an account to `start`, or that of all accounts, whose own adjustments end.
    pub fn adjust(&self, account: Option<&AccountId>, start: Timestamp, rate: ClockRate) {
        self.change(|adjustments| {
            let (since, before) = (self.base.now(), adjustments.of(account));
            let now = before.map_or(since, |before| before.now(since));
            let elapsed = before.map_or_else(
                || micros(self.base.stopwatch() - self.created),
                |before| before.elapsed_micros(now),
            );
            let adjustment = ClockAdjustment {
                since,
                start,
                // Exactly as far as the time, so that a minute makes a minute's quota.
                elapsed: elapsed.saturating_add(micros_between(now, start)),
                rate,
            };

            match account {
                Some(account) => {
                    adjustments.accounts.insert(account.clone(), adjustment);
                }
                None => {
                    adjustments.all = Some(adjustment);
                    adjustments.accounts.clear();
                }
            }
        });
    }

    /// Ends the adjustment of an account, or of all accounts. Their time is then what it was at the
    /// start of the program.
    pub fn clear(&self, account: Option<&AccountId>) {
        self.change(|adjustments| match account {
            Some(account) => {
                adjustments.accounts.remove(account);
            }
            None => {
                adjustments.all = adjustments.initial;
                adjustments.accounts.clear();
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Adjustments)) {
        let mut adjustments = self
            .adjustments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        change(&mut adjustments);
        let is_adjusted = adjustments.all.is_some() || !adjustments.accounts.is_empty();
        self.is_adjusted.store(is_adjusted, Ordering::Release);
        drop(adjustments);

        // After the change, so that those who wake up see it.
        self.version
            .send_modify(|version| *version = version.wrapping_add(1));
    }

    fn read(&self) -> RwLockReadGuard<'_, Adjustments> {
        self.adjustments
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Adjustments {
    fn of(&self, account: Option<&AccountId>) -> Option<ClockAdjustment> {
        account
            .and_then(|account| self.accounts.get(account))
            .or(self.all.as_ref())
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock_change::parse_setting;

    fn account(sid: &str) -> AccountId {
        AccountId::parse(sid).unwrap()
    }

    #[test]
    fn only_the_moved_account_has_another_time() {
        let clock = AdjustableClock::new(Clock::manual(5), None);
        let (ours, theirs) = (account("acc_1"), account("acc_2"));
        let (noon, rate) = parse_setting("2026-01-01T12:00:00Z").unwrap();
        assert!(!clock.is_adjusted());

        clock.adjust(Some(&ours), noon, rate);
        assert_eq!(clock.now_in(&ours), noon);
        assert_eq!(clock.now_in(&theirs).millis(), 5);
        assert_eq!(clock.now().millis(), 5);

        clock.clear(Some(&ours));
        assert_eq!(clock.now_in(&ours).millis(), 5);
        assert!(!clock.is_adjusted(), "reading is cheap again");
    }

    #[test]
    fn time_passes_at_the_rate_and_ends_with_the_year_9999() {
        let base = Clock::manual(0);
        let clock = AdjustableClock::new(base.clone(), None);
        let (start, rate) = parse_setting("9999-12-31T23:59:00Z@60").unwrap();
        clock.adjust(None, start, rate);
        base.set(500);
        assert_eq!(clock.now().to_string(), "9999-12-31T23:59:30.000Z");
        base.set(5_000);
        assert_eq!(clock.now().to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[actix_rt::test]
    async fn every_move_wakes_those_who_wait() {
        let clock = AdjustableClock::new(Clock::System, None);
        let (start, rate) = parse_setting("2026-01-01T12:00:00Z").unwrap();
        clock.adjust(None, start, rate);
        let version = clock.adjusted_since(0).await;
        clock.clear(None);
        assert_ne!(clock.adjusted_since(version).await, version);
    }
}
