//! `pulsetic`: the webhooks of Pulsetic. A monitor and its certificate have alerts of their own.

use super::{
    Delivery,
    field::Field,
    reading::{event, no_event, nothing},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let (kind, monitor) = (delivery.get("alert_type"), delivery.get("monitor"));
    if !monitor.may_have_members() {
        return nothing("'monitor' is no object", Field::new(None));
    }

    let (id, url) = (monitor.get("id").text(), monitor.get("url"));
    let subject = if kind.is("certificate_expires_soon") {
        "certificate"
    } else {
        "monitor"
    };

    let thirdparty_id = format!("{id}_{subject}").into();
    let thirdparty_id = Field::new(Some(&thirdparty_id));
    let (action, state) = match kind.text().as_str() {
        "monitor_offline" => (Action::Create, "OFFLINE"),
        "certificate_expires_soon" => (Action::Create, "CERTIFICATE EXPIRES SOON"),
        "monitor_online" => (Action::Resolve, "ONLINE"),
        _ => return no_event("alert_type", kind, thirdparty_id),
    };

    let page = format!("https://app.pulsetic.com/monitors/{id}/overview").into();
    event(action, thirdparty_id)
        .title(format!("{} {state}", url.text()))
        .link("Monitor", Field::new(Some(&page)))
        .link("URL", url)
        .done()
}
