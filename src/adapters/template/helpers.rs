//! The helpers that templates may call besides Handlebars' own blocks: those of the collection
//! `handlebars-helpers`, which PagerTree offers, and `regexMatch` and `unix-timezone`.
//!
//! Every call takes steps for what it reads and for what it makes. Missing on purpose are the helpers
//! in [`UNSUPPORTED`].

mod arguments;
mod array;
mod comparison;
mod date;
mod markup;
mod misc;
mod number;
mod object;
mod regex;
mod string;
mod url;

use super::MAX_OUTPUT_BYTES;
use arguments::{Arguments, text_of};
use chrono::{DateTime, Utc};
use handlebars::{
    BlockContext, Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy as _, Output,
    RenderContext, RenderError, RenderErrorReason, Renderable as _, ScopedJson,
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{self, AtomicUsize},
};

/// Renders a value. No template can spell this name.
pub(super) const SHOW: &str = "@show";
/// Counts an iteration of a block, and renders nothing.
pub(super) const STEP: &str = "step-of-a-block";
/// Helpers that are called without parameters.
pub(super) const WITHOUT_PARAMETERS: [&str; 1] = ["year"];

/// Bytes of text per step.
const BYTES_PER_STEP: usize = 256;
/// Parameters per step.
const PARAMETERS_PER_STEP: usize = 8;

type Function = fn(&Arguments<'_>) -> Result<Value, String>;

/// What a helper reads of its parameters, which is paid for in advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reads {
    /// Texts, and the items of arrays.
    Text,
    /// Everything, including the members of objects.
    Everything,
    /// An unknown part, which the function itself pays for.
    Itself,
}

/// What a helper does when it is used as a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    /// Renders the block if the value is truthy, else its inverse.
    Condition,
    /// Renders the block with the value as its context.
    Context,
    /// Renders the block for each item of the value.
    Each,
    /// The same, in an HTML list of this name.
    List(&'static str),
}

#[derive(Clone, Copy)]
struct HelperDefinition {
    name: &'static str,
    reads: Reads,
    block: Block,
    function: Function,
}

/// A helper that reads the texts of its parameters.
const fn helper(name: &'static str, function: Function) -> HelperDefinition {
    HelperDefinition {
        name,
        reads: Reads::Text,
        block: Block::Condition,
        function,
    }
}

/// A helper that reads its parameters completely.
const fn deep(name: &'static str, function: Function) -> HelperDefinition {
    HelperDefinition {
        reads: Reads::Everything,
        ..helper(name, function)
    }
}

impl HelperDefinition {
    const fn block(self, block: Block) -> Self {
        Self { block, ..self }
    }

    const fn reads(self, reads: Reads) -> Self {
        Self { reads, ..self }
    }
}

const INTERNAL: &[HelperDefinition] = &[helper(SHOW, |arguments| Ok(arguments.text(0).into()))];

const ALL: [&[HelperDefinition]; 11] = [
    INTERNAL,
    array::HELPERS,
    comparison::HELPERS,
    date::HELPERS,
    markup::HELPERS,
    misc::HELPERS,
    number::HELPERS,
    object::HELPERS,
    regex::HELPERS,
    string::HELPERS,
    url::HELPERS,
];

/// Handlebars' own blocks and helpers.
const BUILT_IN: [&str; 5] = ["each", "if", "raw", "unless", "with"];

const READS_FILES: &str = "reads files of the server";
const NEEDS_FOLDER: &str = "depends on the folder that the server runs in";
/// Helpers of the collection that no template may call, and why.
const UNSUPPORTED: [(&str, &str); 14] = [
    ("_debug", "shows the inside of PagerTree's server"),
    ("_inspect", "shows the inside of PagerTree's server"),
    ("absolute", NEEDS_FOLDER),
    ("embed", READS_FILES),
    ("fileSize", READS_FILES),
    ("frame", "changes the variables of other helpers"),
    (
        "i18n",
        "needs translations, which PagerTree does not provide",
    ),
    ("jsfiddle", "embeds pages of another site"),
    ("markdown", "renders Markdown"),
    ("md", READS_FILES),
    ("read", READS_FILES),
    ("readdir", READS_FILES),
    ("relative", NEEDS_FOLDER),
    ("resolve", NEEDS_FOLDER),
];

/// Why a template must not call a helper of the collection.
pub(super) fn why_unsupported(name: &str) -> Option<&'static str> {
    UNSUPPORTED
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, reason)| *reason)
}

/// Whether a template may call a helper of this name.
pub(super) fn is_known(name: &str) -> bool {
    BUILT_IN.contains(&name)
        || ALL
            .iter()
            .copied()
            .flatten()
            .any(|helper| helper.name == name)
}

/// The budget of all templates over the same values.
#[derive(Clone, Debug)]
pub(super) struct Steps(Arc<AtomicUsize>);

impl Steps {
    pub(super) fn new(most: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(most)))
    }

    /// The steps that are left.
    pub(super) fn left(&self) -> usize {
        self.0.load(atomic::Ordering::Relaxed)
    }

    /// Takes steps.
    ///
    /// # Errors
    /// The budget is exhausted, and stays so.
    pub(super) fn take(&self, wanted: usize) -> Result<(), String> {
        let before = self.0.load(atomic::Ordering::Relaxed);
        self.0
            .store(before.saturating_sub(wanted), atomic::Ordering::Relaxed);
        if wanted > before {
            Err("too many steps".to_owned())
        } else {
            Ok(())
        }
    }
}

