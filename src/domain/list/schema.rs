//! The schema of an object type: its attributes and their types.
//!
//! Resolves the names of a query to `FieldPath`s; the rest of the engine does not parse dotted
//! names.

use serde_json::value::RawValue;

use super::{
    object::{RawObject, find_below},
    walk,
};

/// The type of an attribute, which determines how its values are parsed, compared and sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    /// A JSON string, compared by bytes.
    Text,
    /// A JSON number, compared exactly.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A JSON string with an RFC 3339 time.
    Time,
    /// An array of JSON strings.
    TextArray,
    /// A JSON object of any shape. Dotted names reach into it.
    Object,
    /// An array of JSON objects. Dotted names reach into each of them.
    ObjectArray,
}

impl AttributeKind {
    fn has_members(self) -> bool {
        matches!(self, Self::Object | Self::ObjectArray)
    }
}

/// One attribute of an object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// The member's name, without dots.
    pub name: &'static str,
    /// The type of its values.
    pub kind: AttributeKind,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it is a third-party id. Long ones are stored as hashes, but queried in full.
    pub is_thirdparty_id: bool,
}

impl Attribute {
    /// An attribute that always has a value.
    pub const fn new(name: &'static str, kind: AttributeKind) -> Self {
        Self {
            name,
            kind,
            nullable: false,
            is_thirdparty_id: false,
        }
    }

    /// A nullable third-party id.
    pub const fn thirdparty_id(name: &'static str) -> Self {
        Self {
            is_thirdparty_id: true,
            ..Self::new(name, AttributeKind::Text).or_null()
        }
    }

    /// Makes the attribute nullable.
    pub const fn or_null(self) -> Self {
        Self {
            nullable: true,
            ..self
        }
    }
}

/// The attributes of an object type, in the order of the object.
#[derive(Debug, Clone, Copy)]
pub struct Schema(
    /// All attributes.
    pub &'static [Attribute],
);

impl Schema {
    /// Finds an attribute by its exact name.
    pub fn find(self, name: &str) -> Option<Attribute> {
        self.0
            .iter()
            .copied()
            .find(|attribute| attribute.name == name)
    }

    /// Resolves a name in a query. The error is the rest of a sentence that starts with the name.
    pub(crate) fn resolve(self, name: &str) -> Result<FieldPath, String> {
        let (head, below) = match name.split_once('.') {
            Some((head, below)) => (head, Some(below)),
            None => (name, None),
        };

        match (self.find(head), below) {
            (None, _) => Err(format!("is not an attribute; there are {}", self.names())),
            (Some(attribute), None) => Ok(FieldPath {
                attribute,
                below: None,
            }),
            (Some(attribute), Some("")) if attribute.kind.has_members() => {
                Err("must have a name after the dot".to_owned())
            }
            (Some(attribute), Some(below)) if attribute.kind.has_members() => Ok(FieldPath {
                attribute,
                below: Some(below.to_owned()),
            }),
            (Some(_), Some(_)) => Err(format!(
                "reaches below '{head}', which is not an object{}",
                self.objects_hint()
            )),
        }
    }

    /// The position of a name's attribute in the object. Unknown names come last.
    pub(super) fn position(self, name: &str) -> usize {
        let head = name.split_once('.').map_or(name, |(head, _)| head);
        self.0
            .iter()
            .position(|attribute| attribute.name == head)
            .unwrap_or(self.0.len())
    }

    /// The names of all attributes, for messages.
    pub(super) fn names(self) -> String {
        self.0
            .iter()
            .map(|attribute| attribute.name)
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn objects_hint(self) -> String {
        let objects: Vec<_> = self
            .0
            .iter()
            .filter(|known| known.kind.has_members())
            .map(|known| known.name)
            .collect();
        if objects.is_empty() {
            String::new()
        } else {
            format!("; a dot may follow {}", objects.join(", "))
        }
    }
}

/// The path of a value: an attribute, or a dotted path below an attribute that is an object or an
/// array of objects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldPath {
    pub(super) attribute: Attribute,
    /// The dotted path below the attribute.
    pub(super) below: Option<String>,
}

