//! Finds the values at several paths in one pass over the text of an object.
//!
//! The text is JSON that has been validated before, and is not parsed here: values that no path
//! leads to are skipped byte by byte, and no byte is visited twice, however deep the paths go.

use serde_json::value::RawValue;
use std::borrow::Cow;

/// The values found, and the work done.
#[derive(Debug, Default)]
pub(super) struct Walked<'a> {
    /// The value at each path.
    pub(super) values: Vec<Option<&'a RawValue>>,
    /// Bytes visited and returned.
    pub(super) work: usize,
}

/// Finds the value at each dotted path. Names may themselves contain dots; the longest matching
/// name wins at each step.
pub(super) fn find_all<'a>(value: &'a RawValue, paths: &[&str]) -> Walked<'a> {
    let mut walk = Walk {
        text: value.get(),
        at: 0,
        work: 0,
    };

    let found = if walk.peek() == Some(b'{') {
        walk.object(paths)
    } else {
        None
    };

    let found = found.unwrap_or_else(|| vec![None; paths.len()]);
    let handed_out: usize = found.iter().flatten().map(|text| text.len()).sum();
    let work = walk.work.saturating_add(walk.at).saturating_add(handed_out);
    let values = found
        .into_iter()
        .map(|text| serde_json::from_str(text?).ok())
        .collect();

    Walked { values, work }
}

/// The cost of comparing a name with one path, in bytes of work.
const PATH_COMPARISON_COST: usize = 8;

struct Walk<'a> {
    text: &'a str,
    /// Current position.
    at: usize,
    /// Further work, in bytes.
    work: usize,
}

impl<'a> Walk<'a> {
    /// The texts at these paths in the object at the current position. `None` if there is no
    /// object.
    fn object(&mut self, paths: &[&str]) -> Option<Vec<Option<&'a str>>> {
        self.take(b'{')?;
        // With each text the length of the name that led to it.
        let mut best: Vec<Option<(usize, &'a str)>> = vec![None; paths.len()];

        loop {
            self.pass_space();
            match self.peek()? {
                b'}' => break,
                b',' => self.take(b',')?,
                _ => self.member(paths, &mut best)?,
            }
        }

        self.take(b'}')?;
        Some(
            best.into_iter()
                .map(|found| found.map(|(_, text)| text))
                .collect(),
        )
    }

    fn member(&mut self, paths: &[&str], best: &mut [Option<(usize, &'a str)>]) -> Option<()> {
        let name = unescaped(self.string()?)?;
        self.pass_space();
        self.take(b':')?;
        self.pass_space();
        self.work = self
            .work
            .saturating_add(paths.len().saturating_mul(PATH_COMPARISON_COST));

        let below = |path: &&str| {
            path.strip_prefix(name.as_ref())?
                .strip_prefix('.')
                .map(str::len)
        };

        let deeper = paths
            .iter()
            .enumerate()
            .filter_map(|(position, path)| Some((position, tail(path, below(path)?))));
        let (positions, rests): (Vec<_>, Vec<_>) = deeper.unzip();
        let start = self.at;
        let inner = if !rests.is_empty() && self.peek() == Some(b'{') {
            self.object(&rests)?
        } else {
            Vec::new()
        };

        if self.at == start {
            self.pass_value()?;
        }

        for (position, text) in positions.into_iter().zip(inner) {
            let (slot, rank) = (best.get_mut(position)?, name.len());
            if text.is_some() && slot.is_none_or(|(before, _)| before <= rank) {
                *slot = text.map(|text| (rank, text));
            }
        }

        let whole = self.text.get(start..self.at)?;
        for (_, slot) in paths.iter().zip(best).filter(|(path, _)| **path == name) {
            *slot = Some((usize::MAX, whole));
        }

        Some(())
    }

    fn pass_value(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => drop(self.string()?),
            b'{' | b'[' => self.pass_nested()?,
            _ => {
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                let rest = self.rest();
                self.at += rest.iter().position(ends).unwrap_or(rest.len());
            }
        }
        Some(())
    }

    fn pass_nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }

            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// The raw contents of the string at the current position.
    fn string(&mut self) -> Option<&'a str> {
        self.take(b'"')?;
        let (start, mut escaped) = (self.at, false);
        let length = self.rest().iter().position(|byte| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        })?;
        self.at += length + 1;
        self.text.get(start..start + length)
    }

    fn pass_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_ascii_start().len();
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found.then_some(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }
}

