//! Handlers for logs.

use crate::domain::{
    caller::Caller,
    log::{SCHEMA, present_query},
};
use crate::http::{
    error::ApiError, extract::path::LogPath, state::AppState, v3::lists, v3::response,
};
use actix_web::{HttpRequest, HttpResponse, web::Data};

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
