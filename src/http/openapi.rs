//! The OpenAPI 3.1 document of everything that this server serves.
//!
//! The document is written by hand, as parts in `openapi/` that are split by resource and included
//! at build time. `tests/api/openapi.rs` compares it with the table of routes and the schemas of
//! the domain, and every response of the black-box tests is validated against it.

use actix_web::{HttpResponse, http::header::ContentType};

const HEAD: &str = include_str!("openapi/head.json");

const PATHS: &[&str] = &[
    include_str!("openapi/paths/integrations.json"),
    include_str!("openapi/paths/alerts.json"),
    include_str!("openapi/paths/logs.json"),
    include_str!("openapi/paths/incidents.json"),
    include_str!("openapi/paths/users.json"),
    include_str!("openapi/paths/teams.json"),
    include_str!("openapi/paths/server.json"),
    include_str!("openapi/paths/control.json"),
    include_str!("openapi/paths/accounts.json"),
    include_str!("openapi/paths/testing.json"),
];

const SCHEMAS: &[&str] = &[
    include_str!("openapi/components/schemas/integrations.json"),
    include_str!("openapi/components/schemas/alerts.json"),
    include_str!("openapi/components/schemas/logs.json"),
    include_str!("openapi/components/schemas/incidents.json"),
    include_str!("openapi/components/schemas/users.json"),
    include_str!("openapi/components/schemas/teams.json"),
    include_str!("openapi/components/schemas/server.json"),
    include_str!("openapi/components/schemas/control.json"),
    include_str!("openapi/components/schemas/accounts.json"),
    include_str!("openapi/components/schemas/testing.json"),
];

/// The components that are in one part each.
const COMPONENTS: [(&str, &str); 4] = [
    (
        "securitySchemes",
        include_str!("openapi/components/security_schemes.json"),
    ),
    ("headers", include_str!("openapi/components/headers.json")),
    (
        "parameters",
        include_str!("openapi/components/parameters.json"),
    ),
    (
        "responses",
        include_str!("openapi/components/responses.json"),
    ),
];

/// `GET /openapi.json`
pub(crate) async fn describe() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .body(document())
}

/// The document as JSON.
pub fn document() -> String {
    let others = COMPONENTS.map(|(name, part)| format!("\"{name}\":{part}"));
    format!(
        "{{{},\"paths\":{{{}}},\"components\":{{\"schemas\":{{{}}},{}}}}}\n",
        members(HEAD),
        joined(PATHS),
        joined(SCHEMAS),
        others.join(",")
    )
}

fn joined(parts: &[&str]) -> String {
    let all: Vec<&str> = parts.iter().copied().map(members).collect();
    all.join(",")
}

/// The members of an object, without its braces, so that parts can be joined without parsing them.
fn members(object: &str) -> &str {
    let object = object.trim();
    let inside = object
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    inside.unwrap_or(object).trim()
}