/// The last `length` bytes of a path.
fn tail(path: &str, length: usize) -> &str {
    path.len()
        .checked_sub(length)
        .and_then(|start| path.get(start..))
        .unwrap_or_default()
}

fn unescaped(inside: &str) -> Option<Cow<'_, str>> {
    if inside.contains('\\') {
        serde_json::from_str(&format!("\"{inside}\""))
            .ok()
            .map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(json: &'a str, paths: &[&str]) -> Vec<Option<&'a str>> {
        let walked = find_all(serde_json::from_str(json).unwrap(), paths);
        walked
            .values
            .into_iter()
            .map(|value| value.map(RawValue::get))
            .collect()
    }

    #[test]
    fn all_paths_are_followed_at_once() {
        let json = r#"{"a": {"b": {"c": 7, "d": [1, {"c": 2}]}, "x": "}\\\"{"}, "e\u0066": null , "": {"": 5}, "g": -1.5e3}"#;
        assert_eq!(
            found(
                json,
                &[
                    "a.b.c", "a.b", "a", "ef", ".", "g", "a.x", "a.b.d.c", "nowhere", "g.h",
                    "a.b.c"
                ]
            ),
            [
                Some("7"),
                Some(r#"{"c": 7, "d": [1, {"c": 2}]}"#),
                Some(r#"{"b": {"c": 7, "d": [1, {"c": 2}]}, "x": "}\\\"{"}"#),
                Some("null"),
                Some("5"),
                Some("-1.5e3"),
                Some(r#""}\\\"{""#),
                None,
                None,
                None,
                Some("7"),
            ]
        );
        assert_eq!(found("[1]", &["a"]), [None]);
        assert_eq!(found("{}", &["a"]), [None]);
    }

    #[test]
    fn the_longest_name_that_leads_there_counts() {
        for (json, expected) in [
            (
                r#"{"a.b.c":1,"a.b":{"c":2},"a":{"b.c":3,"b":{"c":4}}}"#,
                "1",
            ),
            (r#"{"a":{"b.c":3,"b":{"c":4}},"a.b":{"c":2}}"#, "2"),
            (r#"{"a":{"b":{"c":4},"b.c":3},"a.b":{"d":2}}"#, "3"),
            (r#"{"a":{"b":{"c":4},"b.c.d":3},"a.b":5}"#, "4"),
            (r#"{"a":{"b":{"c":4}},"a":{"b":{"c":5}}}"#, "5"),
        ] {
            assert_eq!(found(json, &["a.b.c"]), [Some(expected)], "{json}");
        }
    }

    /// The rest was parsed again for each level and each path: an integration with its values a
    /// hundred levels deep held the writer up for seven seconds.
    #[test]
    fn no_byte_is_looked_at_twice_however_deep_and_many_the_paths_are() {
        let work = |depth: usize, paths: usize| {
            let json = format!(
                "{}\"{}\"{}",
                r#"{"a":"#.repeat(depth),
                "x".repeat(10_000),
                "}".repeat(depth)
            );
            let paths: Vec<String> = (0..paths)
                .map(|number| vec!["a"; depth].join(".") + &"b".repeat(number))
                .collect();
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let walked = find_all(serde_json::from_str(&json).unwrap(), &paths);
            assert_eq!(
                walked.values[0].map(|value| value.get().len()),
                Some(10_002)
            );

            walked.work
        };

        let flat = work(1, 1);
        assert!(flat < 20_100, "{flat}");
        assert!(work(100, 1) < flat + 100 * 20, "{}", work(100, 1));
        assert!(work(100, 16) < flat + 100 * 16 * 20, "{}", work(100, 16));
    }
}
