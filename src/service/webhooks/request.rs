//! The request that delivers a message, with its signature.

use crate::{
    domain::{
        integration::Integration,
        timestamp::Timestamp,
        webhook::{self, OutboxMessage},
    },
    http_client::{OutboundMethod, OutboundRequest},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The request that confirms a subscription.
pub(super) fn confirmation(url: &str) -> OutboundRequest {
    OutboundRequest {
        method: OutboundMethod::Get,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// The request that reports an alert event. `trail` are the headers of the hop trail.
pub(super) fn announcement(
    integration: &Integration,
    url: &str,
    message: &OutboxMessage,
    trail: [(String, String); 2],
    now: Timestamp,
) -> OutboundRequest {
    let body = message.body.get().as_bytes().to_vec();
    let (id, seconds) = (message.message_id.clone(), now.seconds().to_string());
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

    OutboundRequest {
        method: OutboundMethod::Post,
        url: url.to_owned(),
        headers,
        body,
    }
}

/// `v1,` and the HMAC-SHA-256 of id, time and body. What follows `whsec_` in a secret is base64;
/// any other secret is used as it is. Source: Standard Webhooks 1.0.
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
    fn signature_matches_the_example_of_the_standard() {
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
