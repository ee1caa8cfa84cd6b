//! The program from outside: the real binary as a child process, its files, signals, commands and
//! log lines.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod backup;
mod backup_access;
mod check;
mod check_events;
mod check_integrations;
mod compact;
mod conformance;
mod connection;
mod credentials;
mod disk;
mod drain;
mod ephemeral;
mod export;
mod faults;
mod healthcheck;
mod import;
mod import_errors;
mod interrupted;
mod kills;
mod lifeline;
mod listen;
mod log;
mod moving;
mod older;
mod outputs;
mod overload;
mod overload_memory;
mod ports;
mod read_only;
mod readiness;
mod reload;
mod restore;
mod run;
mod salvage;
mod settings;
mod small_files;
mod stages;
mod start;
mod stop;
#[path = "../support/mod.rs"]
mod support;
mod tls;
mod watched;
mod webhooks;
