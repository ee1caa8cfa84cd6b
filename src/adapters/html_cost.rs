//! Estimates the cost of parsing HTML before it is parsed.
//!
//! An HTML parser inspects all open elements for each tag, and reopens formatting elements in each
//! paragraph, so that a small document can take minutes and gigabytes. It also compares each
//! attribute of a tag with all previous ones. The estimate errs on the safe side: an end tag closes
//! only the element that was opened last.

use super::html_tokens::{Token, Tokenizer};
use crate::domain::limits::MAX_DESCRIPTION_LEN;

/// Bytes that are parsed. No alert has a longer description.
const MAX_BYTES: usize = MAX_DESCRIPTION_LEN;
/// Deeper than any real page nests.
const MAX_DEPTH: usize = 256;
/// Open elements, summed over all tags.
const MAX_OPEN_ELEMENTS: usize = 500_000;
/// Attributes of one tag.
const MAX_ATTRIBUTES: usize = 128;

/// Void elements, and those whose end tag is optional.
const UNNESTED: [&str; 31] = [
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html",
    "img", "input", "li", "link", "meta", "option", "p", "param", "rp", "rt", "source", "tbody",
    "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];
/// Removes comments and elements with raw text, which are not displayed, and truncates the rest to the
/// length of a description. `None` if parsing would cost too much.
pub(super) fn bounded(html: &str) -> Option<String> {
    let (mut kept, mut open, mut cost) = (
        String::with_capacity(html.len().min(MAX_BYTES)),
        Vec::new(),
        0_usize,
    );

    for token in Tokenizer(html) {
        match token {
            Token::Text(text) => kept.push_str(text),
            Token::Hidden => {}
            Token::Start { attributes, .. } if attributes > MAX_ATTRIBUTES => return None,
            Token::Start { name, tag, .. } => {
                cost = cost.saturating_add(open.len());
                if !UNNESTED.contains(&name.as_str()) {
                    open.push(name);
                }
                kept.push_str(tag);
            }
            Token::End { name, tag } => {
                cost = cost.saturating_add(open.len());
                if open.last() == Some(&name) {
                    open.pop();
                }
                kept.push_str(tag);
            }
        }

        if open.len() > MAX_DEPTH || cost > MAX_OPEN_ELEMENTS {
            return None;
        }

        if kept.len() > MAX_BYTES {
            let end = (0..=MAX_BYTES)
                .rev()
                .find(|end| kept.is_char_boundary(*end));
            kept.truncate(end.unwrap_or_default());
            break;
        }
    }

    Some(kept)
}

/// The text without tags, as HTML. Tags become a space unless one precedes them.
pub(super) fn text(html: &str) -> String {
    let mut text = String::new();
    for token in Tokenizer(html) {
        match token {
            Token::Text(piece) => text.push_str(&piece.replace('<', "&lt;").replace('>', "&gt;")),
            Token::Start { .. } | Token::End { .. } if !text.ends_with(char::is_whitespace) => {
                text.push(' ')
            }
            Token::Hidden | Token::Start { .. } | Token::End { .. } => {}
        }
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_pages_are_kept_without_hidden_content() {
        for same in [
            "",
            "text",
            "1 < 2 > 0",
            "<p>a<br>b<p>c",
            "<a href=\"x>y\" title='>'>z</a>",
            "<table><tr><td>x</table>",
        ] {
            assert_eq!(bounded(same).as_deref(), Some(same));
        }

        for (html, expected) in [
            ("a<!-- <b> -->b", "ab"),
            ("a<!-->b", "ab"),
            ("a<!-- -- --!>b-->c", "ab-->c"),
            ("a<!-- --->b", "ab"),
            ("a<!-- -", "a"),
            ("a<i =\" b \">c", "a<i =\" b \">c"),
            ("a<script>x</div></SCRIPT >b", "ab"),
            ("a<style>x", "a"),
            ("<!DOCTYPE html>a<?x?>b", "ab"),
        ] {
            assert_eq!(bounded(html).as_deref(), Some(expected), "{html}");
        }

        let newsletter =
            "<table><tr><td><a href=\"x\"><b>y</b></a></td></tr></table>".repeat(2_000);
        assert_eq!(bounded(&newsletter).map(|kept| kept.len()), Some(MAX_BYTES));

        let styled = format!(
            "<style>{}</style>{}",
            "a { b: c }".repeat(20_000),
            "é".repeat(MAX_BYTES)
        );

        assert_eq!(
            bounded(&styled),
            Some("é".repeat(MAX_BYTES / 2)),
            "styles do not count, and no character is cut"
        );
    }

    #[test]
    fn costly_html_is_rejected() {
        for deep in [
            "<div>",
            "<div></span>",
            "<b></i>",
            "<b><div></b>",
            "<div><table></div></table>",
            "<div><select></div></select>",
            "<div><textarea></div></textarea>",
            "<div><!-- </div> -->",
            "<div a=\"></div>\">",
            "<div a = '></div>'>",
            "<svg></div>",
        ] {
            assert_eq!(bounded(&deep.repeat(1_000)), None, "{deep}");
        }

        assert_eq!(
            bounded(&("<b a=i>".repeat(250) + &"<p>x".repeat(10_000))),
            None
        );
    }

    /// The parser compares each attribute with all before it: 45,000 took nine seconds.
    #[test]
    fn tags_with_too_many_attributes_are_rejected() {
        let with = |attributes: usize| {
            bounded(&format!(
                "<p{}>",
                (0..attributes)
                    .map(|number| format!(" a{number}"))
                    .collect::<String>()
            ))
        };

        assert!(with(MAX_ATTRIBUTES).is_some());
        assert!(with(MAX_ATTRIBUTES + 1).is_none());
        assert!(bounded(&format!("<p ={}>", "\" a b ".repeat(100))).is_none());
    }

    #[test]
    fn text_excludes_tags() {
        assert_eq!(
            text("<p><i>a<b>c</b> 1 < 2 &amp; <!-- x -->d</p>"),
            "a c  1 &lt; 2 &amp; d"
        );
    }
}
