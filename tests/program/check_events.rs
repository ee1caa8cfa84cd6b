//! `check` on what events leave behind: alerts, logs, who sends, and what is to be sent.

use crate::support::{Server, Setup};
use serde_json::{Value, json};

/// A stopped store with an alert that an event made, its log, and a webhook that waits to be sent
/// again.
struct Store {
    setup: Setup,
    sid: String,
    source: String,
    sender: String,
    alert: String,
    log: String,
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

fn integration(kind: &str, options: Value) -> Value {
    json!({"name": kind, "type": kind, "destination_ids": [], "options": options})
}

fn event(server: &Server, source: &str) {
    let body = json!({"event_type": "create", "id": "job-7", "title": "It broke"});
    let answer = server
        .client("nobody")
        .post(&format!("/integration/{source}"), &body);
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b""[..]));
}

fn only(server: &Server, list: &str) -> Value {
    let list = server.client("ops").get(list).json();
    let [object] = <[Value; 1]>::try_from(list["data"].as_array().unwrap().clone()).unwrap();
    object
}

impl Store {
    fn new() -> Self {
        // Nothing answers there, and nothing is tried again for a while.
        let setup = Setup::new().env("PAGERTREE_LOCAL_OUTGOING_FIRST_RETRY_SECONDS", "3600");
        let server = setup.start();
        let ops = server.client("ops");
        let source = ops
            .post("/integration", &integration("webhook", json!({})))
            .json();
        let options = json!({"url": "http://127.0.0.1:1/"});
        let sender = ops
            .post("/integration", &integration("outgoingwebhook", options))
            .json();
        event(&server, &id(&source));
        let alert = only(&server, "/alert");
        let log = only(&server, "/log?type=incoming");
        server.stop();
        let sid = alert["sid"].as_str().unwrap().to_owned();

        Self {
            setup,
            sid,
            source: id(&source),
            sender: id(&sender),
            alert: id(&alert),
            log: id(&log),
        }
    }

    fn key(&self, rest: &[u8]) -> Vec<u8> {
        [self.sid.as_bytes(), &[0], rest].concat()
    }

    fn tree(&self, name: &str) -> (sled::Db, sled::Tree) {
        let db = self.setup.engine();
        assert!(
            db.tree_names()
                .iter()
                .any(|known| **known == *name.as_bytes()),
            "the store has a tree '{name}'"
        );
        let tree = db.open_tree(name).unwrap();
        (db, tree)
    }

    /// Everything that `check` finds, in its order.
    fn damages(&self) -> Vec<String> {
        let outcome = self.setup.same_folder().args(["check"]).run();
        let mut lines: Vec<String> = outcome.stdout.lines().map(str::to_owned).collect();
        let summary = lines.pop().unwrap();
        assert_eq!(
            outcome.code,
            Some(i32::from(!lines.is_empty())),
            "{summary}"
        );
        lines
    }

    /// Changes one tree, and looks what `check` says.
    #[track_caller]
    fn says_after(&self, tree: &str, change: impl FnOnce(&sled::Tree), expected: &[String]) {
        let (db, tree) = self.tree(tree);
        change(&tree);
        db.flush().unwrap();
        drop((tree, db));
        assert_eq!(self.damages(), expected);
    }
}

#[test]
fn alerts_logs_and_webhooks_that_wait_are_sound() {
    let store = Store::new();
    let (_db, waiting) = store.tree("deliveries");
    assert_eq!(waiting.len(), 1, "a webhook waits");
    drop((waiting, _db));
    let outcome = store.setup.same_folder().args(["check"]).run();
    let sound = "the store is sound: 2 integrations, 1 alerts, ";
    assert!(outcome.stdout.starts_with(sound), "{outcome:?}");
    assert_eq!(store.damages(), [""; 0]);
}

#[test]
fn an_alert_that_its_index_lacks_is_found() {
    let store = Store::new();
    let said = format!(
        "alert '{}' is missing from the index of account '{}'",
        store.alert, store.sid
    );
    let key = store.key(&1_u64.to_be_bytes());
    store.says_after(
        "alerts_by_account",
        |tree| drop(tree.remove(&key).unwrap().unwrap()),
        &[said],
    );
}

#[test]
fn a_log_that_is_gone_is_found() {
    let store = Store::new();
    let (log, (db, logs)) = (&store.log, store.tree("logs"));
    logs.remove(log).unwrap().expect("the log is there");
    db.flush().unwrap();
    drop((logs, db));
    let damages = store.damages();
    let missing = damages
        .iter()
        .any(|line| line.contains(log.as_str()) && line.contains("does not exist"));
    let miscounted = damages.iter().any(|line| line.contains(" logs, but "));
    assert!(damages.len() == 2 && missing && miscounted, "{damages:#?}");
}

