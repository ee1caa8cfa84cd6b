//! Log lines on standard error, through env_logger: a sentence, then what it is about as
//! `key=value`, or the same as JSON.

mod format;
mod sink;

use crate::{
    config::{LogFormat, log_filter},
    store,
};
use env_logger::{Builder, Target};
use sink::Sink;

/// What is logged when RUST_LOG says nothing: our own life and requests, of the libraries only what
/// is wrong.
const DEFAULT_FILTER: &str = "info,sled=warn,actix_server=warn,actix_http=warn";

/// Lines that were logged but not yet written are written when this goes, if somebody reads them:
/// nothing waits longer than half a second for that.
#[derive(Clone, Debug)]
#[must_use]
pub struct Flush(Sink);

impl Flush {
    /// Writes what is waiting.
    pub fn now(&self) {
        self.0.flush();
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        self.now();
    }
}

/// Sends logs to standard error. A second call in one process does nothing.
///
/// # Errors
/// The thread that writes them cannot be started.
pub fn init(format: LogFormat) -> std::io::Result<Flush> {
    let sink = Sink::start(match format {
        LogFormat::Text => format::dropped_as_text,
        LogFormat::Json => format::dropped_as_json,
    })?;
    let mut builder = Builder::new();

    builder.parse_filters(&log_filter().unwrap_or_else(|| DEFAULT_FILTER.to_owned()));
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
            log::error!("A thread broke down, which is a fault of this program: {panic}");
        }
    }));
}
