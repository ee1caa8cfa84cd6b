//! HTTPS: with a certificate of the server's own making, and with one from files.

use crate::support::{Server, Setup, integration};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustix::process::Signal;
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    sync::Arc,
};
use ureq::{
    Agent,
    http::Response,
    tls::{Certificate, RootCerts, TlsConfig},
};

/// A client that trusts only this authority.
fn client(ca: &[u8]) -> Agent {
    let ca = Certificate::from_pem(ca).unwrap();
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(vec![ca])))
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .build()
        .into()
}

fn get(ca: &[u8], url: &str) -> Result<Response<ureq::Body>, ureq::Error> {
    client(ca).get(url).header("authorization", "t").call()
}

/// The server's port, from its first line.
fn port(server: &Server) -> u16 {
    let url = server
        .first_line
        .trim_end()
        .strip_prefix("listening on https://127.0.0.1:");
    url.expect("the first line has an https URL")
        .parse()
        .unwrap()
}

fn url(server: &Server, path: &str) -> String {
    format!("https://localhost:{}{path}", port(server))
}

#[test]
fn a_created_certificate_is_valid_for_clients_that_trust_its_authority() {
    let setup = Setup::new().args(["--tls", "--tls-ca-file", "authority.pem"]);
    let server = setup.launch();
    let ca = fs::read(setup.path("authority.pem")).unwrap();

    for host in ["localhost", "127.0.0.1", "test.localhost"] {
        let url = format!("https://{host}:{}/livez", port(&server));
        match get(&ca, &url) {
            Ok(response) => assert_eq!(response.status(), 200, "{host}"),
            // Not every system resolves names below localhost.
            Err(error) => assert!(host == "test.localhost", "{host}: {error}"),
        }
    }

    let mut served = get(&ca, &url(&server, "/_local/ca.pem")).unwrap();
    assert_eq!(served.body_mut().read_to_vec().unwrap(), ca);
    let untrusting = Agent::new_with_defaults()
        .get(url(&server, "/livez"))
        .call();
    assert!(
        untrusting.is_err(),
        "a client of another authority refuses it"
    );
}

#[test]
fn links_have_the_scheme_of_the_connection() {
    let setup = Setup::new().args(["--tls"]);
    let server = setup.launch();
    let ca = fs::read(setup.path("data/tls/ca.pem")).unwrap();
    for _ in 0..2 {
        let created = client(&ca)
            .post(url(&server, "/integration"))
            .header("authorization", "t")
            .header("content-type", "application/json")
            .send(integration("n").to_string());
        assert_eq!(created.unwrap().status(), 200);
    }

    let response = get(&ca, &url(&server, "/integration?limit=1")).unwrap();
    let link = response.headers()["link"].to_str().unwrap();
    assert!(link.starts_with("<https://localhost:"), "{link}");
}

#[test]
fn a_client_that_speaks_plain_http_is_told_about_tls() {
    let server = Setup::new().args(["--tls"]).launch();
    let mut connection = TcpStream::connect(("127.0.0.1", port(&server))).unwrap();
    connection
        .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut response = String::new();
    connection.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
    assert!(
        response.contains("use https:// instead of http://"),
        "{response}"
    );
}

#[test]
fn the_authority_stays_the_same_and_only_its_owner_can_read_its_key() {
    let setup = Setup::new().args(["--tls"]);
    let server = setup.launch();
    let ca = fs::read(setup.path("data/tls/ca.pem")).unwrap();
    let mode = |name: &str| fs::metadata(setup.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data/tls/ca-key.pem"), 0o600);
    server.stop();

    let again = setup.launch();
    assert_eq!(fs::read(setup.path("data/tls/ca.pem")).unwrap(), ca);
    assert_eq!(get(&ca, &url(&again, "/livez")).unwrap().status(), 200);
    again.stop();

    // The certificate follows from the key, so clients that trust the old one go on.
    fs::remove_file(setup.path("data/tls/ca.pem")).unwrap();
    let again = setup.launch();
    assert_eq!(get(&ca, &url(&again, "/livez")).unwrap().status(), 200);
}

#[test]
fn commands_reach_a_server_with_tls() {
    let setup = Setup::new().args(["--tls"]);
    let _server = setup.launch();
    for command in [
        &["healthcheck"][..],
        &["backup", "out"],
        &["export", "lines"],
    ] {
        let outcome = setup.same_folder().args(command.iter().copied()).run();
        assert_eq!(outcome.code, Some(0), "{command:?}: {outcome:#?}");
    }
}

#[test]
fn plain_servers_have_no_authority() {
    let server = Setup::new().start();
    assert_eq!(server.client("t").get("/_local/ca.pem").status, 404);
}

/// An authority and a certificate of localhost that it signed, with its key, in PEM.
fn issue() -> [String; 3] {
    let pem = |label: &str, der: &[u8]| {
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            STANDARD.encode(der)
        )
    };
    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca_key = KeyPair::generate().unwrap();
    let ca_certificate = ca.self_signed(&ca_key).unwrap();

    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let certificate = names
        .signed_by(&key, &Issuer::from_params(&ca, &ca_key))
        .unwrap();
    [
        pem("CERTIFICATE", ca_certificate.der()),
        pem("CERTIFICATE", certificate.der()),
        pem("PRIVATE KEY", key.serialized_der()),
    ]
}

