//! Users of an account, as its API shows them. Who may log in is declared in the configuration
//! ([`directory`](super::directory)).
//!
//! Source of the attributes and of their order: PagerTree's reference, "User". `email` is that of
//! its first version, which clients still read.

use super::{
    body::{self, AttributeReader, Strictness},
    ids::{AccountId, ObjectId, UserId},
    integration::{Name, replace},
    integration_input::SERVER_ATTRIBUTES,
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
    Attribute::new("avatar", AttributeKind::Text).or_null(),
    Attribute::new("email", AttributeKind::Text).or_null(),
    Attribute::new("emails", AttributeKind::ObjectArray),
    Attribute::new("phones", AttributeKind::ObjectArray),
    Attribute::new("router_id", AttributeKind::Text).or_null(),
    Attribute::new("preferences", AttributeKind::Object),
    Attribute::new("roles", AttributeKind::Object),
]);

/// Maximum length of a name, in characters.
const MAX_NAME_LEN: usize = 255;
/// Maximum number of mail addresses, and of telephone numbers.
const MAX_CONTACTS: usize = 100;
/// Maximum length of a mail address, telephone number or URL, in characters.
const MAX_CONTACT_LEN: usize = 1_024;

/// A user, as stored and as returned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserProfile {
    /// The account. Must be first: the store identifies the owner by the first bytes of a record.
    pub sid: AccountId,
    /// The identifier.
    pub id: UserId,
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
    /// The user's name.
    pub name: Name,
    /// URL of an image.
    pub avatar: Option<String>,
    /// The first of `emails`.
    pub email: Option<String>,
    /// Mail addresses: objects with `email`, and whatever else clients keep there.
    pub emails: Vec<Map<String, Value>>,
    /// Telephone numbers: objects with `phone`, and whatever else clients keep there.
    pub phones: Vec<Map<String, Value>>,
    /// The router of notifications.
    pub router_id: Option<ObjectId>,
    /// Preferences.
    pub preferences: Map<String, Value>,
    /// Roles in the account.
    pub roles: Map<String, Value>,
}

/// The input to create a user.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UserDraft {
    /// Required.
    name: Name,
    /// Everything else, empty or null by default.
    #[serde(flatten)]
    others: UserPatch,
}

/// A partial update. `None` leaves an attribute unchanged; other values replace it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UserPatch {
    meta: Option<Map<String, Value>>,
    name: Option<Name>,
    avatar: Option<Option<String>>,
    /// Replaces the first address, unless `emails` replaces all.
    email: Option<String>,
    emails: Option<Vec<Map<String, Value>>>,
    phones: Option<Vec<Map<String, Value>>>,
    router_id: Option<Option<ObjectId>>,
    preferences: Option<Map<String, Value>>,
    roles: Option<Map<String, Value>>,
}

impl UserDraft {
    /// A user who has logged in with this name, which is a mail address at PagerTree. `None` for a
    /// blank name.
    pub fn of_login(username: &str) -> Option<Self> {
        let shortened: String = username.chars().take(MAX_NAME_LEN).collect();
        let name = Name::parse(&shortened).ok()?;
        Some(Self {
            name,
            others: UserPatch {
                email: Some(username.chars().take(MAX_CONTACT_LEN).collect()),
                ..UserPatch::default()
            },
        })
    }
}

impl Resource for UserProfile {
    type Id = UserId;
    type Draft = UserDraft;
    type Patch = UserPatch;

    const NAME: &'static str = "User";
    const PATH: &'static str = "/user";
    const SCHEMA: Schema = SCHEMA;

    fn parse_id(text: &str) -> Option<UserId> {
        UserId::parse(text).ok()
    }

    fn parse_draft(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<UserDraft, Rejection> {
        let mut others = read(attributes, strictness, true)?;
        // Unreachable: `read` has refused a body without one.
        let name = others
            .name
            .take()
            .ok_or_else(|| Rejection::invalid("'name' is a required parameter"))?;
        Ok(UserDraft { name, others })
    }

    fn parse_patch(
        attributes: Map<String, Value>,
        strictness: Strictness,
    ) -> Result<UserPatch, Rejection> {
        read(attributes, strictness, false)
    }

    fn create(draft: UserDraft, new: NewObject<UserId>) -> Self {
        let UserDraft { name, others } = draft;
        let mut user = Self {
            sid: new.sid,
            id: new.id,
            created_at: new.now,
            updated_at: new.now,
            meta: Map::new(),
            tiny_id: new.tiny_id,
            name,
            avatar: None,
            email: None,
            emails: Vec::new(),
            phones: Vec::new(),
            router_id: None,
            preferences: Map::new(),
            roles: Map::new(),
        };
        user.replace_attributes(others);
        user
    }

    fn apply(&mut self, patch: UserPatch, now: Timestamp) -> bool {
        let altered = self.replace_attributes(patch);
        if altered {
            self.updated_at = self.updated_at.advanced_to(now);
        }
        altered
    }

    fn id(&self) -> &UserId {
        &self.id
    }

    fn tiny_id(&self) -> u64 {
        self.tiny_id
    }
}

impl UserProfile {
    /// Whether `email` is the first of `emails`.
    pub fn has_consistent_email(&self) -> bool {
        self.email == first_address(&self.emails)
    }

