//! `twilio_livecallrouting`: an incoming call to a number at Twilio, a form. The response tells
//! Twilio what to do with the call.
//!
//! PagerTree keeps the caller waiting and connects the responder who acknowledges the alert. No
//! calls are made here: the caller hears that the alert has been raised.

use super::prelude::*;
use crate::adapters::ResponseBody;

/// Longer than any phone number or SIP address. Each banned number is searched for in the caller.
const MAX_CALLER_LEN: usize = 256;
/// Bytes of the list `banned_phone` that are searched: some ten thousand numbers.
const MAX_BANNED_BYTES: usize = 128 << 10;

const REJECT: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Reject/></Response>";
const GOODBYE: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Say language=\"en\" \
     voice=\"man\">Your call has raised an alert. Goodbye.</Say><Hangup/></Response>";

pub(super) const VENDOR: Vendor = Vendor {
    response_body: Some(response_body),
    ..Vendor::new("twilio_livecallrouting", parse)
};

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let (id, from) = (request.get("CallSid"), request.get("From"));
    let caller: String = from.text().chars().take(MAX_CALLER_LEN).collect();
    if is_banned(&caller, options) {
        return ignored("the caller is listed in the option 'banned_phone'", id);
    }

    // Spaces make text-to-speech say the digits one by one.
    let spaced: Vec<_> = caller.chars().map(String::from).collect();
    EventBuilder::new(Action::Create, id)
        .title(format!("Incoming call from {}", spaced.join(" ")))
        .phone("Caller Phone", from)
        .text("Caller City", request.get("CallerCity"))
        .text("Caller State", request.get("CallerState"))
        .text("Caller Zipcode", request.get("CallerZipcode"))
        .text("Caller Country", request.get("CallerCountry"))
        .build()
}

/// Whether the caller contains one of the banned numbers, an array or a list with commas. As in
/// PagerTree's adapter, a space after a comma is part of the number, which then matches no caller.
fn is_banned(caller: &str, options: VendorOptions<'_>) -> bool {
    let mut budget = MAX_BANNED_BYTES;
    options.get("banned_phone").items().any(|numbers| {
        numbers.text().split(',').any(|number| {
            budget = budget.saturating_sub(number.len().saturating_add(1));
            budget > 0 && !number.is_empty() && caller.contains(number)
        })
    })
}

/// TwiML.
fn response_body(_: &InboundRequest, parsed: &ParsedEvent) -> Option<ResponseBody> {
    let twiml = match parsed {
        ParsedEvent::Event(_) => GOODBYE,
        ParsedEvent::Ignored { .. } => REJECT,
        ParsedEvent::Blocked { .. } => return None,
    };
    Some(ResponseBody {
        content_type: "application/xml",
        body: twiml.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::RequestParts;
    use serde_json::{Map, Value};

    /// A list and a number, each as long as a request may be, once took minutes.
    #[test]
    fn cost_of_the_banned_list_is_bounded() {
        let banned = |before: usize| {
            let list: Vec<Value> = vec!["x,".repeat(before / 2), "+15550199".to_owned()]
                .into_iter()
                .map(Value::from)
                .collect();
            let options = Map::from_iter([("banned_phone".to_owned(), list.into())]);
            is_banned("+15550199", VendorOptions::new(&options))
        };

        assert!(banned(MAX_BANNED_BYTES - 100));
        assert!(!banned(MAX_BANNED_BYTES));

        let body = format!(r#"{{"CallSid": "CA1", "From": "{}"}}"#, "5".repeat(100_000));
        let parts = RequestParts {
            body: body.into(),
            ..Default::default()
        };

        let ParsedEvent::Event(event) = parse(&InboundRequest::new(parts), VendorOptions::new(&Map::new())) else {
            panic!("expected an event")
        };

        assert_eq!(
            event.content.title.len(),
            "Incoming call from ".len() + 2 * MAX_CALLER_LEN - 1
        );
    }
}
