//! Bounds on concurrency and memory, and the headers that report rate limits.

pub(crate) mod concurrency_limit;
pub(crate) mod memory_budget;
pub(crate) mod rate_limit_headers;
