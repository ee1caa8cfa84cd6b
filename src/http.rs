//! The door for HTTP: routes, what is read from a request, and how answers and faults are written.
//!
//! A handler takes what it needs as arguments, calls one function of a service and returns its
//! answer. It cannot forget to ask for a credential: what a service does for somebody takes a
//! `Caller` or a `WriteAccess`, and only the extractors here make one out of a request.

mod alerts;
mod answer;
mod arrivals;
mod base_url;
mod body;
mod caller;
mod coding;
mod drain;
mod exchange;
mod files;
mod health;
mod incoming;
mod integrations;
mod lists;
mod local;
mod login;
mod logs;
mod metrics;
mod observe;
mod once;
mod page;
mod path;
mod pipe;
mod preconditions;
mod problem;
mod quota;
mod room;
mod routes;
mod server;
mod slices;
mod state;
mod stream;
mod turns;
mod welcome;
mod wire;
mod workers;

pub use arrivals::Arrivals;
pub use drain::Drain;
pub use files::{Shares, share};
pub use local::Local;
pub use problem::Problem;
pub use server::{Connections, Listener, server};
pub use state::{Desks, Live, State};
pub use workers::affordable as affordable_workers;
