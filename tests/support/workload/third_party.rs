//! A third party and a user who share an account: events that open alerts, alerts that the user
//! creates, and a webhook for every change of an alert.
//!
//! After a kill, everything that was acknowledged must be there. The one write that was under way
//! has either happened or not: the alert of an event, its log and its webhook are one transaction.

use super::{
    alert_model::{Alert, AlertModel, Alerts, Write},
    listing::{Listing, Numbers, list, parse},
    webhook_receiver::WebhookReceiver,
};
use crate::support::{Client, Response, random::SplitMix64};
use serde_json::{Value, json};

/// Distinct `thirdparty_id`s. Few, so that many events refer to an existing alert.
const THIRDPARTY_IDS: u64 = 12;

pub(crate) struct ThirdParty {
    name: String,
    random: SplitMix64,
    receiver: WebhookReceiver,
    written: u64,
    /// The integration that takes events, and the one that sends webhooks.
    source: Option<String>,
    webhook: Option<String>,
    model: AlertModel,
    pending: Option<Write>,
    numbers: Numbers,
    pub(crate) acknowledged: u64,
    /// The title of the alert that the user created last, and the response.
    last_created: Option<(String, String)>,
}

impl ThirdParty {
    pub(crate) fn new(number: usize, seed: u64, receiver: &WebhookReceiver) -> Self {
        Self {
            name: format!("third party {number}"),
            random: SplitMix64(seed),
            receiver: receiver.clone(),
            written: 0,
            source: None,
            webhook: None,
            model: AlertModel::default(),
            pending: None,
            numbers: Numbers::new(),
            acknowledged: 0,
            last_created: None,
        }
    }

    /// The account's credential.
    pub(crate) fn token(&self) -> &str {
        &self.name
    }

    fn webhook_path(&self) -> String {
        self.name.replace(' ', "-")
    }

    /// Sends one write. Returns `false`, and keeps the write as pending, if there is no response.
    pub(crate) fn write(&mut self, client: &Client) -> bool {
        let write = self.choose_write();
        self.pending = Some(write.clone());
        let Some(response) = self.send(client, &write) else {
            return false;
        };
        self.record(&write, &response);
        self.pending = None;
        self.acknowledged += 1;
        true
    }

    fn choose_write(&mut self) -> Write {
        if self.source.is_none() {
            return Write::Source;
        }

        if self.webhook.is_none() {
            return Write::Webhook;
        }

        self.written += 1;
        let title = format!("{} write {}", self.name, self.written);
        let thirdparty_id = format!("id {}", self.random.below(THIRDPARTY_IDS));
        let event = |kind| Write::Event {
            kind,
            thirdparty_id: thirdparty_id.clone(),
            title: title.clone(),
        };

        let existing = self.random.below(self.model.alerts.len().max(1) as u64) as usize;
        let existing = self.model.alerts.keys().nth(existing).cloned();
        match (self.random.below(20), existing) {
            (0..6, _) => event("create"),
            (6..8, _) => event("acknowledge"),
            (8..12, _) => event("resolve"),
            (15..17, Some(thirdparty_id)) => Write::Action {
                action: "acknowledge",
                thirdparty_id,
            },
            (17..19, Some(thirdparty_id)) => Write::Action {
                action: "resolve",
                thirdparty_id,
            },
            (19, Some(thirdparty_id)) => Write::Delete { thirdparty_id },
            _ => Write::Create { title },
        }
    }

    /// Returns `None` when the server has gone.
    fn send(&mut self, client: &Client, write: &Write) -> Option<Response> {
        let create = |key: &str, path: &str, body: Value| {
            let client = client.clone().with_header("idempotency-key", key);
            client.try_call("POST", path, Some(&body)).ok()
        };

        match write {
            Write::Source => create(
                "source",
                "/integration",
                json!({ "name": "source", "type": "webhook", "destination_ids": [] }),
            ),
            Write::Webhook => create(
                "webhook",
                "/integration",
                json!({
                    "name": "webhook",
                    "type": "outgoingwebhook",
                    "destination_ids": [],
                    "options": { "url": self.receiver.url(&self.webhook_path()) },
                }),
            ),
            Write::Event {
                kind,
                thirdparty_id,
                title,
            } => {
                let path = format!("/integration/{}", self.source.as_ref().unwrap());
                let padding = "x".repeat(self.random.below(3_000) as usize);
                let event = json!({
                    "event_type": kind,
                    "id": thirdparty_id,
                    "title": title,
                    "description": padding,
                });
                client.try_call("POST", &path, Some(&event)).ok()
            }
            Write::Create { title } => create(title, "/alert", alert_body(title)),
            Write::Action {
                action,
                thirdparty_id,
            } => {
                let id = self.latest_alert(client, thirdparty_id)?;
                let path = format!("/alert/{id}/{action}");
                client.try_call("POST", &path, None).ok()
            }
            Write::Delete { thirdparty_id } => {
                let id = self.latest_alert(client, thirdparty_id)?;
                client
                    .try_call("DELETE", &format!("/alert/{id}"), None)
                    .ok()
            }
        }
    }

