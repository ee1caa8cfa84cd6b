//! JSON as senders write it by hand, by templates, or by libraries that go beyond the standard.
//!
//! A text that is no JSON is mended in one pass over it, and then parsed like any other: raw
//! control characters in strings, escapes that there are not, halves of surrogate pairs, `NaN` and
//! its like, bare words, commas too many, values that are missing, and whatever follows the end.
//! What cannot be mended is named, with its place.

use serde_json::Value;
use std::{fmt, iter::Peekable, str::CharIndices};

/// How deep values may be nested, which is as deep as the JSON library goes.
const MAX_DEPTH: usize = 127;

/// Why a text is no JSON, and where: `line 1, column 62: raw newline in a string`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotJson {
    line: usize,
    column: usize,
    what: String,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}, {}",
            self.line, self.column, self.what
        )
    }
}

/// The values that stand in a text one after the other, such as JSON lines; usually one.
///
/// # Errors
/// The first place at which no value can be made out.
pub(super) fn values(text: &str) -> Result<Vec<Value>, NotJson> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| begins_value(rest)) {
        let mut mender = Mender::new(rest);
        let mended = mender
            .mend()
            .map_err(|fault| at(text, start.saturating_add(fault.place), fault.what))?;
        let value = serde_json::from_str(&mended)
            .map_err(|error| at(text, start, format!("a value that cannot be read: {error}")))?;
        found.push(value);
        start = start.saturating_add(mender.end);
    }

    if found.is_empty() {
        Err(at(text, 0, "no object and no array".to_owned()))
    } else {
        Ok(found)
    }
}

/// Whether an object or an array follows, after what may stand between values.
fn begins_value(text: &str) -> bool {
    text.trim_start_matches(is_filler).starts_with(['{', '['])
}

/// What may stand between values. Text that is none of it is no further value.
fn is_filler(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\0' | ',' | ';' | '\u{feff}' | '\u{1e}')
}

fn at(text: &str, place: usize, what: String) -> NotJson {
    let before = text.get(..place).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count())
        .saturating_add(1);
    NotJson { line, column, what }
}

/// Why no value can be made out, and at which byte.
struct Fault {
    place: usize,
    what: String,
}

/// What was read last, which decides what may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// `{` or `[`.
    Open,
    Comma,
    Colon,
    Value,
}

struct Mender<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
    mended: String,
    /// The brackets that are open.
    open: Vec<char>,
    last: Last,
    /// Where what was read ends, in bytes.
    end: usize,
}

impl<'a> Mender<'a> {
    fn new(text: &'a str) -> Self {
        let characters = text.char_indices().peekable();
        // It grows with what is mended. Room for all of the text would be made anew for each of the
        // values in it.
        Self {
            text,
            characters,
            mended: String::new(),
            open: Vec::new(),
            last: Last::Open,
            end: 0,
        }
    }

    /// One object or array, as JSON has it.
    fn mend(&mut self) -> Result<String, Fault> {
        while self
            .characters
            .next_if(|(_, character)| is_filler(*character))
            .is_some()
        {}

        while let Some((place, character)) = self.characters.next() {
            match character {
                '{' | '[' => self.open(place, character)?,
                '}' | ']' => self.close(place, character)?,
                ',' => self.comma(),
                ':' => self.colon(),
                '"' => self.string(place)?,
                _ if is_filler(character) => {}
                _ => self.word(place),
            }

            if self.open.is_empty() {
                self.end = self
                    .characters
                    .peek()
                    .map_or(self.text.len(), |(place, _)| *place);
                return Ok(std::mem::take(&mut self.mended));
            }
        }

        let open = if self.open.last() == Some(&'[') {
            "an array"
        } else {
            "an object"
        };

        Err(Fault {
            place: self.text.len(),
            what: format!("the text ends within {open}"),
        })
    }

