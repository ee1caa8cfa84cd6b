//! The contract, told from outside: a real server on a real socket for each test, all at once, and
//! no sleeping.
//!
//! `server`, `callers`, `people`, `connection`, `answer` and `telling` are the means; every other
//! file is a subject of the contract. `TEST_LOG=1 cargo test --test api NAME` shows what the
//! servers log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod answer;
mod callers;
mod connection;
mod people;
mod receiver;
mod server;
mod telling;

mod account_walls;
mod adapters;
mod alert_lists;
mod alerts;
mod attributes;
mod bodies;
mod clock_jumps;
mod codings;
mod consistency;
mod cors;
mod credentials_keys;
mod credentials_open;
mod definitions;
mod entity_tags;
mod errors;
mod event_bodies;
mod event_bounds;
mod event_refusals;
mod event_sequences;
mod events;
mod field_cases;
mod framing;
mod fuzz;
mod head;
mod health;
mod hostile_pages;
mod idempotency;
mod integrations_create;
mod integrations_delete;
mod integrations_get;
mod integrations_list;
mod integrations_update;
mod list_faults;
mod list_filters;
mod list_indexes;
mod list_paging;
mod list_sort;
mod lived_through;
mod login;
mod mail;
mod outgoing;
mod outgoing_turns;
mod overload;
mod oversized;
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
mod timestamps;
mod tiny_ids;
