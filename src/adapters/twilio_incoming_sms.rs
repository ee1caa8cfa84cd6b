//! `twilio_incoming_sms`: a text message that came to a number at Twilio, a form. Every message is
//! an alert.

use super::{
    Delivery,
    field::Field,
    reading::{event, nothing},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (id, from) = (delivery.get("MessageSid"), delivery.get("From"));
    let page = format!("https://www.twilio.com/console/sms/logs/{}", id.text()).into();
    let mut reading = event(Action::Create, id)
        .title(format!(
            "Incoming SMS from {} - See description for details",
            from.text()
        ))
        .describe(delivery.get("Body"))
        .link("Twilio URL", Field::new(Some(&page)))
        .text("Account SID", delivery.get("AccountSid"))
        .text("Message SID", id)
        .datum(DatumKind::Phone, "To", delivery.get("To").value())
        .datum(DatumKind::Phone, "From", from.value())
        .text("From Country", delivery.get("FromCountry"))
        .text("From State", delivery.get("FromState"))
        .text("From City", delivery.get("FromCity"))
        .text("From Zip", delivery.get("FromZip"));

    for index in 0..delivery.get("NumMedia").integer().unwrap_or_default() {
        let content_type = format!("MediaContentType{index}");
        // Without one, PagerTree's adapter fails; and so the greatest number costs no more than
        // what was sent.
        if !delivery.get(&content_type).is_text() {
            return nothing(format!("'{content_type}' is missing"), id);
        }

        let kind = if delivery.get(&content_type).text().starts_with("im") {
            DatumKind::Img
        } else {
            DatumKind::Link
        };

        let media = delivery.get(&format!("MediaUrl{index}"));
        reading = reading.datum(kind, &format!("Media #{}", index + 1), media.value());
    }

    reading.done()
}
