//! `POST /_local/integration/:id/try`: what a request to an integration would do.

use super::events;
use crate::{
    adapters::RequestParts,
    domain::{
        body::Strictness,
        caller::Caller,
        dry_run_input::{DryRunInput, DryRunRequest, DryRunSource},
    },
    http::{
        error::ApiError,
        extract::{
            body::{self, JsonObject},
            content_coding::Codings,
            path::IntegrationPath,
        },
        state::AppState,
        v3::response,
    },
    service::events::DryRun,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_ENCODING, HeaderMap, HeaderValue},
    web::{BytesMut, Data},
};

/// Tries a request, or that of a log, against an integration, and keeps nothing.
pub(crate) async fn dry_run(
    caller: Caller,
    path: IntegrationPath,
    request: HttpRequest,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let DryRunInput { source, options } = DryRunInput::parse(body.attributes, body.strictness)?;
    let skips_secret = matches!(source, DryRunSource::Log(_));
    let mut parts = match source {
        DryRunSource::Log(id) => state.events.logged_request(&caller, &id)?,
        DryRunSource::Request(given) => {
            let mut parts = decode(given, &state).await?;
            parts.remote_ip = request.peer_addr().map(|peer| peer.ip().to_string());
            parts
        }
    };

    let asks_for_strictness = parts
        .header(body::STRICT_HEADER)
        .is_some_and(|value| body::is_true(value.as_bytes()));
    parts.strictness = match body.strictness {
        Strictness::Lenient if asks_for_strictness => Strictness::Strict,
        strictness => strictness,
    };
    parts.url = url(&request, &path, &parts.query);
    parts.fields = events::form_fields(&parts, &parts.body).await;

    let run = DryRun {
        parts,
        options,
        skips_secret,
    };
    let report = state.events.dry_run(&caller, &path.0, run).await?;
    let report =
        serde_json::to_vec(&report).map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(response::owned(Some(&caller.account), report.into()))
}

/// The given request, its body decoded as its `Content-Encoding` says.
async fn decode(given: DryRunRequest, state: &AppState) -> Result<RequestParts, ApiError> {
    let mut encodings = HeaderMap::new();
    for (name, value) in &given.headers {
        if name == CONTENT_ENCODING.as_str()
            && let Ok(value) = HeaderValue::from_str(value)
        {
            encodings.append(CONTENT_ENCODING, value);
        }
    }

    let body = BytesMut::from(given.body.as_slice());
    let limit = state.live.load().body_bytes;
    let body = Codings::parse(&encodings)?
        .decode(body, limit, state)
        .await?;
    Ok(RequestParts {
        method: given.method,
        query: given.query,
        headers: given.headers,
        body: body.to_vec(),
        ..RequestParts::default()
    })
}

/// The URL at which the request would have arrived.
fn url(request: &HttpRequest, path: &IntegrationPath, query: &str) -> String {
    let separator = if query.is_empty() { "" } else { "?" };
    let (origin, id) = (events::origin(request), path.0.as_str());
    format!("{origin}/integration/{id}{separator}{query}")
}
