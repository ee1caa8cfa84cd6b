//! Filters: `type=email&enabled=true`, with operators in `ops`.
//!
//! Values are parsed with the query, so that matching only compares. An object matches if all
//! filters do. A missing value matches nothing, except that `ne` is the exact negation of equals.

mod any_kind;
mod explanation;
mod some_object;
#[cfg(test)]
mod tests;

use serde_json::value::RawValue;

use crate::domain::thirdparty_id;

pub(crate) use self::explanation::describe;
use self::{any_kind::AnyKindTest, some_object::SomeObjectTest};
use super::{
    comparison::Comparison,
    instant::{self, Instant},
    json::Members,
    number::Number,
    object::{self, RawObject, Shape},
    operator::{Comparator, FilterOperator, Operators},
    parameters::{Parameters, QueryErrors, quoted},
    schema::{AttributeKind, FieldPath, Schema},
};

/// As it is written in a query and in what is stored.
const NULL: &str = "null";

/// The filters of a query.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    filters: Vec<Filter>,
}

impl Filters {
    /// Reads every parameter that is not a keyword, and `ops`. Errors come in the order of the
    /// object's attributes.
    pub(super) fn read(
        schema: Schema,
        parameters: &Parameters<'_>,
        errors: &mut QueryErrors,
    ) -> Self {
        let operators = Operators::read(parameters, errors);
        let mut asked: Vec<(&str, &str)> = parameters.filters().collect();
        asked.sort_by_key(|(name, _)| schema.position(name));

        let mut filters = Vec::with_capacity(asked.len());
        for (name, value) in asked {
            match (schema.resolve(name), operators.of(name)) {
                (Err(error), _) => errors.add(format!("{} {error}", quoted(name))),
                (Ok(_), None) => {}
                (Ok(path), Some(operator)) => match Filter::new(path, operator, value) {
                    Ok(filter) => filters.push(filter),
                    Err(error) => errors.add(error),
                },
            }
        }

        Self { filters }
    }

    /// Whether the object satisfies every filter.
    pub fn matches(&self, object: &RawObject<'_>) -> bool {
        self.filters.iter().all(|filter| filter.matches(object))
    }

    /// Whether there is nothing to satisfy.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }

    /// The filters, to be applied to individual values.
    pub fn iter(&self) -> impl Iterator<Item = &Filter> {
        self.filters.iter()
    }
}

/// One question about one path of an object.
#[derive(Debug, Clone)]
pub struct Filter {
    path: FieldPath,
    operator: FilterOperator,
    /// The value as the query gave it, for explanations.
    wanted: Box<str>,
    negated: bool,
    test: Test,
}

/// What is asked of a value that is there.
#[derive(Debug, Clone)]
enum Test {
    /// Whether there is none, where there may be.
    Null,
    Text(Comparison<String>),
    Number(Comparison<Number>),
    Boolean(Comparison<bool>),
    Time(Comparison<Instant>),
    /// Of the written form, whatever the kind.
    BeginsWith(String),
    Contains(String),
    /// Some element of a text array.
    SomeElement(Comparison<String>),
    SomeElementBeginsWith(String),
    /// A whole object.
    Equal(Members),
    Contained(Members),
    /// Below an object, where the stored value decides the kind.
    AnyKind(AnyKindTest),
    /// Some object of an array.
    SomeObject(SomeObjectTest),
}

