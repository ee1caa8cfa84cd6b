//! Adapts the text of a template to this library's dialect of Handlebars.
//!
//! In the original, a backslash in a string literal stands for itself, except before the quote that
//! encloses the literal; here literals have the escapes of JSON. Names of headers are made
//! case-insensitive, by writing them in lower case.

use std::{iter::Peekable, str::Chars};

const HEADERS: &str = "log.headers.";

pub(super) fn adapt(template: &str) -> String {
    let mut characters = template.chars().peekable();
    let mut out = String::with_capacity(template.len());
    let mut previous = '\0';
    while let Some(character) = characters.next() {
        out.push(character);
        let opens = character == '{' && characters.peek() == Some(&'{') && previous != '\\';
        previous = character;
        if opens {
            copy_tag(&mut characters, &mut out);
            previous = '}';
        }
    }
    out
}

/// Copies a tag after its first brace, up to `}}`.
fn copy_tag(characters: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(brace) = characters.next_if_eq(&'{') {
        out.push(brace);
    }
    if characters.peek() == Some(&'!') {
        return;
    }

    while let Some(character) = characters.next() {
        match character {
            quote @ ('"' | '\'') => copy_literal(characters, quote, out),
            '[' => {
                out.push('[');
                for inner in characters.by_ref() {
                    out.push(inner);
                    if inner == ']' {
                        break;
                    }
                }
            }
            '}' => {
                out.push('}');
                if let Some(brace) = characters.next_if_eq(&'}') {
                    out.push(brace);
                    return;
                }
            }
            other => {
                out.push(other);
                if out.ends_with(HEADERS) {
                    let is_name = |character: &char| {
                        character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
                    };
                    while let Some(letter) = characters.next_if(is_name) {
                        out.push(letter.to_ascii_lowercase());
                    }
                }
            }
        }
    }
}

fn copy_literal(characters: &mut Peekable<Chars<'_>>, quote: char, out: &mut String) {
    out.push(quote);
    while let Some(character) = characters.next() {
        match character {
            '\\' if characters.peek() == Some(&quote) => {
                characters.next();
                out.push('\\');
                out.push(quote);
            }
            '\\' => out.push_str(r"\\"),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\t' => out.push_str(r"\t"),
            other => out.push(other),
        }
        if character == quote {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_headers_are_adapted_within_tags_only() {
        for (template, expected) in [
            (r"a \d 'b\d'", r"a \d 'b\d'"),
            (r"{{f 'a\d' x}} \d", r"{{f 'a\\d' x}} \d"),
            (r#"{{{f "a\"b\S"}}}"#, r#"{{{f "a\"b\\S"}}}"#),
            (
                r"{{! don't \d }}{{x.[it's]}}{{f '\d'}}",
                r"{{! don't \d }}{{x.[it's]}}{{f '\\d'}}",
            ),
            (
                "{{log.headers.X-GitHub-Event}} X-Y",
                "{{log.headers.x-github-event}} X-Y",
            ),
            ("{{f 'a}}b\n'}}", r"{{f 'a}}b\n'}}"),
            (r"\{{f 'a\d'}}", r"\{{f 'a\d'}}"),
            ("{{f 'open", "{{f 'open"),
        ] {
            assert_eq!(adapt(template), expected, "{template}");
        }
    }
}
