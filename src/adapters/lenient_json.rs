//! A lenient parser for JSON that was written by hand, by templates or by non-conforming libraries.
//!
//! Invalid JSON is repaired in a single pass and then parsed as usual: raw control characters in
//! strings, unknown escapes, lone surrogates, `NaN`, bare words, superfluous commas, missing values
//! and trailing text. The error names what cannot be repaired, and where.

mod word;

use serde_json::Value;
use std::{fmt, iter::Peekable, str::CharIndices};

/// The nesting limit of the JSON library.
const MAX_DEPTH: usize = 127;

/// A syntax error and its place: `line 1, column 62, raw newline in a string`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    line: usize,
    column: usize,
    message: String,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}, column {}, {}",
            self.line, self.column, self.message
        )
    }
}

/// Parses all objects and arrays of a text, such as JSON lines.
///
/// # Errors
/// The first syntax error that cannot be repaired.
pub(super) fn parse(text: &str) -> Result<Vec<Value>, SyntaxError> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(rest) = text.get(start..).filter(|rest| begins_value(rest)) {
        let mut repairer = Repairer::new(rest);
        let output = repairer
            .repair()
            .map_err(|fault| error_at(text, start.saturating_add(fault.place), fault.what))?;
        let value = serde_json::from_str(&output)
            .map_err(|error| error_at(text, start, format!("invalid value: {error}")))?;
        found.push(value);
        start = start.saturating_add(repairer.end);
    }

    if found.is_empty() {
        Err(error_at(
            text,
            0,
            "neither an object nor an array".to_owned(),
        ))
    } else {
        Ok(found)
    }
}

/// Whether an object or an array follows.
fn begins_value(text: &str) -> bool {
    text.trim_start_matches(is_separator)
        .starts_with(['{', '['])
}

/// Whether a character may separate values.
fn is_separator(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\0' | ',' | ';' | '\u{feff}' | '\u{1e}')
}

fn error_at(text: &str, place: usize, message: String) -> SyntaxError {
    let before = text.get(..place).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count())
        .saturating_add(1);
    SyntaxError {
        line,
        column,
        message,
    }
}

/// An error at a byte offset.
struct Fault {
    place: usize,
    what: String,
}

/// The previous token, which decides what may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// `{` or `[`.
    Open,
    Comma,
    Colon,
    Value,
}

struct Repairer<'a> {
    text: &'a str,
    characters: Peekable<CharIndices<'a>>,
    output: String,
    /// The open brackets.
    open: Vec<char>,
    last: Last,
    /// The byte offset behind the repaired value.
    end: usize,
}

impl<'a> Repairer<'a> {
    fn new(text: &'a str) -> Self {
        let characters = text.char_indices().peekable();
        // The output grows on demand: each of many values would reserve room for the whole text.
        Self {
            text,
            characters,
            output: String::new(),
            open: Vec::new(),
            last: Last::Open,
            end: 0,
        }
    }

