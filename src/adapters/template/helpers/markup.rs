//! Helpers that make HTML.

use super::{
    Block, HelperDefinition,
    arguments::{Arguments, text_of},
    array::concat,
    deep, helper,
};
use serde_json::Value;

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("attr", |arguments| Ok(attributes(arguments).into())),
    helper("css", |arguments| {
        Ok(elements(arguments, "href", |attributes, url| {
            format!("<link type=\"text/css\" rel=\"stylesheet\"{attributes} href=\"{url}\">")
        }))
    }),
    helper("gist", |arguments| {
        let id = escape(&arguments.text(0));
        Ok(format!("<script src=\"https://gist.github.com/{id}.js\"></script>").into())
    }),
    helper("js", |arguments| {
        Ok(elements(arguments, "src", |attributes, url| {
            format!("<script{attributes} src=\"{url}\"></script>")
        }))
    }),
    deep("ol", |arguments| Ok(list("ol", arguments))).block(Block::List("ol")),
    deep("ul", |arguments| Ok(list("ul", arguments))).block(Block::List("ul")),
];

/// The named arguments as attributes of an element, each after a blank.
pub(super) fn attributes(arguments: &Arguments<'_>) -> String {
    attributes_except("", arguments)
}

fn attributes_except(left_out: &str, arguments: &Arguments<'_>) -> String {
    let named = arguments.hash.iter().filter(|(name, _)| *name != left_out);
    let attributes = named.map(|(name, value)| match value {
        Value::Bool(true) => format!(" {name}"),
        value => format!(" {name}=\"{}\"", escape(&text_of(value))),
    });
    concat(attributes, "")
}

/// An element for each URL, which are the first argument or the named argument `attribute`.
fn elements(
    arguments: &Arguments<'_>,
    attribute: &str,
    element: impl Fn(&str, &str) -> String,
) -> Value {
    let urls = match arguments.value(0) {
        Value::Array(urls) => urls.iter().map(text_of).collect(),
        Value::Null => vec![text_of(arguments.named(attribute))],
        url => vec![text_of(url)],
    };
    let attributes = attributes_except(attribute, arguments);
    let elements = urls
        .iter()
        .filter(|url| !url.is_empty())
        .map(|url| element(&attributes, &escape(url)));
    concat(elements, "\n").into()
}

/// As a block it renders each item itself.
fn list(name: &str, arguments: &Arguments<'_>) -> Value {
    let items = arguments.items(0);
    let items = items
        .iter()
        .map(|item| format!("<li>{}</li>", text_of(item)));
    let (attributes, items) = (attributes(arguments), concat(items, "\n"));
    format!("<{name}{attributes}>{items}</{name}>").into()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}
