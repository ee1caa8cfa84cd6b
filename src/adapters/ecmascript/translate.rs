//! Translates patterns of ECMAScript to the syntax of the crates `regex` and `fancy-regex`.
//!
//! There `\d`, `\w`, `\s` and `\b` know all of Unicode, brackets nest, and braces must be quantifiers.

use std::{iter::Peekable, str::Chars};

const WORD: &str = "A-Za-z0-9_";
/// White space of ECMAScript.
const SPACE: &str = r"\t\n\x0B\x0C\r\x20\u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

pub(super) fn translate(pattern: &str) -> String {
    let mut characters = pattern.chars().peekable();
    let mut out = String::with_capacity(2 * pattern.len());
    while let Some(character) = characters.next() {
        match character {
            '\\' => escape(&mut characters, false, &mut out),
            '[' => class(&mut characters, &mut out),
            '{' if !is_quantifier(characters.clone()) => out.push_str(r"\{"),
            '}' if !ends_quantifier(&out) => out.push_str(r"\}"),
            other => out.push(other),
        }
    }
    out
}

/// Whether the text after a `{` makes it a quantifier.
fn is_quantifier(mut rest: Peekable<Chars<'_>>) -> bool {
    let mut digits = 0_usize;
    let mut has_comma = false;
    loop {
        match rest.next() {
            Some(character) if character.is_ascii_digit() => digits = digits.saturating_add(1),
            Some(',') if digits > 0 && !has_comma => has_comma = true,
            Some('}') => return digits > 0,
            _ => return false,
        }
    }
}

/// Whether a `}` at the end of the output would end a quantifier.
fn ends_quantifier(out: &str) -> bool {
    let start =
        out.trim_end_matches(|character: char| character.is_ascii_digit() || character == ',');
    start.ends_with('{') && !start.ends_with(r"\{")
}

fn class(characters: &mut Peekable<Chars<'_>>, out: &mut String) {
    let is_negated = characters.next_if_eq(&'^').is_some();
    if characters.next_if_eq(&']').is_some() {
        // `[]` matches nothing, and `[^]` everything.
        out.push_str(if is_negated { r"[\s\S]" } else { r"[^\s\S]" });
        return;
    }

    out.push_str(if is_negated { "[^" } else { "[" });
    while let Some(character) = characters.next() {
        match character {
            '\\' => escape(characters, true, out),
            ']' => {
                out.push(']');
                return;
            }
            // Set operations of the other syntax.
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(character);
            }
            '-' if characters.peek() == Some(&'-') => out.push_str(r"\-"),
            other => out.push(other),
        }
    }
}

fn escape(characters: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) {
    let Some(character) = characters.next() else {
        out.push('\\');
        return;
    };

    let set = |content: &str, is_negated: bool| match (in_class, is_negated) {
        (true, false) => content.to_owned(),
        (_, true) => format!("[^{content}]"),
        (false, false) => format!("[{content}]"),
    };

    match character {
        'd' => out.push_str(&set("0-9", false)),
        'D' => out.push_str(&set("0-9", true)),
        'w' => out.push_str(&set(WORD, false)),
        'W' => out.push_str(&set(WORD, true)),
        's' => out.push_str(&set(SPACE, false)),
        'S' => out.push_str(&set(SPACE, true)),
        'b' if in_class => out.push_str(r"\x08"),
        'b' => out.push_str(r"(?-u:\b)"),
        'B' if !in_class => out.push_str(r"\B"),
        '0' if !characters.peek().is_some_and(char::is_ascii_digit) => out.push_str(r"\x00"),
        'c' => match characters.next_if(char::is_ascii_alphabetic) {
            Some(letter) => out.push_str(&format!(r"\x{:02X}", u32::from(letter) % 32)),
            None => out.push_str(r"\\c"),
        },
        'x' => code_point(characters, 2, 'x', out),
        'u' if characters.peek() == Some(&'{') => out.push_str(r"\u"),
        'u' => code_point(characters, 4, 'u', out),
        'k' | 'p' | 'P' | '1'..='9' | 'n' | 'r' | 't' | 'f' | 'v' => {
            out.push('\\');
            out.push(character);
        }
        other if other.is_ascii_punctuation() => {
            out.push('\\');
            out.push(other);
        }
        other => out.push(other),
    }
}

/// An escape with exactly `count` hexadecimal digits; otherwise its letter stands for itself.
fn code_point(characters: &mut Peekable<Chars<'_>>, count: usize, letter: char, out: &mut String) {
    let digits: String = characters.clone().take(count).collect();
    if digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        for _ in 0..count {
            characters.next();
        }
        out.push_str(&format!(r"\x{{{digits}}}"));
    } else {
        out.push(letter);
    }
}
