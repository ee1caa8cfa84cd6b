//! The HTTP server: from listening sockets to the application.
//!
//! Assembles the same parts as `actix_web::HttpServer`, but with our own stream beneath HTTP
//! ([`BoundedStream`]).

use crate::http::{
    routes,
    state::AppState,
    transport::accept_queues::AcceptQueues,
    transport::bounded_stream::{BoundedStream, ClientTimeouts},
    transport::socket::Socket,
    transport::tls::TlsAcceptor,
};
use actix_http::error::DispatchError;
use actix_http::{HttpService, Protocol};
use actix_rt::net::{TcpStream, UnixStream};
use actix_server::{GracefulShutdownSignal, Server};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::{dev::AppConfig, web::Data};
use std::{
    io,
    net::TcpListener,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixListener,
    },
    time::Duration,
};

/// A bound socket.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix domain socket.
    Unix(UnixListener),
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(listener) => listener.as_fd(),
            Self::Unix(listener) => listener.as_fd(),
        }
    }
}

/// Threads, connection limits and timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Worker threads.
    pub workers: usize,
    /// Maximum number of connections, for all threads together.
    pub max_connections: usize,
    /// How long an idle connection is kept, and one whose client does not read its response.
    pub idle_timeout: Duration,
    /// How long the head of a request may take to arrive.
    pub head_timeout: Duration,
    /// How long requests in flight may take once the server is stopping.
    pub drain_timeout: Duration,
}

/// Connections that may wait to be accepted, as far as the system allows. With the 128 of the
/// standard library, clients beyond retry only after a second.
const ACCEPT_BACKLOG: i32 = 4_096;

/// Builds the server. It starts when it is first polled.
///
/// # Errors
/// Listening on a socket failed.
pub fn server(
    listeners: Vec<Listener>,
    connections: Connections,
    state: Data<AppState>,
    arrivals: &AcceptQueues,
    tls: Option<TlsAcceptor>,
) -> io::Result<Server> {
    let mut builder = Server::build()
        .workers(connections.workers)
        .max_concurrent_connections(
            connections
                .max_connections
                .div_ceil(connections.workers.max(1)),
        )
        .shutdown_timeout(connections.drain_timeout.as_secs())
        .disable_signals();
    let service = WorkerService {
        connections,
        state,
        arrivals: arrivals.clone(),
        tls,
        stopping: builder.graceful_shutdown_signal(),
    };

    for listener in listeners {
        rustix::net::listen(&listener, ACCEPT_BACKLOG)?;
        arrivals.watch(listener.as_fd().try_clone_to_owned()?);
        let service = service.clone();
        builder = match listener {
            Listener::Tcp(listener) => {
                builder.listen("http", listener, move || service.factory::<TcpStream>())?
            }
            Listener::Unix(listener) => {
                builder.listen_uds("http", listener, move || service.factory::<UnixStream>())?
            }
        };
    }

    Ok(builder.run())
}

/// What each worker thread serves on each listener.
#[derive(Clone)]
struct WorkerService {
    connections: Connections,
    state: Data<AppState>,
    arrivals: AcceptQueues,
    /// For TCP. Clients of a Unix socket are on this machine.
    tls: Option<TlsAcceptor>,
    stopping: GracefulShutdownSignal,
}

impl WorkerService {
    /// Called on the worker's thread.
    fn factory<S: Into<Socket> + 'static>(
        &self,
    ) -> impl ServiceFactory<S, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<S>
    {
        let Self {
            connections,
            state,
            arrivals,
            tls,
            stopping,
        } = self.clone();

        actix_rt::spawn(arrivals.worker());
        let app = routes::app(state.clone())
            .into_factory()
            .map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(connections.idle_timeout)
            // The stream has a timeout for each head, not only for the first one.
            .client_request_timeout(Duration::ZERO)
            .on_connect_ext(|stream: &BoundedStream, extensions| {
                extensions.insert(stream.connection_state().clone());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let timeouts = ClientTimeouts {
            head: connections.head_timeout,
            response: connections.idle_timeout,
        };

        fn_service(move |stream: S| {
            let (socket, state, tls) = (stream.into(), state.clone(), tls.clone());
            async move {
                let socket = match (socket, tls) {
                    (Socket::Tcp(stream), Some(tls)) => tls.accept(stream, timeouts.head).await,
                    (socket, _) => Ok(socket),
                };
                let socket = socket.map_err(|error| {
                    log::debug!(error:display; "TLS handshake failed");
                    DispatchError::Io(error)
                })?;
                socket.disable_nagle();
                let peer = socket.peer();
                let stream = BoundedStream::new(socket, state, timeouts);
                Ok((stream, Protocol::Http1, peer))
            }
        })
        .and_then(http)
    }
}
