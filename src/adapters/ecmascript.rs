//! Regular expressions of ECMAScript, matched at a bounded cost.
//!
//! A pattern is translated to the syntax of the crate `regex`, whose cost grows linearly with the
//! text. Only patterns with lookaround or backreferences, which it lacks, are matched by
//! backtracking: with a limit on the steps, and at a price that grows quadratically with the text.

mod translate;

use fancy_regex::{Regex, RegexBuilder};
use translate::translate;

const MAX_PATTERN_BYTES: usize = 1024;
/// Steps of backtracking for one match.
const MAX_BACKTRACKS: usize = 100_000;
/// Instructions of a backtracking program.
const MAX_PROGRAM_LEN: usize = 20_000;
/// The cost of compiling a pattern, and of each of its bytes: a character class may become thousands
/// of states.
const STEPS_PER_PATTERN: usize = 5_000;
const STEPS_PER_PATTERN_BYTE: usize = 50;
/// Compiled sizes in bytes, and the cost of four bytes of text for a pattern of that size.
const SIZES: [(usize, usize); 2] = [(16 * 1024, 1), (64 * 1024, 16)];
/// Backtracking costs the square of the length of the text, divided by this, and at least the minimum.
const BACKTRACKING_DIVISOR: usize = 512;
const MIN_BACKTRACKING_STEPS: usize = 20_000;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    engine: RegexEngine,
}

#[derive(Debug)]
enum RegexEngine {
    Linear {
        regex: regex::Regex,
        steps_per_four_bytes: usize,
    },
    Backtracking(Box<Regex>),
}

/// The flags of a pattern. `g`, `u`, `v`, `y` and `d` have no effect on a single match.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    ignore_case: bool,
    multi_line: bool,
    dot_all: bool,
    extended: bool,
}

impl Flags {
    fn parse(flags: &str) -> Result<Self, String> {
        let mut parsed = Self::default();
        for flag in flags.chars() {
            match flag {
                'i' => parsed.ignore_case = true,
                'm' => parsed.multi_line = true,
                's' => parsed.dot_all = true,
                // Of MongoDB.
                'x' => parsed.extended = true,
                'd' | 'g' | 'u' | 'v' | 'y' => {}
                other => return Err(format!("unknown flag '{other}' of a regular expression")),
            }
        }
        Ok(parsed)
    }
}

/// The cost of [`Pattern::new`], in steps.
pub(super) fn compile_steps(pattern: &str) -> usize {
    STEPS_PER_PATTERN + pattern.len().min(MAX_PATTERN_BYTES) * STEPS_PER_PATTERN_BYTE
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// The pattern is invalid or too large, or a flag is unknown.
    pub(super) fn new(pattern: &str, flags: &str) -> Result<Self, String> {
        if pattern.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "a regular expression has {} bytes; the limit is {MAX_PATTERN_BYTES}",
                pattern.len()
            ));
        }

        let flags = Flags::parse(flags)?;
        let translated = translate(pattern);
        for (size, steps_per_four_bytes) in SIZES {
            match linear(&translated, flags, size) {
                Ok(regex) => {
                    return Ok(Self {
                        engine: RegexEngine::Linear {
                            regex,
                            steps_per_four_bytes,
                        },
                    });
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                // It may need lookaround or backreferences.
                Err(_) => {
                    let regex = backtracking(&translated, flags, pattern)?;
                    return Ok(Self {
                        engine: RegexEngine::Backtracking(Box::new(regex)),
                    });
                }
            }
        }

        Err(format!("the regular expression '{pattern}' is too large"))
    }

    /// The cost of a match against a text, in steps.
    pub(super) fn match_steps(&self, text: &str) -> usize {
        match &self.engine {
            RegexEngine::Linear {
                steps_per_four_bytes,
                ..
            } => text.len() / 4 * steps_per_four_bytes,
            RegexEngine::Backtracking(_) => MIN_BACKTRACKING_STEPS
                .max(text.len().saturating_mul(text.len()) / BACKTRACKING_DIVISOR),
        }
    }

    /// Whether the pattern occurs in a text.
    ///
    /// # Errors
    /// The match takes too many steps.
    pub(super) fn is_match(&self, text: &str) -> Result<bool, String> {
        match &self.engine {
            RegexEngine::Linear { regex, .. } => Ok(regex.is_match(text)),
            RegexEngine::Backtracking(regex) => regex.is_match(text).map_err(|_| too_costly()),
        }
    }

    /// The first match and its groups. A group that did not take part is `None`.
    ///
    /// # Errors
    /// The match takes too many steps.
    pub(super) fn captures(&self, text: &str) -> Result<Option<Vec<Option<String>>>, String> {
        match &self.engine {
            RegexEngine::Linear { regex, .. } => Ok(regex.captures(text).map(|groups| {
                groups
                    .iter()
                    .map(|group| group.map(|group| group.as_str().to_owned()))
                    .collect()
            })),
            RegexEngine::Backtracking(regex) => {
                let groups = regex.captures(text).map_err(|_| too_costly())?;
                Ok(groups.map(|groups| {
                    groups
                        .iter()
                        .map(|group| group.map(|group| group.as_str().to_owned()))
                        .collect()
                }))
            }
        }
    }
}

