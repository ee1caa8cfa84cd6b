//! A client that creates, updates and deletes integrations, and knows their expected state.

use super::listing::{Listing, Page, parse};
use crate::support::{Client, Response, random::SplitMix64};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One writer with its objects. Other writers of the account never change them.
pub(crate) struct WriterClient {
    number: usize,
    pub(crate) account: usize,
    random: SplitMix64,
    created: u64,
    /// The last acknowledged version of each object, by id.
    pub(crate) objects: BTreeMap<String, String>,
    /// Ids of objects whose delete was acknowledged.
    pub(crate) deleted: BTreeSet<String>,
    pending: Option<Write>,
    pub(crate) acknowledged: u64,
    /// `tinyId`s that were assigned since the last verification, with the ids of their objects.
    pub(crate) given: Vec<(u64, String)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Write {
    Create(Value),
    Update(String, Value),
    Delete(String),
}

impl WriterClient {
    pub(crate) fn new(number: usize, account: usize, seed: u64) -> Self {
        let (objects, deleted) = (BTreeMap::new(), BTreeSet::new());
        let random = SplitMix64(seed);
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

    /// Sends one write, sometimes after reading a list. Returns `false`, and keeps the write as
    /// pending, if there is no response.
    pub(crate) fn write(&mut self, client: &Client) -> bool {
        if self.random.below(6) == 0 && !self.list(client) {
            return false;
        }

        let write = self.choose_write();
        self.pending = Some(write.clone());
        let path = |id: &str| format!("/integration/{id}");
        let response = match &write {
            Write::Create(body) => client.try_call("POST", "/integration", Some(body)),
            Write::Update(id, change) => client.try_call("PUT", &path(id), Some(change)),
            Write::Delete(id) => client.try_call("DELETE", &path(id), None),
        };

        match response {
            Ok(response) => self.record(write, &response),
            Err(_ignored) => return false,
        }

        self.pending = None;
        self.acknowledged += 1;
        true
    }

    /// Reads a page while others write, and asserts that it has this writer's objects in their
    /// acknowledged versions. Returns `false` if there is no response.
    fn list(&mut self, client: &Client) -> bool {
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
            "`total_count` is less than the number of this writer's objects"
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

    fn choose_write(&mut self) -> Write {
        let known = self.random.below(self.objects.len().max(1) as u64) as usize;
        match (
            self.objects.keys().nth(known).cloned(),
            self.random.below(10),
        ) {
            (Some(id), 5..8) => Write::Update(
                id,
                json!({ "name": self.unique_name(), "meta": self.padding() }),
            ),
            (Some(id), 8..10) => Write::Delete(id),
            _ => {
                let (name, meta) = (self.unique_name(), self.padding());
                Write::Create(
                    json!({ "name": name, "type": "webhook", "destination_ids": [], "meta": meta }),
                )
            }
        }
    }

    /// A name that no other write of any round has.
    fn unique_name(&mut self) -> String {
        self.created += 1;
        format!("thread {} write {}", self.number, self.created)
    }

    /// Mostly small, sometimes large enough that sled stores it in a blob file.
    fn padding(&mut self) -> Value {
        let length = match self.random.below(50) {
            0 => 300_000,
            1..5 => 30_000,
            _ => 200,
        };
        json!({ "padding": format!("{:x}", self.random.next() & 15).repeat(self.random.below(length) as usize) })
    }

    fn record(&mut self, write: Write, response: &Response) {
        let expected = if matches!(write, Write::Delete(_)) {
            204
        } else {
            200
        };

        assert_eq!(response.status, expected, "{write:?}: {}", response.text());
        match write {
            Write::Create(_) => self.insert(response.text()),
            Write::Update(id, _) => drop(self.objects.insert(id, response.text())),
            Write::Delete(id) => {
                self.objects.remove(&id);
                self.deleted.insert(id);
            }
        }
    }

    fn insert(&mut self, object: String) {
        let attributes = parse(&object);
        let id = attributes["id"].as_str().unwrap().to_owned();
        self.given
            .push((attributes["tinyId"].as_u64().unwrap(), id.clone()));
        self.objects.insert(id, object);
    }

    /// Asserts that a restarted server has this writer's objects, and removes them from the
    /// listing.
    pub(crate) fn compare(&mut self, listing: &mut Listing) {
        let pending = self.pending.take();
        for (id, acknowledged) in std::mem::take(&mut self.objects) {
            let now = listing.objects.remove(&id);
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
                !listing.objects.contains_key(id),
                "{id} was deleted and is back"
            );
        }

        if let Some(Write::Create(body)) = pending {
            let made = listing
                .objects
                .iter()
                .find(|(_, object)| parse(object)["name"] == body["name"]);

            if let Some(id) = made.map(|(id, _)| id.clone()) {
                let object = listing.objects.remove(&id).unwrap();
                assert_eq!(
                    parse(&object)["meta"],
                    body["meta"],
                    "a half-applied create: {object}"
                );
                self.insert(object);
            }
        }
    }
}

/// Asserts that only `updatedAt` and the attributes in the change differ.
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
