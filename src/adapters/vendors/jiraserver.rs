//! `jiraserver`: issues of Jira. New ones create alerts; with the option `issue_updated`, updated
//! ones do too.

use super::prelude::*;
use url::Url;

pub(super) const VENDOR: Vendor = Vendor::new("jiraserver", parse);

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let (kind, issue) = (request.get("webhookEvent"), request.get("issue"));
    let id = issue.get("id");
    match kind.text().as_str() {
        "jira:issue_created" => {}
        "jira:issue_updated" if options.get("issue_updated").is_true() => {}
        _ => return no_action("webhookEvent", kind, id),
    }

    let fields = issue.get("fields");
    if !fields.is_object_or_missing() {
        return ignored("'fields' is not an object", id);
    }

    EventBuilder::new(Action::Create, id)
        .title(fields.get("summary").or(issue.get("key")))
        .description(fields.get("description"))
        .link("Issue URL", page_url(issue, request.is_strict()))
        .build()
}

/// The page of the issue, derived from its API URL. In strict mode the context path of the server
/// is dropped, as PagerTree does.
fn page_url(issue: Field<'_>, is_strict: bool) -> Option<String> {
    let api_url = Url::parse(&issue.get("self").text())
        .ok()
        .filter(Url::has_host)?;
    let origin = api_url.origin().ascii_serialization();
    let context = api_url
        .path()
        .split_once("/rest/")
        .map_or("", |(context, _)| context);
    let context = if is_strict { "" } else { context };

    Some(format!(
        "{origin}{context}/browse/{}",
        issue.get("key").non_empty()?
    ))
}
