//! The documented calls. Source: the reference, "Integration".

use super::{
    answer, body::JsonObject, caller, incoming, lists, once::Once, path::IntegrationPath,
    preconditions::Conditions, problem::Problem, state::State,
};
use crate::domain::{
    caller::{Caller, WriteAccess},
    integration::SCHEMA,
    integration_input::{IntegrationDraft, IntegrationPatch},
    list::Select,
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
pub(super) async fn create(
    writer: WriteAccess,
    key: Once,
    body: JsonObject,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let draft = IntegrationDraft::parse(body.attributes, body.strictness)?;
    let room = state
        .answers
        .for_bytes(body.bytes, Some(writer.account().as_str()))?;
    let (id, stored) = state.integrations.create(&writer, draft, key.0).await?;
    let mut response = answer::written(stored, room);
    if let Ok(location) = HeaderValue::try_from(format!("/integration/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /integration/:id`
pub(super) async fn get(
    caller: Result<Caller, Problem>,
    path: IntegrationPath,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let caller = match caller {
        Ok(caller) => caller,
        Err(problem) => {
            // Whoever calls the API has at least a wrong credential.
            if request.method() == Method::GET && !caller::has_credential(&request) {
                incoming::log_misplaced(&state, &path, &request).await;
            }
            return Err(problem);
        }
    };

    match Select::parse_query(SCHEMA, request.query_string())? {
        None => Ok(answer::object(
            &request,
            &caller.account,
            state.integrations.get(&caller, &path.0)?,
        )),
        Some(select) => {
            let (stored, selected) = state.integrations.get_selected(&caller, &path.0, &select)?;
            Ok(answer::selected(
                &request,
                &caller.account,
                &stored,
                selected,
            ))
        }
    }
}

/// `PUT /integration/:id`
pub(super) async fn update(
    writer: WriteAccess,
    path: IntegrationPath,
    conditions: Conditions,
    body: JsonObject,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let patch = IntegrationPatch::parse(body.attributes, body.strictness)?;
    let before = state.integrations.bytes(&writer, &path.0)?;
    let room = state.answers.for_bytes(
        before.saturating_add(body.bytes),
        Some(writer.account().as_str()),
    )?;

    Ok(answer::written(
        state
            .integrations
            .update(&writer, path.0, patch, conditions.0)
            .await?,
        room,
    ))
}

/// `DELETE /integration/:id`
pub(super) async fn delete(
    writer: WriteAccess,
    path: IntegrationPath,
    conditions: Conditions,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    state
        .integrations
        .delete(&writer, path.0, conditions.0)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /integration`
pub(super) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    lists::respond(
        &request,
        state.integrations.lists(),
        &state.searches,
        caller.account,
    )
    .await
}
