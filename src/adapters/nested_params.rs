//! Nested parameters of forms and queries, as in Rails: `meta[host]=db-1` is a member of an object,
//! `tags[]=eu` an item of an array.
//!
//! A malformed name is taken literally. A pair that contradicts an earlier one is dropped.

use serde_json::{Map, Value};

/// Bounds the recursion.
const MAX_DEPTH: usize = 32;

/// Builds an object from name-value pairs. The last of several values for the same place counts.
pub(super) fn parse(pairs: impl Iterator<Item = (String, String)>) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, text) in pairs {
        match path(&name) {
            Some((first, steps)) => put(members.entry(first).or_insert(Value::Null), &steps, text),
            None => drop(members.insert(name, text.into())),
        }
    }
    members
}

/// The text before the brackets, and the text in each of them.
fn path(name: &str) -> Option<(&str, Vec<&str>)> {
    let (first, rest) = name
        .split_once('[')
        .filter(|(first, _)| !first.is_empty())?;
    let steps: Vec<_> = rest.strip_suffix(']')?.split("][").collect();
    let is_valid = steps.len() <= MAX_DEPTH && !steps.iter().any(|step| step.contains(['[', ']']));
    is_valid.then_some((first, steps))
}

fn put(place: &mut Value, steps: &[&str], text: String) {
    let Some((step, rest)) = steps.split_first() else {
        *place = text.into();
        return;
    };

    if place.is_null() {
        *place = if step.is_empty() {
            Value::Array(Vec::new())
        } else {
            Value::Object(Map::new())
        };
    }

    match place {
        // Members belong to the last item, until one comes that it already has.
        Value::Array(items) if step.is_empty() => {
            match items.last_mut().filter(|last| lacks_member(last, rest)) {
                Some(last) => put(last, rest, text),
                None => {
                    let mut item = Value::Null;
                    put(&mut item, rest, text);
                    items.push(item);
                }
            }
        }
        Value::Object(members) if !step.is_empty() => {
            put(members.entry(*step).or_insert(Value::Null), rest, text)
        }
        _ => {}
    }
}

/// Whether a value is an object without a member at this path.
fn lacks_member(value: &Value, steps: &[&str]) -> bool {
    value.is_object()
        && steps
            .iter()
            .try_fold(value, |value, step| value.get(step))
            .is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_form(form: &str) -> String {
        Value::Object(parse(form_urlencoded::parse(form.as_bytes()).into_owned())).to_string()
    }

    #[test]
    fn brackets_make_objects_and_arrays() {
        for (form, expected) in [
            ("a=1&b=2&a=3", r#"{"a":"3","b":"2"}"#),
            ("tags[]=x&id=1&tags[]=y", r#"{"tags":["x","y"],"id":"1"}"#),
            (
                "meta[host]=db-1&meta[list][]=1&meta[list][]=2",
                r#"{"meta":{"host":"db-1","list":["1","2"]}}"#,
            ),
            (
                "a[][x]=1&a[][y]=2&a[][x]=3",
                r#"{"a":[{"x":"1","y":"2"},{"x":"3"}]}"#,
            ),
            (
                "a[][x][y]=1&a[][x][z]=2&b[][]=3",
                r#"{"a":[{"x":{"y":"1","z":"2"}}],"b":[["3"]]}"#,
            ),
            ("a%5B0%5D=x", r#"{"a":{"0":"x"}}"#),
        ] {
            assert_eq!(parse_form(form), expected, "{form}");
        }
    }

    #[test]
    fn malformed_names_are_literal_and_contradictions_are_dropped() {
        for (form, expected) in [
            (
                "[a]=1&b[=2&c]=3&d[x=4&e[x]y=5&f[[x]]=6",
                r#"{"[a]":"1","b[":"2","c]":"3","d[x":"4","e[x]y":"5","f[[x]]":"6"}"#,
            ),
            ("a=1&a[x]=2&a[]=3", r#"{"a":"1"}"#),
            ("a[]=1&a[x]=2", r#"{"a":["1"]}"#),
            ("a[x]=1&a=2", r#"{"a":"2"}"#),
        ] {
            assert_eq!(parse_form(form), expected, "{form}");
        }

        let deep = format!("a{}", "[x]".repeat(MAX_DEPTH + 1));
        assert_eq!(
            parse_form(&format!("{deep}=1")),
            format!(r#"{{"{deep}":"1"}}"#)
        );
    }
}
