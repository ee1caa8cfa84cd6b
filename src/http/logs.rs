//! The calls on logs.

use super::{answer, lists, path::LogPath, problem::Problem, state::State};
use crate::domain::{caller::Caller, list::Select, log::SCHEMA};
use actix_web::{HttpRequest, HttpResponse, web::Data};

/// `GET /log/:id`
pub(super) async fn get(
    caller: Caller,
    path: LogPath,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    match Select::parse_query(SCHEMA, request.query_string())? {
        None => Ok(answer::object(
            &request,
            &caller.account,
            state.logs.get(&caller, &path.0)?,
        )),
        Some(select) => {
            let (stored, selected) = state.logs.get_selected(&caller, &path.0, &select)?;
            Ok(answer::selected(
                &request,
                &caller.account,
                &stored,
                selected,
            ))
        }
    }
}

/// `GET /log`
pub(super) async fn list(
    caller: Caller,
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    lists::respond(
        &request,
        state.logs.lists(),
        &state.searches,
        caller.account,
    )
    .await
}
