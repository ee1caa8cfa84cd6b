//! Black-box tests of the HTTP API: each test starts a server on a socket of its own. All run
//! concurrently, and none sleeps.
//!
//! `api_document`, `server`, `callers`, `users`, `connection`, `receiver`, `response` and `stderr` are helpers.
//! Every other file tests one subject. `TEST_LOG=1 cargo test --test api NAME` shows the servers'
//! logs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../support/api_document.rs"]
mod api_document;
mod callers;
mod connection;
mod receiver;
mod response;
mod server;
mod stderr;
mod users;

mod account_isolation;
mod adapters;
mod alert_actions;
mod alert_lists;
mod alert_updates;
mod alerts;
mod attributes;
mod bodies;
mod browser_security;
mod clock_jumps;
mod consistency;
mod content_codings;
mod control;
mod cors;
mod credentials_keys;
mod credentials_open;
mod definitions;
mod dry_run;
mod entity_tags;
mod errors;
mod event_bodies;
mod event_bounds;
mod event_queries;
mod event_refusals;
mod event_sequences;
mod events;
mod field_cases;
mod framing;
mod fuzz;
mod golden;
mod head;
mod health;
mod idempotency;
mod integrations_create;
mod integrations_delete;
mod integrations_get;
mod integrations_list;
mod integrations_update;
mod list_errors;
mod list_filters;
mod list_indexes;
mod list_paging;
mod list_snapshots;
mod list_sort;
mod log_attributes;
mod login;
mod mail;
mod neighbours;
mod openapi;
mod openapi_compatibility;
mod overload;
mod oversized;
mod public_clients;
mod rate_limits;
mod request_id;
mod retention;
mod routes;
mod select;
mod slow_clients;
mod smtp;
mod smtp_limits;
mod store_faults;
mod strict;
mod teams;
mod timestamps;
mod tiny_ids;
mod user_objects;
mod vendor_words;
mod webhook_ordering;
mod webhook_settings;
mod webhooks;
