//! The HTTP server: routes, extractors, handlers, and how responses and errors are written.
//!
//! A handler takes what it needs as arguments, calls one function of a service and returns its
//! response. It cannot forget to check a credential: services take a `Caller` or a `WriteAccess`,
//! and only the extractors build one from a request.

mod account_alias;
mod admin;
mod browser_guard;
mod control;
mod cors;
mod drain;
mod early_answer;
mod error;
mod event_address;
mod extract;
mod limits;
mod methods;
mod metrics;
mod middleware;
pub mod openapi;
mod request_id;
mod routes;
mod server;
mod state;
mod transport;
mod v3;

pub use drain::Drain;
pub use error::ApiError;
pub use routes::{ROUTES, RouteSpec};
pub use server::{Connections, Listener, server};
pub use state::{AdminAccess, AppState, LiveSettings, Services};
pub use transport::accept_queues::AcceptQueues;
#[cfg(any(test, fuzzing))]
pub(crate) use transport::bounded_stream::fuzzing;
pub use transport::tls::TlsAcceptor;
pub use v3::envelope::{EVENT_STATUSES, encode_page};
