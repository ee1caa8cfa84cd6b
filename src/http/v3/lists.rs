//! Answers list requests: on the serving thread if quick, else on a blocking thread.

use crate::http::{
    account_alias, error::ApiError, extract::base_url, limits::concurrency_limit::ConcurrencyLimit,
    v3::response,
};
use crate::{
    domain::ids::AccountId,
    service::lists::{ListPage, Lists},
};
use actix_web::{HttpRequest, HttpResponse, web};

/// Answers the request's query over the account's objects. A query that takes long needs a permit
/// of `searches`.
pub(crate) async fn respond(
    request: &HttpRequest,
    lists: &Lists,
    searches: &ConcurrencyLimit,
    account: AccountId,
) -> Result<HttpResponse, ApiError> {
    respond_to(request.query_string(), request, lists, searches, account).await
}

/// Answers another query than the request's own, whose links stay those of the request.
pub(crate) async fn respond_to(
    raw_query: &str,
    request: &HttpRequest,
    lists: &Lists,
    searches: &ConcurrencyLimit,
    account: AccountId,
) -> Result<HttpResponse, ApiError> {
    let page = find_page(raw_query, lists, searches, &account).await?;
    let links = links(request, &page);
    Ok(response::list(request, Some(&account), &page, links))
}

/// A query with one more filter.
pub(crate) fn with_filter(raw_query: &str, name: &str, value: &str) -> String {
    match raw_query {
        "" => format!("{name}={value}"),
        other => format!("{other}&{name}={value}"),
    }
}

/// The page that the query asks for.
pub(crate) async fn find_page(
    raw_query: &str,
    lists: &Lists,
    searches: &ConcurrencyLimit,
    account: &AccountId,
) -> Result<ListPage, ApiError> {
    if let Some(page) = lists.cached(account, raw_query) {
        return Ok(page);
    }

    let query = lists.parse(raw_query)?;
    if let Some(page) = lists.run_if_quick(account, raw_query, &query)? {
        return Ok(page);
    }

    let permit = searches.acquire_for(account).await?;
    let (lists, account, raw_query) = (lists.clone(), account.clone(), raw_query.to_owned());
    let search = web::block(move || {
        let _permit = permit;
        // Of several requests with the same query, the first has cached the page for those that
        // waited behind it.
        lists
            .cached(&account, &raw_query)
            .map_or_else(|| lists.run(&account, &raw_query, &query), Ok)
    });

    Ok(search
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))??)
}

/// Maximum length of a `Link` header. Proxies accept heads of at least 4 KiB, and the header has
/// the query four times.
const MAX_LINK_LEN: usize = 3 << 10;

/// The `Link` header of a page, unless it would be too long.
pub(crate) fn links(request: &HttpRequest, page: &ListPage) -> Option<String> {
    let url = base_url::of(request) + &account_alias::public_path(request);
    let links = page.page.links(&url, request.query_string(), page.total);
    (links.len() <= MAX_LINK_LEN).then_some(links)
}
