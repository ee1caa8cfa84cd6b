//! Handlers for `/broadcast`: alerts of the subtype `broadcast`.

use crate::domain::{
    alert::{Alert, AlertSubtype, SCHEMA},
    alert_names,
    caller::{Caller, WriteAccess},
    ids::{AccountId, AlertId},
    rejection::Rejection,
};
use crate::http::{
    error::ApiError, extract::body::JsonObject, extract::idempotency::IdempotencyHeader,
    extract::path::AlertPath, extract::preconditions::PreconditionHeaders, state::AppState,
    v3::alerts, v3::incidents, v3::lists, v3::response,
};
use crate::{
    service::{error::ServiceError, objects},
    store::Stored,
};
use actix_web::{HttpRequest, HttpResponse, web::Data};

const NOT_FOUND: Rejection = Rejection::NotFound("Broadcast");

/// `POST /broadcast`
pub(crate) async fn create(
    writer: WriteAccess,
    key: IdempotencyHeader,
    mut body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let own = incidents::own(&writer);
    body.attributes = alert_names::from_broadcast(body.attributes, own);
    alerts::create_at("/broadcast", &writer, key, body, &state).await
}

/// `GET /broadcast/:id`
pub(crate) async fn get(
    caller: Caller,
    path: AlertPath,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    response::record(&request, &caller.account, SCHEMA, || {
        broadcast(&state, &caller.account, &path.0)
    })
}

/// `DELETE /broadcast/:id`
pub(crate) async fn delete(
    writer: WriteAccess,
    path: AlertPath,
    conditions: PreconditionHeaders,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    broadcast(&state, writer.account(), &path.0)?;
    alerts::delete(writer, path, conditions, state).await
}

/// `GET /broadcast`
pub(crate) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let query = lists::with_filter(request.query_string(), "subtype", "broadcast");
    lists::respond_to(
        &query,
        &request,
        state.alerts.lists(),
        &state.searches,
        caller.account,
    )
    .await
}

/// The record of an alert that is a broadcast.
fn broadcast(state: &AppState, account: &AccountId, id: &AlertId) -> Result<Stored, ServiceError> {
    let stored = state
        .alerts
        .get_of(account, id)
        .map_err(|error| match error {
            ServiceError::Rejected(_) => NOT_FOUND.into(),
            store @ ServiceError::Store(_) => store,
        })?;
    let alert: Alert = objects::decode(&stored)?;
    match alert.subtype {
        AlertSubtype::Broadcast => Ok(stored),
        AlertSubtype::Alert | AlertSubtype::Page => Err(NOT_FOUND.into()),
    }
}
