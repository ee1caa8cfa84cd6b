//! Handlers for kinds of objects that have no rules beyond those of their attributes.

use crate::domain::{
    caller::{Caller, WriteAccess},
    resource::Resource,
    team::Team,
    user_profile::UserProfile,
};
use crate::http::{
    error::ApiError, extract::body::JsonObject, extract::idempotency::IdempotencyHeader,
    extract::path::ResourcePath, extract::preconditions::PreconditionHeaders, state::AppState,
    v3::lists, v3::response,
};
use crate::service::resources::Resources;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderValue, LOCATION},
    web::Data,
};

/// A kind that the state has a service for.
pub(crate) trait ServedResource: Resource {
    /// Its service.
    fn service(state: &AppState) -> &Resources<Self>
    where
        Self: Sized;
}

impl ServedResource for UserProfile {
    fn service(state: &AppState) -> &Resources<Self> {
        &state.users
    }
}

impl ServedResource for Team {
    fn service(state: &AppState) -> &Resources<Self> {
        &state.teams
    }
}

/// `GET /team/:id/current-oncall`: the events of the team's schedule. There are no schedules here,
/// so the list is empty.
pub(crate) async fn current_oncall(
    caller: Caller,
    path: ResourcePath<Team>,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state.teams.get(&caller, &path.0)?;
    Ok(response::json("[]"))
}

/// `POST /user`, `POST /team`
pub(crate) async fn create<R: ServedResource>(
    writer: WriteAccess,
    key: IdempotencyHeader,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let draft = R::parse_draft(body.attributes, body.strictness)?;
    let reservation = state
        .answers
        .reserve(body.bytes, Some(writer.account().as_str()))?;
    let (id, stored) = R::service(&state).create(&writer, draft, key.0).await?;

    let mut response = response::written(stored, reservation);
    if let Ok(location) = HeaderValue::try_from(format!("{}/{id}", R::PATH)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /user/:id`, `GET /team/:id`
pub(crate) async fn get<R: ServedResource>(
    caller: Caller,
    path: ResourcePath<R>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    response::record(&request, &caller.account, R::SCHEMA, || {
        R::service(&state).get(&caller, &path.0)
    })
}

/// `PUT /user/:id`, `PUT /team/:id`
pub(crate) async fn update<R: ServedResource>(
    writer: WriteAccess,
    path: ResourcePath<R>,
    conditions: PreconditionHeaders,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let patch = R::parse_patch(body.attributes, body.strictness)?;
    let service = R::service(&state);
    let before = service.bytes(&writer, &path.0)?;
    let reservation = state.answers.reserve(
        before.saturating_add(body.bytes),
        Some(writer.account().as_str()),
    )?;
    let updated = service.update(&writer, path.0, patch, conditions.0).await?;
    Ok(response::written(updated, reservation))
}

/// `DELETE /user/:id`, `DELETE /team/:id`
pub(crate) async fn delete<R: ServedResource>(
    writer: WriteAccess,
    path: ResourcePath<R>,
    conditions: PreconditionHeaders,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let service = R::service(&state);
    service.delete(&writer, path.0, conditions.0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// `GET /user`, `GET /team`
pub(crate) async fn list<R: ServedResource>(
    caller: Caller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let lists = R::service(&state).lists();
    lists::respond(&request, lists, &state.searches, caller.account).await
}