impl FieldPath {
    /// The stored value, if any. For a path into several objects, the whole array.
    pub fn find<'a>(&self, object: &RawObject<'a>) -> Option<&'a RawValue> {
        let value = object.get(self.attribute.name)?;
        match &self.below {
            Some(path) if !self.is_in_several() => find_below(value, path),
            _ => Some(value),
        }
    }

    /// The stored values at all of these paths, and the work in bytes. Paths below one attribute
    /// are resolved in a single pass.
    pub fn find_each<'a>(
        paths: &[&Self],
        object: &RawObject<'a>,
    ) -> (Vec<Option<&'a RawValue>>, usize) {
        let mut values = vec![None; paths.len()];
        let mut work = 0_usize;
        let mut below: Vec<(&'static str, Vec<(usize, &str)>)> = Vec::new();

        for (position, (path, value)) in paths.iter().zip(&mut values).enumerate() {
            match &path.below {
                Some(rest) if !path.is_in_several() => {
                    let name = path.attribute.name;
                    match below.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, rests)) => rests.push((position, rest)),
                        None => below.push((name, vec![(position, rest)])),
                    }
                }
                _ => {
                    *value = object.get(path.attribute.name);
                    work = work.saturating_add(value.map_or(0, |value| value.get().len()));
                }
            }
        }

        for (name, paths) in below {
            let Some(attribute) = object.get(name) else {
                continue;
            };

            let (positions, paths): (Vec<_>, Vec<_>) = paths.into_iter().unzip();
            let walked = walk::find_all(attribute, &paths);
            work = work.saturating_add(walked.work);

            for (position, found) in positions.into_iter().zip(walked.values) {
                values
                    .get_mut(position)
                    .into_iter()
                    .for_each(|value| *value = found);
            }
        }

        (values, work)
    }

    /// Whether the value may have any size and shape.
    pub fn is_open_ended(&self) -> bool {
        self.attribute.kind.has_members()
    }

    /// Whether the path leads into several objects, and so has no single value.
    pub(super) fn is_in_several(&self) -> bool {
        self.attribute.kind == AttributeKind::ObjectArray && self.below.is_some()
    }

    /// Whether this is a nullable attribute. Values below an attribute may have any type.
    pub(super) fn may_be_null(&self) -> bool {
        self.attribute.nullable && self.below.is_none()
    }

    /// The name in a query.
    pub fn name(&self) -> String {
        match &self.below {
            None => self.attribute.name.to_owned(),
            Some(path) => format!("{}.{path}", self.attribute.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema = Schema(&[
        Attribute::new("name", AttributeKind::Text),
        Attribute::new("meta", AttributeKind::Object),
        Attribute::new("data", AttributeKind::ObjectArray),
    ]);

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        assert_eq!(
            SCHEMA.resolve("nmae").unwrap_err(),
            "is not an attribute; there are name, meta, data"
        );
        assert_eq!(
            SCHEMA.resolve("").unwrap_err(),
            "is not an attribute; there are name, meta, data"
        );
    }

    #[test]
    fn a_dot_goes_below_objects_only() {
        assert_eq!(SCHEMA.resolve("meta.a.b").unwrap().name(), "meta.a.b");
        assert_eq!(SCHEMA.resolve("data.a").unwrap().name(), "data.a");
        assert_eq!(
            SCHEMA.resolve("name.first").unwrap_err(),
            "reaches below 'name', which is not an object; a dot may follow meta, data"
        );

        for name in ["meta.", "data."] {
            assert_eq!(
                SCHEMA.resolve(name).unwrap_err(),
                "must have a name after the dot"
            );
        }
    }

    #[test]
    fn positions_follow_the_object_with_unknown_names_last() {
        assert_eq!(
            ["name", "meta.env", "colour"].map(|name| SCHEMA.position(name)),
            [0, 1, 3]
        );
    }
}
