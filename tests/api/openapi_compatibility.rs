//! Compares two OpenAPI documents: what would break clients of the first?
//!
//! Additions pass: new routes, optional parameters, response attributes and error statuses.

use serde_json::{Value, json};

/// One sentence for each incompatible change.
pub(crate) fn incompatibilities(old: &Value, new: &Value) -> Vec<String> {
    let mut comparison = Comparison {
        old,
        new,
        found: Vec::new(),
    };
    comparison.paths();
    comparison.found
}

/// Which side sends a value. A sender may send less than it did, and a reader may accept more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    Client,
    Server,
}

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    found: Vec<String>,
}

/// Schemas refer to each other at most this deep.
const MAX_DEPTH: usize = 20;

impl<'a> Comparison<'a> {
    fn report(&mut self, place: &str, what: &str) {
        self.found.push(format!("{place}: {what}"));
    }

    fn paths(&mut self) {
        for (path, old_item) in members(&self.old["paths"]) {
            for (method, old) in members(old_item).filter(|(_, old)| old.is_object()) {
                let place = format!("{method} {path}");
                let new_item = &self.new["paths"][path];
                match new_item.get(method) {
                    None => self.report(&place, "was removed"),
                    Some(new) => {
                        self.parameters(&place, (old, old_item), (new, new_item));
                        self.request(&place, old, new);
                        self.responses(&place, old, new);
                    }
                }
            }
        }
    }

    fn parameters(
        &mut self,
        place: &str,
        old: (&'a Value, &'a Value),
        new: (&'a Value, &'a Value),
    ) {
        let (old, new) = (all_parameters(self.old, old), all_parameters(self.new, new));
        for parameter in &old {
            let name = &parameter["name"];
            let place = format!("{place}, parameter {name}");
            match find_parameter(&new, parameter) {
                None => self.report(&place, "was removed"),
                Some(present) => {
                    if present["required"] == true && parameter["required"] != true {
                        self.report(&place, "became required");
                    }
                    let schemas = (&parameter["schema"], &present["schema"]);
                    self.schema(&place, schemas, Sender::Client, 0);
                }
            }
        }

        for parameter in new.iter().filter(|parameter| parameter["required"] == true) {
            if find_parameter(&old, parameter).is_none() {
                self.report(
                    place,
                    &format!("the new parameter {} is required", parameter["name"]),
                );
            }
        }
    }

    fn request(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        let place = format!("{place}, request");
        let (old, new) = (&old["requestBody"], &new["requestBody"]);
        if new["required"] == true && old["required"] != true {
            self.report(&place, "a body became required");
        }
        for (media_type, old) in members(&old["content"]) {
            match new["content"].get(media_type) {
                None => self.report(&place, &format!("{media_type} was removed")),
                Some(new) => {
                    self.schema(&place, (&old["schema"], &new["schema"]), Sender::Client, 0);
                }
            }
        }
    }

    fn responses(&mut self, place: &str, old: &'a Value, new: &'a Value) {
        for (status, old) in members(&old["responses"]) {
            let place = format!("{place}, response {status}");
            let old = resolve(self.old, old);
            let Some(new) = new["responses"].get(status) else {
                // A status that clients no longer get harms none, unless it was the success.
                if status.starts_with('2') {
                    self.report(&place, "was removed");
                }
                continue;
            };

            let new = resolve(self.new, new);
            for (name, header) in members(&old["headers"]) {
                let required = resolve(self.old, header)["required"] == true;
                if required && new["headers"].get(name).is_none() {
                    self.report(&place, &format!("the header {name} was removed"));
                }
            }
            for (media_type, old) in members(&old["content"]) {
                match new["content"].get(media_type) {
                    None => self.report(&place, &format!("{media_type} was removed")),
                    Some(new) => {
                        self.schema(&place, (&old["schema"], &new["schema"]), Sender::Server, 0);
                    }
                }
            }
        }
    }

    fn schema(
        &mut self,
        place: &str,
        (old, new): (&'a Value, &'a Value),
        sender: Sender,
        depth: usize,
    ) {
        if depth > MAX_DEPTH {
            return;
        }
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let (old_types, new_types) = (types(old), types(new));
        let fits = match sender {
            Sender::Server => is_subset(&new_types, &old_types),
            Sender::Client => is_subset(&old_types, &new_types),
        };
        if !fits {
            self.report(
                place,
                &format!("type {} became {}", old["type"], new["type"]),
            );
        }

        if sender == Sender::Client {
            self.limits(place, old, new);
        }
        self.properties(place, (old, new), sender, depth);

        if old["items"].is_object() {
            let place = format!("{place}[]");
            self.schema(&place, (&old["items"], &new["items"]), sender, depth + 1);
        }
        let branches = old["anyOf"].as_array().into_iter().flatten();
        for (index, branch) in branches.enumerate() {
            let present = new["anyOf"].get(index).unwrap_or(&Value::Null);
            self.schema(place, (branch, present), sender, depth + 1);
        }
    }

