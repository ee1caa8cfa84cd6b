//! Starts logging as the settings ask for it.

use crate::{
    config::{LogFormat, LogSettings, rust_log_filter},
    logging::{self, Flush, Format},
    store::OPENING_THREAD,
};
use std::io;

/// Starts logging. Lines are flushed when the returned value is dropped.
///
/// # Errors
/// The writer thread cannot be started.
pub(super) fn start(settings: &LogSettings) -> io::Result<Flush> {
    start_with(settings, rust_log_filter().as_deref())
}

/// Starts logging of warnings only, unless `RUST_LOG` asks for more: standard error belongs to
/// another program.
///
/// # Errors
/// The writer thread cannot be started.
pub(super) fn start_quietly(settings: &LogSettings) -> io::Result<Flush> {
    start_with(
        settings,
        Some(rust_log_filter().as_deref().unwrap_or("warn")),
    )
}

fn start_with(settings: &LogSettings, filter: Option<&str>) -> io::Result<Flush> {
    let format = match settings.format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };

    let flush = logging::init(format, filter)?;
    // A panic of the opening thread means a damaged store, which the command reports itself.
    logging::log_panics(OPENING_THREAD);
    Ok(flush)
}
