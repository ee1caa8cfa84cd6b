//! Handlers for logs.

use crate::domain::{caller::Caller, list::Select, log::SCHEMA};
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
    match Select::parse_query(SCHEMA, request.query_string())? {
        None => Ok(response::object(
            &request,
            &caller.account,
            state.logs.get(&caller, &path.0)?,
        )),
        Some(select) => {
            let (stored, selected) = state.logs.get_selected(&caller, &path.0, &select)?;
            Ok(response::selected(
                &request,
                &caller.account,
                &stored,
                selected,
            ))
        }
    }
}

/// `GET /log`
pub(crate) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    lists::respond(
        &request,
        state.logs.lists(),
        &state.searches,
        caller.account,
    )
    .await
}
