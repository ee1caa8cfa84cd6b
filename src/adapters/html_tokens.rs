//! A tokenizer for HTML that is just precise enough to estimate costs and to extract text.

/// Elements whose content is text, even if it looks like tags.
const RAW_TEXT_ELEMENTS: [&str; 10] = [
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

pub(super) enum Token<'a> {
    Text(&'a str),
    /// A comment, or an element whose content is raw text.
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

/// Splits HTML into tokens.
pub(super) struct Tokenizer<'a>(pub(super) &'a str);

impl<'a> Iterator for Tokenizer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let first = self.0.chars().next()?;
        if first != '<' {
            return Some(Token::Text(
                self.take(self.0.find('<').unwrap_or(self.0.len())),
            ));
        }

        let after = self.0.get(1..).unwrap_or_default();
        let starts = |text: &str| text.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if after.starts_with("!--") {
            self.take(comment_len(self.0));
            return Some(Token::Hidden);
        }

        if starts(after) {
            let name = name(after);
            let end = tag_end(self.0, 1 + name.len());
            let tag = self.take(end.offset);

            if RAW_TEXT_ELEMENTS.contains(&name.as_str()) {
                self.take(raw_text_len(self.0, &name));
                return Some(Token::Hidden);
            }

            return Some(Token::Start {
                name,
                tag,
                attributes: end.attributes,
            });
        }

        match after.strip_prefix('/') {
            Some(after) if starts(after) => {
                let name = name(after);
                let tag = self.take(tag_end(self.0, 2 + name.len()).offset);
                Some(Token::End { name, tag })
            }
            _ if after.starts_with(['!', '?', '/']) => {
                self.take(after.find('>').map_or(self.0.len(), |end| end + 2));
                Some(Token::Hidden)
            }
            _ => Some(Token::Text(self.take(1))),
        }
    }
}

impl<'a> Tokenizer<'a> {
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

/// The length of the comment at the start of a text.
fn comment_len(html: &str) -> usize {
    let inside = html.get(4..).unwrap_or_default();
    for short in [">", "->"] {
        if inside.starts_with(short) {
            return 4 + short.len();
        }
    }

    // The first of both ends wins. Searching the whole text for each of them would make the cost
    // quadratic.
    let ends = inside.match_indices('-').find_map(|(place, _)| {
        let after = inside.get(place..)?;
        ["-->", "--!>"]
            .into_iter()
            .find(|end| after.starts_with(end))
            .map(|end| 4 + place + end.len())
    });

    ends.unwrap_or(html.len())
}

/// The end of a tag, and the number of its attributes.
struct TagEnd {
    offset: usize,
    attributes: usize,
}

/// States of the tokenizer within a tag. Source: the HTML standard, "Tokenization".
#[derive(Clone, Copy)]
enum TokenizerState {
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Value,
    Quotes(char),
}

/// The end of the tag at the start of a text, whose attributes begin at `from`. A `>` within quotes does
/// not end it.
fn tag_end(html: &str, from: usize) -> TagEnd {
    let (mut state, mut attributes) = (TokenizerState::BeforeName, 0_usize);
    for (offset, character) in html.get(from..).unwrap_or_default().char_indices() {
        let is_space = character.is_ascii_whitespace();
        state = match (state, character) {
            (TokenizerState::Quotes(open), _) if open == character => TokenizerState::BeforeName,
            (TokenizerState::Quotes(_), _) => state,
            (_, '>') => {
                return TagEnd {
                    offset: from + offset + 1,
                    attributes,
                };
            }
            (TokenizerState::Name | TokenizerState::AfterName, '=') => TokenizerState::BeforeValue,
            (TokenizerState::BeforeValue, '"' | '\'') => TokenizerState::Quotes(character),
            (TokenizerState::BeforeValue, _) if is_space => state,
            (TokenizerState::BeforeValue, _) => TokenizerState::Value,
            (TokenizerState::Value, _) if is_space => TokenizerState::BeforeName,
            (TokenizerState::Value, _) => state,
            (
                TokenizerState::BeforeName | TokenizerState::Name | TokenizerState::AfterName,
                '/',
            ) => TokenizerState::BeforeName,
            (TokenizerState::Name | TokenizerState::AfterName, _) if is_space => {
                TokenizerState::AfterName
            }
            (TokenizerState::BeforeName, _) if is_space => state,
            (TokenizerState::Name, _) => state,
            (TokenizerState::BeforeName | TokenizerState::AfterName, _) => {
                attributes = attributes.saturating_add(1);
                TokenizerState::Name
            }
        };
    }

    TagEnd {
        offset: html.len(),
        attributes,
    }
}

/// The length of raw text up to and including its end tag.
fn raw_text_len(html: &str, name: &str) -> usize {
    let end = format!("</{name}");
    let bytes = html.as_bytes();
    let ends = |offset: &usize| {
        let found = bytes.get(*offset..*offset + end.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(end.as_bytes()))
            && html
                .get(offset + end.len()..)
                .is_some_and(|after| after.starts_with(is_end_of_name))
    };

    let mut candidates = html.match_indices("</").map(|(offset, _)| offset);
    candidates.find(ends).map_or(html.len(), |offset| {
        offset + tag_end(html.get(offset..).unwrap_or_default(), end.len()).offset
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(tag_end(tag, 2).attributes, expected, "{tag}");
        }
    }

    /// Of each comment both its ends were looked for in all that follows: 256 KiB took half a
    /// minute. Here a byte is looked at once, whether the other end is there or not.
    #[test]
    fn a_comment_ends_at_the_nearest_end() {
        for comment in ["<!---->", "<!----!>", "<!-- - -- -->", "<!-->", "<!--->"] {
            assert_eq!(comment_len(&comment.repeat(3)), comment.len(), "{comment}");
            assert_eq!(Tokenizer(&comment.repeat(3)).count(), 3, "{comment}");
        }
    }
}
