//! The desk: decides what a request may do and does it, with the store below and no idea of HTTP above.

pub mod access;
pub mod fault;
pub mod integrations;
pub mod lists;
pub mod passwords;
pub mod throttle;
pub mod tokens;
