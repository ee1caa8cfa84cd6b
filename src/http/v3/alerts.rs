//! Handlers for alerts. Source: PagerTree's public v3 OpenAPI description, "Alert".

use crate::domain::{
    alert::{AlertAction, SCHEMA},
    caller::{Caller, WriteAccess},
    mass_action::MassAction,
};
use crate::http::{
    error::ApiError, extract::body, extract::body::JsonObject,
    extract::idempotency::IdempotencyHeader, extract::path::AlertPath,
    extract::preconditions::PreconditionHeaders, state::AppState, v3::lists, v3::response,
};
use actix_web::{
    Handler, HttpRequest, HttpResponse,
    http::header::{HeaderValue, LOCATION},
    web::Data,
};

/// `POST /alert`
pub(crate) async fn create(
    writer: WriteAccess,
    key: IdempotencyHeader,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    create_at("/alert", &writer, key, body, &state).await
}

/// Creates an alert, whose path begins with `path`.
pub(crate) async fn create_at(
    path: &str,
    writer: &WriteAccess,
    key: IdempotencyHeader,
    body: JsonObject,
    state: &AppState,
) -> Result<HttpResponse, ApiError> {
    let draft = state
        .alerts
        .draft(writer, body.attributes, body.strictness)?;
    let destinations = draft.destination_ids.as_deref().unwrap_or_default();
    state
        .destinations
        .check(writer, destinations, body.strictness)?;
    let reservation = state
        .answers
        .reserve(body.bytes, Some(writer.account().as_str()))?;
    let (id, stored) = state.alerts.create(writer, draft, key.0).await?;
    let mut response = response::written(stored, reservation);

    if let Ok(location) = HeaderValue::try_from(format!("{path}/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }

    Ok(response)
}

/// `GET /alert/:id`
pub(crate) async fn get(
    caller: Caller,
    path: AlertPath,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    response::record(&request, &caller.account, SCHEMA, || {
        state.alerts.get(&caller, &path.0)
    })
}

/// `PUT /alert/:id`
pub(crate) async fn update(
    writer: WriteAccess,
    path: AlertPath,
    conditions: PreconditionHeaders,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let (patch, before) = state
        .alerts
        .patch(&writer, &path.0, body.attributes, body.strictness)?;
    state
        .destinations
        .check(&writer, patch.destination_ids(), body.strictness)?;
    let reservation = state.answers.reserve(
        before.saturating_add(body.bytes),
        Some(writer.account().as_str()),
    )?;

    Ok(response::written(
        state
            .alerts
            .update(&writer, path.0, patch, conditions.0)
            .await?,
        reservation,
    ))
}

/// `DELETE /alert/:id`
pub(crate) async fn delete(
    writer: WriteAccess,
    path: AlertPath,
    conditions: PreconditionHeaders,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state.alerts.delete(&writer, path.0, conditions.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /alert`
pub(crate) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    lists::respond(
        &request,
        state.alerts.lists(),
        &state.searches,
        caller.account,
    )
    .await
}

/// `POST /alert/mass-action`
pub(crate) async fn apply_to_all(
    writer: WriteAccess,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let action = MassAction::parse(body.attributes, body.strictness)?;
    let bytes = state.alerts.bytes_of_all(&writer, &action)?;
    let reservation = state
        .answers
        .reserve(bytes, Some(writer.account().as_str()))?;
    let alerts = state
        .alerts
        .apply_to_all(&writer, action, body.strictness)
        .await?;
    Ok(response::all_written(&alerts, reservation))
}

/// Makes the handler of `POST /alert/:id/{acknowledge,reject,resolve,archive}` and
/// `POST /_local/alert/:id/drop`.
pub(crate) fn apply(
    action: AlertAction,
) -> impl Handler<
    (
        WriteAccess,
        AlertPath,
        PreconditionHeaders,
        HttpRequest,
        Data<AppState>,
    ),
    Output = Result<HttpResponse, ApiError>,
> {
    move |writer: WriteAccess,
          path: AlertPath,
          conditions: PreconditionHeaders,
          request: HttpRequest,
          state: Data<AppState>| async move {
        let strictness = body::strictness(&request, &state.live.load());
        let bytes = state.alerts.bytes(&writer, &path.0)?;
        let reservation = state
            .answers
            .reserve(bytes, Some(writer.account().as_str()))?;
        let alert = state
            .alerts
            .apply(&writer, path.0, action, strictness, conditions.0)
            .await?;
        Ok(response::written(alert, reservation))
    }
}
