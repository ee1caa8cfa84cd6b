//! Logging to standard error through env_logger: a message with `key=value` pairs, or JSON.

mod format;
mod sink;

use crate::{
    config::{LogFormat, rust_log_filter},
    store,
};
use env_logger::{Builder, Target};
use sink::Sink;

/// The filter used without `RUST_LOG`: our own lines from `info`, and warnings of the libraries.
const DEFAULT_FILTER: &str = "info,sled=warn,actix_server=warn,actix_http=warn";

/// Flushes buffered log lines when dropped. A reader that does not read delays that by at most half
/// a second.
#[derive(Clone, Debug)]
#[must_use]
pub struct Flush(Sink);

impl Flush {
    /// Writes the buffered lines.
    pub fn now(&self) {
        self.0.flush();
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.now();
    }
}

/// Sends log lines to standard error. A second call in a process has no effect.
///
/// # Errors
/// The writer thread cannot be started.
pub fn init(format: LogFormat) -> std::io::Result<Flush> {
    let sink = Sink::start(match format {
        LogFormat::Text => format::dropped_as_text,
        LogFormat::Json => format::dropped_as_json,
    })?;
    let mut builder = Builder::new();

    builder.parse_filters(&rust_log_filter().unwrap_or_else(|| DEFAULT_FILTER.to_owned()));
    builder.target(Target::Pipe(Box::new(sink.clone())));
    match format {
        LogFormat::Text => builder.format(format::text),
        LogFormat::Json => builder.format(format::json),
    };

    let _already_set = builder.try_init();
    Ok(Flush(sink))
}

/// Logs a panic as one line in place of a trace. While a store is opened a panic means a damaged
/// store, of which the caller speaks.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if std::thread::current().name() != Some(store::OPENING_THREAD) {
            log::error!("A thread panicked, which is a bug in this program: {panic}");
        }
    }));
}
