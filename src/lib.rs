//! PagerTree's integration API on your own machine: one binary, an embedded store, nothing else.
//!
//! # Map
//!
//! | layer | what it is | may use |
//! |---|---|---|
//! | [`cli`] | the command line | `app`, `config`, `service`, `store`, `domain`, `clock` |
//! | [`app`] | the whole program as one value | everything below |
//! | [`http`] | the door: routes, requests, answers | `service`, `domain`, `store`'s health |
//! | [`smtp`] | the other door: mail | `adapters`, `service`, `domain` |
//! | [`service`] | the desk: decides | `adapters`, `store`, `domain` |
//! | [`adapters`] | the interpreters: what third parties' requests mean | `domain` |
//! | [`store`] | the memory: sled, one writer, snapshots | `domain`, `clock` |
//! | [`domain`] | values and rules | nothing |
//! | [`clock`], [`ids`], [`config`], [`logging`], [`http_client`] | the edges: time, randomness, environment, log lines, the way out | `domain`; `config` hashes with `service` |
//!
//! # A request
//!
//! `PUT /integration/:id` meets `http::routes`, passes `http::observe` (request id, limits, log
//! line), is read by the extractors of its handler in `http::integrations` (`WriteAccess` from the
//! credential, the id from the path, the JSON object from the body), becomes a patch in
//! `domain::integration_input`, and goes to `service::integrations`, which runs a command on the
//! store's writer: read, check whose it is, apply, write record and index in one transaction, make
//! it durable. The stored bytes are the answer.

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
