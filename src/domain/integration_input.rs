//! Drafts and patches of integrations, parsed from requests.
//!
//! Both follow the same rules, but differ in which attributes are required. Attributes that only
//! the server sets are ignored, so that an object that was read can be sent back.

use super::{
    body::{self, AttributeReader, Strictness},
    distinct::{AddOutcome, Distinct},
    ids::{AccountId, DestinationId, IntegrationId},
    integration::{Integration, IntegrationType, Name, Urgency, replace},
    rejection::Rejection,
    timestamp::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

pub(super) const SERVER_ATTRIBUTES: [&str; 5] = ["sid", "id", "createdAt", "updatedAt", "tinyId"];
const MAX_DESTINATIONS: usize = 100;

/// The input to create an integration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IntegrationDraft {
    /// Free-form metadata, empty by default.
    pub meta: Map<String, Value>,
    /// Required.
    pub name: Name,
    /// Required.
    pub integration_type: IntegrationType,
    /// True by default.
    pub enabled: bool,
    /// Medium by default.
    pub urgency: Urgency,
    /// Required, may be empty.
    pub destination_ids: Vec<DestinationId>,
    /// Empty by default.
    pub options: Map<String, Value>,
}

/// A partial update. `None` leaves an attribute unchanged; other values replace it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct IntegrationPatch {
    /// Replaces `meta`.
    pub meta: Option<Map<String, Value>>,
    /// Replaces `name`.
    pub name: Option<Name>,
    /// Replaces `type`.
    pub integration_type: Option<IntegrationType>,
    /// Replaces `enabled`.
    pub enabled: Option<bool>,
    /// Replaces `urgency`.
    pub urgency: Option<Urgency>,
    /// Replaces `destination_ids`.
    pub destination_ids: Option<Vec<DestinationId>>,
    /// Replaces `options`.
    pub options: Option<Map<String, Value>>,
}

impl IntegrationDraft {
    /// Parses the body of a create.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error, in the order of the object's attributes.
    pub fn parse(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self, Rejection> {
        let IntegrationPatch {
            meta,
            name,
            integration_type,
            enabled,
            urgency,
            destination_ids,
            options,
        } = read(attributes, strictness, Presence::Required)?;

        // Unreachable: `read` has refused a body without these three.
        let (Some(name), Some(integration_type), Some(destination_ids)) =
            (name, integration_type, destination_ids)
        else {
            return Err(Rejection::invalid(
                "'name', 'type' and 'destination_ids' are required parameters",
            ));
        };

        Ok(Self {
            meta: meta.unwrap_or_default(),
            name,
            integration_type,
            enabled: enabled.unwrap_or(true),
            urgency: urgency.unwrap_or(Urgency::Medium),
            destination_ids,
            options: options.unwrap_or_default(),
        })
    }
}

impl IntegrationPatch {
    /// Parses the body of an update. `{}` is a patch that changes nothing.
    ///
    /// # Errors
    /// [`Rejection::Invalid`] with every error, in the order of the object's attributes.
    pub fn parse(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<Self, Rejection> {
        read(attributes, strictness, Presence::Optional)
    }
}

/// Whether the attributes of a create are required.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

fn read(
    attributes: Map<String, Value>,
    strictness: Strictness,
    presence: Presence,
) -> Result<IntegrationPatch, Rejection> {
    let mut body = AttributeReader::new(attributes);
    body.ignore(&SERVER_ATTRIBUTES);
    let patch = IntegrationPatch {
        meta: body.optional("meta", body::object),
        name: take(&mut body, presence, "name", name),
        integration_type: take(&mut body, presence, "type", |value| {
            integration_type(value, strictness)
        }),
        enabled: body.optional("enabled", body::boolean),
        urgency: body.optional("urgency", urgency),
        destination_ids: take(&mut body, presence, "destination_ids", |value| {
            destination_ids(value, strictness)
        }),
        options: body.optional("options", body::object),
    };

    body.finish(strictness)?;
    Ok(patch)
}

fn take<T>(
    body: &mut AttributeReader,
    presence: Presence,
    name: &str,
    rule: impl FnOnce(Value) -> Result<T, String>,
) -> Option<T> {
    match presence {
        Presence::Required => body.required(name, rule),
        Presence::Optional => body.optional(name, rule),
    }
}

fn name(value: Value) -> Result<Name, String> {
    Name::parse(&body::text(value)?)
}

fn urgency(value: Value) -> Result<Urgency, String> {
    Urgency::parse(&body::text(value)?)
}

fn integration_type(value: Value, strictness: Strictness) -> Result<IntegrationType, String> {
    let integration_type = IntegrationType::parse(&body::text(value)?)?;
    if strictness == Strictness::Strict && !integration_type.is_published() {
        let published = IntegrationType::PUBLISHED.join(", ");
        return Err(format!(
            "must be one of {published}, but was '{}'",
            integration_type.as_str()
        ));
    }
    Ok(integration_type)
}

pub(super) fn destination_ids(
    value: Value,
    strictness: Strictness,
) -> Result<Vec<DestinationId>, String> {
    let Value::Array(items) = value else {
        return Err(format!(
            "must be an array of destination ids, but was {}",
            body::kind_of(&value)
        ));
    };

    let mut ids = Distinct::new(MAX_DESTINATIONS);
    for (position, item) in items.into_iter().enumerate() {
        let id = destination_id(item, strictness)
            .map_err(|fault| format!("at position {position} {fault}"))?;
        if ids.add(id) == AddOutcome::Full {
            return Err(format!(
                "must have at most {MAX_DESTINATIONS} different destination ids"
            ));
        }
    }

    Ok(ids.into_items())
}

fn destination_id(value: Value, strictness: Strictness) -> Result<DestinationId, String> {
    let text = body::text(value)?;
    let shown = body::excerpt(&text);
    let id = DestinationId::parse(&text).ok_or_else(|| {
        format!("must be three lower-case letters, '_' and 1 to 64 of A-Z a-z 0-9 _ - (like 'tem_ByxQ3ukgTM'), but was '{shown}'")
    })?;
    if strictness == Strictness::Strict && !id.is_published_kind() {
        return Err(format!(
            "must be a team, router, user or schedule id ('tem_', 'rtr_', 'usr_', 'skd_'), but was '{shown}'"
        ));
    }
    Ok(id)
}

impl Integration {
    /// Creates an integration.
    pub fn create(
        draft: IntegrationDraft,
        sid: AccountId,
        id: IntegrationId,
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
            name: draft.name,
            integration_type: draft.integration_type,
            enabled: draft.enabled,
            urgency: draft.urgency,
            destination_ids: draft.destination_ids,
            options: draft.options,
        }
    }

