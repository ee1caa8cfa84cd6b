//! Answering a list: on this thread when it costs no more than its page, else on one that may wait.

use super::{answer, problem::Problem};
use crate::{
    domain::list::ListQuery,
    service::{
        fault::Fault,
        lists::{ListPage, reads_everything},
    },
};
use actix_web::{HttpRequest, HttpResponse, web};

/// Runs the query and writes its page.
pub(super) async fn respond(
    request: &HttpRequest,
    query: ListQuery,
    run: impl FnOnce(&ListQuery) -> Result<ListPage, Fault> + Send + 'static,
) -> Result<HttpResponse, Problem> {
    let page = query.page;
    let found = if reads_everything(&query) {
        web::block(move || run(&query)).await.map_err(|error| Problem::Internal(error.to_string()))??
    } else {
        run(&query)?
    };
    let links = page.links(&url(request), request.query_string(), found.total);
    Ok(answer::list(&found, page.has_more(found.total), &links))
}

/// The request's URL without its query, as the client knows it.
fn url(request: &HttpRequest) -> String {
    let connection = request.connection_info();
    format!("{}://{}{}", connection.scheme(), connection.host(), request.path())
}