fn linear(translated: &str, flags: Flags, size: usize) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(translated)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .ignore_whitespace(flags.extended)
        .size_limit(size)
        .nest_limit(64)
        .build()
}

fn backtracking(translated: &str, flags: Flags, pattern: &str) -> Result<Regex, String> {
    let size = SIZES
        .iter()
        .map(|(size, _)| *size)
        .max()
        .unwrap_or_default();
    RegexBuilder::new(translated)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .ignore_whitespace(flags.extended)
        .backtrack_limit(MAX_BACKTRACKS)
        .max_prog_size(MAX_PROGRAM_LEN)
        .delegate_size_limit(size)
        .build()
        .map_err(|error| format!("invalid regular expression '{pattern}': {error}"))
}

fn too_costly() -> String {
    "a regular expression takes too many steps".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(pattern: &str, flags: &str, text: &str) -> Option<String> {
        Pattern::new(pattern, flags)
            .unwrap()
            .captures(text)
            .unwrap()
            .map(|groups| groups[0].clone().unwrap())
    }

    #[test]
    fn patterns_match_as_in_ecmascript() {
        for (pattern, flags, text, expected) in [
            (r"\d+", "", "a٣42", Some("42")),
            (r"\w+", "", "é_x1", Some("_x1")),
            (r"a(?=b)", "", "ac ab", Some("a")),
            (r"(?<!x)a\d", "", "xa1 ya2", Some("a2")),
            (r"(a|b)\1", "", "ab bb", Some("bb")),
            (r"(?<n>a)\k<n>", "", "aa", Some("aa")),
            (r"FAILED", "i", "it failed", Some("failed")),
            (r"^b$", "m", "a\nb", Some("b")),
            (r"a.b", "", "a\nb", None),
            (r"a.b", "s", "a\nb", Some("a\nb")),
            (r"[^]", "", "\n", Some("\n")),
            (r"[[]x", "", "[x", Some("[x")),
            (r"[a&&b]+", "", "a&b", Some("a&b")),
            (
                r"https?:\/\/[^\s]+",
                "g",
                "see https://x.example/a ",
                Some("https://x.example/a"),
            ),
            (r"\u0041\x42\cJ", "", "AB\n", Some("AB\n")),
            (r"x{2,}y{z", "", "xxxy{z", Some("xxxy{z")),
            (r"\bid\b", "", "éid id", Some("id")),
            (r"[\w.-]+@[\w-]+", "", "to a.b-c@d-e now", Some("a.b-c@d-e")),
        ] {
            assert_eq!(
                first(pattern, flags, text).as_deref(),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn invalid_patterns_are_rejected() {
        for pattern in ["(", "[a", "*a", "(?<n", "a{900}{900}{900}", r"\k<missing>"] {
            assert!(Pattern::new(pattern, "").is_err(), "{pattern}");
        }
        assert!(Pattern::new("a", "q").is_err());
        assert!(Pattern::new(&"a".repeat(MAX_PATTERN_BYTES + 1), "").is_err());
    }

    /// Catastrophic backtracking ends at the limit.
    #[test]
    fn backtracking_is_bounded() {
        let pattern = Pattern::new(r"(?=(a+))(a|a)+(?!x)$\1", "").unwrap();
        let text = "a".repeat(2_000) + "b";
        assert!(pattern.is_match(&text).is_err());
        assert!(pattern.match_steps(&text) >= MIN_BACKTRACKING_STEPS);
    }
}
