//! Somebody who only looks: what was shown once, a crash must not take back.

use super::{
    child::Client,
    found::{Page, parse},
    random::Random,
};
use std::collections::{BTreeMap, BTreeSet};

/// What one reader of an account has been shown since the start of a server.
#[derive(Default)]
pub(crate) struct Witness {
    /// By id: each object as it was shown last.
    seen: BTreeMap<String, String>,
    /// What was shown and then was not there any more.
    gone: BTreeSet<String>,
}

impl Witness {
    /// Looks at a list and at one object. `false` when there is no answer.
    pub(crate) fn looks(&mut self, client: &Client, random: &mut Random) -> bool {
        let Ok(page) = Page::ask(client, 100, random.below(2) as usize * 30) else {
            return false;
        };

        for (id, object) in page.objects() {
            self.notes(id, object);
        }

        let known = random.below(self.seen.len().max(1) as u64) as usize;
        let Some(id) = self.seen.keys().nth(known).cloned() else {
            return true;
        };

        let Ok(answer) = client.try_call("GET", &format!("/integration/{id}"), None) else {
            return false;
        };

        match answer.status {
            200 => self.notes(id, answer.text()),
            404 => drop(self.gone.insert(id)),
            other => panic!("{other}: {}", answer.text()),
        }

        true
    }

    fn notes(&mut self, id: String, object: String) {
        assert!(
            !self.gone.contains(&id),
            "it was gone and is back: {object}"
        );
        if let Some(before) = self.seen.insert(id.clone(), object) {
            assert_not_older(&self.seen[&id], &before);
        }
    }

    /// Looks that a restarted server has all that was shown, at least as new, and nothing that was
    /// gone. Only what somebody deleted, or was about to delete, may be missing. Returns how much
    /// was shown.
    pub(crate) fn verify(
        &self,
        objects: &BTreeMap<&String, &String>,
        deleted: &BTreeSet<&String>,
    ) -> usize {
        for (id, shown) in &self.seen {
            match objects.get(id) {
                Some(now) => {
                    assert!(!self.gone.contains(id), "it was gone and is back: {now}");
                    assert_not_older(now, shown);
                }
                None => assert!(
                    deleted.contains(id),
                    "it was shown and was taken back: {shown}"
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
        "it was shown as {shown}\nand is now {now}"
    );
}
