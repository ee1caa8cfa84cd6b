//! `email`: messages in the format of RFC 5322, received over HTTP or SMTP.
//!
//! Each message creates an alert, unless it is spam. With a custom definition, its rules decide, as
//! in `custom_webhook`.

mod decoding;
mod embedded_messages;
mod head;
mod inbound_parse;
mod repair;

use super::prelude::*;
use crate::adapters::{
    custom_definition,
    html::{Level, sanitize},
};
use mail_parser::{
    Address, Encoding, HeaderName, HeaderValue, Message, MessageParser, MessagePart,
    MimeHeaders as _, PartType,
};
use serde_json::{Map, Value, json};

const DEFAULT_TITLE: &str = "Incoming Email - Untitled Alert";
const SPAM_VERDICT: &str = "X-SES-Spam-Verdict";

pub(super) const VENDOR: Vendor = Vendor {
    missing_id: MissingId::Generate,
    batches: Batches::Whole,
    template_data: Some(template_data),
    ..Vendor::new("email", parse)
};

/// Replies are compared with this many of the messages that they refer to, first and last.
const MAX_REFERENCES: usize = 10;
/// Keys of a definition that are compared.
const MAX_KEYS: usize = 10;

/// The raw message of a request, repaired unless in strict mode.
fn raw_message(request: &InboundRequest) -> Vec<u8> {
    if request.is_strict() {
        return request.parts().body.clone();
    }

    match inbound_parse::message(request) {
        Some(message) => repair::repair(&message).into_owned(),
        None => repair::repair(&request.parts().body).into_owned(),
    }
}

/// What title templates see as `data`. Source: PagerTree's guide to integrations.
fn template_data(request: &InboundRequest, options: VendorOptions<'_>) -> Map<String, Value> {
    let bytes = raw_message(request);
    let masked = embedded_messages::mask(&bytes);
    let Some(message) = MessageParser::default().parse(masked.as_ref()) else {
        return Map::new();
    };

    let level = Level::parse(&options.get("sanitize_level").text());
    let list = |header| match addresses(header) {
        Value::Array(addresses) => addresses
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(";"),
        _ => String::new(),
    };
    let text = bare_text(&message)
        .unwrap_or_else(|| body(&message, |html| sanitize(html, level)));

    Map::from_iter([
        ("from".to_owned(), list(message.from()).into()),
        ("to".to_owned(), list(message.to()).into()),
        ("subject".to_owned(), message.subject().unwrap_or_default().into()),
        ("message".to_owned(), text.into()),
    ])
}

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let bytes = raw_message(request);
    let masked = embedded_messages::mask(&bytes);
    let Some(message) = MessageParser::default().parse(masked.as_ref()) else {
        // The parser rejects a text of a single line.
        let text = str::from_utf8(&bytes).map(str::trim).unwrap_or_default();
        return match text {
            "" => ignored("the message is empty", None),
            _ => EventBuilder::new(Action::Create, None)
                .title(DEFAULT_TITLE)
                .description_text(text)
                .build(),
        };
    };

    if let Some(verdict) = spam_verdict(&message)
        && !options.get("allow_spam").is_true()
    {
        return ParsedEvent::Blocked {
            reason: format!("the header '{SPAM_VERDICT}' is '{verdict}'"),
        };
    }

    let has_definition = options.get("custom_definition_enabled").is_true();
    match options.get("custom_definition").non_empty() {
        Some(definition) if has_definition => by_definition(request, &message, options, &definition),
        _ => by_content(&message, options),
    }
}

fn by_content(message: &Message<'_>, options: VendorOptions<'_>) -> ParsedEvent {
    let level = Level::parse(&options.get("sanitize_level").text());
    let id = message.message_id().map(str::to_owned);
    let body =
        bare_text(message).unwrap_or_else(|| body(message, |html| sanitize(html, level)));

    EventBuilder::new(Action::Create, id.clone())
        .title(title(message))
        .description(Field::new(Some(&body.into())))
        .thread(thread(message, &[], options))
        .dedup_keys(dedup_keys(message, id, options))
        .email("From", addresses(message.from()))
        .email("To", addresses(message.to()))
        .email("CCs", addresses(message.cc()))
        .build()
}

/// Applies a definition. Attributes that its action does not set come from the message.
fn by_definition(
    request: &InboundRequest,
    message: &Message<'_>,
    options: VendorOptions<'_>,
    definition: &str,
) -> ParsedEvent {
    let body = body(message, body_element);
    let log = json!({
        "subject": message.subject(),
        "body": body,
        "from": addresses(message.from()),
        "to": addresses(message.to()),
    });

    custom_definition::apply(definition, log, request.now(), |kind, action| {
        let id = Some(action.get("thirdparty_id"))
            .filter(|id| id.is_present())
            .map(Field::text)
            .or_else(|| message.message_id().map(str::to_owned));
        let title_of_action = action.get("title").non_empty();
        let description = action.get("description").non_empty().unwrap_or(body);

        let keys = custom_definition::list(action.get("dedup_keys"));
        custom_definition::build_event(kind, action, id.clone())
            .title(title_of_action.unwrap_or_else(|| title(message)))
            .description(Field::new(Some(&description.into())))
            .thread(thread(message, &keys, options))
            .dedup_keys(dedup_keys(message, id, options))
    })
}

