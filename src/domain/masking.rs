//! Masks credentials in what is logged: headers, queries, and the secrets of an integration.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde_json::{Map, Value};

/// Replaces credentials.
const MASK: &str = "***";

/// Converts headers to their logged form: lower-case names, repeated headers joined, credentials
/// masked.
pub fn mask_headers<N: AsRef<str>, V: AsRef<str>>(
    headers: impl IntoIterator<Item = (N, V)>,
) -> Map<String, Value> {
    let mut masked = Map::new();
    for (name, value) in headers {
        let name = name.as_ref().to_ascii_lowercase();
        let value = if is_credential(&name) {
            MASK
        } else {
            value.as_ref()
        };

        match masked.get_mut(&name) {
            Some(Value::String(before)) if value != MASK => {
                before.push_str(", ");
                before.push_str(value);
            }
            _ => drop(masked.insert(name, value.into())),
        }
    }

    masked
}

/// Masks the values of secret parameters in a query or a form. Other text is returned unchanged.
pub fn mask_query(query: &str) -> String {
    let masked = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(&name.to_ascii_lowercase()) => format!("{name}={MASK}"),
        _ => pair.to_owned(),
    });
    masked.collect::<Vec<_>>().join("&")
}

/// Masks the values of secret members, at any depth.
pub fn mask_json(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if is_secret(&name.to_ascii_lowercase()) && !member.is_null() {
                    *member = MASK.into();
                } else {
                    mask_json(member);
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(mask_json),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The secrets in an integration's options, which a third party may echo anywhere. One automaton
/// searches for all of them, so the cost does not depend on their number.
#[derive(Debug)]
pub enum Secrets {
    /// No secrets.
    None,
    /// An automaton for the secrets.
    Some(AhoCorasick),
    /// Too many to search for.
    TooMany,
}

/// Shorter values could be ordinary words.
const MIN_SECRET_LEN: usize = 6;
/// Maximum total size of an integration's secrets, which bounds the automaton. Real integrations
/// have a few dozen bytes.
const MAX_SECRETS_BYTES: usize = 16 << 10;

impl Secrets {
    /// Collects the secrets of an integration's options.
    pub fn of(options: &Map<String, Value>) -> Self {
        let secrets = options
            .iter()
            .filter(|(name, _)| is_secret(&name.to_ascii_lowercase()));
        let texts = secrets
            .filter_map(|(_, value)| value.as_str())
            .filter(|text| text.len() >= MIN_SECRET_LEN);
        let texts: Vec<_> = texts.collect();

        if texts.is_empty() {
            return Self::None;
        }

        if texts.iter().map(|text| text.len()).sum::<usize>() > MAX_SECRETS_BYTES {
            return Self::TooMany;
        }

        let mut automaton = AhoCorasick::builder();
        // The longest match masks secrets that share a prefix. This kind is the fastest to build,
        // which matters since each automaton is used once or twice.
        automaton
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::NoncontiguousNFA));

        automaton.build(texts).map_or(Self::TooMany, Self::Some)
    }

    /// Masks all secrets in a text, or the whole text if there are too many to search for.
    pub fn mask(&self, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Some(secrets) => {
                let mut hidden = String::with_capacity(text.len());
                secrets.replace_all_with(text, &mut hidden, |_, _, hidden| {
                    hidden.push_str(MASK);
                    true
                });
                hidden
            }
            Self::TooMany if text.is_empty() => String::new(),
            Self::TooMany => MASK.to_owned(),
        }
    }
}

/// Whether a name denotes a secret anywhere.
fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 12] = [
        "token",
        "secret",
        "signature",
        "password",
        "passwd",
        "credential",
        "authorization",
        "api-key",
        "api_key",
        "apikey",
        "access_key",
        "jwt",
    ];

    matches!(name, "key" | "pass" | "pwd" | "sig" | "auth")
        || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a header contains a credential.
fn is_credential(name: &str) -> bool {
    const PARTS: [&str; 5] = ["cookie", "auth", "session", "assertion", "pass"];
    // An idempotency key identifies a request and opens nothing.
    let is_key = name.ends_with("-key") && name != "idempotency-key";
    is_secret(name) || is_key || PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_masked() {
        let names = [
            "Authorization",
            "Cookie",
            "Pagertree-Token",
            "X-Api-Key",
            "Sentry-Hook-Signature",
            "Cf-Webhook-Auth",
            "X-Auth-Key",
            "Ocp-Apim-Subscription-Key",
            "X-Functions-Key",
            "X-Goog-Iap-Jwt-Assertion",
            "X-Session-Id",
            "X-Pass",
            "Content-Type",
            "Idempotency-Key",
            "User-Agent",
        ];
        let shown = mask_headers(names.map(|name| (name, "x")));
        let open: Vec<_> = shown
            .iter()
            .filter(|(_, value)| *value == "x")
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(open, ["content-type", "idempotency-key", "user-agent"]);
        assert_eq!(
            mask_headers([("A", "1"), ("a", "2"), ("Cookie", "1"), ("cookie", "2")])["a"],
            "1, 2"
        );
    }

    #[test]
    fn secrets_are_masked_in_queries_forms_and_wherever_they_stand() {
        assert_eq!(
            mask_query("a=1&token=x&API_KEY=y%20z&key=&b&incident_key=7&password"),
            "a=1&token=***&API_KEY=***&key=***&b&incident_key=7&password"
        );
        assert_eq!(mask_query("no form"), "no form");

        let options = serde_json::json!({"token": "open sesame", "client_secret": "short", "title_template": "a word"});
        let secrets = Secrets::of(options.as_object().unwrap());
        assert_eq!(
            secrets.mask("open sesame, short, a word"),
            "***, short, a word"
        );

        let alike = serde_json::json!({"token": "secret-1", "old_token": "secret-1-and-more", "secret": "ret-1-and-more!"});
        let secrets = Secrets::of(alike.as_object().unwrap());
        assert_eq!(
            secrets.mask("secret-1-and-more secret-1 secret-1-and-more!"),
            "*** *** ***!"
        );
        assert_eq!(Secrets::of(&Map::new()).mask("as it is"), "as it is");
    }

    #[test]
    fn secret_members_are_masked_at_any_depth() {
        let mut value = serde_json::json!({
            "name": "x",
            "options": {"token": {"a": 1}, "list": [{"password": "p", "user": "u"}]},
            "secret": null,
        });
        mask_json(&mut value);
        assert_eq!(
            value,
            serde_json::json!({
                "name": "x",
                "options": {"token": "***", "list": [{"password": "***", "user": "u"}]},
                "secret": null,
            })
        );
    }

    /// They were looked for one after the other, on the writer's thread: 30,000 took over a second
    /// for each event.
    #[test]
    fn where_there_are_too_many_secrets_nothing_is_shown() {
        let with = |count: usize| {
            let options = (0..count).map(|number| {
                (
                    format!("token{number}"),
                    format!("secret{number:010}").into(),
                )
            });
            Secrets::of(&options.collect()).mask("with secret0000000007")
        };
        assert_eq!(with(MAX_SECRETS_BYTES / 16), "with ***");
        assert_eq!(with(MAX_SECRETS_BYTES / 16 + 1), "***");
    }
}
