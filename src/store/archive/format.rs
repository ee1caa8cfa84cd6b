//! The text format of exports: one JSON value per line. docs/backup.md describes it for users.
//!
//! ```text
//! {"format":"pagertree-local export","version":1}
//! {"account":{"sid":"acc_…","collection":"integrations","lastTinyId":12}}
//! {"integration":{"sid":"acc_…","id":"int_…",…}}
//! {"alert":{"sid":"acc_…","id":"alt_…",…}}
//! {"log":{"sid":"acc_…","id":"log_…",…}}
//! {"user":{"sid":"acc_…","id":"usr_…",…}}
//! {"team":{"sid":"acc_…","id":"tem_…",…}}
//! ```
//!
//! A new kind of object adds one more key. Existing files stay valid, so it needs no new version.

use super::file_kind::{self, EXPORT_FORMAT};
use crate::{
    domain::{
        body::excerpt,
        ids::AccountId,
        import::{self as import_rules, integration::MAX_TINY_ID},
        integration::Integration,
        reserved,
    },
    store::{
        ALERTS, Collection, INTEGRATIONS, LOGS, Stored, TEAMS, USERS,
        collection::COLLECTIONS,
        record_kinds::{self, RecordMeta},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, value::RawValue};
use std::io::{self, Write};

/// The version of this format. A reader refuses a newer one.
pub(super) const VERSION: u32 = 1;

/// The key of an object's line: the singular of its collection's name.
fn kind(collection: Collection) -> &'static str {
    collection.name.trim_end_matches('s')
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
}

