//! Handlebars templates of options.
//!
//! Neither the author of a template nor the sender of the values is trusted, so the cost is bounded:
//! by the length and depth of a template, the steps that it takes, and the length of its output.
//! Partials and decorators, which allow recursion, are rejected. Values are formatted as in
//! JavaScript, and not escaped: the output is text, not HTML.

mod helpers;
mod literals;

use chrono::{DateTime, Utc};
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
/// Names in a path.
const MAX_PATH_NAMES: usize = 64;
const MAX_PARAMETERS: usize = 64;
/// The cost of parsing a template, and the bytes of it that cost another step.
const STEPS_PER_TEMPLATE: usize = 2;
const BYTES_PER_STEP: usize = 32;
const TOO_DEEP: &str = "nested too deep";

/// Renders templates with one set of values. They share a budget of steps.
pub(super) struct Templates {
    registry: Handlebars<'static>,
    context: Context,
    step: Option<TemplateElement>,
    steps: Steps,
}

/// Checks a template without rendering it.
///
/// # Errors
/// The template is malformed, too large, or calls an unknown helper.
pub(super) fn validate(template: &str) -> Result<(), String> {
    if is_template(template) {
        check_elements(&compile(template)?, MAX_DEPTH)
    } else {
        Ok(())
    }
}

/// Whether a text has tags. Any other text renders as itself.
pub(super) fn is_template(text: &str) -> bool {
    text.contains("{{")
}

fn compile(template: &str) -> Result<Template, String> {
    check_text(template)?;
    Template::compile(&literals::adapt(template)).map_err(|error| {
        let place = match error.pos() {
            Some((line, column)) => format!("line {line}, column {column}: "),
            None => String::new(),
        };
        format!(
            "{place}{}",
            error.reason().to_string().trim_end_matches([':', ' '])
        )
    })
}

fn check_elements(template: &Template, depth: usize) -> Result<(), String> {
    let depth = depth.checked_sub(1).ok_or(TOO_DEEP)?;
    for element in &template.elements {
        match element {
            TemplateElement::Expression(expression)
            | TemplateElement::HtmlExpression(expression) => {
                check_parameters(expression)?;
                check_names(expression)?;
            }
            TemplateElement::HelperBlock(block) => {
                check_parameters(block)?;
                check_names(block)?;
                for inner in [&block.template, &block.inverse].into_iter().flatten() {
                    check_elements(inner, depth)?;
                }
            }
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            _ => return Err(NO_PARTIALS.to_owned()),
        }
    }
    Ok(())
}

const NO_PARTIALS: &str = "partials and decorators are not supported";

/// Checks that all helpers are known.
fn check_names(expression: &HelperTemplate) -> Result<(), String> {
    let is_call = !is_bare_value(expression) || expression.block;
    if let Some(name) = expression.name.as_name().filter(|_| is_call)
        && !helpers::is_known(name)
    {
        return Err(match helpers::why_unsupported(name) {
            Some(reason) => format!("helper '{name}' is not supported: it {reason}"),
            None => format!("unknown helper '{name}'"),
        });
    }

    for parameter in expression.params.iter().chain(expression.hash.values()) {
        if let Parameter::Subexpression(inner) = parameter
            && let TemplateElement::Expression(inner) = inner.as_element()
        {
            check_names(inner)?;
        }
    }
    Ok(())
}