    /// Applies a patch. Returns whether anything changed; only then `updatedAt` moves forward.
    pub fn apply(&mut self, patch: IntegrationPatch, now: Timestamp) -> bool {
        let IntegrationPatch {
            meta,
            name,
            integration_type,
            enabled,
            urgency,
            destination_ids,
            options,
        } = patch;
        let altered = [
            replace(&mut self.meta, meta),
            replace(&mut self.name, name),
            replace(&mut self.integration_type, integration_type),
            replace(&mut self.enabled, enabled),
            replace(&mut self.urgency, urgency),
            replace(&mut self.destination_ids, destination_ids),
            replace(&mut self.options, options),
        ]
        .contains(&true);

        if altered {
            self.updated_at = self.updated_at.advanced_to(now);
        }

        altered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn faults(value: Value, strictness: Strictness) -> Vec<String> {
        IntegrationDraft::parse(map(value), strictness)
            .unwrap_err()
            .messages()
    }

    #[test]
    fn every_fault_is_reported_in_the_order_of_the_object() {
        let found = faults(
            json!({"options": 1, "destination_ids": "x", "urgency": "loud", "enabled": "yes", "type": "No!", "name": " ", "meta": []}),
            Strictness::Lenient,
        );
        let named: Vec<_> = found
            .iter()
            .map(|fault| fault.split(' ').next().unwrap())
            .collect();
        assert_eq!(
            named,
            [
                "'meta'",
                "'name'",
                "'type'",
                "'enabled'",
                "'urgency'",
                "'destination_ids'",
                "'options'"
            ],
            "{found:#?}"
        );
    }

    #[test]
    fn a_missing_attribute_is_worded_as_the_contract_shows() {
        assert_eq!(
            faults(json!({}), Strictness::Lenient),
            [
                "'name' is a required parameter",
                "'type' is a required parameter",
                "'destination_ids' is a required parameter"
            ]
        );
    }

    #[test]
    fn more_than_a_hundred_destinations_are_refused_but_duplicates_do_not_count() {
        let body = |n: usize| {
            let ids: Vec<_> = (0..n).map(|i| format!("tem_{}", i % 101)).collect();
            map(json!({"name": "n", "type": "email", "destination_ids": ids}))
        };

        assert_eq!(
            IntegrationDraft::parse(body(100), Strictness::Strict)
                .unwrap()
                .destination_ids
                .len(),
            100
        );
        assert!(IntegrationDraft::parse(body(101), Strictness::Strict).is_err());
        let twice =
            map(json!({"name": "n", "type": "email", "destination_ids": vec!["tem_a"; 500]}));
        assert_eq!(
            IntegrationDraft::parse(twice, Strictness::Strict)
                .unwrap()
                .destination_ids
                .len(),
            1
        );
    }

    #[test]
    fn strict_refuses_what_the_documents_do_not_allow() {
        let body = json!({"name": "n", "type": "carrier_pigeon", "destination_ids": ["abc_1"], "zeta": 1, "alpha": null});
        assert!(IntegrationDraft::parse(map(body.clone()), Strictness::Lenient).is_ok());
        let found = faults(body, Strictness::Strict);
        assert_eq!(found.len(), 4, "{found:#?}");
        assert!(found[2].contains("'alpha'") && found[3].contains("'zeta'"));
    }

    #[test]
    fn an_empty_patch_changes_nothing_and_nulls_are_refused() {
        assert_eq!(
            IntegrationPatch::parse(Map::new(), Strictness::Strict),
            Ok(IntegrationPatch::default())
        );

        let nulls = map(json!({"name": null, "id": null, "meta": null}));
        assert_eq!(
            IntegrationPatch::parse(nulls, Strictness::Lenient)
                .unwrap_err()
                .messages()
                .len(),
            2
        );
    }
}