/// The last tinyId of an account in a collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AccountLine {
    pub(super) sid: AccountId,
    pub(super) collection: Collection,
    pub(super) last_tiny_id: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawAccount {
    sid: String,
    collection: String,
    last_tiny_id: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawLine<'a> {
    Account(RawAccount),
    #[serde(borrow)]
    Integration(&'a RawValue),
    #[serde(borrow)]
    Alert(&'a RawValue),
    #[serde(borrow)]
    Log(&'a RawValue),
    #[serde(borrow)]
    User(&'a RawValue),
    #[serde(borrow)]
    Team(&'a RawValue),
}

/// A parsed object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectLine {
    pub(super) collection: Collection,
    pub(super) meta: RecordMeta,
    /// Whether the line contains exactly the bytes to be stored.
    pub(super) is_verbatim: bool,
}

/// A line after the first.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Line {
    Account(AccountLine),
    Object(Box<ObjectLine>),
}

pub(super) fn write_header(out: &mut dyn Write) -> io::Result<()> {
    write_line(
        out,
        &Header {
            format: EXPORT_FORMAT.into(),
            version: VERSION,
        },
    )
}

pub(super) fn write_account(out: &mut dyn Write, line: &AccountLine) -> io::Result<()> {
    let AccountLine {
        sid,
        collection,
        last_tiny_id,
    } = line;
    let (sid, collection) = (sid.as_str().to_owned(), collection.name.to_owned());
    let account = RawAccount {
        sid,
        collection,
        last_tiny_id: (*last_tiny_id).into(),
    };

    write_line(out, &serde_json::json!({ "account": account }))
}

pub(super) fn write_object(
    out: &mut dyn Write,
    collection: Collection,
    record: &Stored,
) -> io::Result<()> {
    write!(out, "{{\"{}\":", kind(collection))?;
    out.write_all(record.as_ref())?;
    out.write_all(b"}\n")
}

fn write_line(out: &mut dyn Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Validates the first line.
pub(super) fn read_header(line: &[u8]) -> Result<(), String> {
    let Header { format, version } = serde_json::from_slice(file_kind::strip_byte_order_mark(line))
        .ok()
        .filter(|header: &Header| header.format == EXPORT_FORMAT)
        .ok_or_else(|| match file_kind::describe(line) {
            Some(what) => format!("the file {what}"),
            None => {
                format!("not an export: the first line must be {{\"format\":\"{EXPORT_FORMAT}\",\"version\":{VERSION}}}")
            }
        })?;

    if version == 0 || version > VERSION {
        return Err(format!(
            "version {version} of the format '{format}' is not supported; this program reads versions up to {VERSION}"
        ));
    }

    Ok(())
}

/// Parses a line after the first.
///
/// # Errors
/// All problems of the line, as sentences.
pub(super) fn read(line: &[u8]) -> Result<Line, Vec<String>> {
    match serde_json::from_slice(line).map_err(|error| vec![json_error(&error)])? {
        RawLine::Account(raw) => account(&raw).map(Line::Account),
        RawLine::Integration(raw) => integration(raw.get()).map(Box::new).map(Line::Object),
        RawLine::Alert(raw) => checked(ALERTS, raw.get(), import_rules::validate_alert)
            .map(Box::new)
            .map(Line::Object),
        RawLine::Log(raw) => log(raw.get()).map(Box::new).map(Line::Object),
        RawLine::User(raw) => checked(USERS, raw.get(), import_rules::validate_user)
            .map(Box::new)
            .map(Line::Object),
        RawLine::Team(raw) => checked(TEAMS, raw.get(), import_rules::validate_team)
            .map(Box::new)
            .map(Line::Object),
    }
}

/// The message of the JSON library without its line number: each of our lines is parsed on its own.
fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => format!("{what} at column {}", error.column()),
        None => text,
    }
}

fn account(
    RawAccount {
        sid,
        collection,
        last_tiny_id,
    }: &RawAccount,
) -> Result<AccountLine, Vec<String>> {
    let sid = AccountId::parse(sid).map_err(|fault| format!("'sid' {fault}"));
    let names = COLLECTIONS.map(|collection| collection.name).join(", ");
    let collection = COLLECTIONS
        .into_iter()
        .find(|known| known.name == collection)
        .ok_or_else(|| {
            format!(
                "'collection' must be one of {names}, but was '{}'",
                excerpt(collection)
            )
        });

    let last_tiny_id = last_tiny_id
        .as_u64()
        .filter(|number| *number <= MAX_TINY_ID)
        .ok_or_else(|| {
            let shown = excerpt(&last_tiny_id.to_string());
            format!("'lastTinyId' must be a whole number from 0 to {MAX_TINY_ID}, but was {shown}")
        });

    match (sid, collection, last_tiny_id) {
        (Ok(sid), Ok(collection), Ok(last_tiny_id)) => Ok(AccountLine {
            sid,
            collection,
            last_tiny_id,
        }),
        (sid, collection, last_tiny_id) => Err([sid.err(), collection.err(), last_tiny_id.err()]
            .into_iter()
            .flatten()
            .collect()),
    }
}

fn attributes(collection: Collection, text: &str) -> Result<Map<String, Value>, Vec<String>> {
    if reserved::has_reserved_name(text.as_bytes()) {
        return Err(vec![format!(
            "attribute names must not begin with '{}'",
            reserved::PREFIX
        )]);
    }

    match serde_json::from_str(text) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        Ok(other) => Err(vec![format!(
            "'{}' must be an object, but was {}",
            kind(collection),
            crate::domain::body::kind_of(&other)
        )]),
        Err(error) => Err(vec![json_error(&error)]),
    }
}

/// Parses an object whose problems are all reported.
fn checked(
    collection: Collection,
    text: &str,
    faults: fn(&Map<String, Value>) -> Vec<String>,
) -> Result<ObjectLine, Vec<String>> {
    let faults = faults(&attributes(collection, text)?);
    if faults.is_empty() {
        object(collection, text)
    } else {
        Err(faults)
    }
}

/// Parses a log of the present or the earlier form, and gives it the present one.
fn log(text: &str) -> Result<ObjectLine, Vec<String>> {
    match record_kinds::upgraded_log(text.as_bytes()) {
        None => checked(LOGS, text, import_rules::validate_log),
        Some(upgraded) => Ok(ObjectLine {
            is_verbatim: false,
            ..checked(
                LOGS,
                &String::from_utf8_lossy(&upgraded),
                import_rules::validate_log,
            )?
        }),
    }
}

fn integration(text: &str) -> Result<ObjectLine, Vec<String>> {
    let attributes = attributes(INTEGRATIONS, text)?;
    let integration =
        Integration::parse_import(attributes).map_err(|rejection| rejection.messages())?;
    let record = serde_json::to_vec(&integration).map_err(|error| vec![json_error(&error)])?;
    let is_verbatim = record == text.as_bytes();
    Ok(ObjectLine {
        is_verbatim,
        ..object(INTEGRATIONS, &String::from_utf8_lossy(&record))?
    })
}

/// Parses a complete object.
fn object(collection: Collection, text: &str) -> Result<ObjectLine, Vec<String>> {
    let kind = record_kinds::record_kind_of(collection)
        .ok_or_else(|| vec![format!("unknown collection '{}'", collection.name)])?;
    let meta = kind
        .read(text.as_bytes())
        .map_err(|error| vec![json_error(&error)])?;

    if !(1..=MAX_TINY_ID).contains(&meta.tiny_id) {
        return Err(vec![format!(
            "'tinyId' must be a whole number from 1 to {MAX_TINY_ID}, but was {}",
            meta.tiny_id
        )]);
    }

    let is_verbatim = meta.canonical == text.as_bytes();
    Ok(ObjectLine {
        collection,
        meta,
        is_verbatim,
    })
}

/// The object of a line for which [`read`] set `is_verbatim`.
pub(super) fn verbatim(line: &[u8]) -> Option<&[u8]> {
    match serde_json::from_slice(line).ok()? {
        RawLine::Account(_) => None,
        RawLine::Integration(raw)
        | RawLine::Alert(raw)
        | RawLine::Log(raw)
        | RawLine::User(raw)
        | RawLine::Team(raw) => Some(raw.get().as_bytes()),
    }
}
