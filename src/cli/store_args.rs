//! The arguments that select the store a command works on.

use super::{CliError, logs, progress, signals::Interruption};
use crate::{
    app::STORE_FOLDER,
    config::{Overrides, Settings, Sources},
    logging::Flush,
    store::archive::Progress,
};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct StoreArgs {
    /// Configuration file [default: config.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data folder [default: data]
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

/// The selected store, and what is needed to work with it.
pub(super) struct StoreLocation {
    /// The data folder.
    pub(super) data: PathBuf,
    /// The folder of the store within it.
    pub(super) store: PathBuf,
    pub(super) cache_bytes: u64,
    interruption: Interruption,
    /// Flushes the log when dropped.
    _logs: Flush,
}

impl StoreArgs {
    /// Loads the settings, and starts logging and watching for signals.
    pub(super) fn locate(self, interruption: &Interruption) -> Result<StoreLocation, CliError> {
        let overrides = Overrides {
            config: self.config,
            data: self.data,
            ..Overrides::default()
        };

        let Settings {
            data, store, log, ..
        } = Sources::of_process(overrides).load()?;
        let logs = logs::start(&log)?;

        interruption.listen()?;
        let interruption = interruption.clone();

        Ok(StoreLocation {
            store: data.join(STORE_FOLDER),
            data,
            cache_bytes: store.cache_bytes,
            interruption,
            _logs: logs,
        })
    }
}

impl StoreLocation {
    /// A progress bar that also stops the work once a signal arrives.
    pub(super) fn progress(&self) -> Progress {
        progress::bar().cancelled_by(self.interruption.flag())
    }
}
