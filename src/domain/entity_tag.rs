//! Entity tags (RFC 9110, section 8.8.3) and preconditions (section 13.1).
//!
//! A tag is a hash of the response body, so it changes with every byte and survives a restart.

use super::rejection::Rejection;
use std::fmt;
use twox_hash::XxHash3_128;

/// A strong entity tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag(u128);

impl EntityTag {
    /// The tag of a response body.
    pub fn of(bytes: &[u8]) -> Self {
        Self(XxHash3_128::oneshot(bytes))
    }

    /// The tag as 32 hexadecimal digits in quotes. Formatting it with `write!` takes longer than
    /// hashing.
    pub fn to_bytes(&self) -> [u8; 34] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'"'; 34];
        for (place, shift) in text.iter_mut().skip(1).zip((0..128).step_by(4).rev()) {
            let digit = usize::try_from(self.0 >> shift & 0xf).unwrap_or_default();
            *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        }
        text
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}

/// The value of `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`, which matches any tag.
    Any,
    /// A list of tags.
    List(Vec<ClientTag>),
}

/// A tag sent by a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientTag {
    is_weak: bool,
    /// The tag including its quotes.
    opaque: String,
}

impl EntityTags {
    /// Parses a list of tags. Accepts tags without quotes, which some clients send.
    pub fn parse(mut text: &str) -> Self {
        let mut tags = Vec::new();
        loop {
            text = text.trim_start_matches([',', ' ', '\t']);
            if text.is_empty() {
                return Self::List(tags);
            }

            let (is_weak, tag) = text
                .strip_prefix("W/")
                .map_or((false, text), |tag| (true, tag));
            let length = match tag.strip_prefix('"').map(|inner| inner.find('"')) {
                Some(end) => end.map_or(tag.len(), |end| end.saturating_add(2)),
                None => tag.find([',', ' ', '\t']).unwrap_or(tag.len()),
            };

            let (tag, rest) = tag.split_at_checked(length).unwrap_or((tag, ""));
            if tag == "*" && !is_weak {
                return Self::Any;
            }

            tags.push(ClientTag {
                is_weak,
                opaque: format!("\"{}\"", tag.trim_matches('"')),
            });

            text = rest;
        }
    }

    /// Weak comparison, used for `If-None-Match`.
    pub fn match_weakly(&self, tag: EntityTag) -> bool {
        self.matches(tag, |_| true)
    }

    /// Strong comparison, used for `If-Match`.
    pub fn match_strongly(&self, tag: EntityTag) -> bool {
        self.matches(tag, |given| !given.is_weak)
    }

    fn matches(&self, tag: EntityTag, counts: impl Fn(&ClientTag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => {
                let tag = tag.to_string();
                tags.iter()
                    .any(|given| counts(given) && given.opaque == tag)
            }
        }
    }
}

/// Preconditions on the current state of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// One of these tags must match.
    pub if_match: Option<EntityTags>,
    /// None of these tags may match.
    pub if_none_match: Option<EntityTags>,
}

impl Preconditions {
    /// Checks the preconditions against the `current` bytes of an object.
    ///
    /// # Errors
    /// [`Rejection::PreconditionFailed`]
    pub fn check(&self, current: &[u8]) -> Result<(), Rejection> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return Ok(());
        }

        let tag = EntityTag::of(current);
        if self
            .if_match
            .as_ref()
            .is_some_and(|tags| !tags.match_strongly(tag))
        {
            let message = format!("'If-Match' does not match: the current entity tag is {tag}");
            return Err(Rejection::PreconditionFailed(message));
        }

        if self
            .if_none_match
            .as_ref()
            .is_some_and(|tags| tags.match_weakly(tag))
        {
            let message = format!("'If-None-Match' matches: the current entity tag is {tag}");
            return Err(Rejection::PreconditionFailed(message));
        }

        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_the_same_for_ever_and_another_for_other_bytes() {
        // Clients keep tags over restarts and updates.
        assert_eq!(
            EntityTag::of(b"").to_string(),
            "\"99aa06d3014798d86001c324468d497f\""
        );
        assert_eq!(EntityTag::of(b"{}"), EntityTag::of(b"{}"));
        assert_ne!(EntityTag::of(b"{}"), EntityTag::of(b"[]"));
    }

    #[test]
    fn lists_of_tags_are_read_in_every_spelling() {
        let tag = EntityTag::of(b"x");
        let bare = tag.to_string().trim_matches('"').to_owned();
        for (text, strongly, weakly) in [
            (tag.to_string(), true, true),
            (format!("\"a,b\", {tag} ,W/\"c\""), true, true),
            (format!("W/{tag}"), false, true),
            (format!("\"\",W/\"x\",W/{tag}"), false, true),
            (bare.clone(), true, true),
            (format!("x,{bare},y"), true, true),
            ("*".to_owned(), true, true),
            ("\"*\"".to_owned(), false, false),
            ("W/*".to_owned(), false, false),
            (format!("\"{bare}x\", \"x{bare}"), false, false),
            (String::new(), false, false),
            ("\"".to_owned(), false, false),
        ] {
            let tags = EntityTags::parse(&text);
            assert_eq!(
                (tags.match_strongly(tag), tags.match_weakly(tag)),
                (strongly, weakly),
                "{text}: {tags:?}"
            );
        }
    }
}
