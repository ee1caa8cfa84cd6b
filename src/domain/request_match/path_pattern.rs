//! Patterns for paths: `/integration/*`, `/alert/{id}/resolve`, `/log/**`.

use serde_json::value::RawValue;
use std::fmt;

/// A pattern for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathPattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    /// `*` or `{name}`: any one segment.
    Any,
    /// `**`: all further segments, also none.
    Rest,
}

impl PathPattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.contains('?') {
            return Err(format!(
                "'path' must not contain a query; match its parameters with 'query', but was '{text}'"
            ));
        }

        let segments = text.split('/').map(|segment| match segment {
            "**" => Segment::Rest,
            "*" => Segment::Any,
            name if name.starts_with('{') && name.ends_with('}') => Segment::Any,
            literal => Segment::Literal(literal.to_owned()),
        });
        Ok(Self {
            text: text.to_owned(),
            segments: segments.collect(),
        })
    }

    /// Whether a recorded path matches.
    pub(super) fn matches(&self, recorded: &RawValue) -> bool {
        let path = recorded.get().trim_matches('"');
        let mut actual = path.split('/');
        for segment in &self.segments {
            match (segment, actual.next()) {
                (Segment::Rest, _) => return true,
                (Segment::Any, Some(found)) if !found.is_empty() => {}
                (Segment::Literal(literal), Some(found)) if literal == found => {}
                _ => return false,
            }
        }
        actual.next().is_none()
    }

    /// The number of segments that a recorded path has in common with the pattern.
    pub(super) fn likeness(&self, recorded: &RawValue) -> usize {
        let actual = recorded.get().trim_matches('"').split('/');
        let is_alike = |(segment, found): &(&Segment, &str)| match segment {
            Segment::Literal(literal) => literal == found,
            Segment::Any | Segment::Rest => true,
        };
        self.segments
            .iter()
            .zip(actual)
            .take_while(is_alike)
            .count()
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        let recorded: Box<RawValue> = serde_json::value::to_raw_value(path).unwrap();
        PathPattern::parse(pattern).unwrap().matches(&recorded)
    }

    #[test]
    fn wildcards_stand_for_segments() {
        for (pattern, yes, no) in [
            ("/alert", &["/alert"][..], &["/alert/alt_1", "/alerts"][..]),
            (
                "/alert/*",
                &["/alert/alt_1"],
                &["/alert", "/alert/", "/alert/a/b"],
            ),
            (
                "/alert/{id}/resolve",
                &["/alert/alt_1/resolve"],
                &["/alert/alt_1"],
            ),
            ("/alert/**", &["/alert/alt_1/resolve", "/alert"], &["/log"]),
            ("http://*/hook", &["http://127.0.0.1:80/hook"], &["/hook"]),
        ] {
            for path in yes {
                assert!(matches(pattern, path), "{pattern} {path}");
            }
            for path in no {
                assert!(!matches(pattern, path), "{pattern} {path}");
            }
        }
    }

    #[test]
    fn query_in_a_path_is_refused() {
        assert!(PathPattern::parse("/alert?limit=1").is_err());
    }
}
