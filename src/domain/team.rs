//! Teams, which alerts can be routed to.
//!
//! Source of the attributes and of their order: PagerTree's reference, "Team".

use super::{
    body::{self, AttributeReader, Strictness},
    distinct::{AddOutcome, Distinct},
    ids::{AccountId, ObjectId, TeamId, UserId},
    integration::{Name, replace},
    integration_input::SERVER_ATTRIBUTES,
    limits::MAX_DESCRIPTION_LEN,
    list::{Attribute, AttributeKind, Schema},
    rejection::Rejection,
    resource::{NewObject, Resource},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The attributes for filters, sorting and selection, in the order of the object.
pub const SCHEMA: Schema = Schema(&[
    Attribute::new("sid", AttributeKind::Text),
    Attribute::new("id", AttributeKind::Text),
    Attribute::new("createdAt", AttributeKind::Time),
    Attribute::new("updatedAt", AttributeKind::Time),
    Attribute::new("meta", AttributeKind::Object),
    Attribute::new("tinyId", AttributeKind::Number),
    Attribute::new("name", AttributeKind::Text),
    Attribute::new("description", AttributeKind::Text).or_null(),
    Attribute::new("admin_ids", AttributeKind::TextArray),
    Attribute::new("member_user_ids", AttributeKind::TextArray),
    Attribute::new("router_id", AttributeKind::Text).or_null(),
    Attribute::new("schedule_id", AttributeKind::Text).or_null(),
    Attribute::new("stakeholder_ids", AttributeKind::TextArray),
    Attribute::new("preferences", AttributeKind::Object),
]);

/// Maximum number of ids in each array.
const MAX_IDS: usize = 1_000;

/// A team, as stored and as returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// The account. Must be first: the store identifies the owner by the first bytes of a record.
    pub sid: AccountId,
    /// The identifier.
    pub id: TeamId,
    /// Time of creation.
    #[serde(rename = "createdAt")]
    pub created_at: Timestamp,
    /// Time of the last change. Only moves forward.
    #[serde(rename = "updatedAt")]
    pub updated_at: Timestamp,
    /// Free-form metadata.
    pub meta: Map<String, Value>,
    /// 1, 2, 3 … within the account in order of creation, never reused.
    #[serde(rename = "tinyId")]
    pub tiny_id: u64,
    /// The friendly name.
    pub name: Name,
    /// What the team does.
    pub description: Option<String>,
    /// The users who administer it.
    pub admin_ids: Vec<UserId>,
    /// Its members.
    pub member_user_ids: Vec<UserId>,
    /// The router of its alerts.
    pub router_id: Option<ObjectId>,
    /// Its on-call schedule.
    pub schedule_id: Option<ObjectId>,
    /// Stakeholders of its alerts.
    pub stakeholder_ids: Vec<ObjectId>,
    /// Preferences.
    pub preferences: Map<String, Value>,
}

/// The input to create a team.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TeamDraft {
    /// Required.
    name: Name,
    /// Everything else, empty or null by default.
    #[serde(flatten)]
    others: TeamPatch,
}

/// A partial update. `None` leaves an attribute unchanged; other values replace it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TeamPatch {
    meta: Option<Map<String, Value>>,
    name: Option<Name>,
    description: Option<Option<String>>,
    admin_ids: Option<Vec<UserId>>,
    member_user_ids: Option<Vec<UserId>>,
    router_id: Option<Option<ObjectId>>,
    schedule_id: Option<Option<ObjectId>>,
    stakeholder_ids: Option<Vec<ObjectId>>,
    preferences: Option<Map<String, Value>>,
}

impl Resource for Team {
    type Id = TeamId;
    type Draft = TeamDraft;
    type Patch = TeamPatch;

    const NAME: &'static str = "Team";
    const PATH: &'static str = "/team";
    const SCHEMA: Schema = SCHEMA;

    fn parse_id(text: &str) -> Option<TeamId> {
        TeamId::parse(text).ok()
    }