    fn open(&mut self, place: usize, bracket: char) -> Result<(), Fault> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault {
                place,
                what: format!("values nested deeper than {MAX_DEPTH}"),
            });
        }
        self.begin_value();
        self.open.push(bracket);
        self.mended.push(bracket);
        self.last = Last::Open;
        Ok(())
    }

    fn close(&mut self, place: usize, bracket: char) -> Result<(), Fault> {
        let opened = if bracket == '}' { '{' } else { '[' };
        let missing = match self.open.pop() {
            Some(open) if open == opened => None,
            Some('[') => Some("']' is missing before '}'"),
            _ => Some("'}' is missing before ']'"),
        };

        if let Some(what) = missing {
            return Err(Fault {
                place,
                what: what.to_owned(),
            });
        }

        match self.last {
            Last::Comma => drop(self.mended.pop()),
            Last::Colon => self.mended.push_str("null"),
            Last::Open | Last::Value => {}
        }

        self.mended.push(bracket);
        self.last = Last::Value;
        Ok(())
    }

    /// A comma too many is none.
    fn comma(&mut self) {
        match self.last {
            Last::Open | Last::Comma => return,
            Last::Colon => self.mended.push_str("null"),
            Last::Value => {}
        }
        self.mended.push(',');
        self.last = Last::Comma;
    }

    fn colon(&mut self) {
        if self.last == Last::Value {
            self.mended.push(':');
            self.last = Last::Colon;
        }
    }

    /// A value without a comma before it gets one.
    fn begin_value(&mut self) {
        if self.last == Last::Value && !self.open.is_empty() {
            self.mended.push(',');
        }
    }

    fn string(&mut self, place: usize) -> Result<(), Fault> {
        self.begin_value();
        self.last = Last::Value;
        self.mended.push('"');

        let mut first_newline = None;
        while let Some((at, character)) = self.characters.next() {
            match character {
                '"' => {
                    self.mended.push('"');
                    return Ok(());
                }
                '\\' => self.escape(),
                '\n' => {
                    first_newline.get_or_insert(at);
                    self.mended.push_str("\\n");
                }
                _ if character.is_control() => self
                    .mended
                    .push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => self.mended.push(character),
            }
        }

        Err(match first_newline {
            Some(place) => Fault {
                place,
                what: "raw newline in a string".to_owned(),
            },
            None => Fault {
                place,
                what: "a string without its end".to_owned(),
            },
        })
    }

    /// What follows a backslash. One that begins no escape stands for itself.
    fn escape(&mut self) {
        match self.characters.peek().copied() {
            Some((_, character @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't'))) => {
                self.characters.next();
                self.mended.push('\\');
                self.mended.push(character);
            }
            Some((place, 'u')) => match self.code_unit(place.saturating_add(1)) {
                Some(unit) => self.unicode(unit, place),
                None => self.mended.push_str("\\\\"),
            },
            _ => self.mended.push_str("\\\\"),
        }
    }

    /// The four digits that begin at this byte.
    fn code_unit(&self, place: usize) -> Option<u16> {
        let digits = self.text.get(place..place.checked_add(4)?)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u16::from_str_radix(digits, 16).ok())
            .flatten()
    }

    /// A code unit, of which the `u` stands at `place`, with the other half if it is one of a pair.
    fn unicode(&mut self, unit: u16, place: usize) {
        let behind = place.saturating_add(5);
        let other = self
            .text
            .get(behind..)
            .is_some_and(|rest| rest.starts_with("\\u"));
        let low = other
            .then(|| self.code_unit(behind.saturating_add(2)))
            .flatten();
        let pair = low
            .and_then(|low| char::decode_utf16([unit, low]).next()?.ok())
            .filter(|_| (0xd800..0xdc00).contains(&unit));
        let (written, length) = match pair {
            Some(_) => (
                self.text
                    .get(place.saturating_sub(1)..place.saturating_add(11))
                    .unwrap_or_default()
                    .to_owned(),
                11,
            ),
            None if (0xd800..0xe000).contains(&unit) => ("\\ufffd".to_owned(), 5),
            None => (format!("\\u{unit:04x}"), 5),
        };

        self.mended.push_str(&written);
        for _ in 0..length {
            self.characters.next();
        }
    }

    /// A number, a literal, or a word that should stand in quotes, up to whatever ends it.
    fn word(&mut self, place: usize) {
        self.begin_value();
        self.last = Last::Value;
        let is_end = |character: char| {
            matches!(
                character,
                ',' | ':' | '{' | '}' | '[' | ']' | '"' | '\n' | '\r' | '\0'
            )
        };

        while self
            .characters
            .next_if(|(_, character)| !is_end(*character))
            .is_some()
        {}

        let end = self
            .characters
            .peek()
            .map_or(self.text.len(), |(place, _)| *place);
        let word = self.text.get(place..end).unwrap_or_default().trim();

        self.mended.push_str(&mended_word(word));
    }
}

