//! Drafts and patches of alerts, parsed from requests.

use super::{
    alert::Alert,
    body::{self, AttributeReader, Strictness},
    distinct::{AddOutcome, Distinct},
    event::{AdditionalDatum, AlertUrgency},
    ids::{DestinationId, IntegrationId},
    integration::replace,
    integration_input::{SERVER_ATTRIBUTES, destination_ids},
    limits::{MAX_ADDITIONAL_DATA, MAX_DESCRIPTION_LEN, MAX_TAG_LEN, MAX_TAGS, MAX_TITLE_LEN},
    rejection::Rejection,
    thirdparty_id::stored_form,
    timestamp::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Attributes that only events and actions set. A create ignores them, so that an alert that was
/// read can be sent back.
const SET_BY_ACTIONS: [&str; 11] = [
    "type",
    "subtype",
    "status",
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
    urgency: Option<AlertUrgency>,
    tags: Option<Vec<String>>,
    additional_data: Option<Vec<AdditionalDatum>>,
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
        let urgency = body.optional("urgency", urgency);
        let source_id = body.optional("source_id", source);

        if let Some(foreign) = source_id.as_ref().filter(|_| !authors.integration) {
            body.add_secondary_error(foreign_source(foreign));
        }

        let tags = body.optional("tags", tags).unwrap_or_default();
        let additional_data = body
            .optional("additional_data", additional_data)
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
            urgency: body.optional("urgency", urgency),
            tags: body.optional("tags", unless_stored(stored, "tags", tags)),
            additional_data: body.optional(
                "additional_data",
                unless_stored(stored, "additional_data", additional_data),
            ),
        };

        body.finish(strictness)?;
        Ok(patch)
    }

    /// Changes what it names. `updatedAt` moves forward if that alters something; `false` if it
    /// alters nothing.
    pub fn apply(self, alert: &mut Alert, now: Timestamp) -> bool {
        let Self {
            meta,
            destination_ids,
            title,
            description,
            urgency,
            tags,
            additional_data,
        } = self;
        let altered = [
            replace(&mut alert.meta, meta),
            replace(&mut alert.destination_ids, destination_ids),
            replace(&mut alert.title, title),
            replace(&mut alert.description, description),
            replace(&mut alert.urgency, urgency),
            replace(&mut alert.tags, tags),
            replace(&mut alert.additional_data, additional_data),
        ]
        .contains(&true);

        if altered {
            alert.updated_at = alert.updated_at.advanced_to(now);
        }

        altered
    }
}

/// A rule that what is stored need not obey.
fn unless_stored<T: DeserializeOwned>(
    stored: &Map<String, Value>,
    name: &str,
    rule: impl FnOnce(Value) -> Result<T, String>,
) -> impl FnOnce(Value) -> Result<T, String> {
    move |value| match stored.get(name) {
        Some(stored) if *stored == value => {
            serde_json::from_value(value).map_err(|fault| fault.to_string())
        }
        _ => rule(value),
    }
}

fn short_text(value: Value, longest: usize) -> Result<String, String> {
    let text = body::text(value)?;
    let text = text.trim();
    match text.chars().count() {
        0 => Err(format!(
            "must have 1 to {longest} characters, but was empty"
        )),
        n if n > longest => Err(format!("must have 1 to {longest} characters, but had {n}")),
        _ => Ok(text.to_owned()),
    }
}

fn thirdparty_id(value: Value) -> Result<String, String> {
    match body::text(value)?.trim() {
        "" => Err("must have at least one character, but was empty".into()),
        text => Ok(stored_form(text).into_owned()),
    }
}

fn description(value: Value) -> Result<String, String> {
    let text = body::text(value)?;
    let length = text.chars().count();
    if length > MAX_DESCRIPTION_LEN {
        return Err(format!(
            "must have at most {MAX_DESCRIPTION_LEN} characters, but had {length}"
        ));
    }
    Ok(text)
}

fn urgency(value: Value) -> Result<AlertUrgency, String> {
    let text = body::text(value)?;
    AlertUrgency::parse(&text).ok_or_else(|| {
        format!(
            "must be silent, low, medium, high or critical, but was '{}'",
            body::excerpt(&text)
        )
    })
}

fn source(value: Value) -> Result<IntegrationId, String> {
    IntegrationId::parse(&body::text(value)?).map_err(|fault| fault.to_string())
}

fn tags(value: Value) -> Result<Vec<String>, String> {
    let Value::Array(items) = value else {
        return Err(format!(
            "must be an array of strings, but was {}",
            body::kind_of(&value)
        ));
    };

    let mut tags = Distinct::new(MAX_TAGS);
    for (position, item) in items.into_iter().enumerate() {
        let tag = short_text(item, MAX_TAG_LEN)
            .map_err(|fault| format!("at position {position} {fault}"))?;
        // Checked here and not at the end: a body has room for tens of thousands of tags.
        if tags.add(tag) == AddOutcome::Full {
            return Err(format!("must have at most {MAX_TAGS} different tags"));
        }
    }

    Ok(tags.into_items())
}

