//! The query parameters of the control plane.

use crate::domain::{body::excerpt, rejection::Rejection};
use actix_web::{HttpRequest, web::Query};
use std::collections::HashMap;

/// The parameters of a request. Those that are neither `known` nor `all` are errors: a mistyped one
/// would have another effect than meant.
pub(super) fn read_query(
    request: &HttpRequest,
    known: &[&str],
) -> Result<HashMap<String, String>, Rejection> {
    let query = parse(request)?;
    let is_known = |name: &&String| *name == "all" || known.contains(&name.as_str());
    match query.keys().find(|name| !is_known(name)) {
        None => Ok(query),
        Some(unknown) => Err(Rejection::invalid(format!(
            "'{}' is not a known parameter",
            excerpt(unknown)
        ))),
    }
}

/// Whether a request asks for all accounts.
pub(super) fn asks_for_all(request: &HttpRequest) -> Result<bool, Rejection> {
    match parse(request)?.get("all").map(String::as_str) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(Rejection::invalid(format!(
            "'all' must be true or false, but was '{}'",
            excerpt(other)
        ))),
    }
}

fn parse(request: &HttpRequest) -> Result<HashMap<String, String>, Rejection> {
    Query::<HashMap<String, String>>::from_query(request.query_string())
        .map(Query::into_inner)
        .map_err(|_| Rejection::invalid("The query is not valid"))
}
