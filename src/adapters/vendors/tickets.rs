//! What the tickets of Freshdesk and Freshservice have in common: their status and priority are
//! numbers or names.

use super::prelude::*;

/// The status of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TicketStatus {
    /// 2 or `Open`.
    Open,
    /// 3.
    PendingNumber,
    /// `Pending`.
    PendingName,
    /// 4 or `Resolved`, 5 or `Closed`.
    Done,
    /// Anything else.
    Unknown,
}

pub(super) fn status(ticket: Field<'_>) -> TicketStatus {
    let status = ticket.get("ticket_status");
    match (leading_number(status), status.text().as_str()) {
        (Some(2), _) | (_, "Open") => TicketStatus::Open,
        (Some(3), _) => TicketStatus::PendingNumber,
        (_, "Pending") => TicketStatus::PendingName,
        (Some(4 | 5), _) | (_, "Resolved" | "Closed") => TicketStatus::Done,
        _ => TicketStatus::Unknown,
    }
}

/// A number, or the integer with which a string begins.
fn leading_number(field: Field<'_>) -> Option<i64> {
    let text = field.text();
    let digits = text
        .trim_start()
        .split(|character: char| !character.is_ascii_digit())
        .next()?;
    digits.parse().ok()
}

/// `medium` has the names of the priority 2, which differ between the two products.
pub(super) fn urgency(ticket: Field<'_>, medium: &[&str]) -> Option<AlertUrgency> {
    let priority = ticket.get("ticket_priority");
    match (leading_number(priority), priority.text().as_str()) {
        (Some(1), _) | (_, "Low") => Some(AlertUrgency::Low),
        (Some(2), _) => Some(AlertUrgency::Medium),
        (_, name) if medium.contains(&name) => Some(AlertUrgency::Medium),
        (Some(3), _) | (_, "High") => Some(AlertUrgency::High),
        (Some(4), _) | (_, "Urgent") => Some(AlertUrgency::Critical),
        _ => None,
    }
}
