//! A thread that writes to a server, and what it knows of the objects that it made.

use super::{
    child::{Answer, Client},
    found::{Found, Page, parse},
    random::Random,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One thread, and what it knows of the objects that it made.
pub(crate) struct Worker {
    number: usize,
    pub(crate) account: usize,
    random: Random,
    created: u64,
    /// By id: each object as it was last acknowledged.
    pub(crate) objects: BTreeMap<String, String>,
    /// Deletes that were acknowledged.
    pub(crate) deleted: BTreeSet<String>,
    pending: Option<Write>,
    pub(crate) acknowledged: u64,
    /// Numbers that were given to it since the last look, with the ids of their objects.
    pub(crate) given: Vec<(u64, String)>,
}

/// A write that was asked for.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    Create(Value),
    Update(String, Value),
    Delete(String),
}

impl Worker {
    pub(crate) fn new(number: usize, account: usize, seed: u64) -> Self {
        let (objects, deleted) = (BTreeMap::new(), BTreeSet::new());
        let random = Random(seed);
        Self {
            number,
            account,
            random,
            created: 0,
            objects,
            deleted,
            pending: None,
            acknowledged: 0,
            given: Vec::new(),
        }
    }

    /// Writes something, and sometimes looks at a list before. `false`, and a write stays pending,
    /// when there is no answer.
    pub(crate) fn writes(&mut self, client: &Client) -> bool {
        if self.random.below(6) == 0 && !self.lists(client) {
            return false;
        }

        let write = self.choose();
        self.pending = Some(write.clone());
        let path = |id: &str| format!("/integration/{id}");
        let answer = match &write {
            Write::Create(body) => client.try_call("POST", "/integration", Some(body)),
            Write::Update(id, change) => client.try_call("PUT", &path(id), Some(change)),
            Write::Delete(id) => client.try_call("DELETE", &path(id), None),
        };

        match answer {
            Ok(answer) => self.settle(write, &answer),
            Err(_killed) => return false,
        }

        self.pending = None;
        self.acknowledged += 1;
        true
    }

    /// Looks at a page while others write: what is its own must be there as it was acknowledged.
    /// `false` without an answer.
    fn lists(&mut self, client: &Client) -> bool {
        let (limit, offset) = (
            1 + self.random.below(100) as usize,
            self.random.below(3) as usize * 20,
        );
        let Ok(page) = Page::ask(client, limit, offset) else {
            return false;
        };

        let listed = page.objects();
        assert_eq!(listed.len(), page.data.len(), "an object is listed twice");
        assert!(
            page.total_count >= self.objects.len(),
            "more are its own than there are in all"
        );

        let whole = offset == 0 && !page.has_more;
        for (id, acknowledged) in &self.objects {
            match listed.get(id) {
                Some(object) => assert_eq!(object, acknowledged),
                None => assert!(!whole, "not listed: {acknowledged}"),
            }
        }

        for id in &self.deleted {
            assert!(!listed.contains_key(id), "{id} was deleted and is listed");
        }

        true
    }

    fn choose(&mut self) -> Write {
        let known = self.random.below(self.objects.len().max(1) as u64) as usize;
        match (
            self.objects.keys().nth(known).cloned(),
            self.random.below(10),
        ) {
            (Some(id), 5..8) => Write::Update(
                id,
                json!({ "name": self.fresh_name(), "meta": self.filling() }),
            ),
            (Some(id), 8..10) => Write::Delete(id),
            _ => {
                let (name, meta) = (self.fresh_name(), self.filling());
                Write::Create(
                    json!({ "name": name, "type": "webhook", "destination_ids": [], "meta": meta }),
                )
            }
        }
    }

    /// No two writes of all rounds have the same.
    fn fresh_name(&mut self) -> String {
        self.created += 1;
        format!("thread {} write {}", self.number, self.created)
    }

    /// Mostly small; sometimes so large that the engine stores it elsewhere.
    fn filling(&mut self) -> Value {
        let length = match self.random.below(50) {
            0 => 300_000,
            1..5 => 30_000,
            _ => 200,
        };
        json!({ "filling": format!("{:x}", self.random.next() & 15).repeat(self.random.below(length) as usize) })
    }

    fn settle(&mut self, write: Write, answer: &Answer) {
        let expected = if matches!(write, Write::Delete(_)) {
            204
        } else {
            200
        };

        assert_eq!(answer.status, expected, "{write:?}: {}", answer.text());
        match write {
            Write::Create(_) => self.learn(answer.text()),
            Write::Update(id, _) => drop(self.objects.insert(id, answer.text())),
            Write::Delete(id) => {
                self.objects.remove(&id);
                self.deleted.insert(id);
            }
        }
    }

    fn learn(&mut self, object: String) {
        let attributes = parse(&object);
        let id = attributes["id"].as_str().unwrap().to_owned();
        self.given
            .push((attributes["tinyId"].as_u64().unwrap(), id.clone()));
        self.objects.insert(id, object);
    }

    /// Compares what a restarted server shows of this thread's objects, and takes them out of it.
    pub(crate) fn compare(&mut self, found: &mut Found) {
        let pending = self.pending.take();
        for (id, acknowledged) in std::mem::take(&mut self.objects) {
            let now = found.objects.remove(&id);
            match (&pending, now) {
                (_, Some(now)) if now == acknowledged => drop(self.objects.insert(id, now)),
                (Some(Write::Update(updated, change)), Some(now)) if *updated == id => {
                    assert_is_changed_by(change, &acknowledged, &now);
                    self.objects.insert(id, now);
                }
                (Some(Write::Delete(deleted)), None) if *deleted == id => {
                    self.deleted.insert(id);
                }
                (_, now) => {
                    panic!("acknowledged: {acknowledged}\nfound: {now:?}\npending: {pending:?}")
                }
            }
        }

        for id in &self.deleted {
            assert!(
                !found.objects.contains_key(id),
                "{id} was deleted and is back"
            );
        }

        if let Some(Write::Create(body)) = pending {
            let made = found
                .objects
                .iter()
                .find(|(_, object)| parse(object)["name"] == body["name"]);

            if let Some(id) = made.map(|(id, _)| id.clone()) {
                let object = found.objects.remove(&id).unwrap();
                assert_eq!(
                    parse(&object)["meta"],
                    body["meta"],
                    "made by half: {object}"
                );
                self.learn(object);
            }
        }
    }
}

/// Only what the change names is different, and the time of the change.
#[track_caller]
fn assert_is_changed_by(change: &Value, before: &str, after: &str) {
    let (mut expected, after) = (parse(before), parse(after));
    assert!(after["updatedAt"].as_str() > expected["updatedAt"].as_str());
    expected["updatedAt"] = after["updatedAt"].clone();
    for (attribute, value) in change.as_object().unwrap() {
        expected[attribute] = value.clone();
    }
    assert_eq!(after, expected);
}
