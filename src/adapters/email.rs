//! `email`: a message as it stands in RFC 5322, whoever brings it. Each is an alert, unless it was found to be spam.

use super::{
    Delivery,
    field::Field,
    markup::{Level, sanitised},
    reading::{event, nothing},
};
use crate::domain::event::{Action, DatumKind, Reading};
use mail_parser::{Address, HeaderName, HeaderValue, Message, MessageParser, PartType};
use serde_json::{Map, Value};

const UNTITLED: &str = "Incoming Email - Untitled Alert";
const SPAM_VERDICT: &str = "X-SES-Spam-Verdict";

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let Some(message) = MessageParser::default().parse(&delivery.parts().body) else {
        // A text of one line has no message in it for the parser.
        let text = str::from_utf8(&delivery.parts().body).map(str::trim).unwrap_or_default();
        return match text {
            "" => nothing("it is no message", Field::new(None)),
            _ => event(Action::Create, Field::new(None)).title(UNTITLED).description(text.to_owned()).done(),
        };
    };
    let option = |name: &str| Field::new(options.get(name));
    if let Some(verdict) = spam_verdict(&message)
        && !option("allow_spam").is_yes()
    {
        return Reading::Blocked { reason: format!("the header '{SPAM_VERDICT}' is '{verdict}'") };
    }
    let id = message.message_id().map_or(Value::Null, Value::from);
    let subject = message.subject().map(str::trim).filter(|subject| !subject.is_empty());
    let thread = if option("dedup_threads").flag(true) { references(&message) } else { Vec::new() };
    let keys = message.message_id().map(str::to_owned).into_iter().chain(thread);
    event(Action::Create, Field::new(Some(&id)))
        .title(subject.unwrap_or(UNTITLED))
        .description(
            bare_text(&message).unwrap_or_else(|| body(&message, Level::parse(&option("sanitize_level").text()))),
        )
        .dedup_keys(keys)
        .datum(DatumKind::Email, "From", addresses(message.from()))
        .datum(DatumKind::Email, "To", addresses(message.to()))
        .datum(DatumKind::Email, "CCs", addresses(message.cc()))
        .done()
}

/// The first verdict that is not a good one. Whoever sends may put a good one beside that of the receiver.
fn spam_verdict<'a>(message: &'a Message<'_>) -> Option<&'a str> {
    let headers = message.headers_raw().filter(|(name, _)| name.eq_ignore_ascii_case(SPAM_VERDICT));
    headers.map(|(_, verdict)| verdict.trim()).find(|verdict| !verdict.is_empty() && *verdict != "PASS")
}

/// All of it, if it is a text without headers: nothing in it is one that a message has, and it begins with none or ends with them.
fn bare_text(message: &Message<'_>) -> Option<String> {
    let known = message.headers().iter().any(|header| !matches!(header.name, HeaderName::Other(_)));
    let text = String::from_utf8_lossy(message.raw_message());
    let text = text.trim();
    let first = text.lines().next().and_then(|line| line.split_once(':')).map(|(name, _)| name);
    let is_headed = first.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_graphic()));
    (!known && (!is_headed || message.body_text(0).is_none_or(|body| body.trim().is_empty()))).then(|| text.to_owned())
}

/// The part that is HTML, made harmless; else the one that is text.
fn body(message: &Message<'_>, level: Level) -> String {
    let parts = message.html_body.iter().filter_map(|position| message.part(*position));
    let html = parts.filter_map(|part| match &part.body {
        PartType::Html(html) => Some(html.as_ref()),
        _ => None,
    });
    match html.map(|html| sanitised(html, level)).next() {
        Some(html) => html,
        None => message.body_text(0).map(|text| text.trim_end().to_owned()).unwrap_or_default(),
    }
}

fn references(message: &Message<'_>) -> Vec<String> {
    match message.references() {
        HeaderValue::Text(id) => vec![id.to_string()],
        HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    }
}

/// All addresses in a list, be it one; null if there is none.
fn addresses(header: Option<&Address<'_>>) -> Value {
    let found: Vec<Value> =
        header.into_iter().flat_map(Address::iter).filter_map(|one| one.address()).map(Value::from).collect();
    if found.is_empty() { Value::Null } else { found.into() }
}
