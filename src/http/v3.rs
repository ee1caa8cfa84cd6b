//! Version 3 of PagerTree's integration API: its handlers and its wire format.

pub(crate) mod accounts;
pub(crate) mod alerts;
pub(crate) mod broadcasts;
pub(crate) mod dry_run;
pub(crate) mod envelope;
pub(crate) mod events;
pub(crate) mod incidents;
pub(crate) mod integrations;
pub(crate) mod lists;
pub(crate) mod login;
pub(crate) mod logs;
pub(crate) mod resources;
pub(crate) mod response;
