//! `serverguard24`: HTTP pushes of ServerGuard24. Each service of a server has its own alert.

use super::prelude::*;

pub(super) const VENDOR: Vendor = Vendor::new("serverguard24", parse);

fn parse(request: &InboundRequest, options: VendorOptions<'_>) -> ParsedEvent {
    let (server, service) = (
        request.get("server_name"),
        request.get("service_shortname"),
    );
    let (result, output) = (request.get("check_result"), request.get("check_output"));
    let id = join_present([server, service], "_");
    let warnings_resolve = options.get("resolve_warn").is_true();
    let action = match result.text().as_str() {
        "CRITICAL" => Action::Create,
        "OK" => Action::Resolve,
        "WARNING" if warnings_resolve => Action::Resolve,
        _ => return no_action("check_result", result, id),
    };

    EventBuilder::new(action, id)
        .title(format!("{} is DOWN", server.text()))
        .description_text(format!(
            "{} is DOWN because {}",
            server.text(),
            output.text()
        ))
        .text("Server Name", server)
        .text("Server Address", request.get("server_address"))
        .text("Service Name", request.get("service_name"))
        .text("Service Short Name", service)
        .datetime("Notification Time", request.get("notification_time"))
        .text("Check Result", result)
        .text("Check Output", output)
        .build()
}
