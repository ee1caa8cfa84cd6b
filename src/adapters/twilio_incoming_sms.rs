//! `twilio_incoming_sms`: a text message that came to a number at Twilio, a form. Every message is an alert.

use super::{Delivery, field::Field, reading::event};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};

/// Twilio itself sends ten at most.
const MOST_MEDIA: i64 = 100;

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (id, from) = (delivery.get("MessageSid"), delivery.get("From"));
    let page = format!("https://www.twilio.com/console/sms/logs/{}", id.text()).into();
    let reading = event(Action::Create, id)
        .title(format!("Incoming SMS from {} - See description for details", from.text()))
        .description(delivery.get("Body").text())
        .link("Twilio URL", Field::new(Some(&page)))
        .text("Account SID", delivery.get("AccountSid"))
        .text("Message SID", id)
        .datum(DatumKind::Phone, "To", delivery.get("To").value())
        .datum(DatumKind::Phone, "From", from.value())
        .text("From Country", delivery.get("FromCountry"))
        .text("From State", delivery.get("FromState"))
        .text("From City", delivery.get("FromCity"))
        .text("From Zip", delivery.get("FromZip"));
    let media = delivery.get("NumMedia").integer().unwrap_or_default().min(MOST_MEDIA);
    let with_media = (0..media).fold(reading, |reading, index| {
        let is_image = delivery.get(&format!("MediaContentType{index}")).text().starts_with("im");
        let kind = if is_image { DatumKind::Img } else { DatumKind::Link };
        reading.datum(kind, &format!("Media #{}", index + 1), delivery.get(&format!("MediaUrl{index}")).value())
    });
    with_media.done()
}