impl Filter {
    fn new(path: FieldPath, operator: FilterOperator, value: &str) -> Result<Self, String> {
        let negated = operator == FilterOperator::NotEqual;
        let wanted = value.into();
        if asks_for_null(&path, operator, value) {
            return Ok(Self {
                operator,
                wanted,
                negated,
                path,
                test: Test::Null,
            });
        }

        let kept = path
            .attribute
            .is_thirdparty_id
            .then(|| thirdparty_id::stored_form(value));
        let value = kept.as_deref().unwrap_or(value);
        let kind = path.attribute.kind;

        if let Some(whole) = whole_object(&path)
            && !asks_for_members(operator)
        {
            let (name, operator) = (quoted(&path.name()), operator.name());
            return Err(format!(
                "{name} is {whole}; 'ops' may say equals, ne or contains, not {operator}"
            ));
        }

        let test = match (kind, &path.below) {
            (AttributeKind::Object, Some(_)) => {
                AnyKindTest::new(operator, value).map(Test::AnyKind)
            }
            (AttributeKind::Object, None) => Test::of_object(operator, value),
            (AttributeKind::ObjectArray, below) => {
                SomeObjectTest::new(below.as_deref(), operator, value).map(Test::SomeObject)
            }
            (AttributeKind::TextArray, _) => Test::of_elements(operator, value),
            (
                AttributeKind::Text
                | AttributeKind::Number
                | AttributeKind::Boolean
                | AttributeKind::Time,
                _,
            ) => Test::of_scalar(kind, operator, value),
        };

        match test {
            Some(test) => Ok(Self {
                operator,
                wanted,
                negated,
                path,
                test,
            }),
            None => Err(unreadable(&path, operator, value)),
        }
    }

    /// What it asks about.
    pub fn path(&self) -> &FieldPath {
        &self.path
    }

    /// Whether an object with this value at the path satisfies it.
    pub fn accepts(&self, value: Option<&RawValue>) -> bool {
        value.is_some_and(|value| self.test.holds(value)) != self.negated
    }

    fn matches(&self, object: &RawObject<'_>) -> bool {
        self.accepts(self.path.find(object))
    }
}

impl Test {
    fn of_scalar(kind: AttributeKind, operator: FilterOperator, value: &str) -> Option<Self> {
        let comparator = match operator {
            FilterOperator::BeginsWith => return Some(Self::BeginsWith(value.to_owned())),
            FilterOperator::Contains => return Some(Self::Contains(value.to_owned())),
            FilterOperator::NotEqual => Comparator::Equal,
            FilterOperator::Compare(comparator) => comparator,
        };

        match kind {
            AttributeKind::Number => {
                Comparison::parse(comparator, value, Number::parse).map(Self::Number)
            }
            AttributeKind::Boolean => {
                Comparison::parse(comparator, value, parse_boolean).map(Self::Boolean)
            }
            AttributeKind::Time => {
                Comparison::parse(comparator, value, instant::parse_asked).map(Self::Time)
            }
            AttributeKind::Text
            | AttributeKind::TextArray
            | AttributeKind::Object
            | AttributeKind::ObjectArray => {
                Comparison::parse_text(comparator, value).map(Self::Text)
            }
        }
    }

    fn of_elements(operator: FilterOperator, value: &str) -> Option<Self> {
        let comparator = match operator {
            FilterOperator::BeginsWith => {
                return Some(Self::SomeElementBeginsWith(value.to_owned()));
            }
            FilterOperator::NotEqual | FilterOperator::Contains => Comparator::Equal,
            FilterOperator::Compare(comparator) => comparator,
        };
        Comparison::parse_text(comparator, value).map(Self::SomeElement)
    }

    fn of_object(operator: FilterOperator, value: &str) -> Option<Self> {
        let members = Members::parse(value)?;
        Some(if operator == FilterOperator::Contains {
            Self::Contained(members)
        } else {
            Self::Equal(members)
        })
    }

