//! The clock of an account: read, moved, and returned to what it was at the start.

use super::{Control, ControlCaller, ControlWriter};
use crate::{
    clock::{AdjustableClock, Clock},
    domain::{
        clock_change::{ClockChange, ClockRate, ClockTarget},
        ids::AccountId,
        timestamp::Timestamp,
    },
};

/// The clock of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockState {
    /// Its time.
    pub now: Timestamp,
    /// How fast it runs.
    pub rate: ClockRate,
    /// Whether it differs from the system's.
    pub is_adjusted: bool,
}

impl Control {
    /// The clock of the caller's account, or of all accounts without one of their own.
    pub fn clock(&self, caller: &ControlCaller) -> ClockState {
        self.clock_of(caller.scope().account())
    }

    /// Moves the clock. Whatever waits for a time looks at the clock again.
    pub fn change_clock(&self, writer: &ControlWriter, change: ClockChange) -> ClockState {
        let account = writer.scope().account();
        let before = self.clock_of(account);
        let start = match change.target {
            ClockTarget::Here => before.now,
            ClockTarget::At(time) => time,
            ClockTarget::By(millis) => before.now.saturating_add_millis(millis),
        };

        if let Some(clock) = self.adjustable_clock() {
            clock.adjust(account, start, change.rate.unwrap_or(before.rate));
        }
        self.clock_of(account)
    }

    /// Returns the clock to what it was at the start of the server.
    pub fn clear_clock(&self, writer: &ControlWriter) {
        if let Some(clock) = self.adjustable_clock() {
            clock.clear(writer.scope().account());
        }
    }

    fn clock_of(&self, account: Option<&AccountId>) -> ClockState {
        let adjustment = self
            .adjustable_clock()
            .and_then(|clock| clock.adjustment(account));
        ClockState {
            now: self.now_of(account),
            rate: adjustment.map_or(ClockRate::NORMAL, |adjustment| adjustment.rate()),
            is_adjusted: adjustment.is_some(),
        }
    }

    fn adjustable_clock(&self) -> Option<&AdjustableClock> {
        match &self.clock {
            Clock::Adjustable(clock) => Some(clock),
            // The server has no control plane.
            Clock::System | Clock::Manual(_) => None,
        }
    }
}
