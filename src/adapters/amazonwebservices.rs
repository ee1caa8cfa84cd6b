//! `amazonwebservices`: an alarm of CloudWatch, brought by SNS, whose `Message` is JSON within
//! JSON.
//!
//! SNS asks for a confirmation of each subscription by a URL, which may be followed only if it
//! leads to SNS. The URL of an `UnsubscribeConfirmation` would subscribe again, so nobody follows
//! that.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_change},
};
use crate::domain::{
    event::{Action, Reading},
    reserved,
};
use serde_json::{Map, Value};
use url::Url;

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    if !delivery.text().trim_start().starts_with('{') {
        return nothing("what SNS sends is a JSON object", ":", None);
    }

    let (kind, topic) = (delivery.get("Type"), delivery.get("TopicArn"));
    let is_raw = !kind.is_there() && delivery.get("AlarmName").is_there();
    if is_raw && delivery.is_strict() {
        return nothing(
            "the envelope of SNS is missing: \"raw message delivery\" is switched on for the subscription",
            ":",
            None,
        );
    }

    let message = message(kind, delivery.get("Message"));
    let alarm = if is_raw {
        delivery.all()
    } else {
        Field::new(Some(&message))
    };

    // What the envelope says otherwise.
    let topic = if is_raw {
        delivery
            .header("x-amz-sns-topic-arn")
            .unwrap_or_default()
            .to_owned()
    } else {
        topic.text()
    };

    let id = Value::from(format!("{topic}:{}", alarm.get("AlarmName").text()));
    let id = Field::new(Some(&id));
    match kind.text().as_str() {
        "SubscriptionConfirmation" => {
            return confirmation(&delivery.get("SubscribeURL").text(), &id.text());
        }
        "UnsubscribeConfirmation" => {
            return nothing("an UnsubscribeConfirmation", &id.text(), None);
        }
        _ => {}
    }

    let (old, new) = (alarm.get("OldStateValue"), alarm.get("NewStateValue"));
    let action = match (new.text().as_str(), old.text().as_str()) {
        ("ALARM", "INSUFFICIENT_DATA" | "OK") => Action::Create,
        ("OK", "INSUFFICIENT_DATA" | "ALARM") => Action::Resolve,
        _ => return no_change(("OldStateValue", old), ("NewStateValue", new), id),
    };

    event(action, id)
        .title(alarm.get("AlarmName").text())
        .describe(alarm.get("NewStateReason"))
        .text("AWS Account ID", alarm.get("AWSAccountId"))
        .text("Region", alarm.get("Region"))
        .text("Alarm ARN", alarm.get("AlarmArn"))
        .datetime("State Change Time", alarm.get("StateChangeTime"))
        .done()
}

fn message(kind: Field<'_>, message: Field<'_>) -> Value {
    let text = message.text();
    if !kind.is("Notification")
        || !message.is_text()
        || reserved::has_reserved_name(text.as_bytes())
    {
        return Value::Null;
    }
    serde_json::from_str(&text).unwrap_or_default()
}

fn confirmation(url: &str, thirdparty_id: &str) -> Reading {
    match Url::parse(url).ok().filter(is_of_sns) {
        Some(url) => nothing(
            "a SubscriptionConfirmation",
            thirdparty_id,
            Some(url.into()),
        ),
        None => nothing(
            "a SubscriptionConfirmation whose SubscribeURL does not lead to SNS",
            thirdparty_id,
            None,
        ),
    }
}

fn nothing(reason: &str, thirdparty_id: &str, confirm: Option<String>) -> Reading {
    Reading::Nothing {
        reason: reason.to_owned(),
        thirdparty_id: Some(thirdparty_id.to_owned()),
        confirm,
    }
}

/// `https`, the usual port, and `sns.<region>.amazonaws.com`, in China with `.cn`.
fn is_of_sns(url: &Url) -> bool {
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

    let nobody = url.username().is_empty() && url.password().is_none();
    url.scheme() == "https" && url.port().is_none() && nobody && region.is_some_and(is_region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sns_itself_is_confirmed_to() {
        for good in [
            "https://sns.us-east-1.amazonaws.com/?Action=x",
            "https://sns.cn-north-1.amazonaws.com.cn/",
        ] {
            assert!(is_of_sns(&Url::parse(good).unwrap()), "{good}");
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
            assert!(!is_of_sns(&Url::parse(bad).unwrap()), "{bad}");
        }
    }
}