    fn holds(&self, value: &RawValue) -> bool {
        match self {
            Self::Null => value.get() == NULL,
            Self::Text(asked) => object::text(value).is_some_and(|stored| asked.holds_for(&stored)),
            Self::Number(asked) => Number::parse(value.get())
                .is_some_and(|stored| asked.holds(|asked| stored.cmp(asked))),
            Self::Boolean(asked) => {
                stored_boolean(value).is_some_and(|stored| asked.holds(|asked| stored.cmp(asked)))
            }
            Self::Time(asked) => object::text(value)
                .and_then(|stored| instant::parse_stored(&stored))
                .is_some_and(|stored| asked.holds(|asked| stored.cmp(asked))),
            Self::BeginsWith(start) => {
                has_written_form(value, |written| written.starts_with(start))
            }
            Self::Contains(part) => has_written_form(value, |written| written.contains(part)),
            Self::SomeElement(asked) => has_element(value, |element| asked.holds_for(element)),
            Self::SomeElementBeginsWith(start) => {
                has_element(value, |element| element.starts_with(start))
            }
            Self::Equal(members) => {
                RawObject::of(value).is_some_and(|stored| members.equal(&stored))
            }
            Self::Contained(members) => {
                RawObject::of(value).is_some_and(|stored| members.contained_in(&stored))
            }
            Self::AnyKind(test) => test.holds(value),
            Self::SomeObject(test) => test.holds(value),
        }
    }
}

/// Below an object the stored value decides.
fn asks_for_null(path: &FieldPath, operator: FilterOperator, value: &str) -> bool {
    let equals = matches!(
        operator,
        FilterOperator::Compare(Comparator::Equal) | FilterOperator::NotEqual
    );
    path.may_be_null() && equals && value == NULL
}

/// What the path is called if objects stand there.
fn whole_object(path: &FieldPath) -> Option<&'static str> {
    match (path.attribute.kind, &path.below) {
        (AttributeKind::Object, None) => Some("an object"),
        (AttributeKind::ObjectArray, None) => Some("an array of objects"),
        (
            AttributeKind::Text
            | AttributeKind::Number
            | AttributeKind::Boolean
            | AttributeKind::Time
            | AttributeKind::TextArray,
            _,
        ) => None,
        (AttributeKind::Object | AttributeKind::ObjectArray, Some(_)) => None,
    }
}

fn asks_for_members(operator: FilterOperator) -> bool {
    matches!(
        operator,
        FilterOperator::Compare(Comparator::Equal)
            | FilterOperator::NotEqual
            | FilterOperator::Contains
    )
}

fn has_written_form(value: &RawValue, test: impl Fn(&str) -> bool) -> bool {
    Shape::of(value)
        .and_then(Shape::written_form)
        .is_some_and(|written| test(&written))
}

fn has_element(value: &RawValue, test: impl Fn(&str) -> bool) -> bool {
    object::elements(value)
        .into_iter()
        .filter_map(object::text)
        .any(|element| test(&element))
}

fn stored_boolean(value: &RawValue) -> Option<bool> {
    match value.get() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// `1` and `0` are what public clients send.
fn parse_boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn unreadable(path: &FieldPath, operator: FilterOperator, value: &str) -> String {
    let expected = match (path.attribute.kind, &path.below) {
        (AttributeKind::Number, _) => "a number",
        (AttributeKind::Boolean, _) => "true, false, 1 or 0",
        (AttributeKind::Time, _) => "an RFC 3339 time like 2018-04-27T00:02:50Z or unix seconds",
        (AttributeKind::Object, None) => "a JSON object like {\"env\":\"prod\"}",
        (AttributeKind::ObjectArray, None) => "a JSON object like {\"label\":\"Host\"}",
        (AttributeKind::Text | AttributeKind::TextArray, _)
        | (AttributeKind::Object | AttributeKind::ObjectArray, Some(_)) => "a text",
    };

    let expected = match operator {
        FilterOperator::Compare(Comparator::Between) => {
            format!("two values written a..b, each {expected}")
        }
        FilterOperator::Compare(Comparator::Equal) | FilterOperator::NotEqual
            if path.may_be_null() =>
        {
            format!("{expected}, or null")
        }
        FilterOperator::Compare(_)
        | FilterOperator::NotEqual
        | FilterOperator::BeginsWith
        | FilterOperator::Contains => expected.to_owned(),
    };

    format!(
        "{} must be {expected}, but was {}",
        quoted(&path.name()),
        quoted(value)
    )
}
