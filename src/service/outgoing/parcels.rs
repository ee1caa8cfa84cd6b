//! What is sent: the request with its signature.

use crate::{
    courier::{Method, Parcel},
    domain::{
        integration::Integration,
        timestamp::Timestamp,
        webhook::{self, OutboxMessage},
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What confirms a subscription.
pub(super) fn confirmation(url: &str) -> Parcel {
    Parcel {
        method: Method::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// What tells of an event, at this time, with the headers that say which webhooks led to it.
pub(super) fn announcement(
    integration: &Integration,
    url: &str,
    delivery: &OutboxMessage,
    trail: [(String, String); 2],
    now: Timestamp,
) -> Parcel {
    let body = delivery.body.get().as_bytes().to_vec();
    let (id, seconds) = (delivery.message_id.clone(), now.seconds().to_string());
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];

    if let Some(username) = webhook::option(integration, "username") {
        let password = webhook::option(integration, "password").unwrap_or_default();
        let credentials = BASE64_STANDARD.encode(format!("{username}:{password}"));
        headers.push(("authorization".to_owned(), format!("Basic {credentials}")));
    }

    if let Some(signature) =
        webhook::option(integration, "secret").and_then(|secret| sign(secret, &id, &seconds, &body))
    {
        headers.push(("webhook-signature".to_owned(), signature));
    }

    headers.push(("webhook-id".to_owned(), id));
    headers.push(("webhook-timestamp".to_owned(), seconds));
    headers.extend(trail);

    Parcel {
        method: Method::Post,
        url: url.to_owned(),
        headers,
        body,
    }
}

/// `v1,` and the HMAC-SHA-256 of id, time and body. A secret that begins with `whsec_` is base64
/// behind that, any other is taken as it is. Source: Standard Webhooks 1.0.
fn sign(secret: &str, id: &str, seconds: &str, body: &[u8]) -> Option<String> {
    let encoded = secret
        .strip_prefix("whsec_")
        .and_then(|secret| BASE64_STANDARD.decode(secret).ok());
    let key = encoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;

    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }

    Some(format!(
        "v1,{}",
        BASE64_STANDARD.encode(mac.finalize().into_bytes())
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // Source: the example of the Standard Webhooks specification.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let body = br#"{"test": 2432232314}"#;
        let signature = sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);

        assert_eq!(
            signature.as_deref(),
            Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        );
        assert_ne!(
            sign("plain", "msg_1", "1", body),
            sign("plainer", "msg_1", "1", body)
        );
    }
}
