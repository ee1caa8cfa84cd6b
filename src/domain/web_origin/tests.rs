//! Tests of `web_origin`.

use super::*;

fn authority(text: &str) -> Authority {
    Authority::parse(text).unwrap_or_else(|| panic!("'{text}' is a host"))
}

fn texts(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| (*entry).to_owned()).collect()
}

#[test]
fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
    for (text, written) in [
        ("localhost", "localhost"),
        ("LocalHost.:7243", "localhost:7243"),
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[::1]", "[::1]"),
        ("[0:0::1]:443", "[::1]:443"),
        ("my_service-1", "my_service-1"),
    ] {
        assert_eq!(authority(text).to_string(), written);
    }

    for text in [
        "",
        ".",
        ":80",
        "a:",
        "a:x",
        "a:+1",
        "a:65536",
        "a b",
        "a/b",
        "a\r\nb",
        "me@a",
        "[::1",
        "::1",
        "[x]",
        "a..b",
        "<a>",
        "b\u{fc}cher",
    ] {
        assert_eq!(Authority::parse(text), None, "{text:?}");
    }

    assert_eq!(Authority::parse(&"x".repeat(254)), None);
}

#[test]
fn names_that_strangers_cannot_own_are_private() {
    for name in [
        "127.0.0.1:7243",
        "10.1.2.3",
        "203.0.113.9",
        "[fe80::1]",
        "localhost",
        "localhost.",
        "app.localhost:1",
        "pagertree",
        "host.docker.internal",
    ] {
        assert!(authority(name).is_private_name(), "{name}");
    }

    for name in [
        "example.com",
        "localhost.example.com",
        "127.0.0.1.example.com",
        "mylocalhost.com",
        "internal.com",
        "a.local",
    ] {
        assert!(!authority(name).is_private_name(), "{name}");
    }

    for (name, loopback) in [
        ("127.9.9.9", true),
        ("[::ffff:127.0.0.1]", true),
        ("10.0.0.1", false),
        ("pagertree", false),
    ] {
        assert_eq!(authority(name).is_loopback(), loopback, "{name}");
    }
}

#[test]
fn further_hosts_are_listed_alone_or_with_all_below() {
    let allowed = AllowedHosts::parse(&texts(&["Alerts.example.com", "*.example.org"])).unwrap();
    for (name, expected) in [
        ("alerts.example.com:443", true),
        ("example.com", false),
        ("x.alerts.example.com", false),
        ("a.b.example.org", true),
        ("example.org", false),
        ("badexample.org", false),
    ] {
        assert_eq!(allowed.contains(&authority(name)), expected, "{name}");
    }

    assert!(
        AllowedHosts::parse(&texts(&["*"]))
            .unwrap()
            .contains(&authority("any.example"))
    );

    for bad in ["", "a:80", "http://a", "*.", "*a", "a b"] {
        assert_eq!(
            AllowedHosts::parse(&texts(&["a", bad])),
            Err(bad.to_owned())
        );
    }
}

#[test]
fn auto_admits_pages_of_this_machine_and_where_keys_are_needed_all() {
    let auto = AllowedOrigins::parse(&texts(&["auto"])).unwrap();
    for origin in [
        "http://localhost:3000",
        "https://app.localhost",
        "http://127.0.0.1:1",
        "http://[::1]:8080",
    ] {
        assert!(auto.allow(origin, false), "{origin}");
    }

    for origin in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "file://",
        "http://10.0.0.1",
    ] {
        assert!(!auto.allow(origin, false), "{origin}");
        assert!(auto.allow(origin, true), "{origin}");
    }
}

#[test]
fn listed_origins_are_admitted_to_the_letter() {
    let listed = AllowedOrigins::parse(&texts(&["https://app.example"])).unwrap();
    assert!(listed.allow("https://app.example", false));
    for origin in [
        "http://app.example",
        "https://app.example:444",
        "http://localhost",
    ] {
        assert!(!listed.allow(origin, true), "{origin}");
    }

    assert!(
        AllowedOrigins::parse(&texts(&["*"]))
            .unwrap()
            .allow("null", false)
    );
    assert!(!AllowedOrigins::default().allow("http://localhost", true));
}

#[test]
fn a_page_is_foreign_unless_it_is_ours_listed_or_of_this_machine() {
    let allowed = AllowedOrigins::parse(&texts(&["*", "https://app.example"])).unwrap();
    let host = authority("alerts.internal:7243");
    let foreign = |origin, fetch_site| {
        PageHeaders {
            origin,
            fetch_site,
            host: Some(&host),
        }
        .is_foreign(&allowed)
    };

    for origin in [
        "https://app.example",
        "http://localhost:3000",
        "http://alerts.internal:7243",
    ] {
        assert!(!foreign(Some(origin), Some("cross-site")), "{origin}");
    }

    for origin in ["https://evil.example", "null", "http://alerts.internal", ""] {
        assert!(foreign(Some(origin), None), "{origin}");
    }

    assert!(foreign(None, Some("cross-site")));
    for fetch_site in [None, Some("none"), Some("same-origin"), Some("same-site")] {
        assert!(!foreign(None, fetch_site), "{fetch_site:?}");
    }
}
