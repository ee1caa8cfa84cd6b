//! Tokens and signatures that an integration's options ask for, compared in constant time.

use super::{InboundRequest, field::VendorOptions};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Where a request carries its secret. The secret itself is the integration's option `option`; if
/// that is not set, every request passes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Secret {
    /// In a header.
    Header {
        option: &'static str,
        header: &'static str,
    },
    /// In a parameter of the query or the body. It must be a string.
    Parameter {
        option: &'static str,
        parameter: &'static str,
    },
    /// In the header `Authorization`, after `Bearer`.
    Bearer { option: &'static str },
    /// A header has the HMAC-SHA-256 of the body in hexadecimal digits after `prefix`. Unsigned
    /// requests pass, since the vendors sign only if they were given a key.
    Signature {
        option: &'static str,
        header: &'static str,
        prefix: &'static str,
    },
    /// As [`Secret::Signature`], of the value of the header `timestamp` followed by the body, and
    /// mandatory.
    TimestampedSignature {
        option: &'static str,
        header: &'static str,
        timestamp: &'static str,
    },
}

impl Secret {
    pub(super) const fn header(option: &'static str, header: &'static str) -> Self {
        Self::Header { option, header }
    }

    pub(super) const fn parameter(option: &'static str, parameter: &'static str) -> Self {
        Self::Parameter { option, parameter }
    }

    pub(super) const fn bearer(option: &'static str) -> Self {
        Self::Bearer { option }
    }

    /// The option of the integration that holds the secret.
    pub(super) const fn option(self) -> &'static str {
        let (Self::Header { option, .. }
        | Self::Parameter { option, .. }
        | Self::Bearer { option }
        | Self::Signature { option, .. }
        | Self::TimestampedSignature { option, .. }) = self;
        option
    }

    /// Checks a request.
    ///
    /// # Errors
    /// The secret is missing or wrong: a sentence that names the place and the option.
    pub(super) fn check(
        self,
        request: &InboundRequest,
        options: VendorOptions<'_>,
    ) -> Result<(), String> {
        let option = self.option();
        let Some(key) = options.get(option).non_empty() else {
            return Ok(());
        };

        if self.is_presented(request, &key) {
            Ok(())
        } else {
            let place = self.place();
            Err(format!(
                "the {place} is missing or does not match the option '{option}'"
            ))
        }
    }

    fn is_presented(self, request: &InboundRequest, key: &str) -> bool {
        let header = |name| request.header(name).unwrap_or_default();
        let body = &request.parts().body;
        match self {
            Self::Header { header: name, .. } => is_equal(key, header(name)),
            Self::Parameter { parameter, .. } => {
                // A number is no secret, even if its digits are the same.
                let sent = request.get(parameter).value();
                is_equal(key, sent.as_str().unwrap_or_default())
            }
            Self::Bearer { .. } => {
                let sent = header("authorization").strip_prefix("Bearer ");
                is_equal(key, sent.unwrap_or_default())
            }
            Self::Signature {
                header: name,
                prefix,
                ..
            } => {
                let sent = header(name);
                let signature = sent.strip_prefix(prefix).unwrap_or(sent);
                sent.is_empty() || is_equal(&hmac_sha256(key, &[body]), signature)
            }
            Self::TimestampedSignature {
                header: name,
                timestamp,
                ..
            } => {
                let (time, signature) = (header(timestamp), header(name));
                let expected = hmac_sha256(key, &[time.as_bytes(), body]);
                !time.trim().is_empty() && is_equal(&expected, signature)
            }
        }
    }

    /// Where the secret must be, for messages.
    fn place(self) -> String {
        match self {
            Self::Header { header, .. } => format!("header '{header}'"),
            Self::Parameter { parameter, .. } => format!("parameter '{parameter}'"),
            Self::Bearer { .. } => "header 'authorization'".to_owned(),
            Self::Signature { header, .. } | Self::TimestampedSignature { header, .. } => {
                format!("signature in the header '{header}'")
            }
        }
    }
}

/// The HMAC of all parts, one after the other, in lower-case hexadecimal digits.
fn hmac_sha256(key: &str, parts: &[&[u8]]) -> String {
    // HMAC accepts keys of any length. If it did not, no signature would match.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };

    parts.iter().for_each(|part| mac.update(part));
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Compares in a time that depends on the lengths alone.
fn is_equal(expected: &str, sent: &str) -> bool {
    expected.as_bytes().ct_eq(sent.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231.
    #[test]
    fn signatures_are_hmac_sha256() {
        assert_eq!(
            hmac_sha256("Jefe", &[b"what do ya want ", b"for nothing?"]),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
