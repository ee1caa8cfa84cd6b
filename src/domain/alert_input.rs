//! Drafts and patches of alerts, parsed from requests.

mod attributes;

use super::{
    alert::{Alert, AlertAction, AlertSubtype, Status},
    body::{self, AttributeReader, Strictness},
    event::{AdditionalDatum, AlertUrgency},
    ids::{DestinationId, IntegrationId},
    integration::replace,
    integration_input::{SERVER_ATTRIBUTES, destination_ids},
    limits::MAX_TITLE_LEN,
    rejection::Rejection,
    timestamp::Timestamp,
};
use attributes::{
    additional_data, description, short_text, source, status, subtype, tags, thirdparty_id,
    unless_stored, urgency,
};
use serde::Serialize;
use serde_json::{Map, Value};

/// Attributes that only events and actions set. A create ignores them, and the status too, so that
/// an alert that was read can be sent back.
const SET_BY_ACTIONS: [&str; 9] = [
    "type",
    "s_log_id",
    "created",
    "acknowledged",
    "acknowledgedby",
    "resolved",
    "resolvedby",
    "archived",
    "archivedby",
];
/// Attributes that cannot change.
const IMMUTABLE: [&str; 2] = ["thirdparty_id", "source_id"];

/// The input to create an alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AlertDraft {
    /// Free-form metadata, empty by default.
    pub meta: Map<String, Value>,
    /// The third party's id.
    pub thirdparty_id: Option<String>,
    /// Destinations. Default to those of the source; required without a source.
    pub destination_ids: Option<Vec<DestinationId>>,
    /// Required.
    pub title: String,
    /// Details.
    pub description: Option<String>,
    /// What the alert is to its recipients. The default is left out of the fingerprints of
    /// idempotent requests, since earlier versions had no other.
    #[serde(skip_serializing_if = "AlertSubtype::is_alert")]
    pub subtype: AlertSubtype,
    /// Urgency. Defaults to that of the source; medium without a source.
    pub urgency: Option<AlertUrgency>,
    /// The integration given as its source.
    pub source_id: Option<IntegrationId>,
    /// Tags.
    pub tags: Vec<String>,
    /// Further fields to display.
    pub additional_data: Vec<AdditionalDatum>,
}

/// A partial update. `None` leaves an attribute unchanged; other values replace it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertPatch {
    meta: Option<Map<String, Value>>,
    destination_ids: Option<Vec<DestinationId>>,
    title: Option<String>,
    description: Option<Option<String>>,
    subtype: Option<AlertSubtype>,
    status: Option<Status>,
    urgency: Option<AlertUrgency>,
    tags: Option<Vec<String>>,
    additional_data: Option<Vec<AdditionalDatum>>,
    /// Applies to a change of the status, which only the stored alert can permit.
    strictness: Strictness,
}

/// What a patch did to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchEffect {
    /// Nothing.
    Unchanged,
    /// It replaced attributes.
    Edited,
    /// It changed the status, and perhaps other attributes.
    Acted(AlertAction),
}

/// The sources that a draft may name.
#[derive(Clone, Copy, Debug)]
pub struct AllowedSources<'a> {
    /// The account and user of the caller. Naming one of them is the same as naming no source.
    pub own: [&'a str; 2],
    /// Whether the named integration belongs to the account.
    pub integration: bool,
}

impl AlertDraft {
    /// Parses the body of a create. A foreign integration is reported here only together with other
    /// errors. Alone it is checked when the alert is created, since an idempotent repetition has
    /// precedence.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error, in the order of the object's attributes.
    pub fn parse(
        attributes: Map<String, Value>,
        authors: AllowedSources<'_>,
        strictness: Strictness,
    ) -> Result<Self, Rejection> {
        let is_own =
            |source: &Value| source.is_null() || authors.own.iter().any(|own| source == own);
        let sourced = attributes
            .get("source_id")
            .is_some_and(|source| !is_own(source));
        let mut body = AttributeReader::new(attributes);

        body.ignore(&SERVER_ATTRIBUTES);
        body.ignore(&SET_BY_ACTIONS);
        body.ignore(&["status"]);
        if !sourced {
            body.ignore(&["source_id"]);
        }

        let meta = body.optional("meta", body::object).unwrap_or_default();
        let thirdparty_id = body.nullable("thirdparty_id", thirdparty_id).flatten();
        let destinations = |value| destination_ids(value, strictness);
        let destination_ids = match sourced {
            true => body.optional("destination_ids", destinations),
            false => body.required("destination_ids", destinations),
        };

        let title = body.required("title", |value| short_text(value, MAX_TITLE_LEN));
        let description = body.nullable("description", description).flatten();
        let subtype = body.optional("subtype", subtype).unwrap_or_default();
        let urgency = body.optional("urgency", |value| urgency(value, strictness));
        let source_id = body.optional("source_id", source);

        if let Some(foreign) = source_id.as_ref().filter(|_| !authors.integration) {
            body.add_secondary_error(foreign_source(foreign));
        }

        let tags = body.optional("tags", tags).unwrap_or_default();
        let additional_data = body
            .optional("additional_data", |value| {
                additional_data(value, strictness)
            })
            .unwrap_or_default();

        body.finish(strictness)?;
        // Unreachable: `required` has refused a body without one.
        let title = title.ok_or_else(|| Rejection::invalid("'title' is a required parameter"))?;

        Ok(Self {
            meta,
            thirdparty_id,
            destination_ids,
            title,
            description,
            subtype,
            urgency,
            source_id,
            tags,
            additional_data,
        })
    }
}

