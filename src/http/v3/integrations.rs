//! Handlers for integrations. Source: the reference, "Integration".

use crate::domain::{
    caller::{Caller, WriteAccess},
    integration::SCHEMA,
    integration_input::{IntegrationDraft, IntegrationPatch},
};
use crate::http::{
    error::ApiError, extract::body::JsonObject, extract::caller,
    extract::idempotency::IdempotencyHeader, extract::path::IntegrationPath,
    extract::preconditions::PreconditionHeaders, state::AppState, v3::events, v3::lists,
    v3::response,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{HeaderValue, LOCATION},
    },
    web::Data,
};

/// `POST /integration`
pub(crate) async fn create(
    writer: WriteAccess,
    key: IdempotencyHeader,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let draft = IntegrationDraft::parse(body.attributes, body.strictness)?;
    state
        .destinations
        .check(&writer, &draft.destination_ids, body.strictness)?;
    let reservation = state
        .answers
        .reserve(body.bytes, Some(writer.account().as_str()))?;
    let (id, stored) = state.integrations.create(&writer, draft, key.0).await?;
    let mut response = response::written(stored, reservation);
    if let Ok(location) = HeaderValue::try_from(format!("/integration/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /integration/:id`
pub(crate) async fn get(
    caller: Result<Caller, ApiError>,
    path: IntegrationPath,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => {
            // A request without any credential is probably meant as an event.
            if request.method() == Method::GET && !caller::has_credential(&request) {
                events::log_misplaced(&state, &path, &request).await;
            }
            return Err(problem);
        }
    };

    response::record(&request, &caller.account, SCHEMA, || {
        state.integrations.get(&caller, &path.0)
    })
}

/// `PUT /integration/:id`
pub(crate) async fn update(
    writer: WriteAccess,
    path: IntegrationPath,
    conditions: PreconditionHeaders,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let patch = IntegrationPatch::parse(body.attributes, body.strictness)?;
    let before = state.integrations.bytes(&writer, &path.0)?;
    let destinations = patch.destination_ids.as_deref().unwrap_or_default();
    state
        .destinations
        .check(&writer, destinations, body.strictness)?;
    let reservation = state.answers.reserve(
        before.saturating_add(body.bytes),
        Some(writer.account().as_str()),
    )?;

    Ok(response::written(
        state
            .integrations
            .update(&writer, path.0, patch, conditions.0)
            .await?,
        reservation,
    ))
}

/// `DELETE /integration/:id`
pub(crate) async fn delete(
    writer: WriteAccess,
    path: IntegrationPath,
    conditions: PreconditionHeaders,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state
        .integrations
        .delete(&writer, path.0, conditions.0)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /integration`
pub(crate) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    lists::respond(
        &request,
        state.integrations.lists(),
        &state.searches,
        caller.account,
    )
    .await
}