/// Registers all helpers, which share a budget.
pub(super) fn register(registry: &mut Handlebars<'static>, steps: &Steps, now: DateTime<Utc>) {
    for definition in ALL.iter().copied().flatten() {
        registry.register_helper(
            definition.name,
            Box::new(Counted {
                definition: *definition,
                steps: steps.clone(),
                now,
            }),
        );
    }
}

/// A helper that takes steps each time it is called.
struct Counted {
    definition: HelperDefinition,
    steps: Steps,
    now: DateTime<Utc>,
}

impl Counted {
    fn arguments<'a>(&'a self, helper: &'a Helper<'_>) -> Arguments<'a> {
        Arguments {
            values: helper
                .params()
                .iter()
                .map(|parameter| parameter.value())
                .collect(),
            hash: helper
                .hash()
                .iter()
                .map(|(name, parameter)| (*name, parameter.value()))
                .collect(),
            steps: &self.steps,
            now: self.now,
        }
    }

    fn evaluate(&self, helper: &Helper<'_>) -> Result<Value, RenderError> {
        let arguments = self.arguments(helper);
        let count = arguments.values.len() + arguments.hash.len();
        let bytes: usize = match self.definition.reads {
            Reads::Text => arguments.values.iter().map(|value| text_len(value)).sum(),
            Reads::Everything => arguments.values.iter().map(|value| weight(value)).sum(),
            Reads::Itself => 0,
        };
        self.take(1 + count / PARAMETERS_PER_STEP + bytes / BYTES_PER_STEP)?;

        let value = (self.definition.function)(&arguments).map_err(|fault| self.error(&fault))?;
        let bytes = weight(&value);
        if bytes > MAX_OUTPUT_BYTES {
            return Err(self.error("the value is too long"));
        }
        self.take(bytes / BYTES_PER_STEP)?;
        Ok(value)
    }

    fn take(&self, wanted: usize) -> Result<(), RenderError> {
        self.steps.take(wanted).map_err(|fault| self.error(&fault))
    }

    fn error(&self, fault: &str) -> RenderError {
        let name = self.definition.name;
        RenderErrorReason::Other(match name {
            SHOW | STEP => fault.to_owned(),
            _ => format!("helper '{name}': {fault}"),
        })
        .into()
    }
}

/// The approximate length of the text of a value.
fn text_len(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 8 + text_len(item)).sum(),
        Value::Number(number) => number.as_str().len(),
        Value::Object(_) | Value::Null | Value::Bool(_) => 16,
    }
}

/// The approximate size of a value in bytes.
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
    /// The value, for a helper within another one.
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        self.evaluate(helper).map(ScopedJson::Derived)
    }

    /// The text of the value, or a block.
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        rendering: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let value = self.evaluate(helper)?;
        if !helper.is_block() {
            return Ok(out.write(&text_of(&value))?);
        }

        let contexts = match (self.definition.block, value) {
            (Block::List(_), _) => self.arguments(helper).items(0),
            (Block::Each, Value::Array(items)) => items,
            (Block::Each, Value::Object(members)) => {
                members.into_iter().map(|(_, value)| value).collect()
            }
            (Block::Context, value) if value.is_truthy(false) => vec![value],
            (Block::Condition, value) => {
                let block = if value.is_truthy(false) {
                    helper.template()
                } else {
                    helper.inverse()
                };
                return block.map_or(Ok(()), |block| {
                    block.render(registry, context, rendering, out)
                });
            }
            _ => Vec::new(),
        };

        if contexts.is_empty() {
            return helper.inverse().map_or(Ok(()), |block| {
                block.render(registry, context, rendering, out)
            });
        }
        let Some(template) = helper.template() else {
            return Ok(());
        };

        let list = match self.definition.block {
            Block::List(name) => Some(name),
            Block::Condition | Block::Context | Block::Each => None,
        };
        if let Some(name) = list {
            let attributes = markup::attributes(&self.arguments(helper));
            out.write(&format!("<{name}{attributes}>"))?;
        }

        let last = contexts.len().saturating_sub(1);
        for (index, value) in contexts.into_iter().enumerate() {
            out.write(if list.is_some() { "<li>" } else { "" })?;
            rendering.push_block(item_context(value, index, last));
            let rendered = template.render(registry, context, rendering, out);
            rendering.pop_block();
            rendered?;
            out.write(if list.is_some() { "</li>" } else { "" })?;
        }

        list.map_or(Ok(()), |name| Ok(out.write(&format!("</{name}>"))?))
    }
}

/// The context of one repetition of a block.
fn item_context<'rc>(value: Value, index: usize, last: usize) -> BlockContext<'rc> {
    let mut block = BlockContext::new();
    block.set_base_value(value);
    block.set_local_var("index", json!(index));
    block.set_local_var("first", json!(index == 0));
    block.set_local_var("last", json!(index == last));
    block
}

#[cfg(test)]
mod tests;
