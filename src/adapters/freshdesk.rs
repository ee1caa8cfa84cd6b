//! `freshdesk`: an automation of Freshdesk. The first that is heard of a ticket is an alert,
//! whatever its status.

use super::{
    Delivery,
    field::Field,
    reading::{event, nothing},
    tickets::{TicketStatus, status, urgency},
};
use crate::domain::event::{Action, Reading};
use serde_json::{Map, Value};

pub(super) fn read(delivery: &Delivery, _: &Map<String, Value>) -> Reading {
    let ticket = delivery.get("freshdesk_webhook");
    if ticket.object().is_none() {
        return nothing("there is no 'freshdesk_webhook'", Field::new(None));
    }

    let action = match status(ticket) {
        TicketStatus::Open => Action::Create,
        TicketStatus::PendingNumber | TicketStatus::PendingName => Action::Acknowledge,
        TicketStatus::Over => Action::Resolve,
        TicketStatus::Unknown => Action::Other,
    };

    event(action, ticket.get("ticket_id"))
        .first_creates()
        .title(ticket.get("ticket_subject").text())
        .describe(ticket.get("ticket_description"))
        .urgency(urgency(ticket, &["Normal"]))
        .link("Ticket URL", ticket.get("ticket_url"))
        .datetime("Due By", ticket.get("ticket_due_by_time"))
        .text("Source", ticket.get("ticket_source"))
        .text("Requester Name", ticket.get("ticket_requester_name"))
        .text("Requester Email", ticket.get("ticket_requester_email"))
        .text("Requester Phone", ticket.get("ticket_requester_phone"))
        .text("Company", ticket.get("ticket_company_name"))
        .done()
}
