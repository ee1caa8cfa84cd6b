//! Builders for [`ParsedEvent`].

use super::field::Field;
use crate::domain::event::{
    Action, AdditionalDatum, AlertUrgency, Content, DatumKind, Event, FreshId, ParsedEvent,
};
use crate::domain::{
    body,
    distinct::{AddOutcome, Distinct},
    interpretation::Interpretation,
    limits,
};
use serde_json::Value;
use url::Url;

/// A third-party id, if there is one.
#[derive(Clone, Debug)]
pub(super) struct EventId(Option<String>);

impl From<Field<'_>> for EventId {
    fn from(field: Field<'_>) -> Self {
        Self(field.non_empty())
    }
}

impl From<String> for EventId {
    fn from(id: String) -> Self {
        Self(Some(id).filter(|id| !id.is_empty()))
    }
}

impl From<Option<String>> for EventId {
    fn from(id: Option<String>) -> Self {
        Self(id)
    }
}

/// A request that has no effect on alerts.
pub(super) fn ignored(reason: impl Into<String>, id: impl Into<EventId>) -> ParsedEvent {
    ParsedEvent::Ignored {
        reason: reason.into(),
        thirdparty_id: id.into().0,
        confirm: None,
        interpretation: Interpretation::default(),
    }
}

/// A request whose field `name` stands for no action.
pub(super) fn no_action(name: &str, field: Field<'_>, id: impl Into<EventId>) -> ParsedEvent {
    let reason = match field.non_empty() {
        Some(text) => format!(
            "'{name}' is '{}', which stands for no action",
            body::excerpt(&text)
        ),
        None => format!("'{name}' is missing"),
    };
    ignored(reason, id)
}

