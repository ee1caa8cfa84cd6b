//! Answering a list: on this thread when it costs no more than its page, else on one that may wait.

use super::{answer, problem::Problem, turns::Turns};
use crate::{
    domain::ids::AccountId,
    service::lists::{ListPage, Lists},
};
use actix_web::{HttpRequest, HttpResponse, web};

/// Answers the request's query over the account's objects. What takes long waits for one of these turns.
pub(super) async fn respond(
    request: &HttpRequest,
    lists: &Lists,
    searches: &Turns,
    account: AccountId,
) -> Result<HttpResponse, Problem> {
    let raw = request.query_string();
    if let Some(page) = lists.remembered(&account, raw) {
        return Ok(answer::list(&page, &links(request, &page)));
    }
    let query = lists.parse(raw)?;
    let page = match lists.quick(&account, raw, &query)? {
        Some(page) => page,
        None => {
            let turn = searches.next_of(&account).await?;
            let (lists, raw) = (lists.clone(), raw.to_owned());
            let work = web::block(move || {
                let _held_until_done = turn;
                // Of many who ask the same at once, one has found the answer for those who waited behind it.
                lists.remembered(&account, &raw).map_or_else(|| lists.run(&account, &raw, &query), Ok)
            });
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
