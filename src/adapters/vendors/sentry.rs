//! `sentry`: webhooks of Sentry's integration platform. A header names the kind of resource.

use super::prelude::*;

const RESOURCE_HEADER: &str = "sentry-hook-resource";

pub(super) const VENDOR: Vendor = Vendor {
    secret: Some(Secret::Signature {
        option: "client_secret",
        header: "sentry-hook-signature",
        prefix: "",
    }),
    batches: Batches::Whole,
    ..Vendor::new("sentry", parse)
};

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (action, data) = (request.get("action"), request.get("data"));
    let word = action.text();
    match request.header(RESOURCE_HEADER) {
        None => parse_legacy_plugin(request),
        Some("error") => {
            let outcome = (word == "created").then_some(Action::Create);
            parse_subject(action, outcome, data.get("error"), "issue_id", "event")
        }
        Some("event_alert") => {
            let outcome = (word == "triggered").then_some(Action::Create);
            parse_subject(action, outcome, data.get("event"), "issue_id", "event")
        }
        Some("issue") => {
            let outcome = match word.as_str() {
                "created" => Some(Action::Create),
                "assigned" => Some(Action::Acknowledge),
                "resolved" | "archived" => Some(Action::Resolve),
                // An issue that came back, and the former name of "archived".
                "unresolved" if !request.is_strict() => Some(Action::Create),
                "ignored" if !request.is_strict() => Some(Action::Resolve),
                _ => None,
            };
            parse_subject(action, outcome, data.get("issue"), "id", "issue")
        }
        Some("metric_alert") => parse_metric_alert(action, data),
        Some("installation") => ignored("an installation has no effect", request.get("id")),
        Some(other) => ignored(
            format!("the header '{RESOURCE_HEADER}' is '{other}', which is not supported"),
            None,
        ),
    }
}

/// Errors, events and issues have the same attributes.
fn parse_subject(
    found: Field<'_>,
    action: Option<Action>,
    subject: Field<'_>,
    id: &str,
    noun: &str,
) -> ParsedEvent {
    let (id, url) = (subject.get(id), subject.get("web_url"));
    let Some(action) = action else {
        return no_action("action", found, id);
    };
    EventBuilder::new(action, id)
        .title(subject.get("title"))
        .description_text(description(url, noun))
        .link("Web URL", url)
        .build()
}

fn parse_metric_alert(found: Field<'_>, data: Field<'_>) -> ParsedEvent {
    let alert = data.get("metric_alert");
    let id = alert.get("id");
    let action = match found.text().as_str() {
        "critical" | "warning" => Action::Create,
        "resolved" => Action::Resolve,
        _ => return no_action("action", found, id),
    };

    EventBuilder::new(action, id)
        .title(data.get("description_title"))
        .description(data.get("description_text"))
        .link("Web URL", alert.get("web_url"))
        .build()
}

/// The legacy webhook plugin does not send the header. Each of its requests creates an alert.
fn parse_legacy_plugin(request: &InboundRequest) -> ParsedEvent {
    let url = request.get("url");
    EventBuilder::new(Action::Create, request.get("id"))
        .title(request.dig(["event", "title"]))
        .description_text(description(url, "issue"))
        .link("Web URL", url)
        .text("Project", request.get("project_name"))
        .build()
}

fn description(url: Field<'_>, noun: &str) -> String {
    let url = url.non_empty();
    url.map_or_else(String::new, |url| {
        format!("Please see <a href='{url}' target='_blank'>Sentry {noun}</a> for full details.")
    })
}
