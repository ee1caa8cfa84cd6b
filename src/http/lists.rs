//! Answering a list: on this thread when it costs no more than its page, else on one that may wait.

use super::{answer, problem::Problem};
use crate::{
    domain::ids::AccountId,
    service::lists::{ListPage, Lists},
};
use actix_web::{HttpRequest, HttpResponse, web};

/// Answers the request's query over the account's objects.
pub(super) async fn respond(request: &HttpRequest, lists: &Lists, account: AccountId) -> Result<HttpResponse, Problem> {
    let raw = request.query_string();
    if let Some(page) = lists.remembered(&account, raw) {
        return Ok(answer::list(&page, &links(request, &page)));
    }
    let query = lists.parse(raw)?;
    let page = match lists.quick(&account, raw, &query)? {
        Some(page) => page,
        None => {
            let (lists, raw) = (lists.clone(), raw.to_owned());
            let work = web::block(move || lists.run(&account, &raw, &query));
            work.await.map_err(|error| Problem::Internal(error.to_string()))??
        }
    };
    Ok(answer::list(&page, &links(request, &page)))
}

fn links(request: &HttpRequest, found: &ListPage) -> String {
    let connection = request.connection_info();
    let url = format!("{}://{}{}", connection.scheme(), connection.host(), request.path());
    found.page.links(&url, request.query_string(), found.total)
}