    /// Whether anything changed.
    fn replace_attributes(&mut self, patch: UserPatch) -> bool {
        let emails = match (patch.emails, patch.email) {
            (Some(emails), _) => Some(emails),
            (None, Some(email)) => Some(with_first(&self.emails, email)),
            (None, None) => None,
        };
        // Derived, so that the two never disagree.
        let email = emails.as_deref().map(first_address);

        [
            replace(&mut self.meta, patch.meta),
            replace(&mut self.name, patch.name),
            replace(&mut self.avatar, patch.avatar),
            replace(&mut self.email, email),
            replace(&mut self.emails, emails),
            replace(&mut self.phones, patch.phones),
            replace(&mut self.router_id, patch.router_id),
            replace(&mut self.preferences, patch.preferences),
            replace(&mut self.roles, patch.roles),
        ]
        .contains(&true)
    }
}

/// The addresses with another one in the first place.
fn with_first(emails: &[Map<String, Value>], email: String) -> Vec<Map<String, Value>> {
    let mut emails = emails.to_vec();
    match emails.first_mut() {
        Some(first) => {
            first.insert("email".to_owned(), email.into());
        }
        None => emails.push(contact("email", email)),
    }
    emails
}

fn first_address(emails: &[Map<String, Value>]) -> Option<String> {
    let address = emails.first()?.get("email")?.as_str()?;
    Some(address.to_owned())
}

fn contact(name: &str, value: String) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

fn read(
    attributes: Map<String, Value>,
    strictness: Strictness,
    is_create: bool,
) -> Result<UserPatch, Rejection> {
    let has_address = attributes.contains_key("email") || attributes.contains_key("emails");
    let mut body = AttributeReader::new(attributes);
    body.ignore(&SERVER_ATTRIBUTES);
    if body.is_null("email") {
        // A user without an address, as it was read.
        body.ignore(&["email"]);
    }

    let short = |value| body::text_up_to(value, MAX_CONTACT_LEN);
    let patch = UserPatch {
        meta: body.optional("meta", body::object),
        name: match is_create {
            true => body.required("name", name),
            false => body.optional("name", name),
        },
        avatar: body.nullable("avatar", short),
        email: body.optional("email", |value| address(value, strictness)),
        emails: match is_create && !has_address {
            true => body.required("emails", |value| contacts(value, "email", strictness)),
            false => body.optional("emails", |value| contacts(value, "email", strictness)),
        },
        phones: body.optional("phones", |value| contacts(value, "phone", strictness)),
        router_id: body.nullable("router_id", router),
        preferences: body.optional("preferences", body::object),
        roles: body.optional("roles", body::object),
    };

    body.finish(strictness)?;
    Ok(patch)
}

fn name(value: Value) -> Result<Name, String> {
    Name::parse(&body::text(value)?)
}

fn router(value: Value) -> Result<ObjectId, String> {
    let text = body::text(value)?;
    ObjectId::parse(&text).ok_or_else(|| {
        format!(
            "must be an id ('rtr_…'), but was '{}'",
            body::excerpt(&text)
        )
    })
}

/// Strict mode wants an `@`. Lenient mode takes what the user logs in with.
fn address(value: Value, strictness: Strictness) -> Result<String, String> {
    let text = body::text_up_to(value, MAX_CONTACT_LEN)?;
    match text.trim() {
        "" => Err("must be a mail address, but was empty".to_owned()),
        text if strictness == Strictness::Strict && !text.contains('@') => Err(format!(
            "must be a mail address, but was '{}'",
            body::excerpt(text)
        )),
        text => Ok(text.to_owned()),
    }
}

/// An array of objects that have a member `name`, or of the texts alone.
fn contacts(
    value: Value,
    name: &str,
    strictness: Strictness,
) -> Result<Vec<Map<String, Value>>, String> {
    let Value::Array(items) = value else {
        return Err(format!(
            "must be an array of {{\"{name}\": \"…\"}}, but was {}",
            body::kind_of(&value)
        ));
    };
    if items.len() > MAX_CONTACTS {
        return Err(format!("must have at most {MAX_CONTACTS} entries"));
    }

    let read = |item: Value| -> Result<Map<String, Value>, String> {
        let mut object = match item {
            Value::Object(object) => object,
            other => Map::from_iter([(name.to_owned(), other)]),
        };
        let value = object.get(name).cloned().unwrap_or_default();
        let text = match name {
            "email" => address(value, strictness)?,
            _ => body::text_up_to(value, MAX_CONTACT_LEN)?,
        };
        object.insert(name.to_owned(), text.into());
        Ok(object)
    };

    let numbered = items.into_iter().enumerate();
    numbered
        .map(|(position, item)| {
            read(item).map_err(|error| format!("at position {position} '{name}' {error}"))
        })
        .collect()
}
