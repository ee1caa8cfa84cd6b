//! The whole program as one value: built from settings, bound to its addresses, started, stopped.
//!
//! [`App::build`] puts everything together by hand and passes it down as plain values. There are no
//! globals.

mod background;
mod build;
mod cleanup;
mod edges;
mod handle;
mod listeners;
mod live;
mod mail;
mod port_file;
mod rlimit;
mod server_info;
mod services;
mod serving;
mod shutdown;
mod start_error;
mod tls;
mod workers;

pub use edges::Edges;
pub use handle::AppHandle;
pub use port_file::remove_stale_port_file;
pub use server_info::ServerInfo;
pub use serving::Serving;
pub use start_error::StartError;
pub use tls::CA_FILE;

use crate::{
    domain::endpoint::Endpoint, service::control::ParsedState, smtp::MailServer, store::Store,
};
use actix_web::dev::Server;
use background::BackgroundTasks;
use cleanup::TempFiles;
use std::{
    fs,
    future::poll_fn,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::Poll,
};

/// The folder of the store within the data folder.
pub const STORE_FOLDER: &str = "store";

/// A server that is bound but not started yet.
pub struct App {
    server: Server,
    endpoints: Vec<Endpoint>,
    data: PathBuf,
    server_info: Option<ServerInfo>,
    port_file: PathBuf,
    /// An export to load, or an empty path.
    initial_state: PathBuf,
    handle: AppHandle,
    store: Store,
    temp_files: Arc<TempFiles>,
    background: BackgroundTasks,
    mail: Option<MailServer>,
}

impl App {
    /// The endpoints it listens on, with their actual ports.
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    /// The first TCP address it listens on, unless it has only Unix sockets.
    pub fn address(&self) -> Option<SocketAddr> {
        self.endpoints.iter().find_map(Endpoint::tcp)
    }

    /// The data folder, or the temporary folder that takes its place.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The address of the mail server with its actual port, if it is enabled.
    pub fn mail_address(&self) -> Option<SocketAddr> {
        self.mail.as_ref().map(MailServer::address)
    }

    /// A handle to control the server.
    pub fn handle(&self) -> AppHandle {
        self.handle.clone()
    }

    /// Starts the workers, then writes the files that advertise the server.
    ///
    /// # Errors
    /// A thread cannot be started, or a file cannot be written.
    pub async fn start(mut self) -> Result<Serving, StartError> {
        // Before anyone can ask for it.
        self.load_state().await?;

        // The first poll starts all workers and waits for them.
        let first = poll_fn(|context| Poll::Ready(Pin::new(&mut self.server).poll(context))).await;
        if let Poll::Ready(ended) = first {
            let ended = ended
                .err()
                .unwrap_or_else(|| io::Error::other("the server ended immediately"));
            return Err(StartError::Server(ended));
        }

        let address = self.address();
        let Self {
            server,
            data,
            server_info,
            port_file,
            handle,
            store,
            temp_files,
            background,
            mail,
            ..
        } = self;
        let (stopping, drain) = (handle.stopping.clone(), handle.drain);

        // The handle keeps the store open.
        drop(handle);
        if let Some(server_info) = server_info {
            temp_files.add(
                server_info
                    .write(&data)
                    .map_err(|source| StartError::File { path: data, source })?,
            );
        }

        if let Some(address) = address.filter(|_| !port_file.as_os_str().is_empty()) {
            port_file::write(&port_file, address.port())?;
            temp_files.add(port_file);
        }

        Ok(Serving {
            server,
            stopping,
            drain,
            store,
            temp_files,
            background,
            mail,
        })
    }

    /// Loads the accounts of `test.state`.
    async fn load_state(&self) -> Result<(), StartError> {
        let path = &self.initial_state;
        if path.as_os_str().is_empty() {
            return Ok(());
        }

        let refused = |cause: String| StartError::State {
            path: path.clone(),
            cause,
        };
        let text = fs::read(path).map_err(|error| refused(error.to_string()))?;
        let state = ParsedState::parse(&text).map_err(|error| refused(error.to_string()))?;
        let loaded = self.handle.state.control.load_state(state).await;
        loaded.map_err(|error| refused(error.to_string()))
    }

    /// Starts the server and runs it until it is stopped.
    ///
    /// # Errors
    /// The server cannot start, or failed.
    pub async fn run(self) -> io::Result<()> {
        self.start().await.map_err(io::Error::other)?.run().await
    }
}
