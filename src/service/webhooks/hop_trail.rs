//! Loop detection: how many webhooks of an account led to an event.
//!
//! Each webhook carries a mark: the number of hops, signed for the account. The marks of other
//! accounts and servers are passed on beside it. An account counts only its own marks, so no other
//! party can forge a count and suppress an event.

use crate::domain::{ids::AccountId, webhook};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

const MAX_MARKS: usize = 8;
const MAX_MARK_LEN: usize = 64;
/// Bytes of a signature: enough to rule out collisions.
const SIGNATURE_LEN: usize = 16;

/// The webhooks that led to an event.
#[derive(Debug, Default)]
pub(super) struct HopTrail {
    /// Number of webhooks of this account.
    pub(super) hops: u32,
    /// Marks of other accounts and servers.
    foreign_marks: Vec<String>,
}

impl HopTrail {
    /// Parses the headers of an event for an account. `secret` signs its marks.
    pub(super) fn parse(headers: &Map<String, Value>, account: &AccountId, secret: &[u8]) -> Self {
        let mut trail = Self::default();
        let marks = headers
            .get(webhook::TRAIL)
            .and_then(Value::as_str)
            .unwrap_or_default();

        for mark in marks.split(',').map(str::trim).take(2 * MAX_MARKS) {
            match own_hops(mark, account, secret) {
                Some(hops) => trail.hops = trail.hops.max(hops),
                None if trail.foreign_marks.len() < MAX_MARKS && is_well_formed(mark) => {
                    trail.foreign_marks.push(mark.to_owned())
                }
                None => {}
            }
        }

        trail
    }

    /// The headers for the next webhook.
    pub(super) fn headers(&self, account: &AccountId, secret: &[u8]) -> [(String, String); 2] {
        let hops = self.hops.saturating_add(1);
        // The own mark first, so that foreign marks cannot crowd it out.
        let marks =
            std::iter::once(mark(hops, account, secret)).chain(self.foreign_marks.iter().cloned());
        let marks: Vec<_> = marks.take(MAX_MARKS).collect();
        [
            (webhook::HOPS.to_owned(), hops.to_string()),
            (webhook::TRAIL.to_owned(), marks.join(", ")),
        ]
    }
}

fn is_well_formed(mark: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (1..=MAX_MARK_LEN).contains(&mark.len()) && mark.bytes().all(is_plain)
}

fn own_hops(mark: &str, account: &AccountId, secret: &[u8]) -> Option<u32> {
    let (hops, signature) = mark.split_once('.')?;
    let (hops, signature) = (
        hops.parse().ok()?,
        BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?,
    );
    (signature.len() == SIGNATURE_LEN).then_some(())?;
    signer(hops, account, secret)?
        .verify_truncated_left(&signature)
        .is_ok()
        .then_some(hops)
}

fn mark(hops: u32, account: &AccountId, secret: &[u8]) -> String {
    let signature = signer(hops, account, secret).map(|signer| signer.finalize().into_bytes());
    let signed = signature
        .as_ref()
        .and_then(|signature| signature.get(..SIGNATURE_LEN))
        .unwrap_or_default();
    format!("{hops}.{}", BASE64_URL_SAFE_NO_PAD.encode(signed))
}

fn signer(hops: u32, account: &AccountId, secret: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    // Domain separation: no token is signed over a text with this prefix.
    for part in [
        b"webhook trail\0",
        account.as_str().as_bytes(),
        b"\0",
        hops.to_string().as_bytes(),
    ] {
        mac.update(part);
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(id: &str) -> AccountId {
        AccountId::parse(id).unwrap()
    }

    fn headers(trail: &str) -> Map<String, Value> {
        Map::from_iter([(webhook::TRAIL.to_owned(), trail.into())])
    }

    #[test]
    fn account_counts_its_own_marks_and_passes_others_on() {
        let (ours, theirs) = (account("acc_1"), account("acc_2"));
        let mut sent = String::new();
        for hops in 1..=3 {
            let [(_, number), (_, marks)] =
                HopTrail::parse(&headers(&sent), &ours, b"secret").headers(&ours, b"secret");
            assert_eq!(number, hops.to_string());
            // In between, the event passes through another account and another server.
            let [_, (_, marks)] =
                HopTrail::parse(&headers(&marks), &theirs, b"secret").headers(&theirs, b"secret");
            let [_, (_, marks)] =
                HopTrail::parse(&headers(&marks), &ours, b"another").headers(&ours, b"another");
            sent = marks;
        }

        assert_eq!(HopTrail::parse(&headers(&sent), &ours, b"secret").hops, 3);
        assert_eq!(sent.split(", ").count(), 3, "one of each: {sent}");
    }

    #[test]
    fn forged_mark_is_not_counted() {
        let ours = account("acc_1");
        let real = mark(1, &ours, b"secret");
        let signature = real.split_once('.').unwrap().1;

        for forged in [
            "3",
            "3.",
            "3.AAAA",
            &format!("3.{signature}"),
            &mark(3, &account("acc_2"), b"secret"),
            &mark(3, &ours, b"x"),
        ] {
            assert_eq!(
                HopTrail::parse(&headers(forged), &ours, b"secret").hops,
                0,
                "{forged}"
            );
        }

        assert_eq!(
            HopTrail::parse(&headers(&format!("x, {real}")), &ours, b"secret").hops,
            1
        );

        let many = vec!["9.zzz"; 1_000].join(",") + &format!(", {}, a b, é", "x".repeat(65));
        let [_, (_, marks)] =
            HopTrail::parse(&headers(&many), &ours, b"secret").headers(&ours, b"secret");

        assert_eq!(marks.split(", ").count(), MAX_MARKS);
        assert!(marks.starts_with(&real), "{marks}");
    }
}
