//! `serverguard24`: the HTTP push of ServerGuard24. Each service of a server has an alert of its
//! own.

use super::{
    Delivery,
    field::{Field, joined},
    reading::{event, no_event},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, options: &Map<String, Value>) -> Reading {
    let (server, service) = (
        delivery.get("server_name"),
        delivery.get("service_shortname"),
    );
    let (result, output) = (delivery.get("check_result"), delivery.get("check_output"));
    let id = joined([server, service], "_");
    let id = Field::new(Some(&id));
    let warnings_resolve = Field::new(options.get("resolve_warn")).is_yes();
    let action = match result.text().as_str() {
        "CRITICAL" => Action::Create,
        "OK" => Action::Resolve,
        "WARNING" if warnings_resolve => Action::Resolve,
        _ => return no_event("check_result", result, id),
    };

    event(action, id)
        .title(format!("{} is DOWN", server.text()))
        .description(format!(
            "{} is DOWN because {}",
            server.text(),
            output.text()
        ))
        .text("Server Name", server)
        .text("Server Address", delivery.get("server_address"))
        .text("Service Name", delivery.get("service_name"))
        .text("Service Short Name", service)
        .datetime("Notification Time", delivery.get("notification_time"))
        .text("Check Result", result)
        .text("Check Output", output)
        .done()
}
