//! Sort order: `sort=-createdAt,name`, `sortdirection=DESC`.
//!
//! The ascending order of values of different types is fixed: missing and null; false, true;
//! numbers; times; strings by bytes; arrays, element by element; objects, which are not ordered
//! among themselves. Descending is the exact reverse, so missing values come last.

use std::{cmp::Reverse, collections::HashSet};

use serde_json::value::RawValue;

use super::{
    instant::{self, Instant},
    number::Number,
    object::{RawObject, Shape},
    parameters::{Parameters, QueryErrors, quoted},
    schema::{AttributeKind, FieldPath, Schema},
};

/// The tie-breaker, and the default order.
const TINY_ID: &str = "tinyId";

/// Depth to which nested arrays are compared; deeper values count as equal. Bounds the stack used
/// by a comparison.
const MAX_DEPTH: usize = 32;

/// The order of a list.
#[derive(Debug, Clone)]
pub enum SortOrder {
    /// Order of creation, the default.
    TinyIdAscending,
    /// Newest first.
    TinyIdDescending,
    /// By other attributes, with ties broken by ascending `tinyId`.
    Sorted(Sort),
}

/// The attributes to sort by, most significant first.
#[derive(Debug, Clone)]
pub struct Sort {
    attributes: Vec<SortAttribute>,
}

#[derive(Debug, Clone)]
struct SortAttribute {
    path: FieldPath,
    descending: bool,
}

impl SortOrder {
    /// Parses `sort` and `sortdirection`.
    pub(super) fn read(
        schema: Schema,
        parameters: &Parameters<'_>,
        errors: &mut QueryErrors,
    ) -> Self {
        let sort = parameters.get("sort");
        let sorted = sort
            .map(|sort| read_attributes(schema, sort, errors))
            .unwrap_or_default();
        let descending = read_direction(parameters, errors);
        let attributes: Vec<_> = sorted
            .into_iter()
            .map(|(path, own)| SortAttribute {
                path,
                descending: own.unwrap_or(descending),
            })
            .collect();

        match attributes.first() {
            None if descending => Self::TinyIdDescending,
            None => Self::TinyIdAscending,
            // `tinyId` is unique, so later attributes do not matter.
            Some(first) if first.path.attribute.name == TINY_ID && first.descending => {
                Self::TinyIdDescending
            }
            Some(first) if first.path.attribute.name == TINY_ID => Self::TinyIdAscending,
            Some(_) => Self::Sorted(Sort { attributes }),
        }
    }
}

impl Sort {
    /// The sort key of an object. Compare it together with `tinyId`.
    pub fn key(&self, object: &RawObject<'_>) -> SortKey {
        self.key_of(|path| path.find(object))
    }

    /// The sort key from individual values, without the object.
    pub fn key_of<'a>(&self, value: impl Fn(&FieldPath) -> Option<&'a RawValue>) -> SortKey {
        let values = self.attributes.iter().map(|attribute| {
            let value = SortValue::of(value(&attribute.path), attribute.path.attribute.kind);
            if attribute.descending {
                Directed::Descending(Reverse(value))
            } else {
                Directed::Ascending(value)
            }
        });
        SortKey(values.collect())
    }

    /// The paths to sort by, most significant first.
    pub fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        self.attributes.iter().map(|attribute| &attribute.path)
    }
}

/// A sort key. Only keys of the same `Sort` are comparable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SortKey(Vec<Directed>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Directed {
    Ascending(SortValue),
    Descending(Reverse<SortValue>),
}

/// The order of the variants is the order of the types.
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
            (_, Some(shape)) => Self::of_shape(shape, MAX_DEPTH),
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

/// Number of sort fields.
pub(super) fn count(parameters: &Parameters<'_>) -> usize {
    parameters
        .get("sort")
        .map_or(0, |sort| sort.split(',').count())
}

/// The paths to sort by, each with the direction of its sign, if it has one.
fn read_attributes(
    schema: Schema,
    sort: &str,
    errors: &mut QueryErrors,
) -> Vec<(FieldPath, Option<bool>)> {
    if sort.trim().is_empty() {
        errors.add(format!(
            "'sort' must name at least one attribute; there are {}",
            schema.names()
        ));
        return Vec::new();
    }

    let (mut seen, mut reported) = (HashSet::new(), HashSet::new());
    let mut paths = Vec::new();
    for part in sort.split(',') {
        let (name, descending) = read_sign(part);
        match schema.resolve(name) {
            Err(error) => errors.add(format!("{} in 'sort' {error}", quoted(name))),
            Ok(path) if path.is_in_several() => {
                errors.add(format!(
                    "{} in 'sort' is in several objects and has no order",
                    quoted(name)
                ));
            }
            Ok(path) if seen.insert(name) => paths.push((path, descending)),
            Ok(_) if reported.insert(name) => {
                errors.add(format!("{} must stand only once in 'sort'", quoted(name)))
            }
            Ok(_) => {}
        }
    }

    paths
}

/// An unencoded `+` arrives as a space.
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

/// Whether attributes without a sign are descending.
fn read_direction(parameters: &Parameters<'_>, errors: &mut QueryErrors) -> bool {
    let Some(direction) = parameters.get("sortdirection") else {
        return false;
    };
    let descending = direction.eq_ignore_ascii_case("DESC");
    if !descending && !direction.eq_ignore_ascii_case("ASC") {
        errors.add(format!(
            "'sortdirection' must be ASC or DESC, but was {}",
            quoted(direction)
        ));
    }
    descending
}

#[cfg(test)]
mod tests;
