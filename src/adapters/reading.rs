//! Putting a reading together.

use super::field::Field;
use crate::domain::event::{
    Action, AdditionalDatum, AlertUrgency, Content, DatumKind, Event, FreshId, Reading,
};
use crate::domain::{
    body,
    distinct::{Added, Distinct},
    limits,
};
use serde_json::Value;
use url::Url;

/// Nothing is to happen, because of this.
pub(super) fn nothing(reason: impl Into<String>, thirdparty_id: Field<'_>) -> Reading {
    Reading::Nothing {
        reason: reason.into(),
        thirdparty_id: thirdparty_id.filled(),
        confirm: None,
    }
}

/// Nothing is to happen, because this stands for nothing that concerns an alert.
pub(super) fn no_event(name: &str, found: Field<'_>, thirdparty_id: Field<'_>) -> Reading {
    let reason = match found.filled() {
        Some(text) => format!(
            "'{name}' is '{}', which stands for no event",
            body::excerpt(&text)
        ),
        None => format!("'{name}' is missing"),
    };
    nothing(reason, thirdparty_id)
}

/// Nothing is to happen, because what went before and what is now make no change that concerns an
/// alert.
pub(super) fn no_change(
    before: (&str, Field<'_>),
    now: (&str, Field<'_>),
    thirdparty_id: Field<'_>,
) -> Reading {
    let [(before, previous), (now, current)] =
        [before, now].map(|(name, found)| (name, found.filled()));
    let reason = match (previous, current) {
        (None, _) => format!("'{before}' is missing"),
        (_, None) => format!("'{now}' is missing"),
        (Some(previous), Some(current)) => format!(
            "'{before}' is '{}' and '{now}' is '{}', which stands for no event",
            body::excerpt(&previous),
            body::excerpt(&current)
        ),
    };

    nothing(reason, thirdparty_id)
}

/// An event, to be completed.
pub(super) fn event(action: Action, thirdparty_id: Field<'_>) -> Builder {
    let (thirdparty_id, fresh_id) = (thirdparty_id.filled(), FreshId::Uuid);
    let event = Event {
        action,
        thirdparty_id,
        fresh_id,
        first_creates: false,
        content: Content::default(),
    };
    Builder(event, None)
}

/// An event on its way, and why no alert can be created of it, if so.
pub(super) struct Builder(Event, Option<String>);

impl Builder {
    pub(super) fn title(mut self, title: impl Into<String>) -> Self {
        self.0.content.title = title.into();
        self
    }

    /// What is empty is none.
    pub(super) fn description(mut self, description: impl Into<String>) -> Self {
        self.0.content.description = Some(description.into()).filter(|text| !text.is_empty());
        self
    }

    /// As it was sent, be it empty; none if nothing was.
    pub(super) fn describe(mut self, description: Field<'_>) -> Self {
        self.0.content.description = description.is_there().then(|| description.text());
        self
    }

    pub(super) fn urgency(mut self, urgency: Option<AlertUrgency>) -> Self {
        self.0.content.urgency = urgency;
        self
    }

    /// Each once, without the empty ones, and no more than an alert may have.
    pub(super) fn tags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        let known = std::mem::take(&mut self.0.content.tags);
        let tags = tags
            .into_iter()
            .map(|tag| tag.as_ref().trim().to_owned())
            .filter(|tag| !tag.is_empty());
        self.0.content.tags = each_once(known.into_iter().chain(tags));
        self
    }

    /// What groups alerts: each once, without the empty ones, and no more than an alert may have.
    pub(super) fn dedup_keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        let known = std::mem::take(&mut self.0.content.dedup_keys);
        let keys = keys.into_iter().filter(|key| !key.trim().is_empty());
        self.0.content.dedup_keys = each_once(known.into_iter().chain(keys));
        self
    }

    pub(super) fn text(self, label: &str, value: Field<'_>) -> Self {
        self.datum(DatumKind::Text, label, value.value())
    }

    pub(super) fn link(self, label: &str, value: Field<'_>) -> Self {
        self.datum(DatumKind::Link, label, value.value())
    }

    pub(super) fn datetime(self, label: &str, value: Field<'_>) -> Self {
        self.datum(DatumKind::Datetime, label, value.value())
    }

    /// Something more to show; left out when there is nothing to it, or when it should be a URL and
    /// is none.
    pub(super) fn datum(mut self, kind: DatumKind, label: &str, value: Value) -> Self {
        let shown = match (kind, &value) {
            (_, Value::Null) => false,
            (DatumKind::Link | DatumKind::Img, value) => value.as_str().is_some_and(is_web_address),
            (_, Value::String(text)) => !text.trim().is_empty(),
            (_, Value::Array(items)) => !items.is_empty(),
            (_, Value::Object(members)) => !members.is_empty(),
            (_, Value::Bool(flag)) => *flag,
            (_, Value::Number(_)) => true,
        };

        if shown && !label.trim().is_empty() {
            self.0.content.additional_data.push(AdditionalDatum {
                kind,
                label: label.to_owned(),
                value,
            });
        }

        self
    }

    /// Whatever else belongs to the content.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Content)) -> Self {
        change(&mut self.0.content);
        self
    }

    /// An id that nobody has is written without dashes.
    pub(super) fn hex_id(mut self) -> Self {
        self.0.fresh_id = FreshId::Hex;
        self
    }

    /// An id that nobody has is a ULID.
    pub(super) fn ulid(mut self) -> Self {
        self.0.fresh_id = FreshId::Ulid;
        self
    }

    /// It creates an alert when there never was one with its id.
    pub(super) fn first_creates(mut self) -> Self {
        self.0.first_creates = true;
        self
    }

    /// Creates no alert unless this member is of the kind that it must be. PagerTree's adapter
    /// would fail over it.
    pub(super) fn only_if(mut self, name: &str, is_of_its_kind: bool) -> Self {
        if !is_of_its_kind {
            self.1
                .get_or_insert_with(|| format!("'{name}' is not of the kind that it must be"));
        }
        self
    }

    pub(super) fn done(self) -> Reading {
        let Self(event, refusal) = self;
        match refusal {
            Some(reason) if matches!(event.action, Action::Create | Action::Recreate) => {
                Reading::Nothing {
                    reason,
                    thirdparty_id: event.thirdparty_id,
                    confirm: None,
                }
            }
            _ => Reading::Event(Box::new(event)),
        }
    }
}

