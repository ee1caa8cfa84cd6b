//! Checks a definition when it is written, so that errors do not show only when an event is lost.

use super::{
    Definition,
    document::items,
    query::{Query, clock_operators, condition},
};
use crate::adapters::{ecmascript::Pattern, template};
use chrono::DateTime;
use serde_json::Value;

/// Errors that are reported.
const MAX_ERRORS: usize = 10;
/// Regular expressions that are compiled. Further ones are checked only when they are used.
const MAX_PATTERNS: usize = 100;
const ACTIONS: [&str; 4] = ["create", "acknowledge", "resolve", "ignore"];
const OPERATORS: [&str; 20] = [
    "$all",
    "$and",
    "$elemMatch",
    "$eq",
    "$exists",
    "$gt",
    "$gte",
    "$in",
    "$lt",
    "$lte",
    "$mod",
    "$ne",
    "$nin",
    "$nor",
    "$not",
    "$options",
    "$or",
    "$regex",
    "$size",
    "$type",
];

/// Checks a definition. Each error names its place.
pub(in crate::adapters) fn validate(definition: &str) -> Vec<String> {
    let definition = match Definition::parse(definition) {
        Ok(definition) => definition,
        Err(error) => return vec![error],
    };

    let mut errors = Errors {
        messages: Vec::new(),
        patterns: MAX_PATTERNS,
    };
    match definition.0.get("rules") {
        None | Some(Value::Null) => {}
        Some(Value::Array(rules)) => {
            for (index, rule) in rules.iter().enumerate() {
                check_rule(rule, &format!("rules[{index}]"), &mut errors);
            }
        }
        Some(_) => errors.add("rules", "must be a list"),
    }

    if let Some(default) = definition
        .0
        .get("default")
        .filter(|default| !default.is_null())
    {
        check_actions(default, "default", &mut errors);
    }
    errors.messages
}

struct Errors {
    messages: Vec<String>,
    /// Patterns that may still be compiled.
    patterns: usize,
}

impl Errors {
    fn add(&mut self, place: &str, error: &str) {
        if self.messages.len() < MAX_ERRORS {
            self.messages.push(format!("{place}: {error}"));
        }
    }
}

fn check_rule(rule: &Value, place: &str, errors: &mut Errors) {
    match rule.get("match") {
        Some(query) => check_query(query, &format!("{place}.match"), errors),
        None => errors.add(place, "'match' is missing"),
    }
    check_actions(rule, place, errors);
}

fn check_actions(rule: &Value, place: &str, errors: &mut Errors) {
    let place = format!("{place}.actions");
    if !rule.get("actions").is_some_and(Value::is_array) {
        return errors.add(&place, "must be a list");
    }

    for (index, action) in items(rule.get("actions")).iter().enumerate() {
        let place = format!("{place}[{index}]");
        let kind = action
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !template::is_template(kind) && !ACTIONS.contains(&kind.trim().to_lowercase().as_str()) {
            let expected = ACTIONS.join(", ");
            errors.add(
                &format!("{place}.type"),
                &format!("must be one of {expected}, but is '{kind}'"),
            );
        }
        check_templates(action, &place, errors);
    }
}

fn check_templates(value: &Value, place: &str, errors: &mut Errors) {
    match value {
        Value::String(text) => {
            if let Err(error) = template::validate(text) {
                errors.add(place, &error);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                check_templates(item, &format!("{place}[{index}]"), errors);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                check_templates(value, &format!("{place}.{name}"), errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_query(query: &Value, place: &str, errors: &mut Errors) {
    let Some(members) = query.as_object() else {
        return errors.add(place, "must be a mapping");
    };

    for (name, operand) in members {
        let place = format!("{place}.{name}");
        match name.as_str() {
            "$and" | "$or" | "$nor" => check_list(operand, &place, errors, check_query),
            "$not" => check_query(operand, &place, errors),
            "$day" | "$now" | "$timeBetween" => {
                let null = Value::Null;
                let query = Query::new(&null, DateTime::UNIX_EPOCH);
                if let Err(error) =
                    clock_operators::holds(&query, DateTime::UNIX_EPOCH, name, operand)
                {
                    errors.add(&place, &error);
                }
            }
            operator if operator.starts_with('$') => {
                errors.add(&place, &format!("unknown operator '{operator}'"));
            }
            _ => check_condition(operand, &place, errors),
        }
    }
}

fn check_list(
    operand: &Value,
    place: &str,
    errors: &mut Errors,
    check: fn(&Value, &str, &mut Errors),
) {
    match operand.as_array() {
        Some(parts) => {
            for (index, part) in parts.iter().enumerate() {
                check(part, &format!("{place}[{index}]"), errors);
            }
        }
        None => errors.add(place, "must be a list"),
    }
}

fn check_condition(condition: &Value, place: &str, errors: &mut Errors) {
    let Some(operators) = condition::operators(condition) else {
        return;
    };

    for (operator, operand) in operators {
        let place = format!("{place}.{operator}");
        match operator.as_str() {
            "$in" | "$nin" | "$all" | "$mod" if !operand.is_array() => {
                errors.add(&place, "must be a list");
            }
            "$and" | "$or" | "$nor" => check_list(operand, &place, errors, check_condition),
            "$not" => check_condition(operand, &place, errors),
            "$elemMatch" if condition::operators(operand).is_some() => {
                check_condition(operand, &place, errors);
            }
            "$elemMatch" => check_query(operand, &place, errors),
            "$regex" if errors.patterns == 0 => {}
            "$regex" => {
                errors.patterns -= 1;
                let flags = operators.get("$options").and_then(Value::as_str);
                let pattern = operand
                    .as_str()
                    .ok_or_else(|| "must be a string".to_owned());
                let compiled =
                    pattern.and_then(|pattern| Pattern::new(pattern, flags.unwrap_or_default()));
                if let Err(error) = compiled {
                    errors.add(&place, &error);
                }
            }
            other if !OPERATORS.contains(&other) => {
                errors.add(&place, &format!("unknown operator '{other}'"));
            }
            _ => {}
        }
    }
}
