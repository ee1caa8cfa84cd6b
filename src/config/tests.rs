//! Tests of `config`.

use super::*;

fn load(environment: &[(&str, &str)], overrides: Overrides) -> Result<Settings, ConfigError> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Sources::new(overrides, environment).load()
}

#[test]
fn the_file_at_the_top_level_shows_every_setting_with_its_default() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml")).unwrap();
    assert_eq!(parse(&text).unwrap(), Settings::default());

    let shown: toml::Table = toml::from_str(&text).unwrap();
    let all = toml::Table::try_from(Settings::default()).unwrap();
    assert_eq!(
        leaves(&shown),
        leaves(&all),
        "config.toml lists each setting once, none is missing"
    );

    let undocumented: Vec<_> = text
        .lines()
        .scan("", |above, line| {
            Some((std::mem::replace(above, line), line))
        })
        .filter(|(above, line)| {
            line.contains(" = ") && !line.starts_with('#') && !above.starts_with('#')
        })
        .collect();
    assert!(
        undocumented.is_empty(),
        "each setting has a comment above it: {undocumented:?}"
    );
}

fn leaves(table: &toml::Table) -> Vec<String> {
    let mut names: Vec<String> = table
        .iter()
        .flat_map(|(name, value)| match value {
            toml::Value::Table(inner) => leaves(inner)
                .into_iter()
                .map(|leaf| format!("{name}.{leaf}"))
                .collect(),
            _ => vec![name.clone()],
        })
        .filter(|name| !["accounts", "keys", "users"].contains(&name.as_str()))
        .collect();
    names.sort();

    names
}

#[test]
fn unknown_keys_are_refused_by_name_and_line() {
    let fault = parse("strict = true\n[limits]\nbody_bites = 1\n")
        .unwrap_err()
        .to_string();
    assert!(
        fault.starts_with(":3:") && fault.contains("body_bites"),
        "{fault}"
    );
}

#[test]
fn flags_beat_environment_and_environment_beats_defaults() {
    let environment = [
        ("PAGERTREE_LOCAL_LISTEN", "127.0.0.1:1"),
        ("PAGERTREE_LOCAL_LIMITS_BODY_BYTES", "5000"),
        ("HOME", "/"),
    ];
    let settings = load(&environment, Overrides::default()).unwrap();

    assert_eq!(
        (settings.listen, settings.limits.body_bytes),
        ("127.0.0.1:1".into(), 5000)
    );

    let flags = Overrides {
        listen: Some("127.0.0.1:2".into()),
        ..Overrides::default()
    };

    assert_eq!(
        load(&environment, flags).unwrap().listen,
        "127.0.0.1:2".into()
    );
}

#[test]
fn a_variable_that_is_no_setting_or_no_number_is_refused_by_name() {
    for (name, value) in [
        ("PAGERTREE_LOCAL_LISTN", "x"),
        ("PAGERTREE_LOCAL_LIMITS_BODY_BYTES", "many"),
    ] {
        let fault = load(&[(name, value)], Overrides::default())
            .unwrap_err()
            .to_string();
        assert!(fault.contains(name), "{fault}");
    }
}

#[test]
fn open_mode_stays_on_this_machine_unless_told_otherwise() {
    let listen = |open_to_network| Overrides {
        listen: Some("0.0.0.0:0".into()),
        open_to_network,
        ..Overrides::default()
    };

    let fault = load(&[], listen(false)).unwrap_err().to_string();
    assert!(fault.contains("--open-to-network"), "{fault}");
    assert!(load(&[], listen(true)).is_ok());
    assert!(load(&[("PAGERTREE_LOCAL_AUTH_MODE", "keys")], listen(false)).is_ok());
    assert!(
        load(
            &[("PAGERTREE_LOCAL_LISTEN", "[::1]:0")],
            Overrides::default()
        )
        .is_ok()
    );
    assert!(
        load(
            &[("PAGERTREE_LOCAL_LISTEN", "localhost:0")],
            Overrides::default()
        )
        .is_ok()
    );
}

