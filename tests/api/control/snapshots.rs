//! `/_local/snapshots` and `/_local/diff`.

use crate::{
    callers::{Caller, id},
    receiver::alert,
    server::TestServer,
};
use serde_json::{Value, json};

fn take(account: &Caller, name: &str) -> Value {
    account
        .send("PUT", &format!("/_local/snapshots/{name}"), None)
        .assert_status(200)
        .json()
}

fn restore(account: &Caller, name: &str) {
    let path = format!("/_local/snapshots/{name}/restore");
    account.send("POST", &path, None).assert_status(204);
}

fn names(account: &Caller) -> Vec<Value> {
    let list = account.send("GET", "/_local/snapshots", None);
    let list = list.assert_status(200).json();
    let data = list["data"].as_array().unwrap();
    data.iter().map(|one| one["name"].clone()).collect()
}

fn diff(account: &Caller, query: &str) -> Vec<Value> {
    let found = account.send("GET", &format!("/_local/diff?{query}"), None);
    let found = found.assert_status(200).json();
    found["data"].as_array().unwrap().clone()
}

#[test]
fn restored_account_is_as_it_was() {
    let server = TestServer::start();
    let account = server.account("ops");
    let kept = account.created("kept");
    let opened = alert(&account, "t");
    let info = take(&account, "seeded");
    assert_eq!(
        (&info["name"], &info["objects"]),
        (&json!("seeded"), &json!(2))
    );

    account.update(id(&kept), json!({"name": "changed"}));
    let later = account.created("later");
    account
        .send("DELETE", &format!("/alert/{}", id(&opened)), None)
        .assert_status(204);
    assert_eq!(account.total("name=kept"), 0);

    for _ in 0..2 {
        restore(&account, "seeded");
        assert_eq!(account.get(id(&kept)).json(), kept);
        account.get(id(&later)).assert_status(404);
        assert_eq!(account.names("sort=name"), ["kept"]);
        let alerts = account.send("GET", "/alert", None).json();
        assert_eq!(alerts["data"], json!([opened]));
        assert_eq!(
            account.created("next")["tinyId"],
            2,
            "the number is free again"
        );
    }
}

#[test]
fn snapshot_keeps_idempotency_keys() {
    let server = TestServer::start();
    let account = server.account("ops");
    let create = |name: &str| {
        account
            .with("Idempotency-Key", "k")
            .create(json!({"name": name, "type": "email", "destination_ids": []}))
            .status
    };
    take(&account, "before");
    assert_eq!(create("a"), 200);
    take(&account, "after");
    restore(&account, "before");
    assert_eq!(create("b"), 200);
    restore(&account, "after");
    assert_eq!((create("b"), create("a")), (409, 200));
}

#[test]
fn snapshots_are_listed_replaced_and_deleted() {
    let server = TestServer::start();
    let (account, other) = (server.account("ops"), server.account("dev"));
    account.created("x");
    take(&account, "b");
    take(&account, "a");
    account.created("y");
    assert_eq!(take(&account, "b")["objects"], 2);
    assert_eq!(names(&account), ["a", "b"]);
    assert_eq!(names(&other), Vec::<Value>::new());

    let delete = |path: &str| account.send("DELETE", path, None).status;
    assert_eq!(delete("/_local/snapshots/a"), 204);
    assert_eq!(delete("/_local/snapshots/a"), 404);
    assert_eq!(names(&account), ["b"]);
    assert_eq!(delete("/_local/snapshots"), 204);
    assert_eq!(names(&account), Vec::<Value>::new());
    account
        .send("POST", "/_local/snapshots/b/restore", None)
        .assert_error(404, &["Snapshot not found"]);
}

#[test]
fn snapshots_are_bounded_in_number_and_bytes() {
    let server = TestServer::with(|settings| settings.test.snapshots = 2);
    let account = server.account("ops");
    take(&account, "a");
    take(&account, "b");
    account
        .send("PUT", "/_local/snapshots/c", None)
        .assert_error(409, &["test.snapshots"]);
    take(&account, "b");

    let server = TestServer::with(|settings| settings.test.snapshot_bytes = 2_000);
    let account = server.account("ops");
    account.created("x");
    take(&account, "a");
    account.created(&"x".repeat(200));
    (0..4).for_each(|_| drop(account.created("y")));
    account
        .send("PUT", "/_local/snapshots/b", None)
        .assert_error(409, &["test.snapshot_bytes"]);
}

#[test]
fn name_of_a_snapshot_is_checked() {
    let server = TestServer::start();
    server
        .account("ops")
        .send("PUT", "/_local/snapshots/a%20b", None)
        .assert_error(400, &["The name of a snapshot must have 1 to 64 of"]);
}

#[test]
fn diff_names_what_changed_since_a_snapshot() {
    let server = TestServer::start();
    let account = server.account("ops");
    let (changed, deleted) = (account.created("a"), account.created("b"));
    account.created("same");
    take(&account, "before");
    assert_eq!(diff(&account, "from=before"), Vec::<Value>::new());

    let now = account.update(id(&changed), json!({"name": "c", "enabled": false}));
    account.delete(id(&deleted)).assert_status(204);
    let created = account.created("new");
    let found = diff(&account, "from=before");
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(
        found[0]["patch"],
        json!([
            {"op": "replace", "path": "/updatedAt", "value": now.json()["updatedAt"]},
            {"op": "replace", "path": "/name", "value": "c"},
            {"op": "replace", "path": "/enabled", "value": false},
        ])
    );
    let summary: Vec<_> = found
        .iter()
        .map(|one| (one["change"].as_str().unwrap(), id(one)))
        .collect();
    assert_eq!(
        summary,
        [
            ("updated", id(&changed)),
            ("deleted", id(&deleted)),
            ("created", id(&created))
        ]
    );
    assert_eq!(found[1]["patch"], json!([{"op": "remove", "path": ""}]));
    assert_eq!(
        found[2]["patch"],
        json!([{"op": "add", "path": "", "value": created}])
    );
    assert!(found.iter().all(|one| one["collection"] == "integrations"));

    take(&account, "after");
    account.created("later");
    assert_eq!(diff(&account, "from=before&to=after"), found);
    assert_eq!(diff(&account, "from=after&to=before").len(), 3);
}

#[test]
fn diff_needs_snapshots_that_exist() {
    let server = TestServer::start();
    let account = server.account("ops");
    let ask = |query: &str| account.send("GET", &format!("/_local/diff?{query}"), None);
    ask("").assert_error(400, &["'from' is a required parameter"]);
    ask("from=x").assert_error(404, &["Snapshot not found"]);
    ask("from=x&till=y").assert_error(400, &["'till' is not a known parameter"]);
}

#[test]
fn snapshot_of_all_accounts_restores_all() {
    let server = TestServer::start();
    let [one, two, late] = ["one", "two", "late"].map(|token| server.account(token));
    one.created("x");
    two.created("x");
    one.send("PUT", "/_local/snapshots/all?all=true", None)
        .assert_status(200);
    one.created("y");
    late.created("z");
    one.send("POST", "/_local/snapshots/all/restore?all=true", None)
        .assert_status(204);
    assert_eq!([one, two, late].map(|account| account.total("")), [1, 1, 0]);
}
