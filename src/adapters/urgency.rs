//! Urgencies that are words somewhere in a text.

use crate::domain::event::AlertUrgency;

/// Those that call somebody.
pub(super) const CALLING: [&str; 4] = ["low", "medium", "high", "critical"];
/// All.
pub(super) const ALL: [&str; 5] = ["silent", "low", "medium", "high", "critical"];

/// The one of these that stands first in the text, which is in lower case; it may be part of a
/// word.
pub(super) fn first_in(text: &str, names: &[&str]) -> Option<AlertUrgency> {
    let found = names
        .iter()
        .filter_map(|name| Some((text.find(name)?, name)));
    found.min().and_then(|(_, name)| AlertUrgency::parse(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_in_the_text_counts_also_within_a_word() {
        for (text, expected) in [
            ("slow but not critical", Some(AlertUrgency::Low)),
            ("critical: high load", Some(AlertUrgency::Critical)),
            ("silent, then high", Some(AlertUrgency::High)),
            ("urgent", None),
            ("", None),
        ] {
            assert_eq!(first_in(text, &CALLING), expected, "{text}");
        }

        assert_eq!(
            first_in("silent, then high", &ALL),
            Some(AlertUrgency::Silent)
        );
    }
}
