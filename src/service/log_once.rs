//! Log lines for a failure that repeats: one when it appears and one when it ends.

use std::fmt::Display;

/// Remembers the last failure that it logged.
#[derive(Debug, Default)]
pub struct LogOnce(Option<String>);

impl LogOnce {
    /// Logs a failure that will be retried, unless it has been logged and has not ended since.
    pub fn warn(&mut self, what: &'static str, cause: &impl Display) {
        if let Some(cause) = self.record(cause.to_string()) {
            log::warn!(cause:display; "{what}; will retry");
        }
    }

    /// Returns the cause if it differs from the last one.
    fn record(&mut self, cause: String) -> Option<&str> {
        if self.0.as_ref() == Some(&cause) {
            None
        } else {
            Some(self.0.insert(cause))
        }
    }

    /// Marks the failure as over, and logs `what` if there was one.
    pub fn resolve(&mut self, what: &'static str) {
        if self.0.take().is_some() {
            log::info!("{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cause_is_logged_once_until_it_changes_or_is_resolved() {
        let mut log_once = LogOnce::default();
        let mut is_new = |cause: &str| log_once.record(cause.into()).is_some();
        assert_eq!(
            ["a", "a", "b", "b", "a"].map(&mut is_new),
            [true, false, true, false, true]
        );

        log_once.resolve("it works");
        assert!(log_once.record("a".into()).is_some());
    }
}
