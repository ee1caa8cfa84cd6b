//! The desk: decides what a request may do and does it, with the store below and no idea of HTTP
//! above.

pub mod access;
pub mod alerts;
pub mod fault;
pub mod incoming;
pub mod integrations;
pub mod lists;
pub mod logs;
mod objects;
mod once;
pub mod outgoing;
pub mod passwords;
mod readers;
pub mod retention;
pub mod shares;
pub mod tally;
pub mod throttle;
pub mod tokens;
