//! Handlebars templates of options, filled in with what was sent.
//!
//! Who writes a template and who sends what fills it in may be strangers, so what both can cost is
//! bounded: the length and the depth of a template, the steps it takes, and what it makes. Partials
//! and decorators, by which templates call themselves, are refused. Values are shown as JavaScript
//! shows them, and not escaped: what comes out is text and not HTML.

mod helpers;

use handlebars::{
    Context, Handlebars, Path, RenderError, Renderable as _,
    template::{HelperTemplate, Parameter, Template, TemplateElement},
};
use helpers::Steps;
use serde_json::Value;
use std::{io, iter, mem};

const MAX_TEMPLATE_BYTES: usize = 16 * 1024;
const MAX_OUTPUT_BYTES: usize = 64 * 1024;
const MAX_TAGS: usize = 512;
const MAX_DEPTH: usize = 32;
const MAX_STEPS: usize = 5_000;
/// Names in a path, more than anybody's data nest.
const MAX_PATH_NAMES: usize = 64;
const MAX_PARAMETERS: usize = 64;
/// What it takes to read a template, in steps, and how many of its bytes are worth another one.
const STEPS_PER_TEMPLATE: usize = 2;
const BYTES_PER_STEP: usize = 32;
const TOO_DEEP: &str = "it is nested too deep";

/// Fills in templates with one set of values. All of them together may take so many steps.
pub(super) struct Templates {
    registry: Handlebars<'static>,
    context: Context,
    step: Option<TemplateElement>,
    steps: Steps,
}

impl Templates {
    /// Templates over the members of this object.
    pub(super) fn new(values: Value) -> Self {
        let mut registry = Handlebars::new();
        registry.register_escape_fn(handlebars::no_escape);
        let steps = Steps::new(MAX_STEPS);

        helpers::register(&mut registry, &steps);
        let step = Template::compile(&format!("{{{{{} 1}}}}", helpers::STEP));
        let step = step.ok().and_then(|mut template| template.elements.pop());

        Self {
            registry,
            context: values.into(),
            step,
            steps,
        }
    }

    /// The values.
    pub(super) fn values(&self) -> &Value {
        self.context.data()
    }

    /// The template, filled in.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in a sentence.
    pub(super) fn render(&self, template: &str) -> Result<String, String> {
        if !template.contains("{{") {
            return Ok(template.to_owned());
        }

        check_text(template)?;
        self.steps
            .take(STEPS_PER_TEMPLATE + template.len() / BYTES_PER_STEP)?;

        let mut compiled =
            Template::compile(template).map_err(|error| error.reason().to_string())?;
        self.prepare(&mut compiled, MAX_DEPTH)?;

        let mut out = Bounded(Vec::new());
        self.render_to(&compiled, &mut out)
            .map_err(|error| error.reason().to_string())?;

        String::from_utf8(out.0).map_err(|error| error.to_string())
    }

    fn render_to(&self, template: &Template, out: &mut Bounded) -> Result<(), RenderError> {
        let mut context = handlebars::RenderContext::new(None);
        template.render(
            &self.registry,
            &self.context,
            &mut context,
            &mut handlebars::WriteOutput::new(out),
        )
    }

    /// Refuses what is too deep or could call itself, counts what blocks do, and shows values our
    /// way.
    fn prepare(&self, template: &mut Template, deeper: usize) -> Result<(), String> {
        let deeper = deeper.checked_sub(1).ok_or(TOO_DEEP)?;
        let mut prepared = Vec::with_capacity(2 * template.elements.len());
        for mut element in mem::take(&mut template.elements) {
            match &mut element {
                TemplateElement::Expression(expression)
                | TemplateElement::HtmlExpression(expression) => {
                    check_parts(expression)?;
                    show(expression);
                }
                TemplateElement::HelperBlock(block) => {
                    check_parts(block)?;
                    prepared.extend(self.step.clone());
                    for inner in [&mut block.template, &mut block.inverse]
                        .into_iter()
                        .flatten()
                    {
                        self.prepare(inner, deeper)?;
                        inner.elements.extend(self.step.clone());
                    }
                }
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                _ => return Err("partials and decorators are not for these templates".to_owned()),
            }

            prepared.push(element);
        }

        template.elements = prepared;
        Ok(())
    }
}

/// A bare value becomes a call of the helper that shows it.
fn show(expression: &mut HelperTemplate) {
    if expression.params.is_empty()
        && expression.hash.is_empty()
        && matches!(expression.name, Parameter::Path(_))
    {
        let value = mem::replace(
            &mut expression.name,
            Parameter::Name(helpers::SHOW.to_owned()),
        );
        expression.params.push(value);
    }
}

/// Refuses what costs much each time that it is looked at, since a block may do that again and
/// again.
fn check_parts(expression: &HelperTemplate) -> Result<(), String> {
    if expression.params.len() + expression.hash.len() > MAX_PARAMETERS {
        return Err(format!("a tag may have {MAX_PARAMETERS} parameters"));
    }

    for part in iter::once(&expression.name)
        .chain(&expression.params)
        .chain(expression.hash.values())
    {
        match part {
            Parameter::Path(Path::Relative((names, _))) if names.len() > MAX_PATH_NAMES => {
                return Err(TOO_DEEP.to_owned());
            }
            Parameter::Subexpression(inner) => match inner.as_element() {
                TemplateElement::Expression(inner) => check_parts(inner)?,
                _ => return Err("what stands in brackets must be a helper".to_owned()),
            },
            _ => {}
        }
    }

    Ok(())
}

/// Before the parser sees it.
fn check_text(template: &str) -> Result<(), String> {
    if template.len() > MAX_TEMPLATE_BYTES {
        return Err(format!(
            "it has {} bytes and may have {MAX_TEMPLATE_BYTES}",
            template.len()
        ));
    }

    if template.matches("{{").count() > MAX_TAGS {
        return Err(format!("it may have {MAX_TAGS} tags"));
    }

    let brackets = template.bytes().map(|byte| match byte {
        b'(' | b'[' | b'{' => Level::Down,
        b')' | b']' | b'}' => Level::Up,
        _ => Level::Same,
    });

    let tags = template.split("{{").skip(1).map(|tag| {
        match tag.trim_start_matches(['~', ' ', '\t', '\r', '\n']) {
            block if block.starts_with('#') => Level::Down,
            end if end.starts_with('/') => Level::Up,
            _ => Level::Same,
        }
    });

    if deepest(brackets).max(deepest(tags)) > MAX_DEPTH {
        Err(TOO_DEEP.to_owned())
    } else {
        Ok(())
    }
}

enum Level {
    Down,
    Same,
    Up,
}

fn deepest(levels: impl Iterator<Item = Level>) -> usize {
    let depths = levels.scan(0_usize, |depth, level| {
        *depth = match level {
            Level::Down => depth.saturating_add(1),
            Level::Same => *depth,
            Level::Up => depth.saturating_sub(1),
        };
        Some(*depth)
    });
    depths.max().unwrap_or_default()
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > MAX_OUTPUT_BYTES {
            return Err(io::Error::other("the text becomes too long"));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
