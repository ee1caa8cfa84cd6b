//! `twilio_incoming_sms`: text messages to a number at Twilio, a form. Each one creates an alert.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("twilio_incoming_sms", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (id, from) = (request.get("MessageSid"), request.get("From"));
    let page = format!("https://www.twilio.com/console/sms/logs/{}", id.text());
    let mut event = EventBuilder::new(Action::Create, id)
        .title(format!(
            "Incoming SMS from {} - See description for details",
            from.text()
        ))
        .description(request.get("Body"))
        .link("Twilio URL", page)
        .text("Account SID", request.get("AccountSid"))
        .text("Message SID", id)
        .phone("To", request.get("To"))
        .phone("From", from)
        .text("From Country", request.get("FromCountry"))
        .text("From State", request.get("FromState"))
        .text("From City", request.get("FromCity"))
        .text("From Zip", request.get("FromZip"));

    for index in 0..request.get("NumMedia").integer().unwrap_or_default() {
        let content_type = format!("MediaContentType{index}");
        // PagerTree's adapter fails without one. This also bounds the loop, whatever `NumMedia` is.
        if !request.get(&content_type).is_text() {
            return ignored(format!("'{content_type}' is missing"), id);
        }

        let label = format!("Media #{}", index + 1);
        let media = request.get(&format!("MediaUrl{index}"));
        event = if request.get(&content_type).text().starts_with("im") {
            event.image(&label, media)
        } else {
            event.link(&label, media)
        };
    }

    event.build()
}
