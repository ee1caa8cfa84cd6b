//! What lies between a socket and actix-web: bounded reads, response bodies, and the accept queues.

pub(crate) mod accept_queues;
pub(crate) mod bounded_stream;
pub(crate) mod connection_state;
pub(crate) mod framing;
mod masking;
pub(crate) mod sliced_body;
pub(crate) mod socket;
pub(crate) mod streaming_body;
