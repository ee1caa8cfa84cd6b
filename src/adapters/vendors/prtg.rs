//! `prtg`: the HTTP action of PRTG, a form. Its test button sends the literal placeholder
//! `%status`.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("prtg", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let (status, sensor) = (request.get("status"), request.get("sensorid"));
    let action = match status.lowercase().as_str() {
        "down" | "%status" => Action::Create,
        text if text.contains("now: up") => Action::Resolve,
        // Reminders while the sensor is still down.
        "down escalation" | "down repeat" if !request.is_strict() => Action::Create,
        "down (partial)" if !request.is_strict() => Action::Create,
        "down (acknowledged)" if !request.is_strict() => Action::Acknowledge,
        "up" if !request.is_strict() => Action::Resolve,
        _ => return no_action("status", status, sensor),
    };

    let (id, name) = (sensor.text(), request.get("sensor").text());
    let event = EventBuilder::new(action, sensor).title(format!("Sensor {id} {name} is DOWN"));
    let parameters = request.all().members();

    parameters
        .fold(event, |event, (name, value)| event.text(name, value.text()))
        .build()
}
