//! Third-party ids.

use super::limits::MAX_THIRDPARTY_ID_LEN;
use sha2::{Digest, Sha256};
use std::{borrow::Cow, fmt::Write};

/// The stored form of an id: ids over the limit, such as long group keys of Alertmanager, are
/// replaced by a hash. The mapping is stable, so that later events find the alert.
pub fn stored_form(id: &str) -> Cow<'_, str> {
    if id.chars().count() <= MAX_THIRDPARTY_ID_LEN {
        return id.into();
    }
    let hash = Sha256::digest(id.as_bytes());
    let mut text = String::from("sha256:");
    for byte in hash {
        // Writing to a string never fails.
        let _ignored = write!(text, "{byte:02x}");
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_id_is_kept_by_its_hash() {
        let short = "é".repeat(MAX_THIRDPARTY_ID_LEN);
        assert_eq!(stored_form(&short), short);
        let long = "x".repeat(MAX_THIRDPARTY_ID_LEN + 1);
        // This literal is a promise: with another value, alerts that are open would not be found
        // any more.
        assert_eq!(
            stored_form(&long),
            "sha256:c6d8e9905300876046729949cc95c2385221270d389176f7234fe7ac00c4e430"
        );
        assert_ne!(stored_form(&long), stored_form(&format!("{long}x")));
    }
}
