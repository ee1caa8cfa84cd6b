//! The ranges of numeric settings.

use super::Settings;
use std::fmt;

/// Bytes.
const MIB: u64 = 1 << 20;
/// Bytes.
const TIB: u64 = 1 << 40;
/// Seconds.
const DAY_SECONDS: u64 = 86_400;

/// A number and the range that it must be in.
pub(super) struct SettingRange {
    name: &'static str,
    value: u64,
    min: u64,
    max: u64,
}

impl SettingRange {
    pub(super) fn holds(&self) -> bool {
        (self.min..=self.max).contains(&self.value)
    }
}

/// What is wrong if the number is out of range.
impl fmt::Display for SettingRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            value,
            min,
            max,
        } = self;
        write!(f, "'{name}' must be from {min} to {max}, but was {value}")
    }
}

fn range(name: &'static str, value: impl TryInto<u64>, min: u64, max: u64) -> SettingRange {
    SettingRange {
        name,
        value: value.try_into().unwrap_or(u64::MAX),
        min,
        max,
    }
}

impl Settings {
    /// The ranges of all numbers, in the order of `config.toml`.
    pub(super) fn ranges(&self) -> impl Iterator<Item = SettingRange> {
        self.request_ranges()
            .into_iter()
            .chain(self.store_ranges())
            .chain(self.delivery_ranges())
            .chain(self.test_ranges())
    }

    fn request_ranges(&self) -> [SettingRange; 8] {
        let (auth, limits) = (&self.auth, &self.limits);
        [
            range("workers", self.workers, 0, 512),
            range(
                "auth.token_seconds",
                auth.token_seconds,
                1,
                3_650 * DAY_SECONDS,
            ),
            range("limits.body_bytes", limits.body_bytes, 1, 64 * MIB),
            range("limits.url_bytes", limits.url_bytes, 64, 65_536),
            range("limits.head_seconds", limits.head_seconds, 1, DAY_SECONDS),
            range("limits.body_seconds", limits.body_seconds, 1, DAY_SECONDS),
            range("limits.idle_seconds", limits.idle_seconds, 1, DAY_SECONDS),
            range("limits.connections", limits.connections, 1, 1 << 20),
        ]
    }

    fn store_ranges(&self) -> [SettingRange; 9] {
        let (store, retention) = (&self.store, &self.retention);
        [
            range("store.cache_bytes", store.cache_bytes, MIB, TIB),
            range("store.list_cache_bytes", store.list_cache_bytes, 0, TIB),
            range("store.index_bytes", store.index_bytes, 0, TIB),
            range("store.snapshot_bytes", store.snapshot_bytes, MIB, TIB),
            range("store.queue", store.queue, 1, 1 << 20),
            // After a power cut the engine failed to open stores with larger commits.
            range("store.batch", store.batch, 1, 64),
            range("retention.alert_days", retention.alert_days, 0, 36_500),
            range("retention.log_days", retention.log_days, 0, 36_500),
            range(
                "retention.sweep_seconds",
                retention.sweep_seconds,
                1,
                DAY_SECONDS,
            ),
        ]
    }

    fn delivery_ranges(&self) -> [SettingRange; 9] {
        let (outgoing, smtp, shutdown) = (&self.outgoing, &self.smtp, &self.shutdown);
        [
            range("outgoing.attempts", outgoing.attempts, 1, 100),
            range(
                "outgoing.first_retry_seconds",
                outgoing.first_retry_seconds,
                1,
                3_600,
            ),
            range("outgoing.timeout_seconds", outgoing.timeout_seconds, 1, 300),
            range("outgoing.queue", outgoing.queue, 1, 1_000_000),
            range("outgoing.senders", outgoing.senders, 1, 1_000),
            range("smtp.message_bytes", smtp.message_bytes, 1_024, 64 * MIB),
            range("smtp.connections", smtp.connections, 1, 1_024),
            range("smtp.idle_seconds", smtp.idle_seconds, 1, 3_600),
            range("shutdown.drain_seconds", shutdown.drain_seconds, 0, 3_600),
        ]
    }

    fn test_ranges(&self) -> [SettingRange; 4] {
        let test = &self.test;
        [
            range("test.journal_entries", test.journal_entries, 1, 100_000),
            range("test.journal_bytes", test.journal_bytes, MIB, TIB),
            range("test.snapshots", test.snapshots, 0, 100_000),
            range("test.snapshot_bytes", test.snapshot_bytes, 0, TIB),
        ]
    }
}
