//! The option `wrapper_key`: a JMESPath expression for the place of the attributes in a request.
//!
//! Neither the author of the expression nor the sender is trusted, so the cost is bounded: by the
//! length of the expression, and by the number of copies that it can make of its input.

use super::field::VendorOptions;
use jmespath::{Context, DEFAULT_RUNTIME, JmespathError, Variable, ast::Ast, interpret};
use serde_json::Value;
use std::rc::Rc;

/// Bounds the recursion of the parser.
const MAX_EXPRESSION_BYTES: usize = 256;
/// Chained lists and functions multiply the size of the output.
const MAX_COPIES: u64 = 64;

/// The object that `wrapper_key` selects; all parameters if it selects nothing.
///
/// # Errors
/// The expression is invalid, too costly, or selects something other than an object.
pub(super) fn unwrap_parameters(
    parameters: &Value,
    options: VendorOptions<'_>,
) -> Result<Value, String> {
    let Some(path) = options.get("wrapper_key").non_empty() else {
        return Ok(parameters.clone());
    };

    if path.len() > MAX_EXPRESSION_BYTES {
        return Err(format!(
            "the option 'wrapper_key' has {} bytes; the limit is {MAX_EXPRESSION_BYTES}",
            path.len()
        ));
    }

    let fault = |error: JmespathError| {
        format!("the option 'wrapper_key' is not a valid JMESPath expression: {error}")
    };

    let expression = jmespath::parse(&path).map_err(fault)?;
    if copies(&expression) > MAX_COPIES {
        return Err("the option 'wrapper_key' is too costly".to_owned());
    }

    let mut context = Context::new(&path, &DEFAULT_RUNTIME);
    let found = interpret(&variable(parameters), &expression, &mut context).map_err(fault)?;
    if found.is_null() {
        return Ok(parameters.clone());
    }

    let object = found
        .is_object()
        .then(|| serde_json::to_value(&found).ok())
        .flatten();

    object.ok_or_else(|| format!("the option 'wrapper_key' ('{path}') does not select an object"))
}

/// The library's own conversion mistakes numbers of arbitrary precision for objects.
fn variable(value: &Value) -> Rc<Variable> {
    Rc::new(match value {
        Value::Null => Variable::Null,
        Value::Bool(flag) => Variable::Bool(*flag),
        Value::Number(number) => Variable::Number(number.clone()),
        Value::String(text) => Variable::String(text.clone()),
        Value::Array(items) => Variable::Array(items.iter().map(variable).collect()),
        Value::Object(members) => Variable::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), variable(value)))
                .collect(),
        ),
    })
}

/// The number of times that the input can occur in the output, at most.
fn copies(expression: &Ast) -> u64 {
    let all = |parts: &mut dyn Iterator<Item = &Ast>| {
        parts.map(copies).fold(0, u64::saturating_add).max(1)
    };

    match expression {
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => 1,
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => copies(node),
        Ast::Comparison { lhs, rhs, .. } | Ast::And { lhs, rhs, .. } | Ast::Or { lhs, rhs, .. } => {
            copies(lhs).saturating_add(copies(rhs))
        }
        Ast::Condition {
            predicate, then, ..
        } => copies(predicate).saturating_mul(copies(then)),
        Ast::Projection { lhs, rhs, .. } | Ast::Subexpr { lhs, rhs, .. } => {
            copies(lhs).saturating_mul(copies(rhs))
        }
        Ast::MultiList { elements, .. } => all(&mut elements.iter()),
        Ast::MultiHash { elements, .. } => all(&mut elements.iter().map(|pair| &pair.value)),
        // For example, `to_string` escapes every character that is already escaped.
        Ast::Function { args, .. } => all(&mut args.iter()).saturating_mul(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn at(path: &str) -> Result<Value, String> {
        let sent = json!({"event": {"id": 7}, "list": [{"id": 1}], "text": "x"});
        let options = Map::from_iter([("wrapper_key".to_owned(), path.into())]);
        unwrap_parameters(&sent, VendorOptions::new(&options))
    }

    #[test]
    fn expressions_select_objects() {
        assert_eq!(at("event").unwrap(), json!({"id": 7}));
        assert_eq!(at("list[0]").unwrap(), json!({"id": 1}));
        assert_eq!(
            at("{id: event.id, title: text}").unwrap(),
            json!({"id": 7, "title": "x"})
        );
        assert_eq!(at("nowhere").unwrap()["text"], "x", "all parameters");
        assert_eq!(
            at("text").unwrap_err(),
            "the option 'wrapper_key' ('text') does not select an object"
        );
        assert!(
            at("a b")
                .unwrap_err()
                .starts_with("the option 'wrapper_key' is not a valid JMESPath expression")
        );
    }

    #[test]
    fn costly_expressions_are_rejected() {
        for deep in [
            "a.".repeat(5_000),
            "(".repeat(5_000),
            "[".repeat(5_000),
            "!".repeat(5_000),
            "a|".repeat(5_000),
        ] {
            assert!(
                at(&deep).unwrap_err().contains("the limit is 256"),
                "{deep:.9}"
            );
        }

        for deep in ["a.", "(", "[", "!", "a|", "{a:", "[?", "@.", "&", "abs("] {
            // Any result will do, as long as the stack does not overflow.
            let _ignored = at(&deep.repeat(MAX_EXPRESSION_BYTES / deep.len()));
        }

        for copying in [
            "[@,@]",
            "{a:@,b:@}",
            "[@,@][]",
            "[to_string(@),@]",
            "map(&[@,@], @)",
        ] {
            let often = vec![copying; MAX_EXPRESSION_BYTES / (copying.len() + 1)].join("|");
            assert!(
                at(&often).unwrap_err().ends_with("is too costly"),
                "{often}"
            );
        }
    }
}
