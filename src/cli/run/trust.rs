//! Makes the command of `run` trust the authority of a server with HTTPS.

use crate::config::{CA_FILE_VARIABLE, ca_bundle};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;
use tokio::process::Command;

/// Variables that name a file with all trusted authorities: of OpenSSL and Go, of Python's
/// requests, and of curl.
const BUNDLE_VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
/// The variable of Node.js that names a file with additional authorities.
const NODE_VARIABLE: &str = "NODE_EXTRA_CA_CERTS";

/// Where systems keep their trusted authorities.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Bundles that must exist for as long as the command runs.
pub(super) type Bundles = Vec<NamedTempFile>;

/// Sets the variables by which common clients find trusted authorities. What they named before
/// stays trusted.
///
/// # Errors
/// A temporary file cannot be written.
pub(super) fn trust(command: &mut Command, authority: &Path) -> io::Result<Bundles> {
    command.env(CA_FILE_VARIABLE, authority);
    let complete = BUNDLE_VARIABLES.map(|name| (name, ca_bundle(name).or_else(system_bundle)));
    let additional = (NODE_VARIABLE, ca_bundle(NODE_VARIABLE));

    let certificate = fs::read(authority)?;
    let mut bundles = Vec::new();
    for (variable, given) in complete.into_iter().chain([additional]) {
        let mut bundle = tempfile::Builder::new()
            .prefix("pagertree-local-ca-")
            .tempfile()?;
        if let Some(given) = given {
            // An unreadable bundle has nothing to add.
            bundle.write_all(&fs::read(given).unwrap_or_default())?;
            bundle.write_all(b"\n")?;
        }
        bundle.write_all(&certificate)?;
        bundle.flush()?;
        command.env(variable, bundle.path());
        bundles.push(bundle);
    }

    Ok(bundles)
}

fn system_bundle() -> Option<PathBuf> {
    let mut paths = SYSTEM_BUNDLES.iter().map(PathBuf::from);
    paths.find(|path| path.is_file())
}
