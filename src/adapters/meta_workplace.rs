//! `meta_workplace`: a page of Workplace by Meta that is mentioned. When it is set up, Workplace
//! asks for a challenge back.

use super::{
    Answer, Delivery,
    field::{Field, joined},
    reading::{event, nothing},
    secret,
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    if let Some(blocked) = secret::signature(
        delivery,
        options,
        "app_secret",
        "x-hub-signature-256",
        "sha256=",
    ) {
        return blocked;
    }

    let entry = delivery.get("entry").at(0);
    let change = entry.get("changes").at(0);
    let id = joined([entry.get("id"), entry.get("time")], "-");
    let id = Field::new(Some(&id));

    if !Field::new(options.get("incoming_enabled")).is_yes() {
        return nothing("the option 'incoming_enabled' is not set", id);
    }

    if !delivery.get("object").is("page") || !change.get("field").is("mention") {
        return nothing("no page is mentioned", id);
    }

    event(Action::Create, id)
        .title(change.dig(["value", "message"]).text())
        .done()
}

/// The challenge, when Workplace subscribes. Theirs are numbers; one with control characters is not
/// theirs, and is not sent back.
pub(super) fn answer(
    delivery: &Delivery,
    _: &Map<String, Value>,
    reading: &Reading,
) -> Option<Answer> {
    let asked =
        delivery.get("hub.mode").is("subscribe") && !matches!(reading, Reading::Blocked { .. });
    let challenge = asked.then(|| delivery.get("hub.challenge").text())?;
    let is_theirs = !challenge.chars().any(char::is_control);
    is_theirs.then_some(Answer {
        content_type: "text/plain; charset=utf-8",
        body: challenge,
    })
}
