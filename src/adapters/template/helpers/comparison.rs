//! Helpers that compare values and decide which block is rendered.

use super::{
    HelperDefinition, Reads,
    arguments::{Arguments, number_of, text_of},
    helper,
};
use crate::adapters::compare::{compared, order};
use serde_json::Value;
use std::cmp::Ordering;

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("and", |arguments| {
        Ok((0..arguments.values.len())
            .all(|position| arguments.is_truthy(position))
            .into())
    }),
    helper("compare", compare),
    helper("contains", contains).reads(Reads::Itself),
    helper("default", |arguments| {
        let found = arguments
            .values
            .iter()
            .find(|value| !text_of(value).is_empty());
        Ok(found.map_or(Value::Null, |value| (*value).clone()))
    }),
    helper("eq", |arguments| {
        is_equal(arguments, arguments.compared(1)).map(Value::from)
    })
    .reads(Reads::Itself),
    helper("gt", |arguments| is_ordered(arguments, Ordering::is_gt)),
    helper("gte", |arguments| is_ordered(arguments, Ordering::is_ge)),
    helper("has", contains).reads(Reads::Itself),
    helper("ifEven", |arguments| {
        Ok((arguments.number(0)? % 2.0 == 0.0).into())
    }),
    helper("ifNth", |arguments| {
        let position = arguments.number(1)? + 1.0;
        Ok((position % arguments.number(0)? == 0.0).into())
    }),
    helper("ifOdd", |arguments| {
        Ok((arguments.number(0)? % 2.0 != 0.0).into())
    }),
    helper("is", |arguments| {
        Ok((arguments.text(0) == text_of(arguments.compared(1))).into())
    }),
    helper("isFalsey", |arguments| Ok((!arguments.is_truthy(0)).into())),
    helper("isTruthy", |arguments| Ok(arguments.is_truthy(0).into())),
    helper("isnt", |arguments| {
        Ok((arguments.text(0) != text_of(arguments.compared(1))).into())
    }),
    helper("lt", |arguments| is_ordered(arguments, Ordering::is_lt)),
    helper("lte", |arguments| is_ordered(arguments, Ordering::is_le)),
    helper("ne", |arguments| {
        is_equal(arguments, arguments.compared(1)).map(|same| (!same).into())
    })
    .reads(Reads::Itself),
    helper("neither", |arguments| {
        Ok((!arguments.is_truthy(0) && !arguments.is_truthy(1)).into())
    }),
    helper("not", |arguments| Ok((!arguments.is_truthy(0)).into())),
    helper("or", |arguments| {
        Ok((0..arguments.values.len())
            .any(|position| arguments.is_truthy(position))
            .into())
    }),
    helper("unlessEq", |arguments| {
        is_equal(arguments, arguments.compared(1)).map(|same| (!same).into())
    })
    .reads(Reads::Itself),
    helper("unlessGt", |arguments| {
        negate(is_ordered(arguments, Ordering::is_gt))
    }),
    helper("unlessGteq", |arguments| {
        negate(is_ordered(arguments, Ordering::is_ge))
    }),
    helper("unlessLt", |arguments| {
        negate(is_ordered(arguments, Ordering::is_lt))
    }),
    helper("unlessLteq", |arguments| {
        negate(is_ordered(arguments, Ordering::is_le))
    }),
];

fn negate(value: Result<Value, String>) -> Result<Value, String> {
    value.map(|value| (value != Value::Bool(true)).into())
}

fn is_equal(arguments: &Arguments<'_>, other: &Value) -> Result<bool, String> {
    let (is_equal, work) = compared(arguments.value(0), other);
    arguments.steps.take(work / super::BYTES_PER_STEP)?;
    Ok(is_equal)
}

fn contains(arguments: &Arguments<'_>) -> Result<Value, String> {
    let wanted = arguments.value(1);
    match arguments.value(0) {
        Value::Array(items) => {
            let mut work = 0_usize;
            let found = items.iter().any(|item| {
                let (is_equal, bytes) = compared(item, wanted);
                work = work.saturating_add(bytes);
                is_equal
            });
            arguments.steps.take(work / super::BYTES_PER_STEP)?;
            Ok(found.into())
        }
        Value::Object(members) => Ok(members.contains_key(&text_of(wanted)).into()),
        other => {
            let text = text_of(other);
            arguments.steps.take(text.len() / super::BYTES_PER_STEP)?;
            Ok(text.contains(&text_of(wanted)).into())
        }
    }
}

/// Numbers and strings have an order; a number and a string are compared as numbers.
fn order_of(left: &Value, right: &Value) -> Option<Ordering> {
    order(left, right).or_else(|| number_of(left)?.partial_cmp(&number_of(right)?))
}

fn is_ordered(arguments: &Arguments<'_>, wanted: fn(Ordering) -> bool) -> Result<Value, String> {
    let order = order_of(arguments.value(0), arguments.compared(1));
    Ok(order.is_some_and(wanted).into())
}

fn compare(arguments: &Arguments<'_>) -> Result<Value, String> {
    let (left, operator, right) = (arguments.value(0), arguments.text(1), arguments.value(2));
    let is_loosely_equal = || {
        number_of(left).zip(number_of(right)).map_or_else(
            || text_of(left) == text_of(right),
            |(left, right)| left == right,
        )
    };

    let holds = match operator.as_str() {
        "==" => is_loosely_equal(),
        "!=" => !is_loosely_equal(),
        "===" => is_equal(arguments, right)?,
        "!==" => !is_equal(arguments, right)?,
        "<" => order_of(left, right).is_some_and(Ordering::is_lt),
        ">" => order_of(left, right).is_some_and(Ordering::is_gt),
        "<=" => order_of(left, right).is_some_and(Ordering::is_le),
        ">=" => order_of(left, right).is_some_and(Ordering::is_ge),
        "typeof" => super::object::type_of(left) == text_of(right),
        other => return Err(format!("invalid operator '{other}'")),
    };
    Ok(holds.into())
}
