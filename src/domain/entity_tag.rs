//! Entity tags (RFC 9110, 8.8.3) and the conditions that are made with them (13.1).
//!
//! A tag is a hash of the bytes that are answered, so it is another one as soon as a byte is, and
//! the same after a restart.

use super::rejection::Rejection;
use std::fmt;
use twox_hash::XxHash3_128;

/// The tag of some bytes. It is a strong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag(u128);

impl EntityTag {
    /// The tag of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(XxHash3_128::oneshot(bytes))
    }

    /// How it is written: 32 hexadecimal digits in quotes. The usual way would take longer than the
    /// hash.
    pub fn text(&self) -> [u8; 34] {
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
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

/// What `If-Match` and `If-None-Match` hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: whatever there is.
    Any,
    /// Some tags.
    These(Vec<GivenTag>),
}

/// A tag as a client gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenTag {
    is_weak: bool,
    /// With its quotes.
    opaque: String,
}

impl EntityTags {
    /// Reads a list of tags. Those without quotes, as some clients send them, are understood.
    pub fn parse(mut text: &str) -> Self {
        let mut tags = Vec::new();
        loop {
            text = text.trim_start_matches([',', ' ', '\t']);
            if text.is_empty() {
                return Self::These(tags);
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

            tags.push(GivenTag {
                is_weak,
                opaque: format!("\"{}\"", tag.trim_matches('"')),
            });

            text = rest;
        }
    }

    /// Whether one of them is this tag, weak ones included: good enough to answer nothing.
    pub fn include_weakly(&self, tag: EntityTag) -> bool {
        self.include(tag, |_| true)
    }

    /// Whether one of them is this tag, byte for byte: good enough to change something.
    pub fn include_strongly(&self, tag: EntityTag) -> bool {
        self.include(tag, |given| !given.is_weak)
    }

    fn include(&self, tag: EntityTag, counts: impl Fn(&GivenTag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => {
                let tag = tag.to_string();
                tags.iter()
                    .any(|given| counts(given) && given.opaque == tag)
            }
        }
    }
}

/// On which state of an object a request may be carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// One of these.
    pub if_match: Option<EntityTags>,
    /// None of these.
    pub if_none_match: Option<EntityTags>,
}

impl Preconditions {
    /// Whether a change may be made of an object that is `current` now.
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
            .is_some_and(|tags| !tags.include_strongly(tag))
        {
            let message = format!(
                "The object is another one than 'If-Match' asks for: its entity tag is {tag} now"
            );
            return Err(Rejection::PreconditionFailed(message));
        }

        if self
            .if_none_match
            .as_ref()
            .is_some_and(|tags| tags.include_weakly(tag))
        {
            let message = format!(
                "The object is one that 'If-None-Match' excludes: its entity tag is {tag} now"
            );
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
                (tags.include_strongly(tag), tags.include_weakly(tag)),
                (strongly, weakly),
                "{text}: {tags:?}"
            );
        }
    }
}