/// A request whose previous and current state make no transition that concerns an alert.
pub(super) fn no_transition(
    previous: (&str, Field<'_>),
    current: (&str, Field<'_>),
    id: impl Into<EventId>,
) -> ParsedEvent {
    let reason = match (previous.1.non_empty(), current.1.non_empty()) {
        (None, _) => format!("'{}' is missing", previous.0),
        (_, None) => format!("'{}' is missing", current.0),
        (Some(before), Some(now)) => format!(
            "'{}' is '{}' and '{}' is '{}', which stands for no action",
            previous.0,
            body::excerpt(&before),
            current.0,
            body::excerpt(&now)
        ),
    };

    ignored(reason, id)
}

/// Builds an event step by step.
#[derive(Debug)]
pub(super) struct EventBuilder {
    event: Event,
    /// The first requirement that is not met.
    refusal: Option<String>,
}

impl EventBuilder {
    pub(super) fn new(action: Action, id: impl Into<EventId>) -> Self {
        Self {
            event: Event {
                action,
                thirdparty_id: id.into().0,
                fresh_id: FreshId::Uuid,
                first_creates: false,
                thread: Vec::new(),
                interpretation: Interpretation::default(),
                content: Content::default(),
            },
            refusal: None,
        }
    }

    pub(super) fn title(mut self, title: impl Into<String>) -> Self {
        self.event.content.title = title.into();
        self
    }

    /// A description as it was sent, even if it is empty.
    pub(super) fn description(mut self, description: Field<'_>) -> Self {
        self.event.content.description = description.is_some().then(|| description.text());
        self
    }

    /// A description that was put together. The empty string is no description.
    pub(super) fn description_text(mut self, description: impl Into<String>) -> Self {
        self.event.content.description = Some(description.into()).filter(|text| !text.is_empty());
        self
    }

    pub(super) fn urgency(mut self, urgency: Option<AlertUrgency>) -> Self {
        self.event.content.urgency = urgency;
        self
    }

    /// Adds tags. Blank ones, repetitions and those beyond the limit are dropped.
    pub(super) fn tags<T: AsRef<str>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        let known = std::mem::take(&mut self.event.content.tags);
        let tags = tags
            .into_iter()
            .map(|tag| tag.as_ref().trim().to_owned())
            .filter(|tag| !tag.is_empty());
        self.event.content.tags = distinct(known.into_iter().chain(tags));
        self
    }

    /// Adds keys that group alerts, with the same rules as tags.
    pub(super) fn dedup_keys(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        let known = std::mem::take(&mut self.event.content.dedup_keys);
        let keys = keys.into_iter().filter(|key| !key.trim().is_empty());
        self.event.content.dedup_keys = distinct(known.into_iter().chain(keys));
        self
    }

    pub(super) fn text(self, label: &str, value: impl Into<Value>) -> Self {
        self.datum(DatumKind::Text, label, value)
    }

    pub(super) fn link(self, label: &str, value: impl Into<Value>) -> Self {
        self.datum(DatumKind::Link, label, value)
    }

    pub(super) fn image(self, label: &str, value: impl Into<Value>) -> Self {
        self.datum(DatumKind::Img, label, value)
    }

    pub(super) fn email(self, label: &str, value: impl Into<Value>) -> Self {
        self.datum(DatumKind::Email, label, value)
    }

    pub(super) fn phone(self, label: &str, value: impl Into<Value>) -> Self {
        self.datum(DatumKind::Phone, label, value)
    }

    pub(super) fn datetime(self, label: &str, value: impl Into<Value>) -> Self {
        self.datum(DatumKind::Datetime, label, value)
    }

    /// Adds an entry of additional data, unless its label or value is blank, or it should be a URL
    /// and is not.
    pub(super) fn datum(mut self, kind: DatumKind, label: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let shown = match (kind, &value) {
            (_, Value::Null) => false,
            (DatumKind::Link | DatumKind::Img, value) => value.as_str().is_some_and(is_web_url),
            (_, Value::String(text)) => !text.trim().is_empty(),
            (_, Value::Array(items)) => !items.is_empty(),
            (_, Value::Object(members)) => !members.is_empty(),
            (_, Value::Bool(flag)) => *flag,
            (_, Value::Number(_)) => true,
        };

        if shown && !label.trim().is_empty() {
            self.event.content.additional_data.push(AdditionalDatum {
                kind,
                label: label.to_owned(),
                value,
            });
        }

        self
    }

    /// Sets the ids of the messages in the thread of a mail message.
    pub(super) fn thread(mut self, ids: Vec<String>) -> Self {
        self.event.thread = ids;
        self
    }

    /// Changes the content directly.
    pub(super) fn with(mut self, change: impl FnOnce(&mut Content)) -> Self {
        change(&mut self.event.content);
        self
    }

    /// If an id is generated, it is 32 hexadecimal digits.
    pub(super) fn hex_id(mut self) -> Self {
        self.event.fresh_id = FreshId::Hex;
        self
    }

    /// If an id is generated, it is a ULID.
    pub(super) fn ulid(mut self) -> Self {
        self.event.fresh_id = FreshId::Ulid;
        self
    }

    /// The event creates an alert, whatever its action, if its id has never been seen.
    pub(super) fn first_creates(mut self) -> Self {
        self.event.first_creates = true;
        self
    }

    /// Creates no alert unless a field has the expected type, since PagerTree's adapter would fail.
    pub(super) fn require(mut self, name: &str, is_valid: bool) -> Self {
        if !is_valid {
            self.refusal
                .get_or_insert_with(|| format!("'{name}' has an unexpected type"));
        }
        self
    }

    pub(super) fn build(self) -> ParsedEvent {
        let creates = matches!(self.event.action, Action::Create | Action::Recreate);
        match self.refusal {
            Some(reason) if creates => ignored(reason, self.event.thirdparty_id),
            _ => ParsedEvent::Event(Box::new(self.event)),
        }
    }
}

/// Drops repetitions and what exceeds the number of tags that an alert may have.
fn distinct(words: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut distinct = Distinct::new(limits::MAX_TAGS);
    for word in words {
        if distinct.add(word) == AddOutcome::Full {
            break;
        }
    }
    distinct.into_items()
}

/// Whether this is an HTTP URL that conforms to RFC 3986. Browsers accept more, such as spaces;
/// PagerTree does not.
fn is_web_url(text: &str) -> bool {
    let (address, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    let path = place.split('/').skip(3);
    (place.starts_with("http://") || place.starts_with("https://"))
        && [place, query, fragment]
            .into_iter()
            .all(has_only_url_characters)
        && !path.chain([fragment]).any(|part| part.contains(['[', ']']))
        && Url::parse(text).is_ok_and(|url| url.has_host())
}

/// Whether all characters may stand in a URL, and every `%` begins an escape.
fn has_only_url_characters(part: &str) -> bool {
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
            assert!(is_web_url(address), "{address}");
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
            assert!(!is_web_url(other), "{other}");
        }
    }
}