impl Templates {
    /// Templates over the members of an object. `now` is the time of the event.
    pub(super) fn new(values: Value, now: DateTime<Utc>) -> Self {
        let mut registry = Handlebars::new();
        registry.register_escape_fn(handlebars::no_escape);
        let steps = Steps::new(MAX_STEPS);

        helpers::register(&mut registry, &steps, now);
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

    /// Renders a template.
    ///
    /// # Errors
    /// The template is malformed, a helper fails, or the budget is exhausted.
    pub(super) fn render(&self, template: &str) -> Result<String, String> {
        if !is_template(template) {
            return Ok(template.to_owned());
        }

        self.steps
            .take(STEPS_PER_TEMPLATE + template.len().min(MAX_TEMPLATE_BYTES) / BYTES_PER_STEP)?;
        let mut compiled = compile(template)?;
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

    /// Rejects recursion, counts the iterations of blocks, and formats values as JavaScript does.
    fn prepare(&self, template: &mut Template, depth: usize) -> Result<(), String> {
        let depth = depth.checked_sub(1).ok_or(TOO_DEEP)?;
        let mut prepared = Vec::with_capacity(2 * template.elements.len());
        for mut element in mem::take(&mut template.elements) {
            match &mut element {
                TemplateElement::Expression(expression)
                | TemplateElement::HtmlExpression(expression) => {
                    check_parameters(expression)?;
                    show_value(expression);
                }
                TemplateElement::HelperBlock(block) => {
                    check_parameters(block)?;
                    prepared.extend(self.step.clone());
                    for inner in [&mut block.template, &mut block.inverse]
                        .into_iter()
                        .flatten()
                    {
                        self.prepare(inner, depth)?;
                        inner.elements.extend(self.step.clone());
                    }
                }
                TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
                _ => return Err(NO_PARTIALS.to_owned()),
            }

            prepared.push(element);
        }

        template.elements = prepared;
        Ok(())
    }
}

/// Whether an expression is a value, such as `{{data.title}}`, and not the call of a helper.
fn is_bare_value(expression: &HelperTemplate) -> bool {
    expression.params.is_empty()
        && expression.hash.is_empty()
        && matches!(expression.name, Parameter::Path(_))
        && !expression
            .name
            .as_name()
            .is_some_and(|name| helpers::WITHOUT_PARAMETERS.contains(&name))
}

/// Turns a bare value into a call of the helper that renders it.
fn show_value(expression: &mut HelperTemplate) {
    if is_bare_value(expression) {
        let value = mem::replace(
            &mut expression.name,
            Parameter::Name(helpers::SHOW.to_owned()),
        );
        expression.params.push(value);
    }
}

/// Rejects long paths and many parameters, which are evaluated again in each iteration of a block.
fn check_parameters(expression: &HelperTemplate) -> Result<(), String> {
    if expression.params.len() + expression.hash.len() > MAX_PARAMETERS {
        return Err(format!("more than {MAX_PARAMETERS} parameters in a tag"));
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
                TemplateElement::Expression(inner) => check_parameters(inner)?,
                _ => return Err("a subexpression must call a helper".to_owned()),
            },
            _ => {}
        }
    }

    Ok(())
}

/// Bounds the work of the parser.
fn check_text(template: &str) -> Result<(), String> {
    if template.len() > MAX_TEMPLATE_BYTES {
        return Err(format!(
            "{} bytes; the limit is {MAX_TEMPLATE_BYTES}",
            template.len()
        ));
    }

    if template.matches("{{").count() > MAX_TAGS {
        return Err(format!("more than {MAX_TAGS} tags"));
    }

    let brackets = template.bytes().map(|byte| match byte {
        b'(' | b'[' | b'{' => TemplateLevel::Down,
        b')' | b']' | b'}' => TemplateLevel::Up,
        _ => TemplateLevel::Same,
    });

    let tags = template.split("{{").skip(1).map(|tag| {
        match tag.trim_start_matches(['~', ' ', '\t', '\r', '\n']) {
            block if block.starts_with('#') => TemplateLevel::Down,
            end if end.starts_with('/') => TemplateLevel::Up,
            _ => TemplateLevel::Same,
        }
    });

    if deepest(brackets).max(deepest(tags)) > MAX_DEPTH {
        Err(TOO_DEEP.to_owned())
    } else {
        Ok(())
    }
}

enum TemplateLevel {
    Down,
    Same,
    Up,
}

fn deepest(levels: impl Iterator<Item = TemplateLevel>) -> usize {
    let depths = levels.scan(0_usize, |depth, level| {
        *depth = match level {
            TemplateLevel::Down => depth.saturating_add(1),
            TemplateLevel::Same => *depth,
            TemplateLevel::Up => depth.saturating_sub(1),
        };
        Some(*depth)
    });
    depths.max().unwrap_or_default()
}

struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len().saturating_add(bytes.len()) > MAX_OUTPUT_BYTES {
            return Err(io::Error::other("the text is too long"));
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
