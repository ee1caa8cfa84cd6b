//! `[test]`: settings of the control plane, and what a test may fix from the start.

use super::Settings;
use crate::{
    config::ConfigError,
    domain::{
        clock_change::{self, ClockRate},
        timestamp::Timestamp,
    },
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[test]`: the control plane under `/_local/`, with which tests steer this server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TestSettings {
    /// Whether the control plane exists.
    pub control: bool,
    /// Token that gives access to all accounts, also from other machines. Empty for none.
    pub token: String,
    /// The time at the start, perhaps followed by `@` and a rate. Empty for the system's.
    pub clock: String,
    /// The number from which ids are derived. Empty for random ids.
    pub seed: String,
    /// An export whose accounts are loaded at the start. Empty for none.
    pub state: PathBuf,
    /// Whether the journal records all requests from the start.
    pub journal: bool,
    /// Requests in the journal of an account.
    pub journal_entries: usize,
    /// Size of all journals, in bytes.
    pub journal_bytes: usize,
    /// Maximum number of snapshots of an account.
    pub snapshots: usize,
    /// Maximum size of all snapshots, in bytes.
    pub snapshot_bytes: usize,
}

impl Default for TestSettings {
    fn default() -> Self {
        Self {
            control: true,
            token: String::new(),
            clock: String::new(),
            seed: String::new(),
            state: PathBuf::new(),
            journal: false,
            journal_entries: 1_000,
            journal_bytes: 67_108_864,
            snapshots: 100,
            snapshot_bytes: 268_435_456,
        }
    }
}

/// Characters of `test.token`.
const TOKEN_LEN: std::ops::RangeInclusive<usize> = 8..=128;

impl Settings {
    /// The time of all accounts at the start and its rate, if it is not that of the system.
    ///
    /// # Errors
    /// The setting is malformed.
    pub fn initial_clock(&self) -> Result<Option<(Timestamp, ClockRate)>, ConfigError> {
        let text = &self.test.clock;
        (!text.is_empty())
            .then(|| clock_change::parse_setting(text))
            .transpose()
            .map_err(|error| ConfigError::new(format!("'test.clock' {error}")))
    }

    /// The number from which ids are derived, unless they are random.
    ///
    /// # Errors
    /// The setting is not a number.
    pub fn initial_seed(&self) -> Result<Option<u64>, ConfigError> {
        let text = &self.test.seed;
        let seed = (!text.is_empty()).then(|| text.parse()).transpose();
        seed.map_err(|_| {
            ConfigError::new(format!(
                "'test.seed' must be a whole number from 0 to {}, or empty, but was '{text}'",
                u64::MAX
            ))
        })
    }

    /// The token is all that guards the control plane on an address that other machines can reach.
    pub(super) fn check_test_token(&self) -> Result<(), ConfigError> {
        let token = &self.test.token;
        let is_valid =
            TOKEN_LEN.contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
        if token.is_empty() || is_valid {
            return Ok(());
        }

        let (min, max) = TOKEN_LEN.into_inner();
        Err(ConfigError::new(format!(
            "'test.token' must have {min} to {max} visible ASCII characters, or be empty"
        )))
    }
}
