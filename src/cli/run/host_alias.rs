//! Makes a host name lead to the server, for the command of `run` alone.
//!
//! Many clients have `https://api.pagertree.com` built in. On Linux the command gets a mount
//! namespace of its own, in which another file lies over `/etc/hosts`. The tools of util-linux do
//! that, since it needs system calls that safe Rust does not offer.

use crate::{cli::CliError, domain::web_origin::Authority, ids::Ids};
use rustix::process::{getegid, geteuid};
use std::{
    ffi::{OsStr, OsString},
    fs::{self, Permissions},
    io::{self, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};
use tempfile::NamedTempFile;

const HOSTS: &str = "/etc/hosts";
const HTTPS_PORT: u16 = 443;

/// Lays the file of the first argument over the hosts file, then runs the others.
const MOUNT: &str = r#"mount --bind "$0" /etc/hosts && exec "$@""#;

/// A host name that leads to a loopback address.
pub(super) struct HostAlias {
    name: String,
    address: Ipv4Addr,
    hosts: NamedTempFile,
}

impl HostAlias {
    /// Chooses a loopback address, of which Linux has many: several runs can each have port 443.
    ///
    /// # Errors
    /// The name is no host name, or this system or user cannot do it. The message says what can be
    /// done instead.
    pub(super) fn prepare(name: &str) -> Result<Self, CliError> {
        let is_name = Authority::parse(name).is_some_and(|host| host.to_string() == name)
            && !name.contains([':', '[']);
        if !is_name {
            return Err(CliError(format!(
                "--as {name}: this is not a host name in lower case, like api.pagertree.com"
            )));
        }

        let address = loopback_address();
        require_port(name, address)?;
        let alias = Self {
            name: name.to_owned(),
            address,
            hosts: write_hosts(name, address)?,
        };
        alias.probe()?;
        Ok(alias)
    }

    /// The address for `--listen`.
    pub(super) fn endpoint(&self) -> String {
        format!("{}:{HTTPS_PORT}", self.address)
    }

    /// The URL of the server under its alias.
    pub(super) fn url(&self) -> String {
        format!("https://{}", self.name)
    }

    /// A command line that runs `command` with the alias in effect.
    pub(super) fn wrap(&self, command: Vec<OsString>) -> Vec<OsString> {
        let (uid, gid) = (geteuid(), getegid());
        let hosts = self.hosts.path().as_os_str();
        let outer: &[&str] = if uid.is_root() {
            &["unshare", "--mount", "--"]
        } else {
            &["unshare", "--user", "--map-root-user", "--mount", "--"]
        };

        let mut line: Vec<OsString> = outer.iter().map(OsString::from).collect();
        line.extend(["sh", "-c", MOUNT].map(OsString::from));
        line.push(hosts.to_owned());
        if !uid.is_root() {
            // Root within the namespace was only for the mount. The command keeps its own user.
            line.extend(["unshare", "--user"].map(OsString::from));
            line.push(format!("--map-user={}", uid.as_raw()).into());
            line.push(format!("--map-group={}", gid.as_raw()).into());
            line.push("--".into());
        }
        line.extend(command);
        line
    }

    /// Runs a command that does nothing, so that a system that forbids this says so before the
    /// start.
    fn probe(&self) -> Result<(), CliError> {
        let line = self.wrap(vec!["true".into()]);
        let mut words = line.iter().map(OsString::as_os_str);
        let outcome = Command::new(words.next().unwrap_or(OsStr::new("unshare")))
            .args(words)
            .stdin(Stdio::null())
            .output();
        let fault = match outcome {
            Ok(output) if output.status.success() => return Ok(()),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => format!("unshare: {error}"),
        };

        Err(CliError(format!(
            "--as {name}: this system does not allow a private {HOSTS} ({fault}); add the line \
             '127.0.0.1 {name}' to {HOSTS} instead, and run with --tls --listen 127.0.0.1:{HTTPS_PORT}",
            name = self.name
        )))
    }
}

fn loopback_address() -> Ipv4Addr {
    // 127.0.0.0/16 is left to others, and so are the last octets 0 and 255.
    let [first, second, third, ..] = Ids::Random.number().to_le_bytes();
    Ipv4Addr::new(127, first.max(1), second, third.clamp(1, 254))
}

fn require_port(name: &str, address: Ipv4Addr) -> Result<(), CliError> {
    match TcpListener::bind((address, HTTPS_PORT)) {
        Ok(_free) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(CliError(format!(
            "--as {name} needs port {HTTPS_PORT}, which this user may not use; allow it with \
             `sysctl -w net.ipv4.ip_unprivileged_port_start={HTTPS_PORT}`, or run as root"
        ))),
        Err(error) => Err(CliError(format!(
            "--as {name} cannot listen on {address}:{HTTPS_PORT}: {error}"
        ))),
    }
}

/// The system's hosts file, with the alias before everything else, since the first line counts.
fn write_hosts(name: &str, address: Ipv4Addr) -> io::Result<NamedTempFile> {
    let system = fs::read(HOSTS).unwrap_or_default();
    let mut hosts = tempfile::Builder::new()
        .prefix("pagertree-local-hosts-")
        .permissions(Permissions::from_mode(0o644))
        .tempfile()?;
    writeln!(hosts, "{address} {name}")?;
    hosts.write_all(&system)?;
    hosts.flush()?;
    Ok(hosts)
}
