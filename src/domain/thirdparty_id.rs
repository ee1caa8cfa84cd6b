//! What a third party calls the thing that an alert is about.

use super::limits::MAX_THIRDPARTY_ID_LEN;
use sha2::{Digest, Sha256};
use std::{borrow::Cow, fmt::Write};

/// An id as it is kept: one that is longer than it may be, like the keys of Alertmanager's groups,
/// by its hash. The same id is kept as the same text always, so that what comes later about it
/// finds the alert.
pub fn kept(id: &str) -> Cow<'_, str> {
    if id.chars().count() <= MAX_THIRDPARTY_ID_LEN {
        return id.into();
    }
    let hash = Sha256::digest(id.as_bytes());
    let mut text = String::from("sha256:");
    for byte in hash {
        // Writing to a string never fails.
        let _always = write!(text, "{byte:02x}");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_is_kept_by_its_hash() {
        let short = "é".repeat(MAX_THIRDPARTY_ID_LEN);
        assert_eq!(kept(&short), short);
        let long = "x".repeat(MAX_THIRDPARTY_ID_LEN + 1);
        // This literal is a promise: with another value, alerts that are open would not be found
        // any more.
        assert_eq!(
            kept(&long),
            "sha256:c6d8e9905300876046729949cc95c2385221270d389176f7234fe7ac00c4e430"
        );
        assert_ne!(kept(&long), kept(&format!("{long}x")));
    }
}
