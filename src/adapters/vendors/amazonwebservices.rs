//! `amazonwebservices`: CloudWatch alarms, delivered by SNS. The envelope of SNS is JSON, and so is
//! the text of its `Message`.
//!
//! SNS asks for the confirmation of a subscription by a `SubscribeURL`, which may be requested only
//! if it leads to SNS. The URL of an `UnsubscribeConfirmation` would subscribe again, so it is
//! never requested.

use super::prelude::*;
use crate::domain::{interpretation::Interpretation, reserved};
use serde_json::{Map, Value};
use url::Url;

pub(super) const VENDOR: Vendor = Vendor {
    template_data: Some(template_data),
    ..Vendor::new("amazonwebservices", parse)
};

/// Title templates see the parsed `Message`.
fn template_data(request: &InboundRequest, _: VendorOptions<'_>) -> Map<String, Value> {
    match parse_message(request.get("Type"), request.get("Message")) {
        Value::Null => Map::new(),
        message => Map::from_iter([("Message".to_owned(), message)]),
    }
}

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    if !request.text().trim_start().starts_with('{') {
        return ignored("the body is not a JSON object", ":".to_owned());
    }

    let kind = request.get("Type");
    let is_raw = !kind.is_some() && request.get("AlarmName").is_some();
    if is_raw && request.is_strict() {
        return ignored(
            "the SNS envelope is missing: disable raw message delivery for the subscription",
            ":".to_owned(),
        );
    }

    let message = parse_message(kind, request.get("Message"));
    let (alarm, topic) = if is_raw {
        let topic = request.header("x-amz-sns-topic-arn").unwrap_or_default();
        (request.all(), topic.to_owned())
    } else {
        (Field::new(Some(&message)), request.get("TopicArn").text())
    };

    let id = format!("{topic}:{}", alarm.get("AlarmName").text());
    match kind.text().as_str() {
        "SubscriptionConfirmation" => {
            return confirmation(&request.get("SubscribeURL").text(), id);
        }
        "UnsubscribeConfirmation" => return ignored("an UnsubscribeConfirmation", id),
        _ => {}
    }

    let (old, new) = (alarm.get("OldStateValue"), alarm.get("NewStateValue"));
    let action = match (new.text().as_str(), old.text().as_str()) {
        ("ALARM", "INSUFFICIENT_DATA" | "OK") => Action::Create,
        ("OK", "INSUFFICIENT_DATA" | "ALARM") => Action::Resolve,
        _ => return no_transition(("OldStateValue", old), ("NewStateValue", new), id),
    };

    EventBuilder::new(action, id)
        .title(alarm.get("AlarmName"))
        .description(alarm.get("NewStateReason"))
        .text("AWS Account ID", alarm.get("AWSAccountId"))
        .text("Region", alarm.get("Region"))
        .text("Alarm ARN", alarm.get("AlarmArn"))
        .datetime("State Change Time", alarm.get("StateChangeTime"))
        .build()
}

fn parse_message(kind: Field<'_>, message: Field<'_>) -> Value {
    let text = message.text();
    if !kind.is("Notification")
        || !message.is_text()
        || reserved::has_reserved_name(text.as_bytes())
    {
        return Value::Null;
    }
    serde_json::from_str(&text).unwrap_or_default()
}

fn confirmation(url: &str, thirdparty_id: String) -> ParsedEvent {
    let url = Url::parse(url).ok().filter(is_sns);
    let reason = match url {
        Some(_) => "a SubscriptionConfirmation",
        None => "a SubscriptionConfirmation whose SubscribeURL does not lead to SNS",
    };

    ParsedEvent::Ignored {
        reason: reason.to_owned(),
        thirdparty_id: Some(thirdparty_id),
        confirm: url.map(String::from),
        interpretation: Interpretation::default(),
    }
}

/// Whether a URL has the form `https://sns.<region>.amazonaws.com`, in China with `.cn`.
fn is_sns(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host
        .strip_prefix("sns.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com"));
    let is_region = |region: &str| {
        !region.is_empty()
            && region
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };

    let has_credentials = !url.username().is_empty() || url.password().is_some();
    url.scheme() == "https" && url.port().is_none() && !has_credentials && region.is_some_and(is_region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_sns_are_accepted() {
        for good in [
            "https://sns.us-east-1.amazonaws.com/?Action=x",
            "https://sns.cn-north-1.amazonaws.com.cn/",
        ] {
            assert!(is_sns(&Url::parse(good).unwrap()), "{good}");
        }

        for bad in [
            "http://sns.us-east-1.amazonaws.com/",
            "https://sns.us-east-1.amazonaws.com:8443/",
            "https://sns.us-east-1.amazonaws.com.example.com/",
            "https://example.com/sns.us-east-1.amazonaws.com",
            "https://sns.us-east-1.amazonaws.com@example.com/",
            "https://me@sns.us-east-1.amazonaws.com/",
            "https://sns..amazonaws.com/",
            "https://sns.a.b.amazonaws.com/",
            "https://s3.us-east-1.amazonaws.com/",
            "https://169.254.169.254/",
        ] {
            assert!(!is_sns(&Url::parse(bad).unwrap()), "{bad}");
        }
    }
}
