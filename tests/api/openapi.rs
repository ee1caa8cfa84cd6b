//! The OpenAPI document: it describes every route and schema, and nothing else. Every response that
//! the other tests get is validated against it by `callers` and `connection`.

use crate::{
    api_document::{DOCUMENT, resolve},
    openapi_compatibility::incompatibilities,
    server::TestServer,
};
use pagertree_local::{
    domain::{
        alert, integration,
        list::{Attribute, AttributeKind, Schema},
        log, recorded_request, team, user_profile,
    },
    http::ROUTES,
};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

const METHODS: [&str; 4] = ["get", "post", "put", "delete"];

/// All operations with their path, method and path item.
fn operations() -> Vec<(&'static str, &'static str, &'static Value, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        let methods = METHODS.into_iter();
        methods.filter_map(move |method| Some((path.as_str(), method, item.get(method)?, item)))
    });
    all.collect()
}

#[test]
fn document_has_every_route_with_its_methods() {
    let mut documented: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (path, method, _, _) in operations() {
        let methods = documented.entry(path).or_default();
        methods.insert(match method {
            "get" => "GET",
            "post" => "POST",
            "put" => "PUT",
            _ => "DELETE",
        });
        methods.insert("OPTIONS");
        if method == "get" {
            methods.insert("HEAD");
        }
    }

    let documented: BTreeMap<&str, String> = documented
        .into_iter()
        .map(|(path, methods)| (path, methods.into_iter().collect::<Vec<_>>().join(", ")))
        .collect();
    let served: BTreeMap<&str, String> = ROUTES
        .iter()
        .map(|route| (route.path(), route.allow()))
        .collect();

    assert_eq!(
        documented, served,
        "left: documented in src/http/openapi/paths; right: served by src/http/routes.rs"
    );
}

#[test]
fn document_has_the_attributes_of_every_schema() {
    for (name, schema) in [
        ("Integration", integration::SCHEMA),
        ("Alert", alert::SCHEMA),
        ("Log", log::SCHEMA),
        ("RecordedRequest", recorded_request::SCHEMA),
        ("User", user_profile::SCHEMA),
        ("Team", team::SCHEMA),
    ] {
        let documented = &DOCUMENT["components"]["schemas"][name];
        let found: Vec<(String, Value)> = documented["properties"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, property)| (name.clone(), kind_in_document(resolve(property))))
            .collect();
        assert_eq!(found, kinds(schema), "{name}");

        let names: Vec<&str> = schema.0.iter().map(|attribute| attribute.name).collect();
        assert_eq!(documented["required"], json!(names), "{name}");
        let selection = &DOCUMENT["components"]["schemas"][format!("{name}Selection")];
        let selectable: Vec<&String> = selection["properties"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(selectable, names, "{name}Selection");
    }
}

fn kinds(schema: Schema) -> Vec<(String, Value)> {
    let attributes = schema.0.iter();
    attributes
        .map(|attribute| (attribute.name.to_owned(), kind_in_domain(attribute)))
        .collect()
}

fn kind_in_domain(attribute: &Attribute) -> Value {
    let kind = match attribute.kind {
        AttributeKind::Text => "string",
        AttributeKind::Number => "integer",
        AttributeKind::Boolean => "boolean",
        AttributeKind::Time => "date-time",
        AttributeKind::TextArray => "array of string",
        AttributeKind::Object => "object",
        AttributeKind::ObjectArray => "array of object",
    };
    json!([kind, attribute.nullable])
}

fn kind_in_document(property: &Value) -> Value {
    let types: Vec<&str> = match &property["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => vec![one.as_str().unwrap()],
    };
    let kind = match types[0] {
        "array" => format!(
            "array of {}",
            resolve(&property["items"])["type"].as_str().unwrap()
        ),
        "string" if property["format"] == "date-time" => "date-time".to_owned(),
        other => other.to_owned(),
    };
    json!([kind, types.contains(&"null")])
}

#[test]
fn lists_document_a_filter_for_every_attribute() {
    for (path, schema) in [
        ("/integration", integration::SCHEMA),
        ("/alert", alert::SCHEMA),
        ("/log", log::SCHEMA),
        ("/user", user_profile::SCHEMA),
        ("/team", team::SCHEMA),
    ] {
        let parameters = DOCUMENT["paths"][path]["get"]["parameters"]
            .as_array()
            .unwrap();
        let names: Vec<&str> = parameters
            .iter()
            .map(|parameter| resolve(parameter)["name"].as_str().unwrap())
            .collect();
        for attribute in schema.0 {
            assert!(
                names.contains(&attribute.name),
                "{path} has no filter '{}'",
                attribute.name
            );
        }
    }
}

#[test]
fn operations_are_complete() {
    let mut ids = BTreeSet::new();
    for (path, method, operation, item) in operations() {
        let name = format!("{method} {path}");
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap()),
            "{name}"
        );
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");

        let in_template = path.matches('{').count();
        let declared = item["parameters"].as_array().into_iter().flatten();
        let declared = declared.filter(|parameter| resolve(parameter)["in"] == "path");
        assert_eq!(declared.count(), in_template, "{name}");

        let responses = operation["responses"].as_object().unwrap();
        for status in ["405", "500", "503"] {
            assert!(responses.contains_key(status), "{name} lacks {status}");
        }
        for response in responses.values() {
            assert!(resolve(response)["description"].is_string(), "{name}");
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    let mut used = BTreeSet::new();
    collect_references(&DOCUMENT, &mut used);
    for reference in &used {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(
            DOCUMENT.pointer(pointer).is_some(),
            "{reference} leads nowhere"
        );
    }

    let components = DOCUMENT["components"].as_object().unwrap();
    for (kind, named) in components
        .iter()
        .filter(|(kind, _)| *kind != "securitySchemes")
    {
        for name in named.as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(used.contains(&reference), "{reference} is not used");
        }
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            found.extend(
                members
                    .get("$ref")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
            members
                .values()
                .for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

#[test]
fn document_is_served_without_a_credential() {
    let server = TestServer::start();
    for path in ["/openapi.json", "/_local/openapi.json"] {
        let response = server
            .anonymous()
            .send("GET", path, None)
            .assert_status(200);
        assert_eq!(response.header("content-type"), Some("application/json"));
        assert_eq!(response.json(), *DOCUMENT);
    }
}

/// `UPDATE_OPENAPI=1` accepts the present document.
#[test]
fn document_is_compatible_with_the_published_one() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        let text = serde_json::to_string(&*DOCUMENT).unwrap() + "\n";
        std::fs::write(&path, text).unwrap();
    }

    let published: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let found = incompatibilities(&published, &DOCUMENT);
    assert!(
        found.is_empty(),
        "clients of the published API would break. Take the change back, or list it in \
         CHANGELOG.md and run `UPDATE_OPENAPI=1 cargo test --test api openapi`: {found:#?}"
    );
}
