//! PagerTree's integration API on your own machine: one binary, an embedded store, nothing else.
//!
//! # Layers
//!
//! Imports point down this table only; `tests/architecture` reads it and enforces it.
//!
//! | layer | what it is | may use |
//! |---|---|---|
//! | `main` | the binary | `cli` |
//! | [`cli`] | the command line | `app`, `config`, `logging`, `store`, `domain`, `clock`, `ids` |
//! | [`app`] | the whole program as one value: starts, runs and stops it | `http`, `smtp`, `service`, `config`, `http_client`, `store`, `domain`, `clock`, `ids` |
//! | [`http`] | the HTTP server: routes, extractors, handlers, responses | `service`, `adapters`, `store`, `domain`, `clock`, `ids` |
//! | [`smtp`] | the mail server | `service`, `adapters`, `domain` |
//! | [`service`] | use cases: who may do what, and what it changes | `adapters`, `http_client`, `store`, `domain`, `clock`, `ids` |
//! | [`adapters`] | parsers of vendors' webhooks | `domain` |
//! | [`store`] | the embedded database: sled, one writer, snapshots | `domain`, `clock` |
//! | [`config`] | settings from the file, the environment and flags | `domain` |
//! | [`logging`] | log lines on standard error | `clock` |
//! | [`http_client`] | outbound requests, within the egress policy | `domain` |
//! | [`clock`] | the current time | `domain` |
//! | [`ids`] | random identifiers | `domain` |
//! | [`domain`] | values and rules | nothing |
//!
//! # A request
//!
//! `PUT /integration/:id` is matched in `http::routes` and passes `http::middleware` (request id,
//! limits, log line). The extractors of its handler in `http::v3::integrations` read the credential,
//! the id in the path and the JSON body, which `domain::integration_input` parses as a patch.
//! `service::integrations` runs a command on the store's writer thread: read the record, check who
//! owns it, apply the patch, write the record and its index in one durable transaction. The stored
//! bytes are the response body.

pub mod adapters;
pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod http;
pub mod http_client;
pub mod ids;
pub mod logging;
pub mod service;
pub mod smtp;
pub mod store;
