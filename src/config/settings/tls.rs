//! Settings of HTTPS.

use crate::config::ConfigError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `[tls]`: HTTPS instead of HTTP on all TCP addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsSettings {
    /// Create a certificate at start, signed by an authority in the data folder.
    pub generate: bool,
    /// Host names and addresses of the created certificate, besides those of this machine.
    pub names: Vec<String>,
    /// File to write the authority's certificate to. Empty for none.
    pub ca_file: PathBuf,
    /// PEM file with the server's certificate and those of intermediate authorities.
    pub certificate: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

impl TlsSettings {
    /// Whether HTTPS is on.
    pub fn is_enabled(&self) -> bool {
        self.generate || !self.certificate.as_os_str().is_empty()
    }

    /// Refuses what contradicts itself.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let has_certificate = !self.certificate.as_os_str().is_empty();
        if has_certificate == self.key.as_os_str().is_empty() {
            return Err(ConfigError::new(
                "tls.certificate and tls.key belong together: set both, or neither",
            ));
        }
        if has_certificate && self.generate {
            return Err(ConfigError::new(
                "tls.generate and --tls create a certificate, but tls.certificate names one; use one of the two",
            ));
        }
        if !self.generate && !self.ca_file.as_os_str().is_empty() {
            return Err(ConfigError::new(
                "tls.ca_file and --tls-ca-file need tls.generate or --tls, which create the authority",
            ));
        }
        Ok(())
    }
}
