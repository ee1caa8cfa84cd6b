//! Extractors: typed values that handlers take from a request.

pub(crate) mod base_url;
pub(crate) mod body;
pub(crate) mod caller;
pub(crate) mod content_coding;
pub(crate) mod idempotency;
pub(crate) mod multipart;
pub(crate) mod path;
pub(crate) mod preconditions;
pub(crate) mod read_body;
