//! From a listening socket to the service: threads, connections and their limits.
//!
//! What `actix_web::HttpServer` would put together, put together by hand, because the stream beneath HTTP is our own
//! (`wire`).

use super::{
    routes,
    state::State,
    wire::{Patience, Wire},
};
use actix_http::{HttpService, Protocol};
use actix_rt::net::TcpStream;
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::{dev::AppConfig, web::Data};
use std::{future::ready, io, net::TcpListener, time::Duration};

/// How connections are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Threads that serve.
    pub workers: usize,
    /// Connections at once, all threads together.
    pub most: usize,
    /// For how long an idle one is kept, and one whose client does not take its answer.
    pub idle: Duration,
    /// In which time a request's head must arrive.
    pub head: Duration,
    /// How long those in use have to finish when the server stops.
    pub drain: Duration,
}

/// Connections that may wait to be accepted, as far as the system lets them. The standard library lets 128 wait, and who
/// comes then tries again only after a second.
const WAITING: i32 = 4_096;

/// A server for the whole service, which starts when it is first awaited.
///
/// # Errors
/// The socket cannot be listened on.
pub fn server(listener: TcpListener, connections: Connections, state: Data<State>) -> io::Result<Server> {
    rustix::net::listen(&listener, WAITING)?;
    let builder = Server::build()
        .workers(connections.workers)
        .max_concurrent_connections(connections.most.div_ceil(connections.workers.max(1)))
        .shutdown_timeout(connections.drain.as_secs())
        .disable_signals();
    let stopping = builder.graceful_shutdown_signal();
    let builder = builder.listen("http", listener, move || {
        let stopping = stopping.clone();
        let app =
            routes::service(state.clone()).into_factory().map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(connections.idle)
            // The stream sees to it that heads come in time, the first one as well as all others.
            .client_request_timeout(Duration::ZERO)
            .on_connect_ext(|wire: &Wire, of_connection| {
                of_connection.insert(wire.exchange().clone());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let state = state.clone();
        let patience = Patience { head: connections.head, answer: connections.idle };
        fn_service(move |stream: TcpStream| {
            // An answer is written whole; waiting for more would only delay it.
            let _as_good_as_it_gets = stream.set_nodelay(true);
            let peer = stream.peer_addr().ok();
            ready(Ok((Wire::new(stream, state.clone(), patience), Protocol::Http1, peer)))
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}