/// The first of these that an alert may have, without repetitions.
fn each_once(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut distinct = Distinct::new(limits::MAX_TAGS);
    for word in words {
        if distinct.add(word) == Added::TooMany {
            break;
        }
    }
    distinct.into_items()
}

/// Whether it is an address as RFC 3986 writes one, to the letter: browsers forgive spaces and the
/// like, PagerTree does not.
fn is_web_address(text: &str) -> bool {
    let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let path = place.split('/').skip(3);
    (place.starts_with("http://") || place.starts_with("https://"))
        && [place, query, fragment].into_iter().all(is_written_plainly)
        && !path.chain([fragment]).any(|part| part.contains(['[', ']']))
        && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Nothing but characters that may stand in an address, and escapes of others.
fn is_written_plainly(part: &str) -> bool {
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    part.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'();/?:@&=+$,[]%".contains(&byte))
        && part.split('%').skip(1).all(is_escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_as_an_address_is_one() {
        for address in [
            "http://a.example.com",
            "https://a_b:8080/x;y=1/(z)?q=a[0]&b=%20#/part?c=d",
            "http://[::1]:80/",
            "https://user@example.com/~me/",
        ] {
            assert!(is_web_address(address), "{address}");
        }

        for other in [
            "",
            "example.com/x",
            "ftp://example.com",
            "HTTP://example.com",
            "http:example.com",
            "https://",
            " https://example.com",
            "https://example.com/two words",
            "https://example.com/{id}",
            "https://example.com/a|b",
            "https://example.com/\u{fc}",
            "https://example.com/100%",
            "https://example.com/a[0]",
            "https://example.com/#a[0]",
            "https://example.com/#a#b",
        ] {
            assert!(!is_web_address(other), "{other}");
        }
    }
}
