//! A client that only reads: what the server returned once, a crash must not take back.

use super::listing::{Page, parse};
use crate::support::{Client, random::SplitMix64};
use std::collections::{BTreeMap, BTreeSet};

/// What one reader of an account has seen since the server started.
#[derive(Default)]
pub(crate) struct ReaderClient {
    /// The last version of each object, by id.
    seen: BTreeMap<String, String>,
    /// Ids of objects that were there and then were not.
    gone: BTreeSet<String>,
}

impl ReaderClient {
    /// Reads a list and one object. Returns `false` if there is no response.
    pub(crate) fn read(&mut self, client: &Client, random: &mut SplitMix64) -> bool {
        let Ok(page) = Page::ask(client, 100, random.below(2) as usize * 30) else {
            return false;
        };

        for (id, object) in page.objects() {
            self.observe(id, object);
        }

        let known = random.below(self.seen.len().max(1) as u64) as usize;
        let Some(id) = self.seen.keys().nth(known).cloned() else {
            return true;
        };

        let Ok(response) = client.try_call("GET", &format!("/integration/{id}"), None) else {
            return false;
        };

        match response.status {
            200 => self.observe(id, response.text()),
            404 => drop(self.gone.insert(id)),
            other => panic!("{other}: {}", response.text()),
        }

        true
    }

    fn observe(&mut self, id: String, object: String) {
        assert!(
            !self.gone.contains(&id),
            "a deleted object is back: {object}"
        );
        if let Some(before) = self.seen.insert(id.clone(), object) {
            assert_not_older(&self.seen[&id], &before);
        }
    }

    /// Asserts that a restarted server has every object that this reader saw, in that version or a
    /// newer one, and none that had disappeared. Objects whose delete was acknowledged or under
    /// way may be missing. Returns the number of objects seen.
    pub(crate) fn verify(
        &self,
        objects: &BTreeMap<&String, &String>,
        deleted: &BTreeSet<&String>,
    ) -> usize {
        for (id, shown) in &self.seen {
            match objects.get(id) {
                Some(now) => {
                    assert!(!self.gone.contains(id), "a deleted object is back: {now}");
                    assert_not_older(now, shown);
                }
                None => assert!(
                    deleted.contains(id),
                    "a reader saw this object and it is gone: {shown}"
                ),
            }
        }

        self.seen.len()
    }
}

#[track_caller]
fn assert_not_older(now: &str, shown: &str) {
    let updated_at = |object: &str| parse(object)["updatedAt"].as_str().unwrap().to_owned();
    let (new, old) = (updated_at(now), updated_at(shown));
    assert!(
        new > old || now == shown,
        "a reader saw {shown}\nbut the object is now {now}"
    );
}
