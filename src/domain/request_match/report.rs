//! Reports: what a candidate satisfies and what it does not, as a sentence.

/// Which conditions a candidate satisfies, and why it does not satisfy the others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchReport {
    matched: Vec<String>,
    missed: Vec<String>,
    likeness: usize,
}

/// A satisfied condition weighs more than any likeness of a path.
const WEIGHT: usize = 16;

impl MatchReport {
    /// Adds a condition that the candidate satisfies.
    pub fn add_matched(&mut self, name: &str) {
        self.matched.push(name.to_owned());
        self.likeness = self.likeness.saturating_add(WEIGHT);
    }

    /// Adds the reason why it does not satisfy one, and how close it is to it.
    pub fn add_missed(&mut self, reason: String, likeness: usize) {
        self.missed.push(reason);
        self.likeness = self.likeness.saturating_add(likeness.min(WEIGHT - 1));
    }

    /// Whether the candidate satisfies all conditions.
    pub fn is_match(&self) -> bool {
        self.missed.is_empty()
    }

    /// How close the candidate is to a match.
    pub fn likeness(&self) -> usize {
        self.likeness
    }

    /// A sentence about the candidate, as in `PUT /alert/alt_1 matched method and path;
    /// body.enabled was true, wanted false`.
    pub fn sentence(&self, candidate: &str) -> String {
        let matched = if self.matched.is_empty() {
            "nothing".to_owned()
        } else {
            join_words(&self.matched)
        };
        let missed: String = self
            .missed
            .iter()
            .flat_map(|reason| ["; ", reason])
            .collect();
        format!("{candidate} matched {matched}{missed}")
    }
}

/// `a`, `a and b`, or `a, b and c`.
pub fn join_words(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
