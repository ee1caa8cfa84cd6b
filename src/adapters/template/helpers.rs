//! The helpers that templates may call besides Handlebars' own blocks: some of the collection
//! `handlebars-helpers`, which PagerTree offers, and two that only [`super::Templates`] calls. Each
//! takes steps, also those that Handlebars brings itself.

use super::MAX_OUTPUT_BYTES;
use crate::adapters::compare::{compared, order};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy as _, Output, RenderContext,
    RenderError, RenderErrorReason, Renderable as _, ScopedJson,
};
use serde_json::Value;
use std::{
    cmp::Ordering,
    sync::{
        Arc,
        atomic::{self, AtomicUsize},
    },
};

/// Shows a value. No template can spell it.
pub(super) const SHOW: &str = "@show";
/// Counts a round of a block, and shows nothing.
pub(super) const STEP: &str = "step-of-a-block";

/// How many bytes of text are worth one step.
const BYTES_PER_STEP: usize = 256;
/// And how many parameters.
const PARAMETERS_PER_STEP: usize = 8;

/// What a helper makes of its parameters.
type Function = fn(&[&Value]) -> Value;

/// Helpers that look at no more of a value than its text has, and perhaps at its items.
const FUNCTIONS: [(&str, Function); 26] = [
    (SHOW, |values| at(values, 0).into()),
    (STEP, |_| Value::Null),
    ("and", |values| {
        values.iter().all(|value| value.is_truthy(false)).into()
    }),
    ("append", |values| {
        values
            .iter()
            .map(|value| text(value))
            .collect::<String>()
            .into()
    }),
    ("capitalize", |values| capitalized(&at(values, 0)).into()),
    ("default", |values| {
        values
            .iter()
            .find(|value| !text(value).is_empty())
            .map_or(Value::Null, |value| (*value).clone())
    }),
    ("ellipsis", |values| {
        shortened(&at(values, 0), &at(values, 1), "…").into()
    }),
    ("endsWith", |values| {
        at(values, 1).ends_with(&at(values, 0)).into()
    }),
    ("gt", |values| is_ordered(values, Ordering::is_gt)),
    ("gte", |values| is_ordered(values, Ordering::is_ge)),
    ("is", |values| (at(values, 0) == at(values, 1)).into()),
    ("isnt", |values| (at(values, 0) != at(values, 1)).into()),
    ("join", |values| joined(values).into()),
    ("len", |values| length(value(values, 0)).into()),
    ("lookup", |values| {
        member(value(values, 0), &at(values, 1)).clone()
    }),
    ("lowercase", |values| at(values, 0).to_lowercase().into()),
    ("lt", |values| is_ordered(values, Ordering::is_lt)),
    ("lte", |values| is_ordered(values, Ordering::is_le)),
    ("not", |values| (!value(values, 0).is_truthy(false)).into()),
    ("or", |values| {
        values.iter().any(|value| value.is_truthy(false)).into()
    }),
    ("replace", |values| {
        replaced(&at(values, 0), &at(values, 1), &at(values, 2)).into()
    }),
    ("sanitize", |values| without_markup(&at(values, 0)).into()),
    ("startsWith", |values| {
        at(values, 1).starts_with(&at(values, 0)).into()
    }),
    ("trim", |values| at(values, 0).trim().into()),
    ("truncate", |values| {
        shortened(&at(values, 0), &at(values, 1), &at(values, 2)).into()
    }),
    ("uppercase", |values| at(values, 0).to_uppercase().into()),
];

/// What a helper makes of its parameters that may have to look at all that stands in them; and at
/// how many bytes it did.
type Comparison = fn(&[&Value]) -> (Value, usize);

const COMPARISONS: [(&str, Comparison); 3] = [
    ("contains", |values| match values {
        [Value::Array(items), item, ..] => {
            let mut work = 0;
            let found = items.iter().any(|known| {
                let (is_equal, bytes) = compared(known, item);
                work += bytes;
                is_equal
            });
            (found.into(), work)
        }
        _ => (at(values, 0).contains(&at(values, 1)).into(), 0),
    }),
    ("eq", |values| {
        let (is_equal, work) = compared(value(values, 0), value(values, 1));
        (is_equal.into(), work)
    }),
    ("ne", |values| {
        let (is_equal, work) = compared(value(values, 0), value(values, 1));
        ((!is_equal).into(), work)
    }),
];

/// The steps that all templates over the same values may still take together.
#[derive(Clone)]
pub(super) struct Steps(Arc<AtomicUsize>);

impl Steps {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(most)))
    }

    #[cfg(test)]
    pub(super) fn left(&self) -> usize {
        self.0.load(atomic::Ordering::Relaxed)
    }

    /// Takes some.
    ///
    /// # Errors
    /// There are not as many left; then there are none.
    pub(super) fn take(&self, wanted: usize) -> Result<(), String> {
        let before = self.0.load(atomic::Ordering::Relaxed);
        self.0
            .store(before.saturating_sub(wanted), atomic::Ordering::Relaxed);
        if wanted > before {
            Err("it takes too many steps".to_owned())
        } else {
            Ok(())
        }
    }
}

