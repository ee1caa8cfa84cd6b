//! `typeform`: the webhooks of Typeform. Every answer to a form is an alert.

use super::{Delivery, field::joined, reading::event};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let response = delivery.get("form_response");
    let words = [
        response.dig(["definition", "title"]),
        response.get("submitted_at"),
    ];
    let title = joined(words.into_iter().filter(|word| word.is_filled()), ": ");
    event(Action::Create, response.get("token"))
        .title(title.as_str().unwrap_or_default())
        .done()
}
