//! `/_local/requests`: the journal.

use super::query::SplitQuery;
use crate::http::{
    error::ApiError,
    state::AppState,
    v3::{lists, response},
};
use crate::{
    domain::ids::AccountId,
    service::control::{ControlCaller, ControlScope, ControlWriter},
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data},
};

/// `GET /_local/requests`
pub(crate) async fn list(
    caller: ControlCaller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let journal = state.control.journal().clone();
    journal.start(caller.scope());
    let query = journal.parse(&SplitQuery::new(request.query_string(), &[])?.list)?;
    let scope = caller.scope().clone();

    // A journal may hold megabytes.
    let listed = web::block(move || journal.list(&scope, &query)).await;
    let page = listed.map_err(|error| ApiError::Internal(error.to_string()))??;
    let links = lists::links(&request, &page);
    Ok(response::list(
        &request,
        owner(caller.scope()),
        &page,
        links,
    ))
}

/// `DELETE /_local/requests`
pub(crate) async fn delete(
    writer: ControlWriter,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state.control.journal().clear(writer.scope());
    Ok(HttpResponse::NoContent().finish())
}

/// Whose share of memory a response counts towards.
pub(super) fn owner(scope: &ControlScope) -> Option<&AccountId> {
    match scope {
        ControlScope::Account(account) => Some(account),
        ControlScope::AllAccounts => None,
    }
}
