//! A third party and a user of one account: events that make alerts, alerts that are made by hand,
//! and a webhook for whatever happens to them.
//!
//! What each write must come to is worked out here. After a kill everything acknowledged is there,
//! and the one write that was under way has happened or not, but not by half: an event's alert, its
//! log and its webhook go together.

use super::{
    child::{Answer, Client},
    found::{Found, Numbers, list, parse},
    random::Random,
    receiver::{Receiver, Told},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is known of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alert {
    title: String,
    status: &'static str,
}

/// Alerts by what the third party calls them, the newest last. What is made by hand is called by
/// its title, and never again.
type Alerts = BTreeMap<String, Vec<Alert>>;

#[derive(Clone, Debug)]
enum Write {
    /// The integrations, one after the other; with an `Idempotency-Key`, so they are there once.
    Source,
    Sender,
    /// An event of this kind about this id; a create has this title.
    Event {
        kind: &'static str,
        about: String,
        title: String,
    },
    /// By hand, with an `Idempotency-Key`, which is the title.
    Create {
        title: String,
    },
    /// To the newest alert about this id.
    Step {
        step: &'static str,
        about: String,
    },
    Delete {
        about: String,
    },
}

/// The outcome of a write that happened.
#[derive(Clone, Debug, Default)]
struct Outcome {
    alerts: Alerts,
    told: Option<Told>,
    logs: usize,
}

pub(crate) struct Reporter {
    name: String,
    random: Random,
    receiver: Receiver,
    written: u64,
    source: Option<String>,
    sender: Option<String>,
    alerts: Alerts,
    /// Everything that the receiver must hear of, in order.
    told: Vec<Told>,
    /// Events that were taken.
    logs: usize,
    pending: Option<Write>,
    numbers: Numbers,
    pub(crate) acknowledged: u64,
    /// The alert that was last made by hand, as it was answered.
    remembered: Option<(String, String)>,
}

impl Reporter {
    pub(crate) fn new(number: usize, seed: u64, receiver: &Receiver) -> Self {
        Self {
            name: format!("reporter {number}"),
            random: Random(seed),
            receiver: receiver.clone(),
            written: 0,
            source: None,
            sender: None,
            alerts: Alerts::new(),
            told: Vec::new(),
            logs: 0,
            pending: None,
            numbers: Numbers::new(),
            acknowledged: 0,
            remembered: None,
        }
    }

    /// Its account.
    pub(crate) fn token(&self) -> &str {
        &self.name
    }

    fn whose(&self) -> String {
        self.name.replace(' ', "-")
    }

    /// Writes something. `false`, and it stays pending, when there is no answer.
    pub(crate) fn writes(&mut self, client: &Client) -> bool {
        let write = self.choose();
        self.pending = Some(write.clone());
        let Some(answer) = self.asks(client, &write) else {
            return false;
        };
        self.settle(&write, &answer);
        self.pending = None;
        self.acknowledged += 1;
        true
    }

    fn choose(&mut self) -> Write {
        if self.source.is_none() {
            return Write::Source;
        }

        if self.sender.is_none() {
            return Write::Sender;
        }

        self.written += 1;
        let title = format!("{} write {}", self.name, self.written);
        // Few ids, so that the same is reported again and again.
        let about = format!("id {}", self.random.below(12));

        let existing = self.random.below(self.alerts.len().max(1) as u64) as usize;
        let existing = self.alerts.keys().nth(existing).cloned();
        match (self.random.below(20), existing) {
            (0..6, _) => Write::Event {
                kind: "create",
                about,
                title,
            },
            (6..8, _) => Write::Event {
                kind: "acknowledge",
                about,
                title,
            },
            (8..12, _) => Write::Event {
                kind: "resolve",
                about,
                title,
            },
            (15..17, Some(about)) => Write::Step {
                step: "acknowledge",
                about,
            },
            (17..19, Some(about)) => Write::Step {
                step: "resolve",
                about,
            },
            (19, Some(about)) => Write::Delete { about },
            _ => Write::Create { title },
        }
    }

    /// `None` when the server has gone.
    fn asks(&mut self, client: &Client, write: &Write) -> Option<Answer> {
        let once = |key: &str, path: &str, body: Value| {
            client
                .clone()
                .with_header("idempotency-key", key)
                .try_call("POST", path, Some(&body))
                .ok()
        };

        match write {
            Write::Source => once(
                "source",
                "/integration",
                json!({ "name": "source", "type": "webhook", "destination_ids": [] }),
            ),
            Write::Sender => {
                let options = json!({ "url": self.receiver.url(&self.whose()) });
                let body = json!({ "name": "sender", "type": "outgoingwebhook", "destination_ids": [], "options": options });
                once("sender", "/integration", body)
            }
            Write::Event { kind, about, title } => {
                let path = format!("/integration/{}", self.source.as_ref().unwrap());
                let filling = "x".repeat(self.random.below(3_000) as usize);
                let event = json!({ "event_type": kind, "id": about, "title": title, "description": filling });
                client.try_call("POST", &path, Some(&event)).ok()
            }
            Write::Create { title } => once(title, "/alert", by_hand(title)),
            Write::Step { step, about } => {
                let id = self.newest(client, about)?;
                client
                    .try_call("POST", &format!("/alert/{id}/{step}"), None)
                    .ok()
            }
            Write::Delete { about } => {
                let id = self.newest(client, about)?;
                client
                    .try_call("DELETE", &format!("/alert/{id}"), None)
                    .ok()
            }
        }
    }

    /// The id of the newest alert about something, which there must be.
    fn newest(&self, client: &Client, about: &str) -> Option<String> {
        let query = format!(
            "/alert?thirdparty_id={}&sort=-tinyId&limit=1",
            about.replace(' ', "+")
        );
        let list = client.try_call("GET", &query, None).ok()?.json();
        assert_eq!(
            list["data"][0]["title"],
            self.alerts[about].last().unwrap().title,
            "{list}"
        );
        Some(list["data"][0]["id"].as_str().unwrap().to_owned())
    }

    fn settle(&mut self, write: &Write, answer: &Answer) {
        let outcome = self.outcome(write);
        let refused = matches!(write, Write::Step { .. }) && outcome.told.is_none();
        let expected = match write {
            Write::Delete { .. } => 204,
            _ if refused => 400,
            _ => 200,
        };

        assert_eq!(answer.status, expected, "{write:?}: {}", answer.text());
        match write {
            Write::Source => self.source = answer.json()["id"].as_str().map(str::to_owned),
            Write::Sender => self.sender = answer.json()["id"].as_str().map(str::to_owned),
            Write::Create { title } => self.remembered = Some((title.clone(), answer.text())),
            _ => {}
        }

        self.happened(outcome);
    }

    fn happened(&mut self, outcome: Outcome) {
        self.alerts = outcome.alerts;
        self.told.extend(outcome.told);
        self.logs += outcome.logs;
    }

    /// What is there once it has happened.
    fn outcome(&self, write: &Write) -> Outcome {
        let mut outcome = Outcome {
            alerts: self.alerts.clone(),
            ..Outcome::default()
        };

        let (about, kind, title) = match write {
            Write::Source | Write::Sender => return outcome,
            Write::Delete { about } => {
                let alerts = outcome.alerts.get_mut(about).unwrap();
                alerts.pop();
                if alerts.is_empty() {
                    outcome.alerts.remove(about);
                }
                return outcome;
            }
            Write::Event { kind, about, title } => {
                outcome.logs = 1;
                (about, *kind, title)
            }
            Write::Create { title } => (title, "create", title),
            Write::Step { step, about } => (about, *step, about),
        };

        let newest = outcome
            .alerts
            .get_mut(about)
            .and_then(|alerts| alerts.last_mut());
        let (status, event) = match (kind, newest.as_ref().map(|alert| alert.status)) {
            ("create", None | Some("resolved")) => ("open", "alert.created"),
            ("acknowledge", Some("open")) => ("acknowledged", "alert.acknowledged"),
            ("resolve", Some("open" | "acknowledged")) => ("resolved", "alert.resolved"),
            _ => return outcome,
        };

        let title = match newest {
            Some(alert) if kind != "create" => {
                alert.status = status;
                alert.title.clone()
            }
            _ => {
                outcome
                    .alerts
                    .entry(about.clone())
                    .or_default()
                    .push(Alert {
                        title: title.clone(),
                        status,
                    });
                title.clone()
            }
        };

        // A server does not have a sender at first.
        outcome.told = self.sender.is_some().then(|| (event.to_owned(), title));
        outcome
    }

    /// Looks that a restarted server has everything that was acknowledged, and makes up its mind
    /// about what was pending.
    pub(crate) fn verify(&mut self, client: &Client) {
        let found = Found::all(client, "/alert?");
        let alerts = self.read(&found);
        let logs = list(client, "/log?type=incoming&limit=1").total_count;

        if let Some(write) = self.pending.take() {
            let outcome = self.outcome(&write);
            let (before, after) = (
                (&self.alerts, self.logs),
                (&outcome.alerts, self.logs + outcome.logs),
            );

            if (&alerts, logs) == after {
                self.happened(outcome);
            } else {
                assert_eq!(
                    (&alerts, logs),
                    before,
                    "pending: {write:?}, which would lead to {after:?}"
                );
            }
        }

        assert_eq!((&alerts, logs), (&self.alerts, self.logs));
        self.lists_agree(client, &found);
        self.is_remembered(client, found.objects.len());
    }

    /// What is there, and no number twice.
    fn read(&mut self, found: &Found) -> Alerts {
        let mut ordered: Vec<Value> = found.objects.values().map(|object| parse(object)).collect();
        ordered.sort_by_key(|alert| alert["tinyId"].as_u64());
        let mut alerts = Alerts::new();

        for alert in ordered {
            let text = |name: &str| alert[name].as_str().unwrap().to_owned();
            let first = self
                .numbers
                .entry(alert["tinyId"].as_u64().unwrap())
                .or_insert_with(|| text("id"));

            assert_eq!(*first, text("id"), "one number was given twice");
            let status = ["open", "acknowledged", "resolved"]
                .into_iter()
                .find(|status| alert["status"] == *status);
            let alert = Alert {
                title: text("title"),
                status: status.unwrap(),
            };

            alerts.entry(text("thirdparty_id")).or_default().push(alert);
        }

        alerts
    }

    /// The index says what the objects say, and whatever made an alert left a log.
    fn lists_agree(&self, client: &Client, found: &Found) {
        let all: Vec<Value> = found.objects.values().map(|object| parse(object)).collect();
        let mut filters: Vec<(&str, &str)> = vec![
            ("status", "open"),
            ("status", "acknowledged"),
            ("status", "resolved"),
        ];

        filters.extend(self.source.as_deref().map(|source| ("source_id", source)));
        for (name, value) in filters {
            let expected = all.iter().filter(|alert| alert[name] == value).count();
            let filtered = list(client, &format!("/alert?{name}={value}&limit=1"));
            assert_eq!(filtered.total_count, expected, "{name}={value}");
        }

        for log in all
            .iter()
            .filter_map(|alert| alert["s_log_id"].as_str())
            .take(5)
        {
            assert_eq!(client.get(&format!("/log/{log}")).status, 200, "{log}");
        }
    }

    /// What was made by hand is not made once more.
    fn is_remembered(&self, client: &Client, count: usize) {
        let Some((title, answer)) = &self.remembered else {
            return;
        };
        let again = client
            .clone()
            .with_header("idempotency-key", title)
            .post("/alert", &by_hand(title));
        assert_eq!(again.text(), *answer);
        assert_eq!(list(client, "/alert?limit=1").total_count, count);
    }

    /// Waits until nothing is left to be sent, and looks that everything was, in order, and nothing
    /// else. Returns how much.
    pub(crate) fn everything_was_sent(&self, client: &Client) -> usize {
        while !client
            .get("/metrics")
            .text()
            .contains("pagertree_local_webhooks_waiting 0")
        {
            std::thread::yield_now();
        }

        assert_eq!(
            self.receiver.told(&self.whose()),
            self.told,
            "{}",
            self.name
        );

        self.told.len()
    }
}

fn by_hand(title: &str) -> Value {
    json!({ "title": title, "thirdparty_id": title, "destination_ids": [] })
}
