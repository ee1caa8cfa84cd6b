//! `freshdesk`: automations of Freshdesk. The first event of a ticket creates an alert, whatever
//! its status.

use super::{
    prelude::*,
    tickets::{TicketStatus, status, urgency},
};

pub(super) const VENDOR: Vendor = Vendor::new("freshdesk", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let ticket = request.get("freshdesk_webhook");
    if ticket.object().is_none() {
        return ignored("'freshdesk_webhook' is not an object", None);
    }

    let action = match status(ticket) {
        TicketStatus::Open => Action::Create,
        TicketStatus::PendingNumber | TicketStatus::PendingName => Action::Acknowledge,
        TicketStatus::Done => Action::Resolve,
        TicketStatus::Unknown => Action::Other,
    };

    EventBuilder::new(action, ticket.get("ticket_id"))
        .first_creates()
        .title(ticket.get("ticket_subject"))
        .description(ticket.get("ticket_description"))
        .urgency(urgency(ticket, &["Normal"]))
        .link("Ticket URL", ticket.get("ticket_url"))
        .datetime("Due By", ticket.get("ticket_due_by_time"))
        .text("Source", ticket.get("ticket_source"))
        .text("Requester Name", ticket.get("ticket_requester_name"))
        .text("Requester Email", ticket.get("ticket_requester_email"))
        .text("Requester Phone", ticket.get("ticket_requester_phone"))
        .text("Company", ticket.get("ticket_company_name"))
        .build()
}
