//! The server and its model, side by side.

use super::{
    lists::Query,
    running::{Host, Storage},
    steps::{ACCOUNTS, Step},
};
use crate::support::Response;
use chrono::{DateTime, SecondsFormat};
use proptest::{prelude::TestCaseError, prop_assert, prop_assert_eq, sample::Index};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

pub(crate) type Outcome = Result<(), TestCaseError>;

/// An integration of the model: the JSON that the server should show.
pub(crate) type Object = Map<String, Value>;

/// Account, number and id of all that ever were.
#[derive(Default)]
pub(crate) struct Known(Vec<(usize, u64, String)>);

impl Known {
    pub(crate) fn add(&mut self, account: usize, number: u64, id: &str) {
        self.0.push((account, number, id.to_owned()));
    }

    fn has(&self, id: &str) -> bool {
        self.0.iter().any(|(_, _, known)| known == id)
    }

    /// Something that ever was, as its id, and where the account should find it.
    pub(crate) fn choose<T>(
        &self,
        account: usize,
        which: Index,
        there: &BTreeMap<(usize, u64), T>,
    ) -> Option<(&str, Option<(usize, u64)>)> {
        let (owner, number, id) = self.0.get(which.index(self.0.len().max(1)))?;
        let key = (*owner, *number);
        Some((
            id,
            (*owner == account && there.contains_key(&key)).then_some(key),
        ))
    }
}

pub(crate) struct World {
    host: Host,
    /// The model: by account and number, what is there.
    objects: BTreeMap<(usize, u64), Object>,
    /// The last number that each account got.
    last: [u64; ACCOUNTS],
    known: Known,
}

impl World {
    pub(crate) fn new(storage: Storage) -> Self {
        let (objects, known) = (BTreeMap::new(), Known::default());
        Self {
            host: Host::new(storage, ACCOUNTS),
            objects,
            last: [0; ACCOUNTS],
            known,
        }
    }

    /// Lets something happen to both, and compares.
    pub(crate) fn take(&mut self, step: Step) -> Outcome {
        match step {
            Step::Create(account, draft) => self.create(account, draft),
            Step::Update(account, which, patch) => self.update(account, which, patch),
            Step::Delete(account, which) => self.delete(account, which),
            Step::Get(account, which) => self.get(account, which),
            Step::List(account, query) => self.list(account, &query),
            Step::Jump(by) => {
                self.host.jump(by);
                Ok(())
            }
            Step::Restart => {
                self.host.restart();
                Ok(())
            }
        }
    }

    fn time(&self) -> String {
        DateTime::from_timestamp_millis(self.host.now)
            .unwrap()
            .to_rfc3339_opts(SecondsFormat::Millis, true)
    }

    fn create(&mut self, account: usize, draft: Object) -> Outcome {
        let answer = self.host.clients[account].post("/integration", &draft.clone().into());
        prop_assert_eq!(answer.status, 200, "{}", answer.text());
        let created = answer.json();

        self.last[account] += 1;
        let number = self.last[account];
        let mut object = json!({
            // These two only the server can know; that they stay what they were, all other steps
            // look after.
            "sid": created["sid"], "id": created["id"],
            "createdAt": self.time(), "updatedAt": self.time(), "meta": {}, "tinyId": number, "name": "", "type": "",
            "enabled": true, "urgency": "medium", "destination_ids": [], "options": {},
        });

        let object = object.as_object_mut().unwrap();
        apply(object, draft);
        prop_assert_eq!(answer.text(), text(object));

        let id = object["id"].as_str().unwrap().to_owned();
        prop_assert!(!self.known.has(&id), "an id is given once");
        let anothers = |(key, known): (&(usize, u64), &Object)| {
            (key.0 == account) != (known["sid"] == object["sid"])
        };

        prop_assert_eq!(
            self.objects.iter().position(anothers),
            None,
            "one sid for each account"
        );
        self.objects
            .insert((account, number), std::mem::take(object));
        self.known.add(account, number, &id);

        Ok(())
    }

    /// Something that ever was, as its path, and where the account should find it.
    fn choose(&self, account: usize, which: Index) -> Option<(String, Option<(usize, u64)>)> {
        let (id, key) = self.known.choose(account, which, &self.objects)?;
        Some((format!("/integration/{id}"), key))
    }

    fn update(&mut self, account: usize, which: Index, patch: Object) -> Outcome {
        let Some((path, key)) = self.choose(account, which) else {
            return Ok(());
        };

        let answer = self.host.clients[account].put(&path, &patch.clone().into());
        let Some(key) = key else {
            return is_not_found(&answer);
        };

        let time = self.time();
        let object = self.objects.get_mut(&key).unwrap();
        let mut changed = object.clone();

        apply(&mut changed, patch);
        if changed != *object {
            let next = following(&object["updatedAt"]);
            changed["updatedAt"] = time.max(next).into();
            *object = changed;
        }

        prop_assert_eq!(answer.text(), text(object));
        Ok(())
    }

    fn delete(&mut self, account: usize, which: Index) -> Outcome {
        let Some((path, key)) = self.choose(account, which) else {
            return Ok(());
        };
        let answer = self.host.clients[account].delete(&path);
        let Some(key) = key else {
            return is_not_found(&answer);
        };
        self.objects.remove(&key);
        prop_assert_eq!((answer.status, answer.text()), (204, String::new()));
        Ok(())
    }

    fn get(&self, account: usize, which: Index) -> Outcome {
        let Some((path, key)) = self.choose(account, which) else {
            return Ok(());
        };
        let answer = self.host.clients[account].get(&path);
        let Some(key) = key else {
            return is_not_found(&answer);
        };
        prop_assert_eq!(answer.text(), text(&self.objects[&key]));
        Ok(())
    }

    fn list(&self, account: usize, query: &Query) -> Outcome {
        let own = self
            .objects
            .range((account, 0)..=(account, u64::MAX))
            .map(|(_, object)| object);
        let answer = self.host.clients[account].get(&format!("/integration?{}", query.encoded()));
        prop_assert_eq!(answer.text(), query.answer(own), "{}", query.encoded());
        Ok(())
    }
}

fn is_not_found(answer: &Response) -> Outcome {
    prop_assert_eq!(answer.status, 404);
    prop_assert_eq!(
        answer.text(),
        r#"{"errors":[{"message":"Integration not found"}]}"#
    );
    Ok(())
}

/// What a body says of an object, put into it.
fn apply(object: &mut Object, body: Object) {
    for (attribute, value) in body {
        let value = match (attribute.as_str(), value) {
            ("tinyId", _) => continue,
            ("enabled", Value::String(text)) => Value::Bool(text == "true"),
            ("destination_ids", Value::Array(ids)) => {
                let once = |(position, id): &(usize, &Value)| !ids[..*position].contains(id);
                Value::Array(
                    ids.iter()
                        .enumerate()
                        .filter(once)
                        .map(|(_, id)| id.clone())
                        .collect(),
                )
            }
            (_, value) => value,
        };

        object[&attribute] = value;
    }
}

/// One millisecond later.
fn following(time: &Value) -> String {
    let time = DateTime::parse_from_rfc3339(time.as_str().unwrap())
        .unwrap()
        .timestamp_millis();
    DateTime::from_timestamp_millis(time + 1)
        .unwrap()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn text(object: &Object) -> String {
    serde_json::to_string(object).unwrap()
}