#[test]
fn people_must_fit_together() {
    let text = "[[keys]]\nid = \"key_1\"\naccount = \"acc_none\"\nsecret_sha256 = \"00\"\n";
    let fault = parse(text)
        .and_then(|settings| settings.validate())
        .unwrap_err()
        .to_string();

    assert!(fault.contains("secret_sha256"), "{fault}");
    let text = format!(
        "[[keys]]\nid = \"key_1\"\naccount = \"acc_none\"\nsecret_sha256 = \"{}\"\n",
        "ab".repeat(32)
    );
    let fault = parse(&text)
        .and_then(|settings| settings.validate())
        .unwrap_err()
        .to_string();
    assert!(fault.contains("acc_none"), "{fault}");
}

fn fault_of(change: impl FnOnce(&mut Settings)) -> Option<String> {
    let mut settings = Settings::default();
    change(&mut settings);
    settings.validate().err().map(|error| error.to_string())
}

type Change = fn(&mut Settings);

#[test]
fn a_number_that_cannot_be_meant_is_refused_by_name() {
    let bad: [(&str, Change); 14] = [
        ("workers", |settings| settings.workers = 513),
        ("auth.token_seconds", |settings| {
            settings.auth.token_seconds = 0
        }),
        ("auth.token_seconds", |settings| {
            settings.auth.token_seconds = u32::MAX
        }),
        ("limits.head_seconds", |settings| {
            settings.limits.head_seconds = 0
        }),
        ("limits.head_seconds", |settings| {
            settings.limits.head_seconds = u64::MAX
        }),
        ("limits.body_seconds", |settings| {
            settings.limits.body_seconds = 0
        }),
        ("limits.body_seconds", |settings| {
            settings.limits.body_seconds = 86_401
        }),
        ("limits.idle_seconds", |settings| {
            settings.limits.idle_seconds = 0
        }),
        ("limits.idle_seconds", |settings| {
            settings.limits.idle_seconds = u64::MAX
        }),
        ("store.cache_bytes", |settings| {
            settings.store.cache_bytes = 0
        }),
        ("store.cache_bytes", |settings| {
            settings.store.cache_bytes = u64::MAX
        }),
        ("store.list_cache_bytes", |settings| {
            settings.store.list_cache_bytes = u64::MAX
        }),
        ("store.batch", |settings| settings.store.batch = 65),
        ("shutdown.drain_seconds", |settings| {
            settings.shutdown.drain_seconds = 3_601
        }),
    ];

    for (name, change) in bad {
        let fault = fault_of(change).unwrap_or_default();
        assert!(
            fault.starts_with(&format!("'{name}' must be from ")),
            "{name}: {fault}"
        );
    }
}

#[test]
fn the_ends_of_a_range_are_in_it() {
    let ends: [Change; 2] = [
        |settings| {
            (settings.workers, settings.shutdown.drain_seconds) = (512, 3_600);
            (settings.store.cache_bytes, settings.store.list_cache_bytes) = (1 << 40, 1 << 40);
            (settings.auth.token_seconds, settings.limits.idle_seconds) = (315_360_000, 86_400);
        },
        |settings| {
            (settings.workers, settings.shutdown.drain_seconds) = (0, 0);
            (settings.store.cache_bytes, settings.store.list_cache_bytes) = (1 << 20, 0);
            (settings.auth.token_seconds, settings.limits.idle_seconds) = (1, 1);
        },
    ];

    for change in ends {
        assert_eq!(fault_of(change), None);
    }
}

#[test]
fn an_origin_is_one_as_browsers_send_it() {
    let origin =
        |origin: &str| fault_of(|settings| settings.cors.origins = vec!["*".into(), origin.into()]);

    for good in [
        "*",
        "https://app.example",
        "http://localhost:8080",
        "http://127.0.0.1",
        "http://[::1]",
        "http://[::1]:65535",
        "https://my_app-1.example",
    ] {
        assert_eq!(origin(good), None);
    }

    for bad in [
        "",
        "null",
        "app.example",
        "ftp://app.example",
        "http://",
        "http://a b",
        "http://a\n",
        "http://a/",
        "https://a/path",
        "https://a?x",
        "https://a#x",
        "https://user@a",
        "https://*.example",
        "http://a:",
        "http://a:65536",
        "http://a:+1",
        "http://a:1:2",
        "http://::1",
        "http://[::1",
        "http://[]:1",
        "http://b\u{fc}cher.example",
    ] {
        let fault = origin(bad).unwrap_or_default();
        assert!(
            fault.starts_with("'cors.origins' ") && fault.contains(&format!("{bad:?}")),
            "{bad}: {fault}"
        );
    }
}
