//! What a sequence of writes makes of the alerts of one account.

use super::webhook_receiver::WebhookCall;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alert {
    pub(super) title: String,
    pub(super) status: &'static str,
}

/// Alerts by `thirdparty_id`, the latest last. An alert that a user creates has its title there,
/// which is unique.
pub(super) type Alerts = BTreeMap<String, Vec<Alert>>;

#[derive(Clone, Debug)]
pub(super) enum Write {
    /// Creates the integration that takes events. With an `Idempotency-Key`, as a repetition after
    /// a kill must not create a second one.
    Source,
    /// Creates the integration that sends webhooks, with an `Idempotency-Key` too.
    Webhook,
    Event {
        kind: &'static str,
        thirdparty_id: String,
        title: String,
    },
    /// Creates an alert. Its title is the `Idempotency-Key`.
    Create { title: String },
    /// Acknowledges or resolves the latest alert with this id.
    Action {
        action: &'static str,
        thirdparty_id: String,
    },
    /// Deletes the latest alert with this id.
    Delete { thirdparty_id: String },
}

/// The expected state of an account.
#[derive(Clone, Debug, Default)]
pub(super) struct AlertModel {
    pub(super) alerts: Alerts,
    /// All webhooks that the receiver must get, in order.
    pub(super) calls: Vec<WebhookCall>,
    /// The number of logs of events.
    pub(super) logs: usize,
}

impl AlertModel {
    /// The state after a write.
    pub(super) fn after(&self, write: &Write, has_webhook: bool) -> Self {
        let mut next = self.clone();
        let call = match write {
            Write::Source | Write::Webhook => None,
            Write::Delete { thirdparty_id } => {
                next.delete_latest(thirdparty_id);
                None
            }
            Write::Event {
                kind,
                thirdparty_id,
                title,
            } => {
                next.logs += 1;
                next.change_latest(kind, thirdparty_id, title)
            }
            Write::Create { title } => next.change_latest("create", title, title),
            Write::Action {
                action,
                thirdparty_id,
            } => next.change_latest(action, thirdparty_id, thirdparty_id),
        };

        if has_webhook {
            next.calls.extend(call);
        }

        next
    }

    fn delete_latest(&mut self, thirdparty_id: &str) {
        let alerts = self.alerts.get_mut(thirdparty_id).unwrap();
        alerts.pop();
        if alerts.is_empty() {
            self.alerts.remove(thirdparty_id);
        }
    }

    /// Opens, acknowledges or resolves an alert. Returns the webhook for it, unless nothing
    /// changes.
    fn change_latest(
        &mut self,
        kind: &str,
        thirdparty_id: &str,
        title: &str,
    ) -> Option<WebhookCall> {
        let latest = self.alerts.get(thirdparty_id).and_then(|all| all.last());
        let (status, event) = match (kind, latest.map(|alert| alert.status)) {
            ("create", None | Some("resolved")) => ("open", "alert.created"),
            ("acknowledge", Some("open")) => ("acknowledged", "alert.acknowledged"),
            ("resolve", Some("open" | "acknowledged")) => ("resolved", "alert.resolved"),
            _ => return None,
        };

        let alerts = self.alerts.entry(thirdparty_id.to_owned()).or_default();
        if kind == "create" {
            alerts.push(Alert {
                title: title.to_owned(),
                status,
            });
        }

        let latest = alerts.last_mut().unwrap();
        latest.status = status;
        Some((event.to_owned(), latest.title.clone()))
    }
}
