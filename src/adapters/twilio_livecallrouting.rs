//! `twilio_livecallrouting`: a call that came to a number at Twilio, a form. Twilio does what the
//! answer says.
//!
//! PagerTree lets the caller wait and connects whoever acknowledges, by calls to Twilio. Nothing
//! here calls anybody, so the caller hears that the alert is out, and that is all.

use super::{
    Answer, Delivery,
    field::Field,
    reading::{event, nothing},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

/// Far more than a number has, or the address of a caller without one. Each part of the list of the
/// banned is looked for in it.
const LONGEST_CALLER: usize = 256;
/// So much of the list is looked at, some ten thousand numbers.
const LONGEST_LIST: usize = 128 << 10;

const REJECT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Reject/></Response>";
const GOODBYE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say language=\"en\" voice=\"man\">Your call has \
                       raised an alert. Goodbye.</Say><Hangup/></Response>";

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (id, from) = (delivery.get("CallSid"), delivery.get("From"));
    let caller: String = from.text().chars().take(LONGEST_CALLER).collect();
    if is_banned(&caller, options) {
        return nothing("the caller is on the list 'banned_phone'", id);
    }

    // Digits are said one by one.
    let spaced: Vec<_> = caller.chars().map(String::from).collect();
    event(Action::Create, id)
        .title(format!("Incoming call from {}", spaced.join(" ")))
        .datum(DatumKind::Phone, "Caller Phone", from.value())
        .text("Caller City", delivery.get("CallerCity"))
        .text("Caller State", delivery.get("CallerState"))
        .text("Caller Zipcode", delivery.get("CallerZipcode"))
        .text("Caller Country", delivery.get("CallerCountry"))
        .done()
}

/// Whether a part of the caller's number is on the list, which is a text with commas or an array.
/// As PagerTree reads it, a blank behind a comma belongs to what is banned, which then is nobody.
fn is_banned(from: &str, options: &Map<String, Value>) -> bool {
    let banned = Field::new(options.get("banned_phone"));
    let mut left = LONGEST_LIST;
    banned.items().any(|texts| {
        let mut is_banned = |part: &str| {
            left = left.saturating_sub(part.len().saturating_add(1));
            left > 0 && !part.is_empty() && from.contains(part)
        };
        texts.text().split(',').any(&mut is_banned)
    })
}

/// TwiML.
pub(super) fn answer(_: &Delivery, _: &Map<String, Value>, reading: &Reading) -> Option<Answer> {
    let body = match reading {
        Reading::Event(_) => GOODBYE,
        Reading::Nothing { .. } => REJECT,
        Reading::Blocked { .. } => return None,
    };
    Some(Answer {
        content_type: "application/xml",
        body: body.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list and a number, each as long as a request may be, took minutes.
    #[test]
    fn so_much_of_the_list_and_of_the_number_is_looked_at() {
        let banned = |before: usize| {
            let list: Vec<Value> = vec!["x,".repeat(before / 2), "+15550199".to_owned()]
                .into_iter()
                .map(Value::from)
                .collect();
            let options = Map::from_iter([("banned_phone".to_owned(), list.into())]);
            is_banned("+15550199", &options)
        };

        assert!(banned(LONGEST_LIST - 100));
        assert!(!banned(LONGEST_LIST));

        let body = format!(r#"{{"CallSid": "CA1", "From": "{}"}}"#, "5".repeat(100_000));
        let parts = crate::adapters::DeliveryParts {
            body: body.into(),
            ..Default::default()
        };

        let Reading::Event(event) = read(&Delivery::new(parts), &Map::new()) else {
            panic!("it is an event")
        };

        assert_eq!(
            event.content.title.len(),
            "Incoming call from ".len() + 2 * LONGEST_CALLER - 1
        );
    }
}
