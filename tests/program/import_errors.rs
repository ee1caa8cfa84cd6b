//! `import` of a file with errors changes nothing, and reports every error with its line.

use super::moving::{
    HEADER, account, exported, import, in_data, integration, is_sound, store_with_a_history, text,
};
use crate::support::Setup;

/// Imports lines after a header and an account with last number 9. Asserts that exactly these errors
/// are reported, by line, and that no store is created.
#[track_caller]
fn is_refused(lines: &[String], expected: &[(u64, &[&str])]) {
    let setup = Setup::new();
    let all = [vec![HEADER.to_owned(), account("acc_1", 9)], lines.to_vec()].concat();
    tells_faults(&setup, &text(&all), expected);
    assert!(!setup.path("data/store").exists(), "nothing was made");
}

#[track_caller]
fn tells_faults(setup: &Setup, text: &str, expected: &[(u64, &[&str])]) {
    let outcome = import(setup, text);
    assert_eq!(
        (outcome.code, outcome.stderr.as_str()),
        (Some(1), ""),
        "{outcome:#?}"
    );

    let mut lines: Vec<&str> = outcome.stdout.lines().collect();
    let sum = lines.pop().unwrap();
    assert_eq!(
        sum,
        format!("nothing imported: {} errors", expected.len()),
        "{lines:#?}"
    );

    for ((number, words), line) in expected.iter().zip(lines) {
        let rest = line.strip_prefix(&format!("line {number}: "));
        assert!(
            rest.is_some_and(|rest| words.iter().all(|word| rest.contains(word))),
            "{number} {words:?}: {line}"
        );
    }
}

fn good(number: u64) -> String {
    integration("acc_1", &format!("int_{number}"), number)
}

#[test]
fn a_file_that_is_no_export_is_told_so_once() {
    for text in [
        "",
        "\n",
        "garbage\nmore garbage\n",
        "{\"format\":\"other\",\"version\":1}\n",
        "[]",
    ] {
        let setup = Setup::new();
        tells_faults(
            &setup,
            text,
            &[(
                1,
                &[if text.is_empty() {
                    "empty"
                } else {
                    "not an export: the first line must be"
                }],
            )],
        );
    }

    let newer = HEADER.replace("\"version\":1", "\"version\":2");
    tells_faults(
        &Setup::new(),
        &text(&[newer]),
        &[(1, &["version 2", "up to 1"])],
    );
}

#[test]
fn lines_that_are_no_lines_of_an_export_are_told() {
    let mut not_utf8 = text(&[HEADER]).into_bytes();
    not_utf8.extend(b"{\"account\":\"\xff\"}\n");
    let setup = Setup::new();

    std::fs::write(setup.path("bytes.jsonl"), not_utf8).unwrap();
    let outcome = setup.same_folder().args(["import", "bytes.jsonl"]).run();
    assert!(outcome.stdout.starts_with("line 2: "), "{outcome:?}");

    is_refused(
        &[
            "{\"integration\":".into(),
            String::new(),
            good(1),
            "{\"alarm\":{}}".into(),
            format!("{} {}", good(2), good(3)),
            "{\"integration\":5}".into(),
            "{\"integration\":{},\"account\":{}}".into(),
        ],
        &[
            (3, &["column"]),
            (4, &["the line is empty"]),
            (6, &["`alarm`", "`integration`"]),
            (7, &["trailing characters"]),
            (8, &["must be an object, but was a number"]),
            (9, &["column"]),
        ],
    );
}

#[test]
fn every_fault_of_an_object_is_told() {
    let line = good(1)
        .replace("\"sid\":\"acc_1\"", "\"sid\":\"int_1\"")
        .replace("\"low\"", "\"loud\"")
        .replace("\"enabled\":true", "\"enabled\":5");

    is_refused(
        &[line],
        &[
            (3, &["'enabled' must be"]),
            (3, &["'sid' must be"]),
            (3, &["'urgency' must be"]),
        ],
    );
    let line = |from: &str, to: &str| {
        let changed = good(1).replace(from, to);
        assert_ne!(changed, good(1));
        changed
    };

    is_refused(
        &[
            line("\"options\":{}", "\"options\":{},\"colour\":1"),
            line(",\"options\":{}", ""),
            line("\"tinyId\":1", "\"tinyId\":0"),
            line("\"updatedAt\":\"2018", "\"updatedAt\":\"2017"),
            line(
                "\"meta\":{}",
                "\"meta\":{\"$serde_json::private::Number\":\"1\"}",
            ),
        ],
        &[
            (3, &["'colour' is not a known"]),
            (4, &["'options' is a required"]),
            (5, &["'tinyId' must be"]),
            (6, &["'updatedAt' must not be before"]),
            (7, &["$serde_json::private"]),
        ],
    );
}

