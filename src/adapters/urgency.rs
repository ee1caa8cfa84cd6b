//! Urgencies named somewhere in a text.

use crate::domain::event::AlertUrgency;

/// Urgencies that notify somebody.
pub(super) const AUDIBLE: [&str; 4] = ["low", "medium", "high", "critical"];
/// All urgencies.
pub(super) const ALL: [&str; 5] = ["silent", "low", "medium", "high", "critical"];

/// The urgency that is named first in the text, which must be in lower case. The name may be part
/// of a word.
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
            assert_eq!(first_in(text, &AUDIBLE), expected, "{text}");
        }

        assert_eq!(
            first_in("silent, then high", &ALL),
            Some(AlertUrgency::Silent)
        );
    }
}
