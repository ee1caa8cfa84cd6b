//! From listening sockets to the service: threads, connections and their limits.
//!
//! What `actix_web::HttpServer` would put together, put together by hand, because the stream
//! beneath HTTP is our own (`wire`).

use crate::http::{
    routes,
    state::AppState,
    transport::accept_queues::AcceptQueues,
    transport::bounded_stream::{BoundedStream, ClientTimeouts},
    transport::socket::Socket,
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
    future::ready,
    io,
    net::TcpListener,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::net::UnixListener,
    },
    time::Duration,
};

/// A socket that is bound.
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

/// Connections that may wait to be accepted, as far as the system lets them. The standard library
/// lets 128 wait, and who comes then tries again only after a second.
const WAITING: i32 = 4_096;

/// A server for the whole service, which starts when it is first awaited.
///
/// # Errors
/// A socket cannot be listened on.
pub fn server(
    listeners: Vec<Listener>,
    connections: Connections,
    state: Data<AppState>,
    arrivals: &AcceptQueues,
) -> io::Result<Server> {
    let mut builder = Server::build()
        .workers(connections.workers)
        .max_concurrent_connections(connections.most.div_ceil(connections.workers.max(1)))
        .shutdown_timeout(connections.drain.as_secs())
        .disable_signals();
    let served = Served {
        connections,
        state,
        arrivals: arrivals.clone(),
        stopping: builder.graceful_shutdown_signal(),
    };

    for listener in listeners {
        rustix::net::listen(&listener, WAITING)?;
        arrivals.watch(listener.as_fd().try_clone_to_owned()?);
        let served = served.clone();
        builder = match listener {
            Listener::Tcp(listener) => {
                builder.listen("http", listener, move || served.factory::<TcpStream>())?
            }
            Listener::Unix(listener) => {
                builder.listen_uds("http", listener, move || served.factory::<UnixStream>())?
            }
        };
    }

    Ok(builder.run())
}

/// What every worker serves on every listener.
#[derive(Clone)]
struct Served {
    connections: Connections,
    state: Data<AppState>,
    arrivals: AcceptQueues,
    stopping: GracefulShutdownSignal,
}

impl Served {
    /// Runs on the worker's own thread.
    fn factory<S: Into<Socket> + 'static>(
        &self,
    ) -> impl ServiceFactory<S, Config = (), Response = (), Error = DispatchError, InitError = ()> + use<S>
    {
        let Self {
            connections,
            state,
            arrivals,
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
            .keep_alive(connections.idle)
            // The stream sees to it that heads come in time, the first one as well as all others.
            .client_request_timeout(Duration::ZERO)
            .on_connect_ext(|wire: &BoundedStream, of_connection| {
                of_connection.insert(wire.exchange().clone());
            })
            .finish(map_config(app, |()| AppConfig::default()));
        let patience = ClientTimeouts {
            head: connections.head,
            answer: connections.idle,
        };

        fn_service(move |stream: S| {
            let stream: Socket = stream.into();
            stream.send_at_once();
            let peer = stream.peer();
            ready(Ok((
                BoundedStream::new(stream, state.clone(), patience),
                Protocol::Http1,
                peer,
            )))
        })
        .and_then(http)
    }
}