const FILES: &str = "[tls]\ncertificate = \"server.pem\"\nkey = \"key.pem\"\n";

#[test]
fn a_certificate_from_files_is_read_again_by_a_reload() {
    let [old_ca, certificate, key] = issue();
    let setup = Setup::new().config(FILES);
    setup.write("server.pem", &certificate);
    setup.write("key.pem", &key);
    let server = setup.launch();
    assert_eq!(
        get(old_ca.as_bytes(), &url(&server, "/livez"))
            .unwrap()
            .status(),
        200
    );

    setup.write("server.pem", "not a certificate");
    server.signal(Signal::HUP);
    server
        .log
        .wait_for("Cannot reload the configuration; the previous one stays in effect");
    assert_eq!(
        get(old_ca.as_bytes(), &url(&server, "/livez"))
            .unwrap()
            .status(),
        200
    );

    let [new_ca, certificate, key] = issue();
    setup.write("server.pem", &certificate);
    setup.write("key.pem", &key);
    server.signal(Signal::HUP);
    server.log.wait_for("Reloaded the configuration");
    assert_eq!(
        get(new_ca.as_bytes(), &url(&server, "/livez"))
            .unwrap()
            .status(),
        200
    );
    assert!(get(old_ca.as_bytes(), &url(&server, "/livez")).is_err());
}

/// All of a reload takes effect, or nothing.
#[test]
fn a_reload_that_is_refused_keeps_the_certificate() {
    let [ca, certificate, key] = issue();
    let keys = format!("listen = \"0.0.0.0:0\"\n[auth]\nmode = \"keys\"\n{FILES}");
    let setup = Setup::bare().config(&keys);
    setup.write("server.pem", &certificate);
    setup.write("key.pem", &key);
    let server = setup.launch();
    let (_, port) = server.first_line.trim_end().rsplit_once(':').unwrap();
    let url = format!("https://localhost:{port}/livez");
    assert_eq!(get(ca.as_bytes(), &url).unwrap().status(), 200);

    // Other machines can reach this server, so it does not change to open mode.
    let [_, certificate, key] = issue();
    setup.write("server.pem", &certificate);
    setup.write("key.pem", &key);
    setup.write(
        "config.toml",
        &keys
            .replace("\"keys\"", "\"open\"")
            .replace("0.0.0.0", "127.0.0.1"),
    );
    server.signal(Signal::HUP);
    server
        .log
        .wait_for("Cannot reload the configuration; the previous one stays in effect");
    assert_eq!(get(ca.as_bytes(), &url).unwrap().status(), 200);
}

#[test]
fn certificates_that_cannot_be_used_are_refused_by_name() {
    let [_, certificate, key] = issue();
    let [_, _, other_key] = issue();
    for (pem, key, error) in [
        ("", key.as_str(), "'server.pem': it has none"),
        (
            certificate.as_str(),
            "x",
            "cannot read a private key in PEM from 'key.pem'",
        ),
        (
            certificate.as_str(),
            other_key.as_str(),
            "cannot set up TLS",
        ),
    ] {
        let setup = Setup::new().config(FILES);
        setup.write("server.pem", pem);
        setup.write("key.pem", key);
        let outcome = setup.run();
        assert!(outcome.error().contains(error), "{error}: {outcome:#?}");
    }

    let outcome = Setup::new().config(FILES).run();
    assert!(outcome.error().contains("'server.pem'"), "{outcome:#?}");
}

#[test]
fn contradictory_settings_are_refused() {
    for (config, flag, error) in [
        (
            "[tls]\nkey = \"k\"\n",
            None,
            "tls.certificate and tls.key belong together",
        ),
        (
            "[tls]\ncertificate = \"c\"\n",
            None,
            "tls.certificate and tls.key belong together",
        ),
        (FILES, Some("--tls"), "use one of the two"),
        (
            "[tls]\nca_file = \"c\"\n",
            None,
            "need tls.generate or --tls",
        ),
    ] {
        let outcome = Setup::new().config(config).args(flag).run();
        assert!(outcome.error().contains(error), "{outcome:#?}");
    }

    let outcome = Setup::new()
        .config("[tls]\ngenerate = true\nnames = [\"no\\u00a0name\"]\n")
        .run();
    assert!(outcome.error().contains("tls.names"), "{outcome:#?}");
}
