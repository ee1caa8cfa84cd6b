//! Logging to standard error through env_logger: a message with `key=value` pairs, or JSON.

mod format;
mod sink;

use env_logger::{Builder, Target};
use sink::Sink;

/// The default filter: our own lines from `info`, and warnings of the libraries.
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

/// The format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A message followed by `key=value` pairs.
    Text,
    /// One JSON object per line.
    Json,
}

/// Sends log lines to standard error. `filter` has the syntax of `RUST_LOG`; `None` selects the
/// default. A second call in a process has no effect.
///
/// # Errors
/// The writer thread cannot be started.
pub fn init(format: Format, filter: Option<&str>) -> std::io::Result<Flush> {
    let sink = Sink::start(match format {
        Format::Text => format::dropped_as_text,
        Format::Json => format::dropped_as_json,
    })?;
    let mut builder = Builder::new();

    builder.parse_filters(filter.unwrap_or(DEFAULT_FILTER));
    builder.target(Target::Pipe(Box::new(sink.clone())));
    match format {
        Format::Text => builder.format(format::text),
        Format::Json => builder.format(format::json),
    };

    let _already_set = builder.try_init();
    Ok(Flush(sink))
}

/// Logs panics as one line instead of a trace, except those of the thread named `quiet_thread`,
/// whose panics are reported as errors by the code that starts it.
pub fn log_panics(quiet_thread: &'static str) {
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(quiet_thread) {
            log::error!("A thread panicked, which is a bug in this program: {panic}");
        }
    }));
}
