//! Helpers that several test binaries share: the program as a child process, an HTTP client, and
//! the workload of the crash tests.
//!
//! Each binary includes this module once, with `#[path = "../support/mod.rs"] mod support;`.

#![allow(
    dead_code,
    unused_imports,
    reason = "each test binary uses a part of this module"
)]

pub(crate) mod http;
mod log;
pub(crate) mod random;
mod server;
mod setup;
pub(crate) mod workload;

pub(crate) use http::{Client, Response, integration};
pub(crate) use log::Log;
pub(crate) use server::{Memory, Server};
pub(crate) use setup::{BINARY, Outcome, Setup, files_below};
