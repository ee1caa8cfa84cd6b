//! Which features look at each request.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

/// Switches of the features that look at each request. One atomic load tells that none does, which
/// is all that an ordinary request pays. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct RequestHooks(Arc<AtomicU8>);

/// A feature that looks at each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RequestHook {
    /// The journal records requests.
    Journal = 1,
    /// Faults are set.
    Faults = 2,
}

/// The hooks that were on when a request arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveHooks(u8);

impl RequestHooks {
    /// The hooks that are on.
    pub fn active(&self) -> ActiveHooks {
        ActiveHooks(self.0.load(Ordering::Relaxed))
    }

    /// Switches a hook.
    pub(super) fn set(&self, hook: RequestHook, is_on: bool) {
        if is_on {
            self.0.fetch_or(hook as u8, Ordering::Relaxed);
        } else {
            self.0.fetch_and(!(hook as u8), Ordering::Relaxed);
        }
    }
}

impl ActiveHooks {
    /// Whether any is on.
    pub fn has_any(self) -> bool {
        self.0 != 0
    }

    /// Whether this one is on.
    pub fn has(self, hook: RequestHook) -> bool {
        self.0 & hook as u8 != 0
    }
}