#[test]
fn a_third_party_id_that_leads_nowhere_is_found() {
    let store = Store::new();
    let said = |id: &str| {
        format!(
            "'alerts_by_thirdparty' of account '{}' points to '{id}', which does not match",
            store.sid
        )
    };

    let entry = |tree: &sled::Tree| tree.first().unwrap().unwrap().0;
    let gone = said("alt_gone0000000000");
    store.says_after(
        "alerts_by_thirdparty",
        |tree| drop(tree.insert(entry(tree), "alt_gone0000000000")),
        &[gone],
    );
    store.says_after(
        "alerts_by_thirdparty",
        |tree| drop(tree.insert(entry(tree), store.alert.as_str())),
        &[],
    );
    let key = store.key(&[7; 32]);
    let of_another = said(&store.alert);
    store.says_after(
        "alerts_by_thirdparty",
        |tree| drop(tree.insert(key, store.alert.as_str())),
        &[of_another],
    );
}

#[test]
fn a_sender_that_is_not_known_and_one_that_is_none_are_found() {
    let store = Store::new();
    let forgotten = format!(
        "integration '{}' is missing from the webhook integrations of account '{}'",
        store.sender, store.sid
    );
    let (key, wrong) = (
        store.key(store.sender.as_bytes()),
        store.key(store.source.as_bytes()),
    );
    store.says_after(
        "senders_by_account",
        |tree| drop(tree.remove(&key).unwrap().unwrap()),
        &[forgotten],
    );
    store.says_after(
        "senders_by_account",
        |tree| drop(tree.insert(&key, "").unwrap()),
        &[],
    );
    let none = format!(
        "'senders_by_account' of account '{}' points to '{}', which does not match",
        store.sid, store.source
    );
    store.says_after(
        "senders_by_account",
        |tree| drop(tree.insert(&wrong, "").unwrap()),
        &[none],
    );
}

#[test]
fn what_waits_to_be_sent_and_makes_no_sense_is_found() {
    let store = Store::new();
    let (db, waiting) = store.tree("deliveries");
    let (key, _) = waiting.first().unwrap().unwrap();

    waiting.insert(&key, r#"{"sid":"acc_1"}"#).unwrap();
    waiting.insert("early", "{}").unwrap();
    db.flush().unwrap();
    drop((waiting, db));

    let damages = store.damages();
    let unreadable = format!(
        "message 0 in the outbox of '{}' cannot be decoded: ",
        store.sender
    );

    assert!(damages[0].starts_with(&unreadable), "{damages:#?}");
    assert_eq!(
        damages[1..],
        ["outbox message with a malformed key: 'early'"]
    );
}

#[test]
fn a_queue_and_what_is_in_it_belong_together() {
    let store = Store::new();
    let name = store.key(store.sender.as_bytes());
    let first = [&name[..], &[0], &0_u64.to_be_bytes()].concat();
    let gone = format!(
        "message 0 in the outbox of '{}' does not exist",
        store.sender
    );
    let (db, waiting) = store.tree("deliveries");
    let content = waiting.remove(&first).unwrap().expect("a webhook waits");
    db.flush().unwrap();
    drop((waiting, db));
    assert_eq!(store.damages(), [gone]);
    store.says_after(
        "deliveries",
        |tree| drop(tree.insert(&first, content).unwrap()),
        &[],
    );
    let lost = format!("message 0 of '{}' belongs to no outbox", store.sender);
    store.says_after(
        "queues",
        |tree| drop(tree.remove(&name).unwrap().expect("there is a queue")),
        &[lost],
    );
}

/// Version 1 had none of the trees of alerts, logs and webhooks.
#[test]
fn a_store_of_the_first_version_is_brought_up_to_this_one() {
    let store = Store::new();
    let db = store.setup.engine();
    for tree in [
        "alerts",
        "alerts_by_account",
        "alerts_by_thirdparty",
        "logs",
        "logs_by_account",
        "senders_by_account",
        "queues",
        "deliveries",
    ] {
        assert!(db.drop_tree(tree).unwrap(), "there was a tree '{tree}'");
    }

    let accounts = db.open_tree("accounts").unwrap();
    for collection in ["alerts", "logs"] {
        accounts
            .remove(store.key(collection.as_bytes()))
            .unwrap()
            .expect("there were counters");
    }

    let schema = db
        .open_tree("meta")
        .unwrap()
        .insert("schema", "1")
        .unwrap()
        .unwrap();

    assert_eq!(&*schema, b"3", "this test is about the way from 1 to 3");
    db.flush().unwrap();
    drop((accounts, db));

    let server = store.setup.start();
    let total = |list: &str| {
        server.client("ops").get(list).json()["total_count"]
            .as_u64()
            .unwrap()
    };

    assert_eq!(
        [total("/integration"), total("/alert"), total("/log")],
        [2, 0, 0]
    );
    event(&server, &store.source);

    let alert = only(&server, "/alert");
    assert_eq!(
        (&alert["tinyId"], &alert["thirdparty_id"]),
        (&json!(1), &json!("job-7"))
    );
    server.stop();

    let (db, waiting) = store.tree("deliveries");
    assert_eq!(
        waiting.len(),
        1,
        "who sent before the new version sends with it"
    );
    assert_eq!(
        &*db.open_tree("meta")
            .unwrap()
            .get("schema")
            .unwrap()
            .unwrap(),
        b"3"
    );
    drop((waiting, db));
    assert_eq!(store.damages(), [""; 0]);
}
