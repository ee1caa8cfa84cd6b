//! `GET /`: an overview of the server, as JSON or HTML.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, ACCEPT, ContentType, HeaderValue},
};
use serde_json::json;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const DESCRIPTION: &str = "PagerTree's integration API on your own machine";

/// Names and paths of the main routes.
const LINKS: [(&str, &str); 10] = [
    ("integrations", "/integration"),
    ("alerts", "/alert"),
    ("logs", "/log"),
    ("users", "/user"),
    ("teams", "/team"),
    ("login", "/public/login"),
    ("liveness", "/livez"),
    ("readiness", "/readyz"),
    ("metrics", "/metrics"),
    ("openapi", "/openapi.json"),
];

/// The page has only text and links.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'");

/// HTML if the client prefers it, else JSON.
pub(crate) async fn index(request: HttpRequest) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::VARY, "Accept"));
    if prefers_html(&request) {
        return response
            .insert_header(ContentType::html())
            .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_POLICY))
            .body(page());
    }

    let routes: serde_json::Map<_, _> = LINKS
        .iter()
        .map(|(name, path)| ((*name).to_owned(), (*path).into()))
        .collect();

    response.json(json!({
        "name": "pagertree-local",
        "version": VERSION,
        "description": DESCRIPTION,
        "documentation": "docs/api.md in the program's source",
        "routes": routes,
    }))
}

/// Whether `Accept` names HTML and prefers it to JSON, as browsers do.
fn prefers_html(request: &HttpRequest) -> bool {
    let mut html = None;
    let mut json: f32 = 0.0;
    for header in request.headers().get_all(ACCEPT) {
        for range in header.to_str().unwrap_or_default().split(',') {
            let mut parts = range.split(';').map(str::trim);
            let media_type = parts.next().unwrap_or_default().to_ascii_lowercase();
            let quality = parts
                .find_map(|part| part.strip_prefix("q=")?.parse().ok())
                .unwrap_or(1.0);
            match media_type.as_str() {
                "text/html" | "application/xhtml+xml" => html = Some(quality),
                "application/json" | "application/*" | "*/*" => json = json.max(quality),
                _ => {}
            }
        }
    }

    html.is_some_and(|html| html > json)
}

fn page() -> String {
    let links: String = LINKS
        .iter()
        .map(|(name, path)| {
            format!("<li>{name}: <a href=\"{path}\"><code>{path}</code></a></li>\n")
        })
        .collect();

    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <title>pagertree-local</title>\n\
         <h1>pagertree-local {VERSION}</h1>\n<p>{DESCRIPTION}. Calls need a credential, such as \
         <code>Authorization: any text</code> in open mode. <code>docs/api.md</code>, \
         in the program's source, describes them.</p>\n\
         <ul>\n{links}</ul>\n</html>\n"
    )
}
