//! Why the program cannot start.

use crate::{
    config::ConfigError,
    domain::endpoint::Endpoint,
    store::{OpenError, StoreError},
};
use std::{io, path::PathBuf};

/// Why the program cannot start, in a sentence.
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
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {source}; stop what uses it, or choose another with {remedy}"
    )]
    Listen {
        /// The setting to change.
        remedy: &'static str,
        /// The address, or the socket.
        address: Endpoint,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file or folder beside the store cannot be used.
    #[error("cannot write '{}': {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The threads that serve cannot be started.
    #[error("the server cannot be started: {0}")]
    Server(io::Error),
}
