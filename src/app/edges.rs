//! What the program takes from outside that is not a setting: time and randomness.

use crate::{
    clock::{AdjustableClock, Clock},
    config::{ConfigError, Settings},
    ids::{Ids, Seeds},
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
    /// Lets the control plane move the clock and seed ids, which start as the settings say.
    pub(super) fn adjustable(self, settings: &Settings) -> Result<Self, ConfigError> {
        let (time, seed) = (settings.initial_clock()?, settings.initial_seed()?);
        let has_control = settings.test.control;
        let clock = match self.clock {
            clock if time.is_none() && !has_control => clock,
            clock => Clock::Adjustable(Arc::new(AdjustableClock::new(clock, time))),
        };
        let ids = match self.ids {
            Ids::Random if seed.is_some() || has_control => {
                Ids::Seedable(Arc::new(Seeds::new(seed)))
            }
            ids => ids,
        };

        Ok(Self { clock, ids, ..self })
    }
}
