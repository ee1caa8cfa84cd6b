//! `email`: a message as it stands in RFC 5322, whoever brings it. Each is an alert, unless it was
//! found to be spam, or the integration has a definition for messages, by whose rules it is read
//! then, as those of `custom_webhook` are.

mod closed;

use super::{
    Delivery, custom_webhook,
    field::Field,
    markup::{Level, sanitised},
    reading::{event, nothing},
};
use crate::domain::event::{Action, DatumKind, Reading};
use mail_parser::{
    Address, Encoding, HeaderName, HeaderValue, Message, MessageParser, MessagePart,
    MimeHeaders as _, PartType,
};
use serde_json::{Map, Value, json};

const UNTITLED: &str = "Incoming Email - Untitled Alert";
const SPAM_VERDICT: &str = "X-SES-Spam-Verdict";

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let closed = closed::closed(&delivery.parts().body);
    let Some(message) = MessageParser::default().parse(closed.as_ref()) else {
        // A text of one line has no message in it for the parser.
        let text = str::from_utf8(&delivery.parts().body)
            .map(str::trim)
            .unwrap_or_default();
        return match text {
            "" => nothing("it is no message", Field::new(None)),
            _ => event(Action::Create, Field::new(None))
                .title(UNTITLED)
                .description(text.to_owned())
                .done(),
        };
    };

    let option = |name: &str| Field::new(options.get(name));
    if let Some(verdict) = spam_verdict(&message)
        && !option("allow_spam").is_yes()
    {
        return Reading::Blocked {
            reason: format!("the header '{SPAM_VERDICT}' is '{verdict}'"),
        };
    }

    match option("custom_definition")
        .filled()
        .filter(|_| option("custom_definition_enabled").is_yes())
    {
        Some(definition) => by_definition(&message, options, &definition),
        None => as_it_is(&message, options),
    }
}

fn as_it_is(message: &Message<'_>, options: &Map<String, Value>) -> Reading {
    let level = Level::parse(&Field::new(options.get("sanitize_level")).text());
    let id = message.message_id().map_or(Value::Null, Value::from);
    let body = bare_text(message)
        .unwrap_or_else(|| body(message, |html| sanitised(html, level)))
        .into();

    event(Action::Create, Field::new(Some(&id)))
        .title(title(message))
        .describe(Field::new(Some(&body)))
        .dedup_keys(thread(message, Field::new(Some(&id)), options))
        .datum(DatumKind::Email, "From", addresses(message.from()))
        .datum(DatumKind::Email, "To", addresses(message.to()))
        .datum(DatumKind::Email, "CCs", addresses(message.cc()))
        .done()
}

/// What the rules say; where they say nothing, the message does.
fn by_definition(message: &Message<'_>, options: &Map<String, Value>, definition: &str) -> Reading {
    let body = body(message, within_body);
    let log = json!({
        "subject": message.subject(), "body": body, "from": addresses(message.from()), "to": addresses(message.to()),
    });

    let id = message.message_id().map_or(Value::Null, Value::from);
    custom_webhook::followed(definition, log, |kind, action| {
        let said = action.get("thirdparty_id");
        let id = if said.is_filled() {
            said
        } else {
            Field::new(Some(&id))
        };

        let description = action.get("description").filled().unwrap_or(body).into();
        custom_webhook::said(kind, action, id)
            .title(
                action
                    .get("title")
                    .filled()
                    .unwrap_or_else(|| title(message)),
            )
            .describe(Field::new(Some(&description)))
            .dedup_keys(thread(message, id, options))
            .done()
    })
}

/// The first verdict that is not a good one. Whoever sends may put a good one beside that of the
/// receiver.
fn spam_verdict<'a>(message: &'a Message<'_>) -> Option<&'a str> {
    let headers = message
        .headers_raw()
        .filter(|(name, _)| name.eq_ignore_ascii_case(SPAM_VERDICT));
    headers
        .map(|(_, verdict)| verdict.trim())
        .find(|verdict| !verdict.is_empty() && *verdict != "PASS")
}

/// All of it, if it is a text without headers: nothing in it is one that a message has, and it
/// begins with none or ends with them.
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
    subject.unwrap_or(UNTITLED).to_owned()
}

/// The ids of this message and of those that it answers, if messages of a thread belong together.
fn thread(message: &Message<'_>, id: Field<'_>, options: &Map<String, Value>) -> Vec<String> {
    if !Field::new(options.get("dedup_threads")).flag(true) {
        return Vec::new();
    }
    let answered = match message.references() {
        HeaderValue::Text(id) => vec![id.to_string()],
        HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    id.filled().into_iter().chain(answered).collect()
}

/// The part that is HTML, made readable, else the one that is text; of a message without parts what
/// it has.
fn body(message: &Message<'_>, readable: impl FnOnce(&str) -> String) -> String {
    let root = message.root_part();
    match &root.body {
        PartType::Multipart(_) => {}
        // PagerTree leaves it as it came, with whatever could do harm to who looks at it.
        PartType::Html(html) => return readable(html),
        _ => return text(root),
    }

    let html = message.html_bodies().find_map(|part| match &part.body {
        PartType::Html(html) => Some(html),
        _ => None,
    });

    match html {
        Some(html) => readable(html),
        None => message.text_bodies().next().map(text).unwrap_or_default(),
    }
}

/// Lines end as on a wire only where they were hidden from it.
fn text(part: &MessagePart<'_>) -> String {
    match &part.body {
        PartType::Text(text) | PartType::Html(text) if part.encoding == Encoding::Base64 => {
            text.to_string()
        }
        PartType::Text(text) | PartType::Html(text) => text.replace("\r\n", "\n"),
        PartType::Binary(_)
            if part
                .content_type()
                .is_some_and(|kind| closed::is_closed(kind.ctype())) =>
        {
            String::new()
        }
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        PartType::Message(_) | PartType::Multipart(_) => String::new(),
    }
}

/// What stands between the tags of the body; all of it where there are none.
fn within_body(html: &str) -> String {
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

/// All addresses in a list, be it one; null if there is none.
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