fn mended_word(word: &str) -> String {
    match word {
        "NaN" | "nan" | "Infinity" | "-Infinity" | "inf" | "-inf" | "undefined" | "None"
        | "nil" => "null".to_owned(),
        "True" => "true".to_owned(),
        "False" => "false".to_owned(),
        _ if serde_json::from_str::<Value>(word).is_ok() => word.to_owned(),
        _ => {
            let text = word
                .strip_prefix('\'')
                .and_then(|word| word.strip_suffix('\''))
                .unwrap_or(word);
            Value::from(text).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        values(text).map_or_else(
            |fault| fault.to_string(),
            |values| Value::Array(values).to_string(),
        )
    }

    #[test]
    fn what_senders_get_wrong_is_mended() {
        for (text, expected) in [
            ("{\"a\":\"x\ny\tz\r\u{1}\"}", r#"[{"a":"x\ny\tz\r\u0001"}]"#),
            (
                r#"{"a": NaN, "b": [Infinity, -Infinity], "c": None, "d": True}"#,
                r#"[{"a":null,"b":[null,null],"c":null,"d":true}]"#,
            ),
            (
                r#"{"a": "\ud83d", "b": "\ud83d\ude00", "c": "\ude00x", "d": "\u00e9"}"#,
                "[{\"a\":\"\u{fffd}\",\"b\":\"\u{1f600}\",\"c\":\"\u{fffd}x\",\"d\":\"é\"}]",
            ),
            (
                r#"{"a": [1, 2,], "b": {"c": 3,},}"#,
                r#"[{"a":[1,2],"b":{"c":3}}]"#,
            ),
            (r#"{"a": ,"b":,"c": }"#, r#"[{"a":null,"b":null,"c":null}]"#),
            (r#"[,1,,2]"#, "[[1,2]]"),
            ("{\"a\":1}\0\0", r#"[{"a":1}]"#),
            ("{\"a\":1}\r\n-- \r\nsent by cron", r#"[{"a":1}]"#),
            ("\u{feff}{\"a\":1}", r#"[{"a":1}]"#),
            ("{\"a\":1}\n{\"a\":2}\n", r#"[{"a":1},{"a":2}]"#),
            ("{\"a\":1}, {\"a\":2};", r#"[{"a":1},{"a":2}]"#),
            (
                r#"{"path": "C:\temp\dir", "regex": "\d+", "half": "\u12"}"#,
                r#"[{"path":"C:\temp\\dir","regex":"\\d+","half":"\\u12"}]"#,
            ),
            (
                r#"{"value": 12.5 ms, "host": db-1, 'a': 'b', "zero": 007}"#,
                r#"[{"value":"12.5 ms","host":"db-1","a":"b","zero":"007"}]"#,
            ),
            (r#"{"a": 1 "b": 2}"#, r#"[{"a":1,"b":2}]"#),
            (r#"{"a": 1.50}"#, r#"[{"a":1.50}]"#),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_mended_is_named_with_its_place() {
        let deep = format!("{{\"a\":{}", "[".repeat(200));
        for (text, expected) in [
            ("hello", "line 1, column 1, no object and no array"),
            ("", "line 1, column 1, no object and no array"),
            (
                "{\"a\":\n  [1, 2}",
                "line 2, column 8, ']' is missing before '}'",
            ),
            ("{\"a\": \"b", "line 1, column 7, a string without its end"),
            (
                "{\"a\": \"b\nc}",
                "line 1, column 9, raw newline in a string",
            ),
            (
                "{\"a\": {\"b\": 1",
                "line 1, column 14, the text ends within an object",
            ),
            ("[1, 2", "line 1, column 6, the text ends within an array"),
            (
                deep.as_str(),
                "line 1, column 132, values nested deeper than 127",
            ),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_named(text in "[\\[\\]{},:\"\\\\u0-9a-f'nN \n\u{0}\u{e9}-]{0,40}") {
            let _either = values(&text);
        }

        #[test]
        fn what_is_json_stays_what_it_is(numbers in prop::collection::vec(any::<f64>(), 0..5), text in any::<String>()) {
            let value = serde_json::json!({"numbers": numbers, "text": text, "nested": [{"a": null, "b": [true, false]}]});
            prop_assert_eq!(values(&value.to_string()), Ok(vec![value]));
        }
    }
}
