//! Why the program cannot start.

use crate::{
    config::ConfigError,
    domain::endpoint::Endpoint,
    store::{OpenError, StoreError},
};
use std::{io, path::PathBuf};

/// Why the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An endpoint cannot be bound.
    #[error(
        "cannot listen on {address}: {source}; stop the program that uses it, or choose another address with {remedy}"
    )]
    Listen {
        /// The setting to change.
        remedy: &'static str,
        /// The address, or the socket.
        address: Endpoint,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file or folder beside the store cannot be used.
    #[error("cannot write '{}': {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The state to start with cannot be loaded.
    #[error("cannot load '{}' (test.state): {cause}", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// HTTPS is not possible.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
    /// The threads that serve cannot be started.
    #[error("cannot start the server: {0}")]
    Server(io::Error),
}
