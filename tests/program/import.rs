//! `import`: an exported store comes back as it was, and new objects are added to an existing store.

use super::moving::{
    HEADER, account, exported, import, in_data, integration, is_sound, store_with_a_history, text,
};
use crate::support::Setup;
use serde_json::{Value, json};

#[test]
fn what_was_exported_and_imported_is_exported_as_the_same_bytes() {
    let before = exported(&store_with_a_history());
    let setup = Setup::new();
    let outcome = import(&setup, &before);

    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(outcome.stdout, "imported 85 objects\n");
    assert_eq!(exported(&setup), before);
    assert_eq!(
        in_data(&setup),
        ["store"],
        "nothing is left beside the store"
    );
    is_sound(&setup);
}

#[test]
fn an_imported_store_goes_on_counting_where_the_old_one_was() {
    let before = exported(&store_with_a_history());
    let setup = Setup::new();
    import(&setup, &before);

    let server = setup.start();
    assert_eq!(
        server.client("nothing left").create("second")["tinyId"],
        2,
        "the number of what was deleted is gone"
    );
    assert_eq!(server.client("ops").create("another")["tinyId"], 34);

    let login = json!({ "username": "alice", "password": "x" });
    let integrations = server.client("ops").get("/integration?name=webhook").json();
    let path = format!(
        "/integration/{}",
        integrations["data"][0]["id"].as_str().unwrap()
    );

    for (kind, status) in [("acknowledge", "acknowledged"), ("resolve", "resolved")] {
        assert_eq!(
            server
                .client("")
                .post(&path, &json!({ "event_type": kind, "id": "a" }))
                .status,
            200
        );

        let alerts = server
            .client("ops")
            .get("/alert?thirdparty_id=a&sort=-tinyId")
            .json();

        assert_eq!(
            (&alerts["data"][0]["status"], &alerts["total_count"]),
            (&json!(status), &json!(2))
        );
    }

    assert_eq!(
        server.client("").post("/public/login", &login).status,
        200,
        "there is a secret to sign with"
    );
    server.stop();
    is_sound(&setup);
}

#[test]
fn a_store_gets_what_it_does_not_have_and_keeps_the_rest() {
    let setup = store_with_a_history();
    let before = exported(&setup);
    let sid = sid_of_nothing_left(&before);
    let added = [
        HEADER.into(),
        account("acc_new", 9),
        account(&sid, 1),
        integration("acc_new", "int_new1", 3),
        integration("acc_new", "int_new2", 2),
        integration(&sid, "int_back", 1),
    ];
    let outcome = import(&setup, &text(&added));
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    is_sound(&setup);
    let after = exported(&setup);
    assert_eq!(
        after.lines().count(),
        before.lines().count() + 4,
        "one account and three integrations more"
    );
    assert!(before.lines().all(|line| after.contains(line)));
    let server = setup.start();
    assert_eq!(server.client("nothing left").create("second")["tinyId"], 2);
    server.stop();
}

/// The account that has counted to 1 and has nothing.
fn sid_of_nothing_left(export: &str) -> String {
    let line = export
        .lines()
        .find(|line| line.contains(r#""lastTinyId":1}"#))
        .unwrap();
    serde_json::from_str::<Value>(line).unwrap()["account"]["sid"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn a_line_that_means_the_same_is_stored_as_this_program_writes() {
    let setup = Setup::new();
    let plain = integration("acc_1", "int_1", 1);
    let value: Value = serde_json::from_str(&plain).unwrap();
    let mut members: Vec<_> = value["integration"]
        .as_object()
        .unwrap()
        .clone()
        .into_iter()
        .collect();
    members.reverse();
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!(" \"{name}\" : {value}"))
        .collect();
    let spaced = format!("{{ \"integration\": {{{}}} }}\r", members.join(","));
    let outcome = import(&setup, &text(&[HEADER, &account("acc_1", 1), &spaced]));
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(
        exported(&setup),
        text(&[HEADER, &account("acc_1", 1), &plain])
    );
    is_sound(&setup);
}

#[test]
fn what_a_killed_attempt_left_is_removed() {
    let setup = Setup::new();
    std::fs::create_dir_all(setup.path("data/store.new/blobs")).unwrap();
    std::fs::write(setup.path("data/store.new/db"), "rubbish").unwrap();
    let outcome = import(
        &setup,
        &text(&[
            HEADER.into(),
            account("acc_1", 1),
            integration("acc_1", "int_1", 1),
        ]),
    );
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert_eq!(in_data(&setup), ["store"]);
    is_sound(&setup);
}

#[test]
fn damage_to_an_imported_store_is_noticed() {
    let setup = Setup::new();
    assert_eq!(
        import(
            &setup,
            &text(&[
                HEADER.into(),
                account("acc_1", 1),
                integration("acc_1", "int_1", 1)
            ])
        )
        .code,
        Some(0)
    );
    let db = setup.store().join("db");
    let mut bytes = std::fs::read(&db).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end - 20] ^= 0xff;
    std::fs::write(&db, bytes).unwrap();
    let outcome = setup.same_folder().args(["check"]).run();
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("the store in 'data/store' is damaged"),
        "{outcome:?}"
    );
}

#[test]
fn a_byte_order_mark_means_nothing_and_an_empty_line_is_called_one() {
    let lines = [
        HEADER.into(),
        account("acc_1", 1),
        integration("acc_1", "int_1", 1),
    ];
    let setup = Setup::new();

    assert_eq!(
        import(&setup, &format!("\u{feff}{}", text(&lines))).stdout,
        "imported 1 objects\n"
    );

    let setup = Setup::new();
    let outcome = import(&setup, &text(&lines).replacen('\n', "\n \r\n\n", 1));
    let empty = "the line is empty; every line of an export holds an account or an object";

    assert_eq!(
        outcome.stdout,
        format!("line 2: {empty}\nline 3: {empty}\nnothing imported: 2 errors\n")
    );
}

/// A store with higher numbers was sound, was exported, and could not be imported.
#[test]
fn no_number_is_given_beyond_those_that_can_be_imported() {
    const HIGHEST: u64 = 9_007_199_254_740_991;
    let setup = Setup::new();
    let server = setup.start();
    let sid = server.client("ops").create("first")["sid"]
        .as_str()
        .unwrap()
        .to_owned();

    server.stop();
    let outcome = import(&setup, &text(&[HEADER.into(), account(&sid, HIGHEST - 1)]));
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");

    let server = setup.start();
    let client = server.client("ops");
    assert_eq!(client.create("last")["tinyId"], HIGHEST);

    let refused = client.post("/integration", &crate::support::integration("one more"));
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(
        refused.messages()[0].contains("has no tinyIds left"),
        "{refused:?}"
    );
    server.stop();
    is_sound(&setup);
    let new = Setup::new();
    assert_eq!(import(&new, &exported(&setup)).code, Some(0));
}
