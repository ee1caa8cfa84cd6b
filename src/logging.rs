//! Log lines on standard error, through env_logger: a sentence, then what it is about as `key=value`, or the same as JSON.

use crate::{config::LogFormat, store};
use env_logger::{Builder, Env, fmt::Formatter};
use log::{
    Record,
    kv::{Error, Key, Value, VisitSource},
};
use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

/// What is logged when RUST_LOG says nothing: our own life and requests, of the libraries only what is wrong.
const DEFAULT_FILTER: &str = "info,sled=warn,actix_server=warn,actix_http=warn";

/// Sends logs to standard error. Later calls do nothing.
pub fn init(format: LogFormat) {
    let mut builder = Builder::from_env(Env::default().default_filter_or(DEFAULT_FILTER));
    match format {
        LogFormat::Text => builder.format(write_text),
        LogFormat::Json => builder.format(write_json),
    };
    let _already_set = builder.try_init();
}

/// Logs a panic as one line in place of a trace. While a store is opened a panic means a damaged store, of which the
/// caller speaks.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        if std::thread::current().name() != Some(store::OPENING_THREAD) {
            log::error!("A thread broke down, which is a fault of this program: {panic}");
        }
    }));
}

fn write_text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut line = String::new();
    let _infallible = write!(line, "{} {:5} {}", chrono_now(), record.level(), Escaped(&record.args().to_string()));
    let _infallible = record.key_values().visit(&mut TextPairs(&mut line));
    line.push('\n');
    out.write_all(line.as_bytes())
}

fn write_json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut object = serde_json::Map::new();
    object.insert("time".into(), chrono_now().into());
    object.insert("level".into(), record.level().as_str().to_lowercase().into());
    object.insert("target".into(), record.target().into());
    object.insert("message".into(), record.args().to_string().into());
    let _infallible = record.key_values().visit(&mut JsonPairs(&mut object));
    serde_json::to_writer(&mut *out, &object)?;
    out.write_all(b"\n")
}

fn chrono_now() -> String {
    crate::clock::Clock::System.now().to_string()
}

/// A text without line breaks and other control characters, so that nobody can forge a line.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for character in self.0.chars() {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        Ok(())
    }
}

struct TextPairs<'a>(&'a mut String);

impl<'kvs> VisitSource<'kvs> for TextPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let text = value.to_string();
        let bare = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
        let _infallible = match bare {
            true => write!(self.0, " {key}={text}"),
            false => write!(self.0, " {key}={text:?}"),
        };
        Ok(())
    }
}

struct JsonPairs<'a>(&'a mut serde_json::Map<String, serde_json::Value>);

impl<'kvs> VisitSource<'kvs> for JsonPairs<'_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let value = match (value.to_u64(), value.to_bool()) {
            (Some(number), _) => number.into(),
            (None, Some(flag)) => flag.into(),
            (None, None) => value.to_string().into(),
        };
        self.0.insert(key.to_string(), value);
        Ok(())
    }
}
