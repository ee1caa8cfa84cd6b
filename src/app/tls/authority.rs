//! A certificate authority of our own, kept in the data folder so that clients need to trust it
//! only once.

use super::{StartError, fault};
use crate::domain::timestamp::Timestamp;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Datelike, Days, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, date_time_ymd,
};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
};
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject,
};

const KEY_FILE: &str = "ca-key.pem";
const CERTIFICATE_FILE: &str = "ca.pem";
const KEY_LABEL: &str = "PRIVATE KEY";
const CERTIFICATE_LABEL: &str = "CERTIFICATE";

/// Apple's systems refuse a server certificate that is valid for more than 825 days.
const VALIDITY_DAYS: u64 = 800;

/// Names of this machine that every certificate has.
const LOCAL_NAMES: [&str; 4] = ["localhost", "*.localhost", "127.0.0.1", "::1"];

/// The authority that signs the server's certificates.
pub(super) struct CertificateAuthority {
    certificate: String,
    parameters: CertificateParams,
    key: KeyPair,
}

impl CertificateAuthority {
    /// Opens the authority in `folder`, or creates one there.
    ///
    /// # Errors
    /// The folder cannot be read or written, or its key is damaged.
    pub(super) fn open_or_create(folder: &Path) -> Result<Self, StartError> {
        let key_path = folder.join(KEY_FILE);
        let key = match fs::read(&key_path) {
            Ok(pem) => read_key(&pem).map_err(|error| {
                fault(
                    &key_path,
                    "cannot read the authority's key; remove it to create another:",
                    &error,
                )
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => create_key(folder, &key_path)
                .map_err(|error| fault(&key_path, "cannot write", &error))?,
            Err(error) => return Err(fault(&key_path, "cannot read", &error)),
        };

        let parameters = parameters(&key);
        let path = folder.join(CERTIFICATE_FILE);
        let certificate = match fs::read_to_string(&path) {
            Ok(certificate) => certificate,
            Err(_missing) => {
                let signed = parameters.self_signed(&key).map_err(crypto_fault)?;
                let certificate = to_pem(CERTIFICATE_LABEL, signed.der());
                fs::write(&path, &certificate)
                    .map_err(|error| fault(&path, "cannot write", &error))?;
                certificate
            }
        };

        Ok(Self {
            certificate,
            parameters,
            key,
        })
    }

    /// The authority's own certificate in PEM.
    pub(super) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// A new certificate of a server with these names, and its key.
    ///
    /// # Errors
    /// A name is neither a host name nor an address.
    pub(super) fn issue(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), StartError> {
        let all = LOCAL_NAMES.iter().map(ToString::to_string);
        let mut parameters = CertificateParams::new(
            all.chain(names.iter().cloned()).collect::<Vec<_>>(),
        )
        .map_err(|error| StartError::Tls(format!("a name in tls.names is invalid: {error}")))?;
        parameters.distinguished_name = named("pagertree-local");
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;

        // A day of tolerance for clients whose clock is slow.
        let today = DateTime::<Utc>::from_timestamp_millis(now.millis()).unwrap_or_default();
        let date = |time: Option<DateTime<Utc>>| {
            let time = time.unwrap_or(today);
            let narrow = |number: u32| u8::try_from(number).unwrap_or(1);
            date_time_ymd(time.year(), narrow(time.month()), narrow(time.day()))
        };
        parameters.not_before = date(today.checked_sub_days(Days::new(1)));
        parameters.not_after = date(today.checked_add_days(Days::new(VALIDITY_DAYS)));

        let key = KeyPair::generate().map_err(crypto_fault)?;
        let issuer = Issuer::from_params(&self.parameters, &self.key);
        let certificate = parameters.signed_by(&key, &issuer).map_err(crypto_fault)?;
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Ok((certificate.der().clone(), key.into()))
    }
}

/// The parameters of the authority's certificate follow from its key alone, so the certificate can
/// be written again. Its name contains a hash of the key: trust stores look authorities up by name.
fn parameters(key: &KeyPair) -> CertificateParams {
    let hash = Sha256::digest(key.subject_public_key_info());
    let id: String = hash
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();

    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = named(&format!("pagertree-local CA {id}"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    parameters
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn read_key(pem: &[u8]) -> Result<KeyPair, String> {
    let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| error.to_string())?;
    KeyPair::try_from(&key).map_err(|error| error.to_string())
}

/// Creates a key that only the owner can read.
fn create_key(folder: &Path, path: &Path) -> io::Result<KeyPair> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    let key = KeyPair::generate().map_err(io::Error::other)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(to_pem(KEY_LABEL, key.serialized_der()).as_bytes())?;
    file.sync_all()?;

    // A certificate without its key would be of an earlier authority.
    match fs::remove_file(folder.join(CERTIFICATE_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(key),
    }
}

/// Source: RFC 7468.
fn to_pem(label: &str, der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    let lines = encoded.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let body: String = lines.map(|line| format!("{line}\n")).collect();
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

fn crypto_fault(error: rcgen::Error) -> StartError {
    StartError::Tls(error.to_string())
}