    /// The id of the latest alert with a `thirdparty_id` that is known to exist.
    fn latest_alert(&self, client: &Client, thirdparty_id: &str) -> Option<String> {
        let query = format!(
            "/alert?thirdparty_id={}&sort=-tinyId&limit=1",
            thirdparty_id.replace(' ', "+")
        );
        let list = client.try_call("GET", &query, None).ok()?.json();
        assert_eq!(
            list["data"][0]["title"],
            self.model.alerts[thirdparty_id].last().unwrap().title,
            "{list}"
        );
        Some(list["data"][0]["id"].as_str().unwrap().to_owned())
    }

    fn record(&mut self, write: &Write, response: &Response) {
        let next = self.model.after(write, self.webhook.is_some());
        let expected = match write {
            Write::Delete { .. } => 204,
            // An action that changes nothing is refused.
            Write::Action { .. } if next.alerts == self.model.alerts => 400,
            _ => 200,
        };
        assert_eq!(response.status, expected, "{write:?}: {}", response.text());

        let id = || response.json()["id"].as_str().map(str::to_owned);
        match write {
            Write::Source => self.source = id(),
            Write::Webhook => self.webhook = id(),
            Write::Create { title } => self.last_created = Some((title.clone(), response.text())),
            _ => {}
        }

        self.model = next;
    }

    /// Asserts that a restarted server has everything that was acknowledged, and finds out whether
    /// the pending write happened.
    pub(crate) fn verify(&mut self, client: &Client) {
        let listing = Listing::all(client, "/alert?");
        let alerts = self.read_alerts(&listing);
        let logs = list(client, "/log?type=incoming&limit=1").total_count;

        if let Some(write) = self.pending.take() {
            let next = self.model.after(&write, self.webhook.is_some());
            if (&alerts, logs) == (&next.alerts, next.logs) {
                self.model = next;
            } else {
                assert_eq!(
                    (&alerts, logs),
                    (&self.model.alerts, self.model.logs),
                    "the pending {write:?} would lead to {next:?}"
                );
            }
        }

        assert_eq!((&alerts, logs), (&self.model.alerts, self.model.logs));
        self.verify_filtered_lists(client, &listing);
        self.verify_idempotency(client, listing.objects.len());
    }

    /// The alerts that the server has. Asserts that it never assigned a `tinyId` twice.
    fn read_alerts(&mut self, listing: &Listing) -> Alerts {
        let mut ordered: Vec<Value> = listing
            .objects
            .values()
            .map(|object| parse(object))
            .collect();
        ordered.sort_by_key(|alert| alert["tinyId"].as_u64());
        let mut alerts = Alerts::new();

        for alert in ordered {
            let text = |name: &str| alert[name].as_str().unwrap().to_owned();
            let first = self
                .numbers
                .entry(alert["tinyId"].as_u64().unwrap())
                .or_insert_with(|| text("id"));

            assert_eq!(*first, text("id"), "a tinyId was assigned twice");
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

    /// Asserts that filtered lists agree with the objects, and that alerts of events have a log.
    fn verify_filtered_lists(&self, client: &Client, listing: &Listing) {
        let all: Vec<Value> = listing
            .objects
            .values()
            .map(|object| parse(object))
            .collect();
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

    /// Asserts that a repeated create with the same `Idempotency-Key` creates nothing.
    fn verify_idempotency(&self, client: &Client, count: usize) {
        let Some((title, response)) = &self.last_created else {
            return;
        };
        let again = client
            .clone()
            .with_header("idempotency-key", title)
            .post("/alert", &alert_body(title));
        assert_eq!(again.text(), *response);
        assert_eq!(list(client, "/alert?limit=1").total_count, count);
    }

    /// Waits until the outbox is empty, and asserts that the receiver got every webhook once, in
    /// order. Returns their number.
    pub(crate) fn wait_for_webhooks(&self, client: &Client) -> usize {
        while !client
            .get("/metrics")
            .text()
            .contains("pagertree_local_webhooks_waiting 0")
        {
            std::thread::yield_now();
        }

        assert_eq!(
            self.receiver.calls(&self.webhook_path()),
            self.model.calls,
            "{}",
            self.name
        );

        self.model.calls.len()
    }
}

fn alert_body(title: &str) -> Value {
    json!({ "title": title, "thirdparty_id": title, "destination_ids": [] })
}