/// Makes all helpers known, which take these steps.
pub(super) fn register(registry: &mut Handlebars<'static>, steps: &Steps) {
    let functions = FUNCTIONS.map(|(name, function)| (name, Work::Function(function)));
    let comparisons = COMPARISONS.map(|(name, comparison)| (name, Work::Comparison(comparison)));
    for (name, work) in functions.into_iter().chain(comparisons) {
        registry.register_helper(
            name,
            Box::new(Counted {
                work,
                steps: steps.clone(),
            }),
        );
    }
}

/// A helper that takes steps each time it is called.
struct Counted {
    work: Work,
    steps: Steps,
}

#[derive(Clone, Copy)]
enum Work {
    Function(Function),
    Comparison(Comparison),
}

impl Counted {
    fn value(&self, helper: &Helper<'_>) -> Result<Value, RenderError> {
        let values: Vec<_> = helper
            .params()
            .iter()
            .map(|parameter| parameter.value())
            .collect();

        // What it reads is paid for before it is read, what it makes as soon as it is known.
        let bytes: usize = values.iter().map(|value| length_of_text(value)).sum();
        self.take(
            1 + (values.len() + helper.hash().len()) / PARAMETERS_PER_STEP + bytes / BYTES_PER_STEP,
        )?;

        let (made, work) = match self.work {
            Work::Function(function) => (function(&values), 0),
            Work::Comparison(comparison) => comparison(&values),
        };

        let bytes = weight(&made);
        if bytes > MAX_OUTPUT_BYTES {
            return Err(RenderErrorReason::Other("a value becomes too long".to_owned()).into());
        }

        self.take(work.saturating_add(bytes) / BYTES_PER_STEP)?;
        Ok(made)
    }

    fn take(&self, wanted: usize) -> Result<(), RenderError> {
        self.steps
            .take(wanted)
            .map_err(|fault| RenderErrorReason::Other(fault).into())
    }
}

/// About how long [`text`] is.
fn length_of_text(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 8 + length_of_text(item)).sum(),
        Value::Number(number) => number.as_str().len(),
        Value::Object(_) | Value::Null | Value::Bool(_) => 16,
    }
}

/// About how many bytes it takes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 8 + weight(item)).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| 8 + name.len() + weight(value))
            .sum(),
        Value::Number(number) => number.as_str().len(),
        Value::Null | Value::Bool(_) => 0,
    }
}

impl HelperDef for Counted {
    /// Within another: the value.
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.value(helper).map(ScopedJson::Derived)
    }

    /// Alone: the value as a text. Around a block: whether the block or what stands behind its
    /// `else` is shown.
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rendering: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = self.value(helper)?;
        if !helper.is_block() {
            return Ok(out.write(&text(&value))?);
        }

        let block = if value.is_truthy(false) {
            helper.template()
        } else {
            helper.inverse()
        };

        block.map_or(Ok(()), |block| {
            block.render(registry, context, rendering, out)
        })
    }
}

/// As JavaScript makes a text of it.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".to_owned(),
        other => other.to_string(),
    }
}

fn value<'a>(values: &[&'a Value], position: usize) -> &'a Value {
    values.get(position).copied().unwrap_or(&Value::Null)
}

fn at(values: &[&Value], position: usize) -> String {
    text(value(values, position))
}

fn is_ordered(values: &[&Value], wanted: fn(Ordering) -> bool) -> Value {
    order(value(values, 0), value(values, 1))
        .is_some_and(wanted)
        .into()
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    let member = match value {
        Value::Array(items) => name
            .parse()
            .ok()
            .and_then(|position: usize| items.get(position)),
        other => other.get(name),
    };
    member.unwrap_or(&Value::Null)
}

fn capitalized(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(rest).collect()
    })
}

fn joined(values: &[&Value]) -> String {
    let separator = if values.len() > 1 {
        at(values, 1)
    } else {
        ", ".to_owned()
    };
    match values {
        [Value::Array(items), ..] => put_together(items.iter().map(text), &separator),
        _ => at(values, 0),
    }
}

fn replaced(text: &str, old: &str, new: &str) -> String {
    put_together(text.split(old), new)
}

/// The parts with the separator between them, or as many as it takes to be too long.
fn put_together<T: AsRef<str>>(parts: impl IntoIterator<Item = T>, separator: &str) -> String {
    let mut whole = String::new();
    for (number, part) in parts.into_iter().enumerate() {
        if number > 0 {
            whole.push_str(separator);
        }
        whole.push_str(part.as_ref());
        if whole.len() > MAX_OUTPUT_BYTES {
            break;
        }
    }
    whole
}

/// Without what stands between `<` and `>`.
fn without_markup(text: &str) -> String {
    let mut inside = false;
    let outside = text.chars().filter(|character| {
        let was_inside = inside;
        inside = *character == '<' || (inside && *character != '>');
        !inside && !was_inside
    });
    outside.collect()
}

fn shortened(text: &str, length: &str, suffix: &str) -> String {
    let end = length
        .parse()
        .ok()
        .and_then(|length| text.char_indices().nth(length));
    let kept = end.and_then(|(end, _)| text.get(..end));
    kept.map_or_else(
        || text.to_owned(),
        |kept| format!("{}{suffix}", kept.trim_end()),
    )
}
