//! Secrets that an integration's options ask for, compared in a time that tells nothing.

use super::{Delivery, field::Field};
use crate::domain::event::Reading;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Refuses unless the header is what the option says; `None` if it is, or if the option is not set.
pub(super) fn header(
    delivery: &Delivery,
    options: &Map<String, Value>,
    option: &str,
    header: &str,
) -> Option<Reading> {
    let sent = delivery.header(header).unwrap_or_default();
    check(options, option, sent, &format!("the header '{header}'"))
}

/// The same of a parameter.
pub(super) fn parameter(
    delivery: &Delivery,
    options: &Map<String, Value>,
    option: &str,
    name: &str,
) -> Option<Reading> {
    // A number is no secret, whatever its digits are.
    let sent = delivery.get(name).value();
    check(
        options,
        option,
        sent.as_str().unwrap_or_default(),
        &format!("the parameter '{name}'"),
    )
}

/// The same of the header `Authorization`, behind `Bearer`.
pub(super) fn bearer(
    delivery: &Delivery,
    options: &Map<String, Value>,
    option: &str,
) -> Option<Reading> {
    let sent = delivery
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "))
        .unwrap_or_default();
    check(options, option, sent, "the header 'authorization'")
}

/// The same of any text; `place` says where it was looked for.
pub(super) fn check(
    options: &Map<String, Value>,
    option: &str,
    sent: &str,
    place: &str,
) -> Option<Reading> {
    let expected = Field::new(options.get(option)).filled()?;
    (!is_same(expected.as_bytes(), sent.as_bytes())).then(|| Reading::Blocked {
        reason: format!("{place} is not what the option '{option}' says"),
    })
}

/// Refuses unless the header is the signature of the body, HMAC-SHA-256 as hexadecimal digits after
/// `prefix`, by the key that is the option. Whoever sends no such header is not refused: the
/// vendors sign only when they were given a key.
pub(super) fn signature(
    delivery: &Delivery,
    options: &Map<String, Value>,
    option: &str,
    header: &str,
    prefix: &str,
) -> Option<Reading> {
    let key = Field::new(options.get(option)).filled()?;
    let sent = delivery.header(header).filter(|sent| !sent.is_empty())?;
    let sent = sent.strip_prefix(prefix).unwrap_or(sent);
    let expected = hmac_sha256(key.as_bytes(), &delivery.parts().body);
    (!is_same(expected.as_bytes(), sent.as_bytes())).then(|| Reading::Blocked {
        reason: format!("the header '{header}' is not the signature by the option '{option}'"),
    })
}

/// Refuses unless the header is the signature, in the same digits, of what the header `stamp` says
/// and the body behind it. Whoever sends no such headers is refused too.
pub(super) fn stamped_signature(
    delivery: &Delivery,
    options: &Map<String, Value>,
    option: &str,
    stamp: &str,
    header: &str,
) -> Option<Reading> {
    let key = Field::new(options.get(option)).filled()?;
    let sent = |name| delivery.header(name).filter(|sent| !sent.trim().is_empty());
    let is_signed = sent(stamp)
        .zip(sent(header))
        .is_some_and(|(stamp, signature)| {
            let message = [stamp.as_bytes(), &delivery.parts().body].concat();
            is_same(
                hmac_sha256(key.as_bytes(), &message).as_bytes(),
                signature.as_bytes(),
            )
        });

    (!is_signed).then(|| Reading::Blocked {
        reason: format!("the header '{header}' is not the signature by the option '{option}'"),
    })
}

/// In lower-case hexadecimal digits.
fn hmac_sha256(key: &[u8], message: &[u8]) -> String {
    // Keys of any length are taken; if one were not, nothing would ever match.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return String::new();
    };
    mac.update(message);
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Whether both are the same, in a time that depends on their lengths alone.
pub(super) fn is_same(expected: &[u8], sent: &[u8]) -> bool {
    expected.ct_eq(sent).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231.
    #[test]
    fn signatures_are_hmac_sha256() {
        assert_eq!(
            hmac_sha256(b"Jefe", b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