    fn parse_draft(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<TeamDraft, Rejection> {
        let mut others = read(attributes, strictness, true)?;
        // Unreachable: `read` has refused a body without one.
        let name = others
            .name
            .take()
            .ok_or_else(|| Rejection::invalid("'name' is a required parameter"))?;
        Ok(TeamDraft { name, others })
    }

    fn parse_patch(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<TeamPatch, Rejection> {
        read(attributes, strictness, false)
    }

    fn create(draft: TeamDraft, new: NewObject<TeamId>) -> Self {
        let TeamDraft { name, others } = draft;
        Self {
            sid: new.sid,
            id: new.id,
            created_at: new.now,
            updated_at: new.now,
            meta: others.meta.unwrap_or_default(),
            tiny_id: new.tiny_id,
            name,
            description: others.description.flatten(),
            admin_ids: others.admin_ids.unwrap_or_default(),
            member_user_ids: others.member_user_ids.unwrap_or_default(),
            router_id: others.router_id.flatten(),
            schedule_id: others.schedule_id.flatten(),
            stakeholder_ids: others.stakeholder_ids.unwrap_or_default(),
            preferences: others.preferences.unwrap_or_default(),
        }
    }

    fn apply(&mut self, patch: TeamPatch, now: Timestamp) -> bool {
        let altered = [
            replace(&mut self.meta, patch.meta),
            replace(&mut self.name, patch.name),
            replace(&mut self.description, patch.description),
            replace(&mut self.admin_ids, patch.admin_ids),
            replace(&mut self.member_user_ids, patch.member_user_ids),
            replace(&mut self.router_id, patch.router_id),
            replace(&mut self.schedule_id, patch.schedule_id),
            replace(&mut self.stakeholder_ids, patch.stakeholder_ids),
            replace(&mut self.preferences, patch.preferences),
        ]
        .contains(&true);

        if altered {
            self.updated_at = self.updated_at.advanced_to(now);
        }
        altered
    }

    fn id(&self) -> &TeamId {
        &self.id
    }

    fn tiny_id(&self) -> u64 {
        self.tiny_id
    }
}

fn read(
    attributes: Map<String, Value>,
    strictness: Strictness,
    is_create: bool,
) -> Result<TeamPatch, Rejection> {
    let mut body = AttributeReader::new(attributes);
    body.ignore(&SERVER_ATTRIBUTES);
    let users = |value| {
        ids(value, "a user id ('usr_…')", |text| {
            UserId::parse(text).ok()
        })
    };
    let objects = |value| ids(value, "an id", ObjectId::parse);
    let object = |value| id(value, "an id", ObjectId::parse);

    let patch = TeamPatch {
        meta: body.optional("meta", body::object),
        name: match is_create {
            true => body.required("name", name),
            false => body.optional("name", name),
        },
        description: body.nullable("description", |value| {
            body::text_up_to(value, MAX_DESCRIPTION_LEN)
        }),
        admin_ids: body.optional("admin_ids", users),
        member_user_ids: body.optional("member_user_ids", users),
        router_id: body.nullable("router_id", object),
        schedule_id: body.nullable("schedule_id", object),
        stakeholder_ids: body.optional("stakeholder_ids", objects),
        preferences: body.optional("preferences", body::object),
    };

    body.finish(strictness)?;
    Ok(patch)
}

fn name(value: Value) -> Result<Name, String> {
    Name::parse(&body::text(value)?)
}

fn id<T>(value: Value, what: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, String> {
    let text = body::text(value)?;
    parse(&text).ok_or_else(|| format!("must be {what}, but was '{}'", body::excerpt(&text)))
}

/// Distinct ids, in their order.
fn ids<T: Clone + Eq + std::hash::Hash>(
    value: Value,
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, String> {
    let Value::Array(items) = value else {
        return Err(format!(
            "must be an array of ids, but was {}",
            body::kind_of(&value)
        ));
    };

    let mut ids = Distinct::new(MAX_IDS);
    for (position, item) in items.into_iter().enumerate() {
        let id =
            id(item, what, &parse).map_err(|error| format!("at position {position} {error}"))?;
        if ids.add(id) == AddOutcome::Full {
            return Err(format!("must have at most {MAX_IDS} different ids"));
        }
    }

    Ok(ids.into_items())
}
