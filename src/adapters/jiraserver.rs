//! `jiraserver`: issues of Jira, those that are created and, if an option says so, those that
//! change.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event, nothing},
};
use crate::domain::event::{Action, DatumKind, Reading};
use serde_json::{Map, Value};
use url::Url;

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (kind, issue) = (delivery.get("webhookEvent"), delivery.get("issue"));
    let id = issue.get("id");
    match kind.text().as_str() {
        "jira:issue_created" => {}
        "jira:issue_updated" if Field::new(options.get("issue_updated")).is_yes() => {}
        _ => return no_event("webhookEvent", kind, id),
    }

    let fields = issue.get("fields");
    if !fields.may_have_members() {
        return nothing("'fields' is no object", id);
    }

    event(Action::Create, id)
        .title(fields.get("summary").or(issue.get("key")).text())
        .describe(fields.get("description"))
        .datum(
            DatumKind::Link,
            "Issue URL",
            page(issue, delivery.is_strict()).map_or(Value::Null, Value::from),
        )
        .done()
}

/// Where people look at the issue, on the host and, unless to the letter, below the path that the
/// address for programs names.
fn page(issue: Field<'_>, is_strict: bool) -> Option<String> {
    let own = Url::parse(&issue.get("self").text())
        .ok()
        .filter(Url::has_host)?;
    let origin = own.origin().ascii_serialization();
    let context = own
        .path()
        .split_once("/rest/")
        .map_or("", |(context, _)| context);
    let context = if is_strict { "" } else { context };

    Some(format!(
        "{origin}{context}/browse/{}",
        issue.get("key").filled()?
    ))
}
