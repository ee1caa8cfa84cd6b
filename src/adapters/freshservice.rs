//! `freshservice`: a workflow of Freshservice, which calls its webhook that of Freshdesk. 3
//! creates, the word Pending acknowledges: PagerTree's adapter has it so.

use super::{
    Delivery,
    reading::{event, no_event},
    tickets::{TicketStatus, status, urgency},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let ticket = delivery.get("freshdesk_webhook");
    let id = ticket.get("ticket_public_url");
    let action = match status(ticket) {
        TicketStatus::Open | TicketStatus::PendingNumber => Action::Create,
        TicketStatus::PendingName => Action::Acknowledge,
        TicketStatus::Over => Action::Resolve,
        TicketStatus::Unknown => return no_event("ticket_status", ticket.get("ticket_status"), id),
    };

    event(action, id)
        .title(ticket.get("ticket_subject").text())
        .describe(ticket.get("ticket_description"))
        .urgency(urgency(ticket, &["Normal", "Medium"]))
        .text("Ticket ID", ticket.get("ticket_id"))
        .link("Ticket URL", ticket.get("ticket_url"))
        .text("Requester Email", ticket.get("ticket_email"))
        .text("To Email", ticket.get("ticket_to_email"))
        .text("CC Email", ticket.get("ticket_cc_email"))
        .done()
}
