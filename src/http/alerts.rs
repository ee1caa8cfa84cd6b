//! The calls on alerts. Source: PagerTree's public v3 OpenAPI description, "Alert".

use super::{
    answer, body::JsonObject, lists, once::Once, path::AlertPath, preconditions::Conditions,
    problem::Problem, state::State,
};
use crate::domain::{
    alert::{AlertAction, SCHEMA},
    caller::{Caller, WriteAccess},
    list::Select,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, LOCATION},
    web::Data,
};

/// `POST /alert`
pub(super) async fn create(
    writer: WriteAccess,
    once: Once,
    body: JsonObject,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let draft = state
        .alerts
        .draft(&writer, body.attributes, body.strictness)?;
    let room = state
        .answers
        .for_bytes(body.bytes, Some(writer.account().as_str()))?;
    let (id, stored) = state.alerts.create(&writer, draft, once.0).await?;
    let mut response = answer::written(stored, room);

    if let Ok(location) = HeaderValue::try_from(format!("/alert/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }

    Ok(response)
}

/// `GET /alert/:id`
pub(super) async fn get(
    caller: Caller,
    path: AlertPath,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    match Select::parse_query(SCHEMA, request.query_string())? {
        None => Ok(answer::object(
            &request,
            &caller.account,
            state.alerts.get(&caller, &path.0)?,
        )),
        Some(select) => {
            let (stored, selected) = state.alerts.get_selected(&caller, &path.0, &select)?;
            Ok(answer::selected(
                &request,
                &caller.account,
                &stored,
                selected,
            ))
        }
    }
}

/// `PUT /alert/:id`
pub(super) async fn update(
    writer: WriteAccess,
    path: AlertPath,
    conditions: Conditions,
    body: JsonObject,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let (patch, before) = state
        .alerts
        .patch(&writer, &path.0, body.attributes, body.strictness)?;
    let room = state.answers.for_bytes(
        before.saturating_add(body.bytes),
        Some(writer.account().as_str()),
    )?;

    Ok(answer::written(
        state
            .alerts
            .update(&writer, path.0, patch, conditions.0)
            .await?,
        room,
    ))
}

/// `DELETE /alert/:id`
pub(super) async fn delete(
    writer: WriteAccess,
    path: AlertPath,
    conditions: Conditions,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    state.alerts.delete(&writer, path.0, conditions.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /alert`
pub(super) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    lists::respond(
        &request,
        state.alerts.lists(),
        &state.searches,
        caller.account,
    )
    .await
}

/// `POST /alert/:id/acknowledge`
pub(super) async fn acknowledge(
    writer: WriteAccess,
    path: AlertPath,
    conditions: Conditions,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    step(&writer, path, conditions, &state, AlertAction::Acknowledge).await
}

/// `POST /alert/:id/resolve`
pub(super) async fn resolve(
    writer: WriteAccess,
    path: AlertPath,
    conditions: Conditions,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    step(&writer, path, conditions, &state, AlertAction::Resolve).await
}

/// `POST /alert/:id/archive`
pub(super) async fn archive(
    writer: WriteAccess,
    path: AlertPath,
    conditions: Conditions,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    step(&writer, path, conditions, &state, AlertAction::Archive).await
}

/// `POST /_local/alert/:id/drop`: what happens in PagerTree when nobody can be found who takes the
/// alert.
pub(super) async fn drop(
    writer: WriteAccess,
    path: AlertPath,
    conditions: Conditions,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    step(&writer, path, conditions, &state, AlertAction::Drop).await
}

async fn step(
    writer: &WriteAccess,
    path: AlertPath,
    conditions: Conditions,
    state: &State,
    step: AlertAction,
) -> Result<HttpResponse, Problem> {
    let room = state.answers.for_bytes(
        state.alerts.bytes(writer, &path.0)?,
        Some(writer.account().as_str()),
    )?;
    Ok(answer::written(
        state
            .alerts
            .step(writer, path.0, step, conditions.0)
            .await?,
        room,
    ))
}
