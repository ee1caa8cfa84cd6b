//! Sanitizes HTML, and converts plain text to HTML, since descriptions are displayed as HTML.

use ammonia::Builder;
use std::collections::HashSet;

/// Which tags remain. Source of the names: the option `sanitize_level` of PagerTree's email
/// integration, which come from the Ruby library `sanitize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Level {
    /// None.
    Default,
    /// Inline formatting.
    Restricted,
    /// Text with links and lists.
    Basic,
    /// All harmless ones, such as headings, tables and images.
    Relaxed,
}

impl Level {
    /// Parses a name. Unknown names mean `Relaxed`.
    pub(super) fn parse(name: &str) -> Self {
        match name {
            "default" => Self::Default,
            "restricted" => Self::Restricted,
            "basic" => Self::Basic,
            _ => Self::Relaxed,
        }
    }
}

const RESTRICTED: [&str; 5] = ["b", "em", "i", "strong", "u"];
const BASIC: [&str; 33] = [
    "a",
    "abbr",
    "b",
    "blockquote",
    "br",
    "cite",
    "code",
    "dd",
    "dfn",
    "dl",
    "dt",
    "em",
    "i",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "strike",
    "strong",
    "sub",
    "sup",
    "time",
    "u",
    "ul",
    "var",
    "bdo",
    "bdi",
];

/// Bytes of input. Much of it may be styles, which are not displayed; `html_cost` truncates the rest.
const MAX_INPUT_BYTES: usize = 256 << 10;

/// Removes scripts, styles, event handlers and all tags beyond the level. HTML that is too costly to
/// parse loses all its tags.
pub(super) fn sanitize(html: &str, level: Level) -> String {
    let end = (0..=MAX_INPUT_BYTES)
        .rev()
        .find(|end| html.is_char_boundary(*end))
        .filter(|end| *end < html.len());
    let html = end.and_then(|end| html.get(..end)).unwrap_or(html);
    let Some(html) = super::html_cost::bounded(html) else {
        return super::html_cost::text(html);
    };

    let mut builder = Builder::default();
    match level {
        Level::Relaxed => {}
        Level::Default => drop(builder.tags(HashSet::new())),
        Level::Restricted => drop(builder.tags(RESTRICTED.into())),
        Level::Basic => drop(builder.tags(BASIC.into())),
    }

    builder.clean(&html).to_string()
}

/// Converts plain text to paragraphs. An empty line separates paragraphs; a single line break becomes
/// `<br />`.
pub(super) fn paragraphs(text: &str) -> String {
    let text = sanitize(
        &text.replace("\r\n", "\n").replace('\r', "\n"),
        Level::Relaxed,
    );

    if text.trim().is_empty() {
        return "<p></p>".to_owned();
    }

    let mut parts = text.split("\n\n");
    let first = parts.next();
    let others = parts
        .map(|part| part.trim_start_matches('\n'))
        .filter(|part| !part.is_empty());
    let paragraphs = first
        .into_iter()
        .chain(others)
        .map(|part| format!("<p>{}</p>", with_breaks(part)));

    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// Inserts line breaks between the lines of a paragraph.
fn with_breaks(paragraph: &str) -> String {
    let lines = paragraph.trim_matches('\n');
    let broken = lines.replace('\n', "\n<br />");
    if lines.is_empty() {
        paragraph.to_owned()
    } else {
        paragraph.replacen(lines, &broken, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dangerous_html_is_removed() {
        let html = r#"<h1 onclick="x()">Hi</h1><script>evil()</script><a href="javascript:x()">a</a><b>b</b><p>p</p>"#;
        for (level, expected) in [
            (
                "relaxed",
                r#"<h1>Hi</h1><a rel="noopener noreferrer">a</a><b>b</b><p>p</p>"#,
            ),
            (
                "relaxed_2",
                r#"<h1>Hi</h1><a rel="noopener noreferrer">a</a><b>b</b><p>p</p>"#,
            ),
            (
                "basic",
                r#"Hi<a rel="noopener noreferrer">a</a><b>b</b><p>p</p>"#,
            ),
            ("restricted", "Hia<b>b</b>p"),
            ("default", "Hiabp"),
        ] {
            assert_eq!(sanitize(html, Level::parse(level)), expected, "{level}");
        }
    }

    #[test]
    fn text_is_converted_to_paragraphs() {
        for (text, expected) in [
            (
                "one\r\ntwo\n\n\nthree",
                "<p>one\n<br />two</p>\n\n<p>three</p>",
            ),
            ("\none\rtwo\n", "<p>\none\n<br />two\n</p>"),
            (
                "\n\none\n\n\n\n\ntwo\n\n",
                "<p></p>\n\n<p>one</p>\n\n<p>two</p>",
            ),
            (
                "<b>one\n\ntwo</b> & <",
                "<p><b>one</p>\n\n<p>two</b> &amp; &lt;</p>",
            ),
            (" \n\n ", "<p></p>"),
            ("", "<p></p>"),
        ] {
            assert_eq!(paragraphs(text), expected, "{text:?}");
        }
    }
}
