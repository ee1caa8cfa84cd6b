//! Values and rules, independent of HTTP, the store, threads and the clock.

pub mod alert;
pub mod alert_input;
pub mod body;
pub mod caller;
pub mod clock_change;
pub mod directory;
pub mod distinct;
pub mod dry_run_input;
pub mod duration;
pub mod egress;
pub mod endpoint;
pub mod entity_tag;
pub mod event;
pub mod idempotency;
pub mod ids;
pub mod import;
pub mod integration;
pub mod integration_input;
pub mod interpretation;

pub mod limits;
pub mod list;
pub mod log;
pub mod masking;
pub mod passwords;
pub mod quota;
pub mod rejection;
pub mod reserved;
pub mod thirdparty_id;
pub mod timestamp;
mod truncation;
pub mod values;
pub mod web_origin;
pub mod webhook;
pub mod webhook_options;
