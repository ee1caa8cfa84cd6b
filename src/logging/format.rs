//! The text and JSON formats of log lines.

use crate::clock::Clock;
use env_logger::fmt::Formatter;
use log::{
    Record,
    kv::{Error, Key, Value, VisitSource},
};
use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    io::{self, Write as _},
};

/// `2018-04-27T00:02:50.419Z INFO  GET /integration status=200 …`
pub(super) fn text(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut line = LineWriter(out);
    write_time(&mut line).map_err(io::Error::other)?;
    write!(line, " {:5} {}", record.level(), record.args()).map_err(io::Error::other)?;
    record
        .key_values()
        .visit(&mut TextPairs(&mut line))
        .map_err(io::Error::other)?;
    out.write_all(b"\n")
}

thread_local! {
    /// The last second formatted by this thread. Many lines share one.
    static SECOND: RefCell<(i64, String)> = const { RefCell::new((i64::MIN, String::new())) };
}

/// Writes the current time: `2018-04-27T00:02:50.419Z`.
fn write_time(line: &mut LineWriter<'_>) -> fmt::Result {
    let now = Clock::System.now();
    SECOND.with_borrow_mut(|(second, written)| {
        if *second != now.seconds() {
            *second = now.seconds();
            *written = now.to_string();
            written.truncate("2018-04-27T00:02:50".len());
        }
        write!(line, "{written}.{:03}Z", now.millis().rem_euclid(1000))
    })
}

/// `{"time":"…","level":"info","target":"…","message":"…",…}`
pub(super) fn json(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let mut object = serde_json::Map::new();
    object.insert("time".into(), Clock::System.now().to_string().into());
    object.insert(
        "level".into(),
        record.level().as_str().to_lowercase().into(),
    );
    object.insert("target".into(), record.target().into());
    object.insert("message".into(), record.args().to_string().into());
    record
        .key_values()
        .visit(&mut JsonPairs(&mut object))
        .map_err(io::Error::other)?;
    serde_json::to_writer(&mut *out, &object)?;

    out.write_all(b"\n")
}

const DROPPED: &str =
    "Log lines were dropped: standard error was not read in time or could not be written";
const TARGET: &str = "pagertree_local::logging";

/// The line that reports how many lines were dropped.
pub(super) fn dropped_as_text(lines: u64) -> String {
    format!("{} WARN  {DROPPED} lines={lines}\n", Clock::System.now())
}

/// The same as JSON.
pub(super) fn dropped_as_json(lines: u64) -> String {
    let line = serde_json::json!({
        "time": Clock::System.now().to_string(), "level": "warn", "target": TARGET, "message": DROPPED, "lines": lines,
    });
    format!("{line}\n")
}

/// Escapes control characters, so that logged input cannot forge further lines.
struct LineWriter<'a>(&'a mut Formatter);

impl fmt::Write for LineWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if !text.bytes().any(|byte| byte.is_ascii_control()) {
            return self.0.write_all(text.as_bytes()).map_err(|_| fmt::Error);
        }
        text.chars()
            .try_for_each(|character| match character.is_control() {
                true => write!(self.0, "{}", character.escape_default()),
                false => write!(self.0, "{character}"),
            })
            .map_err(|_| fmt::Error)
    }
}

struct TextPairs<'a, 'b>(&'a mut LineWriter<'b>);

impl<'kvs> VisitSource<'kvs> for TextPairs<'_, '_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        if let Some(number) = value.to_u64() {
            return Ok(write!(self.0, " {key}={number}")?);
        }

        let text = value.to_string();
        let bare = !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"');

        Ok(if bare {
            write!(self.0, " {key}={text}")
        } else {
            write!(self.0, " {key}={text:?}")
        }?)
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
