//! `freshservice`: workflows of Freshservice, with the payload of Freshdesk. As in PagerTree's
//! adapter, the status 3 creates an alert while its name `Pending` acknowledges one.

use super::{
    prelude::*,
    tickets::{TicketStatus, status, urgency},
};

pub(super) const VENDOR: Vendor = Vendor::new("freshservice", parse);

fn parse(request: &InboundRequest, _: VendorOptions<'_>) -> ParsedEvent {
    let ticket = request.get("freshdesk_webhook");
    let id = ticket.get("ticket_public_url");
    let action = match status(ticket) {
        TicketStatus::Open | TicketStatus::PendingNumber => Action::Create,
        TicketStatus::PendingName => Action::Acknowledge,
        TicketStatus::Done => Action::Resolve,
        TicketStatus::Unknown => return no_action("ticket_status", ticket.get("ticket_status"), id),
    };

    EventBuilder::new(action, id)
        .title(ticket.get("ticket_subject"))
        .description(ticket.get("ticket_description"))
        .urgency(urgency(ticket, &["Normal", "Medium"]))
        .text("Ticket ID", ticket.get("ticket_id"))
        .link("Ticket URL", ticket.get("ticket_url"))
        .text("Requester Email", ticket.get("ticket_email"))
        .text("To Email", ticket.get("ticket_to_email"))
        .text("CC Email", ticket.get("ticket_cc_email"))
        .build()
}