    /// What clients send must not be narrowed.
    fn limits(&mut self, place: &str, old: &Value, new: &Value) {
        let values = |schema: &Value| schema["enum"].as_array().cloned();
        match (values(old), values(new)) {
            (Some(old), Some(new)) if old.iter().any(|value| !new.contains(value)) => {
                self.report(place, "a value was removed");
            }
            (None, Some(_)) => self.report(place, "was restricted to some values"),
            _ => {}
        }

        for (name, is_lower) in [
            ("minimum", true),
            ("minLength", true),
            ("minItems", true),
            ("maximum", false),
            ("maxLength", false),
            ("maxItems", false),
        ] {
            let (old, new) = (old[name].as_f64(), new[name].as_f64());
            let is_narrower = match (old, new) {
                (None, Some(_)) => true,
                (Some(old), Some(new)) if is_lower => new > old,
                (Some(old), Some(new)) => new < old,
                (_, None) => false,
            };
            if is_narrower {
                self.report(place, &format!("{name} was narrowed"));
            }
        }
    }

    fn properties(
        &mut self,
        place: &str,
        (old, new): (&'a Value, &'a Value),
        sender: Sender,
        depth: usize,
    ) {
        for (name, property) in members(&old["properties"]) {
            let place = format!("{place}.{name}");
            match new["properties"].get(name) {
                None => self.report(&place, "was removed"),
                Some(present) => self.schema(&place, (property, present), sender, depth + 1),
            }
        }

        // A server must go on sending what it always sent; a client need not send more.
        let (kept, by) = match sender {
            Sender::Server => (old, new),
            Sender::Client => (new, old),
        };
        let required = kept["required"].as_array().into_iter().flatten();
        for name in required {
            let is_still = by["required"]
                .as_array()
                .is_some_and(|names| names.contains(name));
            if !is_still {
                self.report(place, &format!("whether {name} is required has changed"));
            }
        }
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let found = reference.and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    found.map_or(value, |found| resolve(document, found))
}

fn all_parameters<'a>(
    document: &'a Value,
    (operation, item): (&'a Value, &'a Value),
) -> Vec<&'a Value> {
    let lists = [&operation["parameters"], &item["parameters"]];
    let all = lists.into_iter().filter_map(Value::as_array).flatten();
    all.map(|parameter| resolve(document, parameter)).collect()
}

fn find_parameter<'a>(all: &[&'a Value], wanted: &Value) -> Option<&'a Value> {
    let is_same = |found: &&&Value| found["name"] == wanted["name"] && found["in"] == wanted["in"];
    all.iter().find(is_same).copied()
}

/// No type means any.
fn types(schema: &Value) -> Option<Vec<&str>> {
    match &schema["type"] {
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => Some(names.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

fn is_subset(smaller: &Option<Vec<&str>>, larger: &Option<Vec<&str>>) -> bool {
    match (smaller, larger) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(smaller), Some(larger)) => smaller.iter().all(|name| larger.contains(name)),
    }
}

fn small_document() -> Value {
    json!({
        "paths": {"/x": {"get": {
            "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}],
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/X"}}}}, "400": {}},
        }, "post": {
            "requestBody": {"content": {"application/json": {"schema": {
                "type": "object", "properties": {"kind": {"type": "string", "enum": ["a", "b"]}},
            }}}},
            "responses": {"204": {}},
        }}},
        "components": {"schemas": {"X": {
            "type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "n": {"type": ["integer", "null"]}},
        }}},
    })
}

#[test]
fn additions_are_compatible() {
    let mut new = small_document();
    new["paths"]["/y"] = json!({"get": {"responses": {"200": {}}}});
    new["paths"]["/x"]["get"]["responses"]["503"] = json!({});
    new["paths"]["/x"]["get"]["responses"]
        .as_object_mut()
        .unwrap()
        .remove("400");
    let parameters = new["paths"]["/x"]["get"]["parameters"]
        .as_array_mut()
        .unwrap();
    parameters.push(json!({"name": "page", "in": "query", "schema": {"type": "integer"}}));
    new["components"]["schemas"]["X"]["properties"]["more"] = json!({"type": "string"});
    new["components"]["schemas"]["X"]["required"] = json!(["id", "more"]);
    let body = &mut new["paths"]["/x"]["post"]["requestBody"]["content"]["application/json"];
    body["schema"]["properties"]["kind"]["enum"] = json!(["a", "b", "c"]);
    assert_eq!(incompatibilities(&small_document(), &new), [""; 0]);
}

#[test]
fn incompatible_changes_are_found() {
    let property = "/components/schemas/X";
    let body = "/paths/~1x/post/requestBody/content/application~1json/schema";
    for (pointer, value, expected) in [
        ("/paths", json!({}), "get /x: was removed"),
        (
            "/paths/~1x/get/parameters",
            json!([]),
            "parameter \"limit\": was removed",
        ),
        (
            "/paths/~1x/get/parameters/0/schema/maximum",
            json!(50),
            "maximum was narrowed",
        ),
        (
            "/paths/~1x/get/responses",
            json!({"201": {}}),
            "response 200: was removed",
        ),
        (
            &format!("{property}/properties/id/type"),
            json!("integer"),
            "type \"string\" became",
        ),
        (
            &format!("{property}/properties"),
            json!({"id": {"type": "string"}}),
            ".n: was removed",
        ),
        (
            &format!("{property}/required"),
            json!([]),
            "required has changed",
        ),
        (
            &format!("{body}/properties/kind/enum"),
            json!(["a"]),
            "a value was removed",
        ),
        (
            body,
            json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}),
            "required has changed",
        ),
    ] {
        let mut new = small_document();
        *new.pointer_mut(pointer).unwrap() = value;
        let found = incompatibilities(&small_document(), &new);
        assert!(
            found.iter().any(|found| found.contains(expected)),
            "{pointer}: {found:#?}"
        );
    }
}
