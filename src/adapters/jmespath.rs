//! The option `wrapper_key`: where in what was sent the attributes stand, as an expression of
//! JMESPath.
//!
//! Who writes the expression and who sends what it is applied to may be strangers, so what both can
//! cost is bounded: the length, by which expressions nest, and how often they may copy what they
//! are applied to.

use super::field::Options;
use jmespath::{Context, DEFAULT_RUNTIME, JmespathError, Variable, ast::Ast, interpret};
use serde_json::Value;
use std::rc::Rc;

/// Far more than a path needs, and little enough for a parser that calls itself.
const MAX_EXPRESSION_BYTES: usize = 256;
/// Lists and functions that stand behind each other multiply.
const MAX_COPIES: u64 = 64;

/// The object that holds the attributes: where `wrapper_key` leads, or if that is nowhere, all that
/// was sent.
///
/// # Errors
/// It is no expression, costs too much, or leads to no object: a sentence.
pub(super) fn unwrap_parameters(parameters: &Value, options: Options<'_>) -> Result<Value, String> {
    let Some(path) = options.get("wrapper_key").non_empty() else {
        return Ok(parameters.clone());
    };

    if path.len() > MAX_EXPRESSION_BYTES {
        return Err(format!(
            "the option 'wrapper_key' has {} bytes and may have {MAX_EXPRESSION_BYTES}",
            path.len()
        ));
    }

    let fault = |error: JmespathError| {
        format!("the option 'wrapper_key' is no JMESPath expression: {error}")
    };

    let expression = jmespath::parse(&path).map_err(fault)?;
    if copies(&expression) > MAX_COPIES {
        return Err("the option 'wrapper_key' copies what it is applied to too often".to_owned());
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

    object.ok_or_else(|| format!("the option 'wrapper_key' ('{path}') leads to no object"))
}

/// The library's own conversion takes numbers of arbitrary precision for objects.
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

/// How often what the expression is applied to can stand in what it makes of it, at most.
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
        // Such as `to_string`, which escapes what is escaped already.
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
        unwrap_parameters(&sent, Options::new(&options))
    }

    #[test]
    fn a_path_leads_to_an_object_or_nowhere() {
        assert_eq!(at("event").unwrap(), json!({"id": 7}));
        assert_eq!(at("list[0]").unwrap(), json!({"id": 1}));
        assert_eq!(
            at("{id: event.id, title: text}").unwrap(),
            json!({"id": 7, "title": "x"})
        );
        assert_eq!(at("nowhere").unwrap()["text"], "x", "all that was sent");
        assert_eq!(
            at("text").unwrap_err(),
            "the option 'wrapper_key' ('text') leads to no object"
        );
        assert!(
            at("a b")
                .unwrap_err()
                .starts_with("the option 'wrapper_key' is no JMESPath expression")
        );
    }

    #[test]
    fn what_an_expression_may_cost_is_bounded() {
        for deep in [
            "a.".repeat(5_000),
            "(".repeat(5_000),
            "[".repeat(5_000),
            "!".repeat(5_000),
            "a|".repeat(5_000),
        ] {
            assert!(
                at(&deep).unwrap_err().contains("and may have 256"),
                "{deep:.9}"
            );
        }

        for deep in ["a.", "(", "[", "!", "a|", "{a:", "[?", "@.", "&", "abs("] {
            let _any_answer_that_is_none_of_the_stack =
                at(&deep.repeat(MAX_EXPRESSION_BYTES / deep.len()));
        }

        for copying in [
            "[@,@]",
            "{a:@,b:@}",
            "[@,@][]",
            "[to_string(@),@]",
            "map(&[@,@], @)",
        ] {
            let often = vec![copying; MAX_EXPRESSION_BYTES / (copying.len() + 1)].join("|");
            assert!(at(&often).unwrap_err().ends_with("too often"), "{often}");
        }
    }
}