/// The first spam verdict other than `PASS`. Senders could add a `PASS` to that of the receiver.
fn spam_verdict<'a>(message: &'a Message<'_>) -> Option<&'a str> {
    let headers = message
        .headers_raw()
        .filter(|(name, _)| name.eq_ignore_ascii_case(SPAM_VERDICT));
    headers
        .map(|(_, verdict)| verdict.trim())
        .find(|verdict| !verdict.is_empty() && *verdict != "PASS")
}

/// The whole text, if it has no headers: none that is known, and either it does not begin with one
/// or nothing follows them.
fn bare_text(message: &Message<'_>) -> Option<String> {
    let known = message
        .headers()
        .iter()
        .any(|header| !matches!(header.name, HeaderName::Other(_)));
    let text = String::from_utf8_lossy(message.raw_message());
    let text = text.trim();
    let first = text
        .lines()
        .next()
        .and_then(|line| line.split_once(':'))
        .map(|(name, _)| name);
    let is_headed = first.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_graphic()));

    (!known
        && (!is_headed
            || message
                .body_text(0)
                .is_none_or(|body| body.trim().is_empty())))
    .then(|| text.to_owned())
}

fn title(message: &Message<'_>) -> String {
    let subject = message
        .subject()
        .map(str::trim)
        .filter(|subject| !subject.is_empty());
    subject.unwrap_or(DEFAULT_TITLE).to_owned()
}

/// The keys that group alerts at PagerTree: the third-party id, and the ids of the messages that this
/// one refers to, unless the option `dedup_threads` is off.
fn dedup_keys(
    message: &Message<'_>,
    id: Option<String>,
    options: VendorOptions<'_>,
) -> Vec<String> {
    if !options.get("dedup_threads").bool_or(true) {
        return Vec::new();
    }
    id.into_iter().chain(ids_in(message.references())).collect()
}

/// The keys that are compared with those of other messages: `keys`, which a definition has given,
/// and the ids of the messages in its thread, unless the option `dedup_threads` is off.
fn thread(message: &Message<'_>, keys: &[String], options: VendorOptions<'_>) -> Vec<String> {
    let mut ids: Vec<_> = keys.iter().take(MAX_KEYS).cloned().collect();
    if !options.get("dedup_threads").bool_or(true) {
        return ids;
    }

    let mut references = [ids_in(message.references()), ids_in(message.in_reply_to())].concat();
    if references.len() > 2 * MAX_REFERENCES {
        references.drain(MAX_REFERENCES..references.len() - MAX_REFERENCES);
    }
    ids.extend(message.message_id().map(str::to_owned));
    ids.extend(references);
    ids
}

fn ids_in(header: &HeaderValue<'_>) -> Vec<String> {
    match header {
        HeaderValue::Text(id) => vec![id.to_string()],
        HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// The HTML part, converted by `convert`, else the plain text.
fn body(message: &Message<'_>, convert: impl FnOnce(&str) -> String) -> String {
    let root = message.root_part();
    match &root.body {
        PartType::Multipart(_) => {}
        // PagerTree does not sanitize the HTML of a message without parts.
        PartType::Html(html) => return convert(html),
        _ => return text(root),
    }

    let html = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(html) => Some(html),
        _ => None,
    });

    match html {
        Some(html) => convert(html),
        None => message.text_bodies().next().map(text).unwrap_or_default(),
    }
}

/// The text of a part. Only encoded text keeps its CRLFs.
fn text(part: &MessagePart<'_>) -> String {
    match &part.body {
        PartType::Text(text) | PartType::Html(text) if part.encoding == Encoding::Base64 => {
            text.to_string()
        }
        PartType::Text(text) | PartType::Html(text) => text.replace("\r\n", "\n"),
        PartType::Binary(_)
            if part
                .content_type()
                .is_some_and(|kind| embedded_messages::is_masked(kind.ctype())) =>
        {
            String::new()
        }
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        PartType::Message(_) | PartType::Multipart(_) => String::new(),
    }
}

/// The content of the element `body`; the whole text if there is none.
fn body_element(html: &str) -> String {
    let lower = html.to_ascii_lowercase();
    let start = lower
        .find("<body")
        .and_then(|tag| Some(tag + lower.get(tag..)?.find('>')? + 1))
        .unwrap_or_default();
    let end = lower
        .rfind("</body")
        .filter(|end| *end >= start)
        .unwrap_or(html.len());
    html.get(start..end).unwrap_or(html).to_owned()
}

/// A list of all addresses; null if there are none.
fn addresses(header: Option<&Address<'_>>) -> Value {
    let found: Vec<Value> = header
        .into_iter()
        .flat_map(Address::iter)
        .filter_map(|one| one.address())
        .map(Value::from)
        .collect();
    if found.is_empty() {
        Value::Null
    } else {
        found.into()
    }
}
