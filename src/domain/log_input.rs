//! The input to create a log, parsed from a request.

use super::{
    body::{self, AttributeReader, Strictness},
    ids::{AccountId, AlertId, LogId, ObjectId},
    integration_input::SERVER_ATTRIBUTES,
    limits::MAX_DESCRIPTION_LEN,
    log::{Log, LogDirection, LogType, LoggedRequest, NORMAL_LEVEL},
    rejection::Rejection,
    timestamp::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// Attributes that only requests have. They are ignored, so that a log that was read can be sent
/// back.
const SET_BY_REQUESTS: [&str; 8] = [
    "alert_id",
    "thirdparty_id",
    "action",
    "outcome",
    "status",
    "event",
    "request",
    "response",
];

/// The `action` of a log that a caller has written.
const NOTE: &str = "note";

/// The input to create a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogDraft {
    meta: Map<String, Value>,
    /// Required.
    content: String,
    log_type: LogType,
    direction: Option<LogDirection>,
    /// Required.
    owner_id: ObjectId,
    /// The caller by default.
    source_id: Option<ObjectId>,
    level: u8,
}

impl LogDraft {
    /// Parses the body of a create.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error, in the order of the object's attributes.
    pub fn parse(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self, Rejection> {
        let mut body = AttributeReader::new(attributes);
        body.ignore(&SERVER_ATTRIBUTES);
        body.ignore(&SET_BY_REQUESTS);

        let meta = body.optional("meta", body::object).unwrap_or_default();
        let content = body.required("content", |value| {
            body::text_up_to(value, MAX_DESCRIPTION_LEN)
        });
        let log_type = body.optional("type", log_type).unwrap_or(LogType::Log);
        let direction = body.nullable("subtype", direction).flatten();
        let owner_id = body.required("owner_id", object_id);
        let source_id = body.nullable("source_id", object_id).flatten();
        let level = body.optional("level", level).unwrap_or(NORMAL_LEVEL);

        body.finish(strictness)?;
        match (content, owner_id) {
            (Some(content), Some(owner_id)) => Ok(Self {
                meta,
                content,
                log_type,
                direction,
                owner_id,
                source_id,
                level,
            }),
            // Unreachable: the reader has refused a body without one of them.
            _ => Err(Rejection::invalid(
                "'content' and 'owner_id' are required parameters",
            )),
        }
    }
}

impl Log {
    /// Creates a log that a caller has written. A log about an alert is found by its `alert_id`, as
    /// those of requests are.
    pub fn create(
        draft: LogDraft,
        by: &ObjectId,
        sid: AccountId,
        id: LogId,
        tiny_id: u64,
        now: Timestamp,
    ) -> Self {
        Self {
            sid,
            id,
            created_at: now,
            updated_at: now,
            meta: draft.meta,
            tiny_id,
            content: draft.content,
            log_type: draft.log_type,
            direction: draft.direction,
            alert_id: AlertId::parse(draft.owner_id.as_str()).ok(),
            owner_id: draft.owner_id,
            source_id: draft.source_id.unwrap_or_else(|| by.clone()),
            level: draft.level,
            thirdparty_id: None,
            action: NOTE.to_owned(),
            outcome: "written by a caller".to_owned(),
            status: None,
            event: Map::new(),
            request: LoggedRequest::default(),
            response: None,
        }
    }
}

fn log_type(value: Value) -> Result<LogType, String> {
    let text = body::text(value)?;
    serde_json::from_value(text.as_str().into()).map_err(|_| {
        format!(
            "must be log, response, feedback or router, but was '{}'",
            body::excerpt(&text)
        )
    })
}

fn direction(value: Value) -> Result<LogDirection, String> {
    let text = body::text(value)?;
    serde_json::from_value(text.as_str().into()).map_err(|_| {
        format!(
            "must be INCOMING or OUTGOING, but was '{}'",
            body::excerpt(&text)
        )
    })
}

fn object_id(value: Value) -> Result<ObjectId, String> {
    let text = body::text(value)?;
    ObjectId::parse(&text).ok_or_else(|| {
        format!(
            "must be an id (like 'alt_HJ3eGW-6M'), but was '{}'",
            body::excerpt(&text)
        )
    })
}

fn level(value: Value) -> Result<u8, String> {
    let level = value.as_u64().and_then(|level| level.try_into().ok());
    level.ok_or_else(|| {
        format!(
            "must be a whole number from 0 to 255, but was {}",
            body::excerpt(&value.to_string())
        )
    })
}
