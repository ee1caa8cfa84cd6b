//! JSON that a sender has escaped or wrapped once too often: for a URL, for HTML, for a shell, with
//! the quotes of a word processor, or as a script.

use super::form;
use std::borrow::Cow;

/// The JSON in a text, if it is there in one of these ways.
pub(super) fn unwrap(text: &str) -> Option<Cow<'_, str>> {
    if let Some(inner) = unwrap_script(text) {
        return Some(inner.into());
    }

    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if lower.starts_with("%7b") || lower.starts_with("%5b%7b") {
        return form::pairs(text.as_bytes(), None)
            .next()
            .map(|(name, _)| name.into())
            .filter(|_| !text.contains(['&', '=']));
    }

    let inner = text.strip_prefix(['{', '[']).unwrap_or_default();
    let inner = inner.trim_start_matches(['{', '[', ' ', '\t', '\r', '\n']);
    if inner.starts_with("&quot;") || inner.starts_with("&#34;") {
        let unescaped = text
            .replace("&quot;", "\"")
            .replace("&#34;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            // Last, so that nothing is unescaped twice.
            .replace("&amp;", "&");
        return Some(unescaped.into());
    }
    if inner.starts_with("\\\"") {
        return Some(unescape_backslashes(text).into());
    }
    if inner.starts_with(['\u{201c}', '\u{201d}', '\u{201e}']) {
        return Some(
            text.replace(['\u{201c}', '\u{201d}', '\u{201e}'], "\"")
                .into(),
        );
    }
    None
}

/// The argument of a callback (`f({…});`), or what follows a prefix against its inclusion as a
/// script, or the data of a server-sent event.
fn unwrap_script(text: &str) -> Option<&str> {
    let start = text.find(['{', '['])?;
    let (before, rest) = text.split_at_checked(start)?;
    let is_callback = before.strip_suffix('(').is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$'))
    });
    if is_callback {
        return rest.trim_end_matches([';', ' ']).strip_suffix(')');
    }

    let before = before.trim();
    let is_prefix = matches!(
        before,
        ")]}'" | ")]}'," | "data:" | "while(1);" | "for(;;);"
    );
    is_prefix.then_some(rest)
}

fn unescape_backslashes(text: &str) -> String {
    let mut unescaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = characters.next_if(|next| character == '\\' && matches!(next, '"' | '\\'));
        unescaped.push(escaped.unwrap_or(character));
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_unwrapped() {
        for (text, expected) in [
            ("%7B%22a%22%3A%22b+c%22%7D", r#"{"a":"b c"}"#),
            (
                "{&quot;a&quot;: &quot;b &amp;lt; c&quot;}",
                r#"{"a": "b &lt; c"}"#,
            ),
            (r#"{\"a\":\"b \\\" c\"}"#, r#"{"a":"b \" c"}"#),
            ("{\u{201c}a\u{201d}: \u{201e}b\u{201c}}", r#"{"a": "b"}"#),
            (r#"callback({"a":1});"#, r#"{"a":1}"#),
            (")]}',\n{\"a\":1}", r#"{"a":1}"#),
            ("data: {\"a\":1}", r#"{"a":1}"#),
        ] {
            assert_eq!(unwrap(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn other_text_is_not_unwrapped() {
        for text in [
            "",
            "{",
            r#"{"a":"&quot;"}"#,
            "a=%7B%22",
            "%7B%22a%22=1&b=2",
            "Error {code: 5} happened (twice)",
            "f(1)",
        ] {
            assert_eq!(unwrap(text), None, "{text}");
        }
    }
}
