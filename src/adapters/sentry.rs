//! `sentry`: the webhooks of Sentry's integration platform. A header says what kind of thing the
//! body is about.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event, nothing},
    secret,
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

const RESOURCE: &str = "sentry-hook-resource";

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    if let Some(blocked) = secret::signature(
        delivery,
        options,
        "client_secret",
        "sentry-hook-signature",
        "",
    ) {
        return blocked;
    }

    let (action, data) = (delivery.get("action"), delivery.get("data"));
    let word = action.text();
    match delivery.header(RESOURCE) {
        None => webhook(delivery),
        Some("error") => {
            let done = (word == "created").then_some(Action::Create);
            about(action, done, data.get("error"), "issue_id", "event")
        }
        Some("event_alert") => {
            let done = (word == "triggered").then_some(Action::Create);
            about(action, done, data.get("event"), "issue_id", "event")
        }
        Some("issue") => {
            let done = match word.as_str() {
                "created" => Some(Action::Create),
                "assigned" => Some(Action::Acknowledge),
                "resolved" | "archived" => Some(Action::Resolve),
                // What was over has come back; and "ignored" is what Sentry called "archived"
                // before.
                "unresolved" if !delivery.is_strict() => Some(Action::Create),
                "ignored" if !delivery.is_strict() => Some(Action::Resolve),
                _ => None,
            };
            about(action, done, data.get("issue"), "id", "issue")
        }
        Some("metric_alert") => metric_alert(action, data),
        Some("installation") => nothing("an installation is no event", delivery.get("id")),
        Some(other) => nothing(
            format!("'{RESOURCE}' is '{other}', which is not known"),
            Field::new(None),
        ),
    }
}

/// An error, an event or an issue; they have their title and their page in the same places.
fn about(
    found: Field<'_>,
    action: Option<Action>,
    subject: Field<'_>,
    id: &str,
    noun: &str,
) -> Reading {
    let (id, url) = (subject.get(id), subject.get("web_url"));
    let Some(action) = action else {
        return no_event("action", found, id);
    };
    event(action, id)
        .title(subject.get("title").text())
        .description(see(url, noun))
        .link("Web URL", url)
        .done()
}

fn metric_alert(found: Field<'_>, data: Field<'_>) -> Reading {
    let alert = data.get("metric_alert");
    let id = alert.get("id");
    let action = match found.text().as_str() {
        "critical" | "warning" => Action::Create,
        "resolved" => Action::Resolve,
        _ => return no_event("action", found, id),
    };

    event(action, id)
        .title(data.get("description_title").text())
        .describe(data.get("description_text"))
        .link("Web URL", alert.get("web_url"))
        .done()
}

/// The webhook plugin, which came before the platform and sends no such header. Whatever it sends
/// is an alert.
fn webhook(delivery: &Delivery) -> Reading {
    let url = delivery.get("url");
    event(Action::Create, delivery.get("id"))
        .title(delivery.dig(["event", "title"]).text())
        .description(see(url, "issue"))
        .link("Web URL", url)
        .text("Project", delivery.get("project_name"))
        .done()
}

fn see(url: Field<'_>, noun: &str) -> String {
    let url = url.filled();
    url.map_or_else(String::new, |url| {
        format!("Please see <a href='{url}' target='_blank'>Sentry {noun}</a> for full details.")
    })
}
