//! What lies between a socket and actix-web: bounded reads, response bodies, and the accept queues.

pub(crate) mod accept_queues;
pub(crate) mod bounded_stream;
pub(crate) mod connection_state;
pub(crate) mod framing;
pub(crate) mod head_text;
mod masking;
mod raw_query;
pub(crate) mod sliced_body;
pub(crate) mod socket;
pub(crate) mod streaming_body;
pub(crate) mod tls;
