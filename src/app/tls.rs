//! HTTPS: the certificate of the server, from files or created at start.

mod authority;

use self::authority::CertificateAuthority;
use super::StartError;
use crate::{config::TlsSettings, domain::timestamp::Timestamp, http::TlsAcceptor};
use std::{fs, path::Path, sync::Arc};
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// The certificate of the authority, within the data folder.
pub const CA_FILE: &str = "tls/ca.pem";

/// HTTPS as the settings ask for it.
pub(super) struct Tls {
    pub(super) acceptor: TlsAcceptor,
    /// In PEM, if the certificate was created here.
    pub(super) ca_certificate: Option<String>,
}

/// Reads or creates the certificate. `None` if the settings ask for plain HTTP.
///
/// # Errors
/// A file cannot be read or written, or is no certificate or key.
pub(super) fn load(
    settings: &TlsSettings,
    data: &Path,
    now: Timestamp,
) -> Result<Option<Tls>, StartError> {
    if !settings.is_enabled() {
        return Ok(None);
    }
    if !settings.generate {
        return Ok(Some(Tls {
            acceptor: TlsAcceptor::new(from_files(&settings.certificate, &settings.key)?),
            ca_certificate: None,
        }));
    }

    let authority = CertificateAuthority::open_or_create(&data.join("tls"))?;
    if !settings.ca_file.as_os_str().is_empty() {
        fs::write(&settings.ca_file, authority.certificate())
            .map_err(|error| fault(&settings.ca_file, "cannot write", &error))?;
    }

    let (certificate, key) = authority.issue(&settings.names, now)?;
    Ok(Some(Tls {
        acceptor: TlsAcceptor::new(server_config(vec![certificate], key)?),
        ca_certificate: Some(authority.certificate().to_owned()),
    }))
}

/// The configuration for a certificate and a key in PEM files.
///
/// # Errors
/// A file cannot be read, has nothing of its kind, or the two do not belong together.
pub(super) fn from_files(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, StartError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(certificate, "cannot read certificates in PEM from", &error))?;
    if chain.is_empty() {
        return Err(fault(
            certificate,
            "cannot read certificates in PEM from",
            &"it has none",
        ));
    }
    let key = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| fault(key, "cannot read a private key in PEM from", &error))?;

    server_config(chain, key)
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, StartError> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|error| StartError::Tls(error.to_string()))?;

    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn fault(path: &Path, what: &str, error: &dyn std::fmt::Display) -> StartError {
    StartError::Tls(format!("{what} '{}': {error}", path.display()))
}