/// They were read without a word about what the API would refuse.
#[test]
fn every_fault_of_alerts_and_logs_is_told() {
    let alert = r#"{"alert":{"sid":"acc_1","id":"alt_1","createdAt":"2018-04-27T00:00:00.000Z","updatedAt":"1999-04-27T00:00:00.000Z","meta":{},"tinyId":1,"thirdparty_id":null,"destination_ids":[],"title":"","description":null,"type":"alert","subtype":"alert","status":"open","urgency":"low","s_log_id":null,"source_id":null,"tags":[],"additional_data":[],"created":0,"acknowledged":null,"acknowledgedby":null,"resolved":null,"resolvedby":null,"archived":null}}"#;
    let log = r#"{"log":{"sid":"acc_1","id":"log_1","createdAt":"2018-04-27T00:00:00.000Z","updatedAt":"2018-04-27T00:00:00.000Z","meta":{},"tinyId":1,"content":"c","type":"sideways","subtype":"INCOMING","owner_id":"int_1","level":2,"source_id":"int_1","alert_id":null,"thirdparty_id":null,"action":"create","outcome":"o","status":"many","event":{},"request":{"method":"POST","path":"/","query":"","remote":null,"headers":{},"body":{"text":"","bytes":0}},"response":null,"colour":1}}"#;
    is_refused(
        &[alert.to_owned(), log.to_owned()],
        &[
            (3, &["'archivedby' is a required parameter"]),
            (3, &["'title' must have 1 to 1024 characters"]),
            (3, &["'updatedAt' must not be before 'createdAt'"]),
            (4, &["'colour' is not a known parameter"]),
            (4, &["'status'", "many"]),
            (4, &["'type'", "sideways"]),
        ],
    );
}

#[test]
fn accounts_that_do_not_fit_are_told() {
    let alarms = account("acc_2", 1).replace("integrations", "alarms");
    let negative = account("acc_3", 1).replace(":1}", ":-1}");
    is_refused(
        &[
            account("acc_1", 3),
            alarms,
            negative,
            account("5", 1),
            integration("acc_4", "int_4", 1),
            account("acc_4", 1),
        ],
        &[
            (3, &["the first is line 2"]),
            (4, &["'collection' must be", "'alarms'"]),
            (5, &["'lastTinyId' must be"]),
            (6, &["'sid' must be"]),
            (7, &["no account line for the", "acc_4"]),
        ],
    );
}

#[test]
fn twins_and_numbers_that_were_never_given_are_told() {
    is_refused(
        &[
            good(1),
            good(2),
            integration("acc_1", "int_1", 3),
            integration("acc_1", "int_4", 2),
            good(10),
        ],
        &[
            (5, &["duplicate id 'int_1'; first used in line 3"]),
            (
                6,
                &["duplicate 'tinyId' 2 in account 'acc_1'; first used in line 4"],
            ),
            (7, &["10 is greater than the 'lastTinyId' 9", "line 2"]),
        ],
    );
}

#[test]
fn what_the_store_has_already_is_told_and_the_store_stays_as_it_is() {
    let setup = Setup::new();
    let first = text(&[HEADER.into(), account("acc_1", 9), good(1), good(2)]);
    assert_eq!(import(&setup, &first).code, Some(0));

    let before = exported(&setup);
    let again = [
        HEADER.into(),
        account("acc_1", 9),
        good(3),
        good(1),
        integration("acc_1", "int_5", 2),
    ];
    tells_faults(
        &setup,
        &text(&again),
        &[
            (
                4,
                &["'tinyId' 1 of account 'acc_1' already exists in the store"],
            ),
            (4, &["the id 'int_1' already exists in the store"]),
            (
                5,
                &["'tinyId' 2 of account 'acc_1' already exists in the store"],
            ),
        ],
    );
    assert_eq!(exported(&setup), before);
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);
}

#[test]
fn a_store_that_a_server_holds_is_refused() {
    let setup = Setup::new();
    let _server = setup.start();
    let outcome = import(&setup, &text(&[HEADER]));
    assert!(
        outcome.error().contains("in use by another process"),
        "{outcome:?}"
    );
}

#[test]
fn a_file_that_is_not_there_or_no_file_is_refused() {
    let setup = Setup::new();
    for name in ["absent.jsonl", "."] {
        let outcome = setup.same_folder().args(["import", name]).run();
        assert!(
            outcome
                .error()
                .contains(&format!("'{name}' cannot be read")),
            "{outcome:?}"
        );
        assert!(!setup.path("data/store").exists());
    }
}

#[test]
fn what_is_no_export_is_said_to_be_what_it_is() {
    let store = store_with_a_history();
    assert_eq!(
        store
            .same_folder()
            .args(["backup", "all.backup"])
            .run()
            .code,
        Some(0)
    );
    let utf_16: Vec<u8> = "\u{feff}{"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();

    for (bytes, words) in [
        (
            std::fs::read(store.path("all.backup")).unwrap(),
            "is a backup; use `restore`",
        ),
        (
            vec![0x1f, 0x8b, 0x08],
            "is compressed with gzip; unpack it first",
        ),
        (utf_16, "is UTF-16 text; convert it to UTF-8"),
        (b"{}".to_vec(), "not an export: the first line must be"),
    ] {
        let setup = Setup::new();
        std::fs::write(setup.path("wrong"), bytes).unwrap();
        let outcome = setup.same_folder().args(["import", "wrong"]).run();
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(
            outcome.stdout.contains(words) && outcome.stdout.contains("1 errors"),
            "{outcome:#?}"
        );
    }
}
