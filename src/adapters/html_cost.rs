//! What parsing HTML would cost, seen before it is parsed.
//!
//! A parser of HTML looks at all open elements for each tag, and opens words in bold and the like
//! again in each paragraph, so that little HTML can take minutes and gigabytes. It also compares
//! each attribute of a tag with all before it. Tags are read here as the standard has them; which
//! elements are open is guessed on the safe side: an end tag closes nothing but the element that
//! was opened last.

use crate::domain::limits::MAX_DESCRIPTION_LEN;

/// So many bytes are left to be parsed; no alert has a longer description.
const MAX_BYTES: usize = MAX_DESCRIPTION_LEN;
/// More than any page that a person reads nests.
const MAX_DEPTH: usize = 256;
/// Open elements, added up over all tags.
const MAX_OPEN_ELEMENTS: usize = 500_000;
/// More than any element has.
const MAX_ATTRIBUTES: usize = 128;

/// Never open, or closed by the next of its kind.
const NOT_NESTED: [&str; 31] = [
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html",
    "img", "input", "li", "link", "meta", "option", "p", "param", "rp", "rt", "source", "tbody",
    "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];
/// Between their tags is text, whatever it looks like.
const RAW: [&str; 10] = [
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
];

/// The HTML without comments and without the elements that hold raw text, none of which is shown,
/// and no more of it than an alert may hold; `None` if it costs too much.
pub(super) fn bounded(html: &str) -> Option<String> {
    let (mut kept, mut open, mut effort) = (
        String::with_capacity(html.len().min(MAX_BYTES)),
        Vec::new(),
        0_usize,
    );

    for piece in Pieces(html) {
        match piece {
            Piece::Text(text) => kept.push_str(text),
            Piece::Hidden => {}
            Piece::Start { attributes, .. } if attributes > MAX_ATTRIBUTES => return None,
            Piece::Start { name, tag, .. } => {
                effort = effort.saturating_add(open.len());
                if !NOT_NESTED.contains(&name.as_str()) {
                    open.push(name);
                }
                kept.push_str(tag);
            }
            Piece::End { name, tag } => {
                effort = effort.saturating_add(open.len());
                if open.last() == Some(&name) {
                    open.pop();
                }
                kept.push_str(tag);
            }
        }

        if open.len() > MAX_DEPTH || effort > MAX_OPEN_ELEMENTS {
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

/// What stands between the tags, as HTML without any; where there are some, a space unless there is
/// one before.
pub(super) fn text(html: &str) -> String {
    let mut text = String::new();
    for piece in Pieces(html) {
        match piece {
            Piece::Text(piece) => text.push_str(&piece.replace('<', "&lt;").replace('>', "&gt;")),
            Piece::Start { .. } | Piece::End { .. } if !text.ends_with(char::is_whitespace) => {
                text.push(' ')
            }
            Piece::Hidden | Piece::Start { .. } | Piece::End { .. } => {}
        }
    }
    text.trim().to_owned()
}

enum Piece<'a> {
    Text(&'a str),
    /// A comment, or an element with raw text.
    Hidden,
    Start {
        name: String,
        tag: &'a str,
        attributes: usize,
    },
    End {
        name: String,
        tag: &'a str,
    },
}

/// What is left to read.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let first = self.0.chars().next()?;
        if first != '<' {
            return Some(Piece::Text(
                self.take(self.0.find('<').unwrap_or(self.0.len())),
            ));
        }

        let behind = self.0.get(1..).unwrap_or_default();
        let starts = |text: &str| text.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if behind.starts_with("!--") {
            self.take(end_of_comment(self.0));
            return Some(Piece::Hidden);
        }

        if starts(behind) {
            let name = name(behind);
            let end = end_of_tag(self.0, 1 + name.len());
            let tag = self.take(end.place);

            if RAW.contains(&name.as_str()) {
                self.take(end_of_raw(self.0, &name));
                return Some(Piece::Hidden);
            }

            return Some(Piece::Start {
                name,
                tag,
                attributes: end.attributes,
            });
        }

        match behind.strip_prefix('/') {
            Some(behind) if starts(behind) => {
                let name = name(behind);
                let tag = self.take(end_of_tag(self.0, 2 + name.len()).place);
                Some(Piece::End { name, tag })
            }
            _ if behind.starts_with(['!', '?', '/']) => {
                self.take(behind.find('>').map_or(self.0.len(), |end| end + 2));
                Some(Piece::Hidden)
            }
            _ => Some(Piece::Text(self.take(1))),
        }
    }
}

impl<'a> Pieces<'a> {
    fn take(&mut self, length: usize) -> &'a str {
        let (taken, rest) = self.0.split_at_checked(length).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }
}

fn is_end_of_name(character: char) -> bool {
    character.is_ascii_whitespace() || matches!(character, '/' | '>')
}

fn name(text: &str) -> String {
    text.split(is_end_of_name)
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

/// Behind a comment that begins here.
fn end_of_comment(html: &str) -> usize {
    let inside = html.get(4..).unwrap_or_default();
    for short in [">", "->"] {
        if inside.starts_with(short) {
            return 4 + short.len();
        }
    }

    // Whichever comes first: to look for each of them to the end would take as long for every
    // comment as for all that follows.
    let ends = inside.match_indices('-').find_map(|(place, _)| {
        let behind = inside.get(place..)?;
        ["-->", "--!>"]
            .into_iter()
            .find(|end| behind.starts_with(end))
            .map(|end| 4 + place + end.len())
    });

    ends.unwrap_or(html.len())
}

/// Where a tag ends, and how many attributes it has.
struct EndOfTag {
    place: usize,
    attributes: usize,
}

/// Where in a tag a character stands. Source of the states: the HTML standard, "Tokenization".
#[derive(Clone, Copy)]
enum Within {
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Quotes(char),
}

/// Behind a tag that begins here, whose attributes begin at `from`. A `>` in the quotes of a value
/// is none.
fn end_of_tag(html: &str, from: usize) -> EndOfTag {
    let (mut within, mut attributes) = (Within::BeforeName, 0_usize);
    for (place, character) in html.get(from..).unwrap_or_default().char_indices() {
        let is_space = character.is_ascii_whitespace();
        within = match (within, character) {
            (Within::Quotes(open), _) if open == character => Within::BeforeName,
            (Within::Quotes(_), _) => within,
            (_, '>') => {
                return EndOfTag {
                    place: from + place + 1,
                    attributes,
                };
            }
            (Within::Name | Within::AfterName, '=') => Within::BeforeValue,
            (Within::BeforeValue, '"' | '\'') => Within::Quotes(character),
            (Within::BeforeValue, _) if is_space => within,
            (Within::BeforeValue, _) => Within::Value,
            (Within::Value, _) if is_space => Within::BeforeName,
            (Within::Value, _) => within,
            (Within::BeforeName | Within::Name | Within::AfterName, '/') => Within::BeforeName,
            (Within::Name | Within::AfterName, _) if is_space => Within::AfterName,
            (Within::BeforeName, _) if is_space => within,
            (Within::Name, _) => within,
            (Within::BeforeName | Within::AfterName, _) => {
                attributes = attributes.saturating_add(1);
                Within::Name
            }
        };
    }

    EndOfTag {
        place: html.len(),
        attributes,
    }
}

/// Behind the end tag of an element with raw text, in which this is.
fn end_of_raw(html: &str, name: &str) -> usize {
    let end = format!("</{name}");
    let bytes = html.as_bytes();
    let ends = |place: &usize| {
        let found = bytes.get(*place..*place + end.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(end.as_bytes()))
            && html
                .get(place + end.len()..)
                .is_some_and(|behind| behind.starts_with(is_end_of_name))
    };

    let place = html.match_indices("</").map(|(place, _)| place).find(ends);
    place.map_or(html.len(), |place| {
        place + end_of_tag(html.get(place..).unwrap_or_default(), end.len()).place
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_pages_stay_as_they_are_but_for_what_is_not_shown() {
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
    fn what_would_take_long_is_refused_however_it_is_hidden() {
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
    fn attributes_are_counted_as_the_parser_does() {
        for (tag, expected) in [
            ("<a>", 0),
            ("<a b c = d e='f g' h=\"i j\"k/l>", 6),
            ("<a b/ / c/>", 2),
            ("<a b=/c/d e>", 2),
            ("<a =\" b c d \">", 5),
            ("<a b\"c d'e'>", 2),
            ("<a b= >", 1),
            ("<a b = c", 1),
        ] {
            assert_eq!(end_of_tag(tag, 2).attributes, expected, "{tag}");
        }

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

    /// Of each comment both its ends were looked for in all that follows: 256 KiB took half a
    /// minute. Here a byte is looked at once, whether the other end is there or not.
    #[test]
    fn a_comment_ends_at_the_nearest_end() {
        for comment in ["<!---->", "<!----!>", "<!-- - -- -->", "<!-->", "<!--->"] {
            assert_eq!(
                end_of_comment(&comment.repeat(3)),
                comment.len(),
                "{comment}"
            );
            assert_eq!(Pieces(&comment.repeat(3)).count(), 3, "{comment}");
        }
    }

    #[test]
    fn text_is_what_stands_between_tags() {
        assert_eq!(
            text("<p><i>a<b>c</b> 1 < 2 &amp; <!-- x -->d</p>"),
            "a c  1 &lt; 2 &amp; d"
        );
    }
}
