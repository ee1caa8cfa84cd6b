//! How the options of an integration interpreted a request: which rule decided, what its templates
//! rendered, and which of its parts failed.

use serde::Serialize;
use std::fmt;

/// How definitions and templates in an integration's options interpreted a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interpretation {
    /// The place of the action that decided, such as `rules[0].actions[0]`.
    pub rule: Option<String>,
    /// Rendered templates, each with its place.
    pub rendered: Vec<(String, String)>,
    errors: Vec<FieldError>,
    /// Errors beyond [`MAX_ERRORS`].
    omitted_errors: usize,
}

/// An error that costs one field or one rule, and not the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The place of the field or rule, such as `rules[0].actions[0].title`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.message)
    }
}

/// Errors that a log shows.
const MAX_ERRORS: usize = 10;

impl Interpretation {
    /// Adds an error. Those beyond `MAX_ERRORS` are only counted.
    pub fn add_error(&mut self, field: impl Into<String>, message: impl Into<String>) {
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(FieldError {
                field: field.into(),
                message: message.into(),
            });
        } else {
            self.omitted_errors = self.omitted_errors.saturating_add(1);
        }
    }

    /// The errors, at most `MAX_ERRORS`.
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// `outcome`, followed by the errors.
    pub fn append_errors_to(&self, outcome: String) -> String {
        let errors = self.errors.iter().map(FieldError::to_string);
        let omitted =
            (self.omitted_errors > 0).then(|| format!("{} more errors", self.omitted_errors));
        let parts: Vec<_> = std::iter::once(outcome)
            .chain(errors)
            .chain(omitted)
            .collect();
        parts.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_beyond_the_limit_are_only_counted() {
        let mut interpretation = Interpretation::default();
        assert_eq!(interpretation.append_errors_to("done".into()), "done");

        for index in 0..MAX_ERRORS + 2 {
            interpretation.add_error(format!("rules[{index}]"), "wrong");
        }
        let text = interpretation.append_errors_to("done".into());
        assert!(text.starts_with("done; rules[0]: wrong; "), "{text}");
        assert!(text.ends_with("rules[9]: wrong; 2 more errors"), "{text}");
    }
}