    /// Repairs one object or array.
    fn repair(&mut self) -> Result<String, Fault> {
        while self
            .characters
            .next_if(|(_, character)| is_separator(*character))
            .is_some()
        {}

        while let Some((place, character)) = self.characters.next() {
            match character {
                '{' | '[' => self.open(place, character)?,
                '}' | ']' => self.close(place, character)?,
                ',' => self.comma(),
                ':' => self.colon(),
                // As in other languages: `=` and `=>`.
                '=' if self.last == Last::Value => {
                    self.characters.next_if(|(_, character)| *character == '>');
                    self.colon();
                }
                '/' if self.skips_comment() => {}
                '"' => self.string(place)?,
                _ if is_separator(character) => {}
                _ => self.word(place),
            }

            if self.open.is_empty() {
                self.end = self
                    .characters
                    .peek()
                    .map_or(self.text.len(), |(place, _)| *place);
                return Ok(std::mem::take(&mut self.output));
            }
        }

        let open = if self.open.last() == Some(&'[') {
            "an array"
        } else {
            "an object"
        };

        Err(Fault {
            place: self.text.len(),
            what: format!("unexpected end of {open}"),
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
        self.output.push(bracket);
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
            Last::Comma => drop(self.output.pop()),
            Last::Colon => self.output.push_str("null"),
            Last::Open | Last::Value => {}
        }

        self.output.push(bracket);
        self.last = Last::Value;
        Ok(())
    }

    /// Drops superfluous commas.
    fn comma(&mut self) {
        match self.last {
            Last::Open | Last::Comma => return,
            Last::Colon => self.output.push_str("null"),
            Last::Value => {}
        }
        self.output.push(',');
        self.last = Last::Comma;
    }

    fn colon(&mut self) {
        if self.last == Last::Value {
            self.output.push(':');
            self.last = Last::Colon;
        }
    }

    /// Skips the rest of a comment, if the slash before it begins one.
    fn skips_comment(&mut self) -> bool {
        match self.characters.peek() {
            Some((_, '/')) => {
                while self
                    .characters
                    .next_if(|(_, character)| *character != '\n')
                    .is_some()
                {}
                true
            }
            Some((place, '*')) => {
                let rest = self.text.get(place.saturating_add(1)..).unwrap_or_default();
                let length = rest.find("*/").map_or(rest.len(), |end| end + "*/".len());
                let end = place.saturating_add(1).saturating_add(length);
                while self.characters.next_if(|(place, _)| *place < end).is_some() {}
                true
            }
            _ => false,
        }
    }

    /// Whether the quote before this place ends a string. Within a string, templates forget to
    /// escape quotes: `"message": "the "web" service is down"`.
    fn is_end_of_string(&self) -> bool {
        let rest = self.characters.clone().map(|(_, character)| character);
        let next = { rest }.find(|character| !matches!(character, ' ' | '\t'));
        next.is_none_or(|character| {
            matches!(
                character,
                ',' | ':' | ';' | '}' | ']' | '=' | '"' | '/' | '\r' | '\n' | '\0'
            )
        })
    }

    /// Inserts a missing comma before a value.
    fn begin_value(&mut self) {
        if self.last == Last::Value && !self.open.is_empty() {
            self.output.push(',');
        }
    }

    fn string(&mut self, place: usize) -> Result<(), Fault> {
        self.begin_value();
        self.last = Last::Value;
        self.output.push('"');

        let mut first_newline = None;
        while let Some((at, character)) = self.characters.next() {
            match character {
                '"' if self.is_end_of_string() => {
                    self.output.push('"');
                    return Ok(());
                }
                '"' => self.output.push_str("\\\""),
                '\\' => self.escape(),
                '\n' => {
                    first_newline.get_or_insert(at);
                    self.output.push_str("\\n");
                }
                _ if character.is_control() => self
                    .output
                    .push_str(&format!("\\u{:04x}", u32::from(character))),
                _ => self.output.push(character),
            }
        }

        Err(match first_newline {
            Some(place) => Fault {
                place,
                what: "raw newline in a string".to_owned(),
            },
            None => Fault {
                place,
                what: "unterminated string".to_owned(),
            },
        })
    }

    /// The rest of an escape. A backslash that begins none stands for itself.
    fn escape(&mut self) {
        match self.characters.peek().copied() {
            Some((_, character @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't'))) => {
                self.characters.next();
                self.output.push('\\');
                self.output.push(character);
            }
            Some((place, 'u')) => match self.code_unit(place.saturating_add(1)) {
                Some(unit) => self.unicode(unit, place),
                None => self.output.push_str("\\\\"),
            },
            _ => self.output.push_str("\\\\"),
        }
    }

    /// The four hexadecimal digits at an offset.
    fn code_unit(&self, place: usize) -> Option<u16> {
        let digits = self.text.get(place..place.checked_add(4)?)?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u16::from_str_radix(digits, 16).ok())
            .flatten()
    }

    /// A code unit whose `u` is at `place`, together with the other half of a surrogate pair.
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

        self.output.push_str(&written);
        for _ in 0..length {
            self.characters.next();
        }
    }

    /// A number, a literal, or a word without quotes.
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

        self.output.push_str(&word::repair(word));
    }
}

#[cfg(test)]
mod tests;