/// What is wrong with a source that is not an integration of the account.
pub fn foreign_source(id: &IntegrationId) -> String {
    format!("'source_id' must be an integration of this account, but was '{id}'")
}

impl AlertPatch {
    /// Reads the body of an update; `{}` is a patch that changes nothing. What is as it is `stored`
    /// is right, even if it came by an event and is longer than a caller may make it.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every fault: first what cannot be changed, then the rest in the
    /// order of the object's attributes.
    pub fn parse(
        attributes: Map<String, Value>,
        stored: &Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self, Rejection> {
        let mut body = AttributeReader::new(attributes);
        body.ignore(&SERVER_ATTRIBUTES);
        body.keep(&IMMUTABLE, stored, strictness);
        body.keep(&SET_BY_ACTIONS, stored, strictness);

        let destinations = |value| destination_ids(value, strictness);
        let patch = Self {
            meta: body.optional("meta", body::object),
            destination_ids: body.optional(
                "destination_ids",
                unless_stored(stored, "destination_ids", destinations),
            ),
            title: body.optional(
                "title",
                unless_stored(stored, "title", |value| short_text(value, MAX_TITLE_LEN)),
            ),
            description: body.nullable(
                "description",
                unless_stored(stored, "description", description),
            ),
            subtype: body.optional("subtype", subtype),
            status: body.optional("status", status),
            urgency: body.optional(
                "urgency",
                unless_stored(stored, "urgency", |value| urgency(value, strictness)),
            ),
            tags: body.optional("tags", unless_stored(stored, "tags", tags)),
            additional_data: body.optional(
                "additional_data",
                unless_stored(stored, "additional_data", |value| {
                    additional_data(value, strictness)
                }),
            ),
            strictness,
        };

        body.finish(strictness)?;
        Ok(patch)
    }

    /// The new destinations, if it names any.
    pub fn destination_ids(&self) -> &[DestinationId] {
        self.destination_ids.as_deref().unwrap_or_default()
    }

    /// Changes what it names, on behalf of `by`. `updatedAt` moves forward if that alters
    /// something. A new status is what the action of that name leads to.
    ///
    /// # Errors
    /// The alert cannot be given the new status. The message says why.
    pub fn apply(self, alert: &mut Alert, by: &str, now: Timestamp) -> Result<PatchEffect, String> {
        let Self {
            meta,
            destination_ids,
            title,
            description,
            subtype,
            status,
            urgency,
            tags,
            additional_data,
            strictness,
        } = self;

        let action = status
            .filter(|status| *status != alert.status)
            .map(|status| action_leading_to(status, alert.status))
            .transpose()?;
        if let Some(action) = action {
            alert.apply_action(action, by, now, strictness)?;
        }

        let altered = [
            replace(&mut alert.meta, meta),
            replace(&mut alert.destination_ids, destination_ids),
            replace(&mut alert.title, title),
            replace(&mut alert.description, description),
            replace(&mut alert.subtype, subtype),
            replace(&mut alert.urgency, urgency),
            replace(&mut alert.tags, tags),
            replace(&mut alert.additional_data, additional_data),
        ]
        .contains(&true);

        match action {
            // The action has moved `updatedAt` already.
            Some(action) => Ok(PatchEffect::Acted(action)),
            None if altered => {
                alert.updated_at = alert.updated_at.advanced_to(now);
                Ok(PatchEffect::Edited)
            }
            None => Ok(PatchEffect::Unchanged),
        }
    }
}

fn action_leading_to(status: Status, current: Status) -> Result<AlertAction, String> {
    AlertAction::leading_to(status).ok_or_else(|| {
        format!(
            "'status' can be set to acknowledged, resolved or archived, but not to {}; the alert \
             is {}",
            status.as_str(),
            current.as_str()
        )
    })
}

#[cfg(test)]
mod tests;