fn additional_data(value: Value) -> Result<Vec<AdditionalDatum>, String> {
    let data: Vec<AdditionalDatum> = serde_json::from_value(value).map_err(|error| {
        format!("must be an array of {{\"type\", \"label\", \"value\"}} with type text, link, img, email, phone or datetime: {error}")
    })?;
    if data.len() > MAX_ADDITIONAL_DATA {
        return Err(format!("must have at most {MAX_ADDITIONAL_DATA} entries"));
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    const AUTHORS: AllowedSources<'_> = AllowedSources {
        own: ["acc_1", "usr_1"],
        integration: true,
    };

    fn draft(body: Value) -> Result<AlertDraft, Vec<String>> {
        AlertDraft::parse(map(body), AUTHORS, Strictness::Strict)
            .map_err(|rejection| rejection.messages())
    }

    #[test]
    fn every_fault_is_reported_in_the_order_of_the_object() {
        let body = |source: &str| {
            json!({"additional_data": 1, "tags": [1], "source_id": source, "urgency": "loud", "description": 1, "title": " ",
            "destination_ids": "x", "thirdparty_id": "", "meta": []})
        };

        for (source, integration) in [("x", true), ("int_1", false)] {
            let authors = AllowedSources {
                integration,
                ..AUTHORS
            };

            let found = AlertDraft::parse(map(body(source)), authors, Strictness::Lenient)
                .unwrap_err()
                .messages();
            let named: Vec<_> = found
                .iter()
                .map(|fault| fault.split(' ').next().unwrap())
                .collect();
            let order = [
                "'meta'",
                "'thirdparty_id'",
                "'destination_ids'",
                "'title'",
                "'description'",
                "'urgency'",
            ];
            assert_eq!(
                named,
                [&order[..], &["'source_id'", "'tags'", "'additional_data'"]].concat(),
                "{found:#?}"
            );
        }
    }

    #[test]
    fn destinations_are_needed_where_no_source_has_any() {
        let required = [
            "'destination_ids' is a required parameter",
            "'title' is a required parameter",
        ];

        assert_eq!(draft(json!({})).unwrap_err(), required);
        assert!(draft(json!({"title": "t", "source_id": "int_1"})).is_ok());
        for source in [json!(null), json!("acc_1"), json!("usr_1")] {
            assert_eq!(
                draft(json!({"title": "t", "source_id": source})).unwrap_err(),
                required[..1]
            );
            let named =
                draft(json!({"title": "t", "destination_ids": [], "source_id": source})).unwrap();
            assert_eq!(
                named,
                draft(json!({"title": "t", "destination_ids": []})).unwrap()
            );
        }

        assert!(draft(json!({"title": "t", "destination_ids": [], "source_id": "acc_2"})).is_err());
    }

    /// Half a megabyte of different tags, each compared with all before it, took 18 seconds.
    #[test]
    fn nothing_is_looked_at_behind_the_first_tag_or_destination_that_is_too_much() {
        let items = |prefix: &str| {
            let different = (0..=MAX_TAGS).map(|number| json!(format!("{prefix}{number}")));
            different.chain([json!(["no text"])]).collect::<Vec<_>>()
        };

        let found =
            draft(json!({"title": "t", "destination_ids": items("tem_"), "tags": items("t")}))
                .unwrap_err();
        let expected = [
            "'destination_ids' must have at most 100 different destination ids",
            "'tags' must have at most 100 different tags",
        ];

        assert_eq!(found, expected);
        let repeated = [&items("t")[..MAX_TAGS], &items("t")[..MAX_TAGS]].concat();
        assert_eq!(
            draft(json!({"title": "t", "destination_ids": [], "tags": repeated}))
                .unwrap()
                .tags
                .len(),
            MAX_TAGS
        );
    }

    #[test]
    fn a_foreign_source_alone_is_left_to_the_commit() {
        let authors = AllowedSources {
            integration: false,
            ..AUTHORS
        };
        let body = map(json!({"title": "t", "source_id": "int_1"}));
        assert!(AlertDraft::parse(body, authors, Strictness::Strict).is_ok());
    }

    #[test]
    fn body_of_a_get_can_be_put_back() {
        let long = "x".repeat(MAX_TITLE_LEN + 1);
        let stored = map(
            json!({"id": "alt_1", "status": "open", "title": long, "description": null, "resolved": null,
            "source_id": "int_1", "thirdparty_id": "x", "type": "alert", "subtype": "alert", "created": 5}),
        );
        let patch = AlertPatch::parse(stored.clone(), &stored, Strictness::Strict).unwrap();

        assert_eq!(
            patch,
            AlertPatch {
                title: Some(long),
                description: Some(None),
                ..AlertPatch::default()
            }
        );
    }

    #[test]
    fn null_clears_a_description_and_nothing_else() {
        let nulls = map(
            json!({"meta": null, "destination_ids": null, "title": null, "description": null, "urgency": null,
            "tags": null, "additional_data": null}),
        );
        let found = AlertPatch::parse(nulls, &Map::new(), Strictness::Lenient)
            .unwrap_err()
            .messages();
        let named: Vec<_> = found
            .iter()
            .map(|fault| fault.split(' ').next().unwrap())
            .collect();
        assert_eq!(
            named,
            [
                "'meta'",
                "'destination_ids'",
                "'title'",
                "'urgency'",
                "'tags'",
                "'additional_data'"
            ]
        );
        let patch = AlertPatch::parse(
            map(json!({"description": null})),
            &Map::new(),
            Strictness::Strict,
        )
        .unwrap();
        assert_eq!(
            patch,
            AlertPatch {
                description: Some(None),
                ..AlertPatch::default()
            }
        );
    }
}
