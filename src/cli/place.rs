//! Which store a command is about.

use super::{Sentence, interruption::Interruption, progress};
use crate::{
    app::STORE_FOLDER,
    config::{Overrides, Settings, Sources},
    logging::{self, Flush},
    store::archive::Progress,
};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Place {
    /// Configuration file [default: config.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the store [default: data]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// The store, and what is needed to work with it.
pub(super) struct Found {
    /// The data folder.
    pub(super) data: PathBuf,
    /// The folder of the store within it.
    pub(super) store: PathBuf,
    pub(super) cache_bytes: u64,
    interruption: Interruption,
    /// Log lines are written when this goes.
    _logs: Flush,
}

impl Place {
    /// Of a command that clears up when a signal comes.
    pub(super) fn find(self, interruption: &Interruption) -> Result<Found, Sentence> {
        let overrides = Overrides {
            config: self.config,
            data: self.data,
            ..Overrides::default()
        };

        let Settings {
            data, store, log, ..
        } = Sources::of_process(overrides).load()?;
        let logs = logging::init(log.format)?;

        logging::log_panics();
        interruption.listen()?;
        let interruption = interruption.clone();

        Ok(Found {
            store: data.join(STORE_FOLDER),
            data,
            cache_bytes: store.cache_bytes,
            interruption,
            _logs: logs,
        })
    }
}

impl Found {
    /// Shows how far the work is, and stops it when a signal comes.
    pub(super) fn progress(&self) -> Progress {
        progress::bar().cancelled_by(self.interruption.flag())
    }
}
