//! In which order a list stands: `sort=-createdAt,name`, `sortdirection=DESC`.
//!
//! The order of values of different kinds, ascending, is fixed: missing and null; false, true;
//! numbers; times; text by bytes; arrays, element by element; objects, which have no order among
//! themselves. Descending is its exact reverse, so what is missing then comes last.

use std::{cmp::Reverse, collections::HashSet};

use serde_json::value::RawValue;

use super::{
    instant::{self, Instant},
    number::Number,
    object::{RawObject, Shape},
    parameters::{Faults, Parameters, shown},
    schema::{AttributeKind, FieldPath, Schema},
};

/// The attribute that breaks every tie and is the order of a list that names none.
const TINY_ID: &str = "tinyId";

/// Arrays inside arrays are compared this far down; what lies deeper counts as equal. It keeps a
/// stored value from deciding how much stack a comparison takes.
const DEEPEST: usize = 32;

/// The order of a list.
#[derive(Debug, Clone)]
pub enum SortOrder {
    /// As created; the default.
    TinyIdAscending,
    /// The newest first.
    TinyIdDescending,
    /// By other attributes; equal ones by `tinyId`, ascending.
    Sorted(Sort),
}

/// The attributes to sort by, the most important first.
#[derive(Debug, Clone)]
pub struct Sort {
    attributes: Vec<SortAttribute>,
}

#[derive(Debug, Clone)]
struct SortAttribute {
    place: FieldPath,
    descending: bool,
}

impl SortOrder {
    /// Reads `sort` and `sortdirection`.
    pub(super) fn read(schema: Schema, parameters: &Parameters<'_>, faults: &mut Faults) -> Self {
        let sort = parameters.get("sort");
        let sorted = sort
            .map(|sort| read_attributes(schema, sort, faults))
            .unwrap_or_default();
        let descending = read_direction(parameters, faults);
        let attributes: Vec<_> = sorted
            .into_iter()
            .map(|(place, own)| SortAttribute {
                place,
                descending: own.unwrap_or(descending),
            })
            .collect();

        match attributes.first() {
            None if descending => Self::TinyIdDescending,
            None => Self::TinyIdAscending,
            // No two objects have the same `tinyId`, so whatever follows it decides nothing.
            Some(first) if first.place.attribute.name == TINY_ID && first.descending => {
                Self::TinyIdDescending
            }
            Some(first) if first.place.attribute.name == TINY_ID => Self::TinyIdAscending,
            Some(_) => Self::Sorted(Sort { attributes }),
        }
    }
}

impl Sort {
    /// Where the object stands in this order; compare it together with `tinyId`.
    pub fn key(&self, object: &RawObject<'_>) -> SortKey {
        self.key_of(|place| place.find(object))
    }

    /// The same, for whoever has the values of a place without the object.
    pub fn key_of<'a>(&self, value: impl Fn(&FieldPath) -> Option<&'a RawValue>) -> SortKey {
        let values = self.attributes.iter().map(|attribute| {
            let value = SortValue::of(value(&attribute.place), attribute.place.attribute.kind);
            if attribute.descending {
                Directed::Descending(Reverse(value))
            } else {
                Directed::Ascending(value)
            }
        });
        SortKey(values.collect())
    }

    /// What it looks at, the most important first.
    pub fn places(&self) -> impl Iterator<Item = &FieldPath> {
        self.attributes.iter().map(|attribute| &attribute.place)
    }
}

/// The place of an object in a sorted list. Keys of one `Sort` compare in its directions; others
/// mean nothing together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(Vec<Directed>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Directed {
    Ascending(SortValue),
    Descending(Reverse<SortValue>),
}

/// The variants stand in the order of the kinds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum SortValue {
    Missing,
    Boolean(bool),
    Number(Number),
    Time(Instant),
    Text(Box<str>),
    Array(Vec<SortValue>),
    Object,
}

impl SortValue {
    fn of(value: Option<&RawValue>, kind: AttributeKind) -> Self {
        let shape = value.and_then(Shape::of);
        match (kind, shape) {
            (AttributeKind::Time, Some(Shape::Text(text))) => {
                instant::parse_stored(&text).map_or_else(|| Self::Text(text.into()), Self::Time)
            }
            (_, Some(shape)) => Self::of_shape(shape, DEEPEST),
            (_, None) => Self::Missing,
        }
    }

    fn of_shape(shape: Shape<'_>, depth: usize) -> Self {
        match shape {
            Shape::Null => Self::Missing,
            Shape::Boolean(value) => Self::Boolean(value),
            Shape::Number(digits) => Number::parse(digits).map_or(Self::Missing, Self::Number),
            Shape::Text(text) => Self::Text(text.into()),
            Shape::Array(elements) => {
                let Some(below) = depth.checked_sub(1) else {
                    return Self::Array(Vec::new());
                };
                let element = |value| {
                    Shape::of(value).map_or(Self::Missing, |shape| Self::of_shape(shape, below))
                };
                Self::Array(elements.into_iter().map(element).collect())
            }
            Shape::Object(_) => Self::Object,
        }
    }
}

/// How many places `sort` names.
pub(super) fn count(parameters: &Parameters<'_>) -> usize {
    parameters
        .get("sort")
        .map_or(0, |sort| sort.split(',').count())
}

/// The places to sort by, each with whether its own sign says descending.
fn read_attributes(
    schema: Schema,
    sort: &str,
    faults: &mut Faults,
) -> Vec<(FieldPath, Option<bool>)> {
    if sort.trim().is_empty() {
        faults.add(format!(
            "'sort' must name at least one attribute; there are {}",
            schema.names()
        ));
        return Vec::new();
    }

    let (mut seen, mut reported) = (HashSet::new(), HashSet::new());
    let mut places = Vec::new();
    for part in sort.split(',') {
        let (name, descending) = read_sign(part);
        match schema.resolve(name) {
            Err(fault) => faults.add(format!("{} in 'sort' {fault}", shown(name))),
            Ok(place) if place.is_in_several() => {
                faults.add(format!(
                    "{} in 'sort' stands in several objects and gives no order",
                    shown(name)
                ));
            }
            Ok(place) if seen.insert(name) => places.push((place, descending)),
            Ok(_) if reported.insert(name) => {
                faults.add(format!("{} must stand only once in 'sort'", shown(name)))
            }
            Ok(_) => {}
        }
    }

    places
}

/// A `+` that was not encoded arrives as a space.
fn read_sign(part: &str) -> (&str, Option<bool>) {
    let name = part.trim_start_matches(' ');
    let spaced = name.len() < part.len();
    let name = name.trim_end_matches(' ');
    match (name.strip_prefix('-'), name.strip_prefix('+')) {
        (Some(name), _) => (name, Some(true)),
        (None, Some(name)) => (name, Some(false)),
        (None, None) => (name, spaced.then_some(false)),
    }
}

/// Whether attributes without a sign of their own are descending.
fn read_direction(parameters: &Parameters<'_>, faults: &mut Faults) -> bool {
    let Some(direction) = parameters.get("sortdirection") else {
        return false;
    };
    let descending = direction.eq_ignore_ascii_case("DESC");
    if !descending && !direction.eq_ignore_ascii_case("ASC") {
        faults.add(format!(
            "'sortdirection' must be ASC or DESC, but was {}",
            shown(direction)
        ));
    }
    descending
}

#[cfg(test)]
mod tests;
