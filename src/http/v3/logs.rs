//! Handlers for logs.

use crate::domain::{
    caller::{Caller, WriteAccess},
    log::{SCHEMA, present_query},
    log_input::LogDraft,
};
use crate::http::{
    error::ApiError, extract::body::JsonObject, extract::idempotency::IdempotencyHeader,
    extract::path::LogPath, state::AppState, v3::lists, v3::response,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, LOCATION},
    web::Data,
};

/// `POST /log`
pub(crate) async fn create(
    writer: WriteAccess,
    key: IdempotencyHeader,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let draft = LogDraft::parse(body.attributes, body.strictness)?;
    let reservation = state
        .answers
        .reserve(body.bytes, Some(writer.account().as_str()))?;
    let (id, stored) = state.logs.create(&writer, draft, key.0).await?;
    let mut response = response::written(stored, reservation);
    if let Ok(location) = HeaderValue::try_from(format!("/log/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /log/:id`
pub(crate) async fn get(
    caller: Caller,
    path: LogPath,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    response::record(&request, &caller.account, SCHEMA, || {
        state.logs.get(&caller, &path.0)
    })
}

/// `GET /log`
pub(crate) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    lists::respond_to(
        &present_query(request.query_string()),
        &request,
        state.logs.lists(),
        &state.searches,
        caller.account,
    )
    .await
}
