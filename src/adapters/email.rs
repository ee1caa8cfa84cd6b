//! `email`: a message as it stands in RFC 5322, whoever brings it. Each is an alert, unless it was found to be spam.

use super::{
    Delivery,
    field::Field,
    markup::{Level, sanitised},
    reading::{event, nothing},
};
use crate::domain::event::{Action, DatumKind, Reading};
use mail_parser::{Address, HeaderValue, Message, MessageParser, PartType};
use serde_json::{Map, Value};

const UNTITLED: &str = "Incoming Email - Untitled Alert";
const SPAM_VERDICT: &str = "X-SES-Spam-Verdict";

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let Some(message) = MessageParser::default().parse(&delivery.parts().body) else {
        return nothing("it is no message", Field::new(None));
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
        .description(body(&message, Level::parse(&option("sanitize_level").text())))
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
