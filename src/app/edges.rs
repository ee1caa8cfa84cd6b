//! What the program takes from outside that is not a setting: time and randomness.

use crate::{
    clock::{AdjustableClock, Clock},
    config::{ConfigError, Settings},
    ids::Ids,
};
use std::sync::Arc;

/// The sources of time and randomness.
#[derive(Clone, Debug)]
pub struct Edges {
    /// Clock.
    pub clock: Clock,
    /// Source of ids and secrets.
    pub ids: Ids,
    /// Seed of random conflicts between commits, for tests; see
    /// [`Options::contention`](crate::store::Options::contention).
    pub contention: Option<u64>,
}

impl Default for Edges {
    /// The system's clock and random generator.
    fn default() -> Self {
        Self {
            clock: Clock::System,
            ids: Ids::Random,
            contention: None,
        }
    }
}

impl Edges {
    /// Lets the control plane move the clock, which starts as the settings say.
    pub(super) fn adjustable(self, settings: &Settings) -> Result<Self, ConfigError> {
        let initial = settings.initial_clock()?;
        if initial.is_none() && !settings.test.control {
            return Ok(self);
        }
        let clock = Clock::Adjustable(Arc::new(AdjustableClock::new(self.clock, initial)));
        Ok(Self { clock, ..self })
    }
}
