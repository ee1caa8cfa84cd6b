//! `twilio_livecallrouting`: a call that came to a number at Twilio, a form. Twilio does what the answer says.
//!
//! PagerTree lets the caller wait and connects whoever acknowledges, by calls to Twilio. Nothing here calls anybody, so the
//! caller hears that the alert is out, and that is all.

use super::{
    Answer, Delivery,
    field::Field,
    reading::{event, nothing},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

const REJECT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Reject/></Response>";
const GOODBYE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say language=\"en\" voice=\"man\">Your call has \
                       raised an alert. Goodbye.</Say><Hangup/></Response>";

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (id, from) = (delivery.get("CallSid"), delivery.get("From"));
    if is_banned(&from.text(), options) {
        return nothing("the caller is on the list 'banned_phone'", id);
    }
    // Digits are said one by one.
    let spaced: Vec<_> = from.text().chars().map(String::from).collect();
    event(Action::Create, id)
        .title(format!("Incoming call from {}", spaced.join(" ")))
        .datum(DatumKind::Phone, "Caller Phone", from.value())
        .text("Caller City", delivery.get("CallerCity"))
        .text("Caller State", delivery.get("CallerState"))
        .text("Caller Zipcode", delivery.get("CallerZipcode"))
        .text("Caller Country", delivery.get("CallerCountry"))
        .done()
}

/// Whether a part of the caller's number is on the list, which is a text with commas or an array. As PagerTree reads it, a
/// blank behind a comma belongs to what is banned, which then is nobody.
fn is_banned(from: &str, options: &Map<String, Value>) -> bool {
    let banned = Field::new(options.get("banned_phone"));
    banned.items().any(|texts| texts.text().split(',').any(|part| !part.is_empty() && from.contains(part)))
}

/// TwiML.
pub(super) fn answer(_: &Delivery, _: &Map<String, Value>, reading: &Reading) -> Option<Answer> {
    let body = match reading {
        Reading::Event(_) => GOODBYE,
        Reading::Nothing { .. } => REJECT,
        Reading::Blocked { .. } => return None,
    };
    Some(Answer { content_type: "application/xml", body: body.to_owned() })
}
