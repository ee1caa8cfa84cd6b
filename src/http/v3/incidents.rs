//! Handlers for `/incident`, the older name of `/alert`. What is not here is that of alerts.

use crate::domain::{
    alert_names,
    caller::{Caller, WriteAccess},
};
use crate::http::{
    error::ApiError, extract::body::JsonObject, extract::idempotency::IdempotencyHeader,
    extract::path::AlertPath, extract::preconditions::PreconditionHeaders, state::AppState,
    v3::alerts, v3::lists,
};
use actix_web::{HttpRequest, HttpResponse, web::Data};

/// `POST /incident`
pub(crate) async fn create(
    writer: WriteAccess,
    key: IdempotencyHeader,
    mut body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    body.attributes = alert_names::from_incident(body.attributes, own(&writer));
    alerts::create_at("/incident", &writer, key, body, &state).await
}

/// `PUT /incident/:id`
pub(crate) async fn update(
    writer: WriteAccess,
    path: AlertPath,
    conditions: PreconditionHeaders,
    mut body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    body.attributes = alert_names::from_incident(body.attributes, own(&writer));
    alerts::update(writer, path, conditions, body, state).await
}

/// `GET /incident/:id/logs`
pub(crate) async fn logs(
    caller: Caller,
    path: AlertPath,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    // Answers 404 for an alert of another account, and one without logs is not the same.
    state.alerts.get(&caller, &path.0)?;
    let query = lists::with_filter(request.query_string(), "alert_id", path.0.as_str());
    lists::respond_to(
        &query,
        &request,
        state.logs.lists(),
        &state.searches,
        caller.account,
    )
    .await
}

/// The account and the user of a caller.
pub(crate) fn own(writer: &WriteAccess) -> [&str; 2] {
    [writer.account().as_str(), writer.actor()]
}
