//! Answering a list: on this thread when it costs no more than its page, else on one that may wait.

use crate::http::{
    error::ApiError, extract::base_url, limits::concurrency_limit::ConcurrencyLimit, v3::response,
};
use crate::{
    domain::ids::AccountId,
    service::lists::{ListPage, Lists},
};
use actix_web::{HttpRequest, HttpResponse, web};

/// Answers the request's query over the account's objects. What takes long waits for one of these
/// limit.
pub(crate) async fn respond(
    request: &HttpRequest,
    lists: &Lists,
    searches: &ConcurrencyLimit,
    account: AccountId,
) -> Result<HttpResponse, ApiError> {
    let raw = request.query_string();
    if let Some(page) = lists.remembered(&account, raw) {
        return Ok(response::list(
            request,
            &account,
            &page,
            links(request, &page),
        ));
    }

    let query = lists.parse(raw)?;
    let page = match lists.quick(&account, raw, &query)? {
        Some(page) => page,
        None => {
            let permit = searches.acquire_for(&account).await?;
            let (lists, account, raw) = (lists.clone(), account.clone(), raw.to_owned());
            let work = web::block(move || {
                let _held_until_done = permit;
                // Of many who ask the same at once, one has found the answer for those who waited
                // behind it.
                lists
                    .remembered(&account, &raw)
                    .map_or_else(|| lists.run(&account, &raw, &query), Ok)
            });

            work.await
                .map_err(|error| ApiError::Internal(error.to_string()))??
        }
    };

    Ok(response::list(
        request,
        &account,
        &page,
        links(request, &page),
    ))
}

/// The longest `Link`, in bytes. Proxies take heads of 4 KiB at least, and the query stands in it
/// four times.
const MAX_LINK_LEN: usize = 3 << 10;

/// The header `Link` of a page, unless it would be too long.
fn links(request: &HttpRequest, found: &ListPage) -> Option<String> {
    let url = base_url::of(request.head()) + request.path();
    let links = found.page.links(&url, request.query_string(), found.total);
    (links.len() <= MAX_LINK_LEN).then_some(links)
}
