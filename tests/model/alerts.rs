//! Random lives of alerts: events and users make and change them, and lists must show what single
//! answers have shown.
//!
//! What becomes of an event and which steps are allowed is worked out here; how an alert is written
//! is learnt from the answer to the change, and from then on every list must have it like that,
//! whatever it filters and sorts by.

use super::{
    lists::{self, Query},
    running::{Host, Storage},
    world::{Known, Object, Outcome},
};
use crate::support::Response;
use proptest::{collection::vec, option, prelude::*, sample::Index, sample::select};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ACCOUNTS: usize = 2;

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// An event of this kind about one of a few ids.
    Event(usize, &'static str, &'static str, Option<&'static str>),
    Create(usize, Map<String, Value>),
    Change(usize, Index, Map<String, Value>),
    /// Acknowledge, resolve or archive any that ever was, also one that is deleted or another's.
    Go(usize, Index, &'static str),
    Delete(usize, Index),
    List(usize, Query),
    Jump(i64),
    Restart,
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let account = || 0..ACCOUNTS;
    let urgency = || select(vec!["low", "medium", "high", "critical"]);
    let title = || select(vec!["Disk full", "disk full", "Größe & Co", "a, b", "z"]);
    let tags = || vec(select(vec!["eu", "db", "web"]), 0..3);
    let some = move || {
        (
            option::of(title()),
            option::of(urgency()),
            option::of(tags()),
        )
            .prop_map(|(title, urgency, tags)| {
                let members = [
                    ("title", title.map(Value::from)),
                    ("urgency", urgency.map(Value::from)),
                    (
                        "tags",
                        tags.map(|tags| {
                            let mut once = tags;
                            once.sort_unstable();
                            once.dedup();
                            json!(once)
                        }),
                    ),
                ];

                members
                    .into_iter()
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect::<Map<_, _>>()
            })
    };

    let created = (title(), some()).prop_map(|(title, mut body)| {
        body.insert("title".into(), title.into());
        body.insert("destination_ids".into(), json!([]));
        body
    });

    let kind = select(vec!["create", "create", "create", "acknowledge", "resolve"]);
    let about = select(vec!["disk", "cpu", "job-7"]);
    prop_oneof![
        12 => (account(), kind, about, option::of(urgency())).prop_map(|(a, kind, about, urgency)| Step::Event(a, kind, about, urgency)),
        4 => (account(), created).prop_map(|(a, body)| Step::Create(a, body)),
        4 => (account(), any::<Index>(), some()).prop_map(|(a, which, body)| Step::Change(a, which, body)),
        8 => (account(), any::<Index>(), select(vec!["acknowledge", "resolve", "archive"])).prop_map(|(a, which, step)| Step::Go(a, which, step)),
        3 => (account(), any::<Index>()).prop_map(|(a, which)| Step::Delete(a, which)),
        12 => (account(), lists::query_of_alerts()).prop_map(|(a, query)| Step::List(a, query)),
        2 => (-100_000..200_000_i64).prop_map(Step::Jump),
        1 => Just(Step::Restart),
    ]
}

pub(crate) struct World {
    host: Host,
    sources: Vec<String>,
    /// By account and number, as it was last answered.
    alerts: BTreeMap<(usize, u64), Object>,
    last: [u64; ACCOUNTS],
    known: Known,
}

impl World {
    pub(crate) fn new(storage: Storage) -> Self {
        let host = Host::new(storage, ACCOUNTS);
        let source =
            json!({ "name": "source", "type": "webhook", "destination_ids": [], "urgency": "low" });
        let made = host
            .clients
            .iter()
            .map(|client| client.post("/integration", &source).json());
        let sources = made
            .map(|made| made["id"].as_str().unwrap().to_owned())
            .collect();

        Self {
            host,
            sources,
            alerts: BTreeMap::new(),
            last: [0; ACCOUNTS],
            known: Known::default(),
        }
    }

    pub(crate) fn take(&mut self, step: Step) -> Outcome {
        match step {
            Step::Event(account, kind, about, urgency) => self.event(account, kind, about, urgency),
            Step::Create(account, body) => {
                let answer = self.host.clients[account].post("/alert", &body.clone().into());
                self.is_new(account, &answer)?;
                self.has(account, self.last[account], &body)
            }
            Step::Change(account, which, body) => self.change(account, which, &body),
            Step::Go(account, which, step) => self.go(account, which, step),
            Step::Delete(account, which) => {
                let Some((path, key)) = self.choose(account, which) else {
                    return Ok(());
                };
                let answer = self.host.clients[account].delete(&path);
                let removed = key.and_then(|key| self.alerts.remove(&key));
                prop_assert_eq!(answer.status, if removed.is_some() { 204 } else { 404 });
                Ok(())
            }
            Step::List(account, query) => self.list(account, query),
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

    /// The newest about an id that the account's source has reported.
    fn newest(&self, account: usize, about: &str) -> Option<(usize, u64)> {
        let own = self.alerts.range((account, 0)..=(account, u64::MAX));
        let is_meant = |alert: &Object| {
            alert["thirdparty_id"] == about && alert["source_id"] == self.sources[account].as_str()
        };
        own.rev()
            .find(|(_, alert)| is_meant(alert))
            .map(|(key, _)| *key)
    }

    fn event(&mut self, account: usize, kind: &str, about: &str, urgency: Option<&str>) -> Outcome {
        let newest = self.newest(account, about);
        let status = newest.map(|key| self.alerts[&key]["status"].as_str().unwrap().to_owned());
        let event = json!({ "event_type": kind, "id": about, "title": about, "urgency": urgency });
        let answer = self.host.clients[account]
            .post(&format!("/integration/{}", self.sources[account]), &event);

        prop_assert_eq!(answer.status, 200);
        match (kind, status.as_deref()) {
            ("create", None | Some("resolved" | "archived")) => {
                let newest = self.host.clients[account]
                    .get("/alert?sort=-tinyId&limit=1")
                    .json();
                let path = format!("/alert/{}", newest["data"][0]["id"].as_str().unwrap());
                let answer = self.host.clients[account].get(&path);
                self.is_new(account, &answer)?;
                let expected = json!({ "title": about, "thirdparty_id": about, "urgency": urgency.unwrap_or("low") });
                self.has(account, self.last[account], expected.as_object().unwrap())
            }
            ("acknowledge", Some("open")) => self.becomes(newest.unwrap(), "acknowledged"),
            ("resolve", Some("open" | "acknowledged")) => self.becomes(newest.unwrap(), "resolved"),
            _ => Ok(()),
        }
    }

    /// The answer has an alert that was not there before, with the next number.
    fn is_new(&mut self, account: usize, answer: &Response) -> Outcome {
        prop_assert_eq!(answer.status, 200, "{}", answer.text());
        let alert = object(answer);
        self.last[account] += 1;
        let number = self.last[account];
        prop_assert_eq!(alert["tinyId"].as_u64(), Some(number));
        prop_assert_eq!(&alert["status"], "open");
        self.known
            .add(account, number, alert["id"].as_str().unwrap());
        self.alerts.insert((account, number), alert);
        Ok(())
    }

    /// All of this, and what it is now is remembered.
    fn has(&self, account: usize, number: u64, body: &Map<String, Value>) -> Outcome {
        let alert = &self.alerts[&(account, number)];
        for (name, value) in body {
            prop_assert_eq!(&alert[name], value, "{}", name);
        }
        Ok(())
    }

    fn becomes(&mut self, key: (usize, u64), status: &str) -> Outcome {
        let path = format!("/alert/{}", self.alerts[&key]["id"].as_str().unwrap());
        self.shows(key, &self.host.clients[key.0].get(&path), status)
    }

    fn shows(&mut self, key: (usize, u64), answer: &Response, status: &str) -> Outcome {
        prop_assert_eq!(answer.status, 200, "{}", answer.text());
        let alert = object(answer);
        prop_assert_eq!(&alert["status"], status);
        prop_assert_eq!(&alert["id"], &self.alerts[&key]["id"]);
        self.alerts.insert(key, alert);
        Ok(())
    }

    /// Something that ever was, as its path, and where the account should find it.
    fn choose(&self, account: usize, which: Index) -> Option<(String, Option<(usize, u64)>)> {
        let (id, key) = self.known.choose(account, which, &self.alerts)?;
        Some((format!("/alert/{id}"), key))
    }

    fn change(&mut self, account: usize, which: Index, body: &Map<String, Value>) -> Outcome {
        let Some((path, key)) = self.choose(account, which) else {
            return Ok(());
        };
        let answer = self.host.clients[account].put(&path, &body.clone().into());
        let Some(key) = key else {
            prop_assert_eq!(answer.status, 404);
            return Ok(());
        };
        let status = self.alerts[&key]["status"].as_str().unwrap().to_owned();
        self.shows(key, &answer, &status)?;
        self.has(key.0, key.1, body)
    }

    fn go(&mut self, account: usize, which: Index, step: &str) -> Outcome {
        let Some((path, key)) = self.choose(account, which) else {
            return Ok(());
        };

        let answer = self.host.clients[account].post(&format!("{path}/{step}"), &json!({}));
        let Some(key) = key else {
            prop_assert_eq!(answer.status, 404);
            return Ok(());
        };

        match (step, self.alerts[&key]["status"].as_str().unwrap()) {
            ("acknowledge", "open") => self.shows(key, &answer, "acknowledged"),
            ("resolve", "open" | "acknowledged") => self.shows(key, &answer, "resolved"),
            ("archive", "resolved") => self.shows(key, &answer, "archived"),
            (_, _) => {
                prop_assert_eq!(answer.status, 400, "{}", answer.text());
                Ok(())
            }
        }
    }

    fn list(&self, account: usize, query: Query) -> Outcome {
        let query = query.about(&self.sources[account]);
        let own = self
            .alerts
            .range((account, 0)..=(account, u64::MAX))
            .map(|(_, alert)| alert);
        let answer = self.host.clients[account].get(&format!("/alert?{}", query.encoded()));
        prop_assert_eq!(answer.text(), query.answer(own), "{}", query.encoded());
        Ok(())
    }
}

fn object(answer: &Response) -> Object {
    serde_json::from_slice(&answer.body).unwrap()
}
