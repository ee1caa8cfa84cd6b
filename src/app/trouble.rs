//! What goes wrong in the background, told once and not at each try.

use std::fmt::Display;

/// Remembers what was told last.
#[derive(Debug, Default)]
pub(super) struct Trouble(Option<String>);

impl Trouble {
    /// Says what goes wrong, unless that was said before and has not ended since.
    pub(super) fn tell(&mut self, what: &'static str, cause: &impl Display) {
        if let Some(cause) = self.news(cause.to_string()) {
            log::warn!(cause:display; "{what}; this is tried again");
        }
    }

    /// The cause, if it is not the one that was told last.
    fn news(&mut self, cause: String) -> Option<&str> {
        if self.0.as_ref() == Some(&cause) {
            None
        } else {
            Some(self.0.insert(cause))
        }
    }

    /// It works. Says so if it did not before.
    pub(super) fn is_over(&mut self, what: &'static str) {
        if self.0.take().is_some() {
            log::info!("{what}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_news_until_it_was_told_and_again_once_it_was_over() {
        let mut trouble = Trouble::default();
        let mut news = |cause: &str| trouble.news(cause.into()).is_some();
        assert_eq!(
            ["a", "a", "b", "b", "a"].map(&mut news),
            [true, false, true, false, true]
        );
        trouble.is_over("it works");
        assert!(trouble.news("a".into()).is_some());
    }
}
