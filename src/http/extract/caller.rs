//! Extractors that authenticate the caller.
//!
//! Credentials are looked for in this order: `Authorization: <token>`, `Authorization: Bearer
//! <token>`, `x-api-key` with `x-api-secret`.

use crate::http::{
    account_alias, browser_guard, error::ApiError, extract::body::BodyOwner, state::AppState,
};
use crate::{
    domain::{
        caller::{Caller, WriteAccess},
        ids::AccountId,
        rejection::Rejection,
    },
    service::authentication::Credential,
};
use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, http::header, web::Data};
use std::future::{Ready, ready};

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(request))
    }
}

impl FromRequest for WriteAccess {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate_writer(request))
    }
}

fn authenticate_writer(request: &HttpRequest) -> Result<WriteAccess, ApiError> {
    let writer = authenticate(request)?.into_write_access()?;
    let state = state(request)?;
    Ok(writer.from_foreign_page(browser_guard::is_foreign(
        request.head(),
        &state.live.load(),
    )))
}

/// The caller of a request that counts towards no rate limit. Otherwise a test that has exhausted
/// its limit could not move the clock on.
///
/// # Errors
/// The credential is missing or wrong.
pub(crate) fn authenticate_uncounted(request: &HttpRequest) -> Result<Caller, ApiError> {
    let live = state(request)?.live.load();
    let caller = live.authenticator.identify_caller(
        credential(request)?,
        account_alias::name(request).as_deref(),
    )?;
    note_caller(request, &caller);
    Ok(caller)
}

fn authenticate(request: &HttpRequest) -> Result<Caller, ApiError> {
    let state = state(request)?;
    if state.control.hooks().active().has_any()
        && let Some(EarlyAuthentication(outcome)) = request.extensions().get()
    {
        return Ok(outcome.clone()?);
    }
    Ok(check_credential(request, state)?)
}

/// The outcome of an authentication before the request was routed. It stands for that of the
/// handler, so that each request counts once towards the rate limit.
struct EarlyAuthentication(Result<Caller, Rejection>);

/// Authenticates a request before it is routed. Returns its account, or that which a refused
/// credential names.
pub(crate) fn authenticate_early(request: &HttpRequest, state: &AppState) -> Option<AccountId> {
    let outcome = check_credential(request, state);
    let account = match &outcome {
        Ok(caller) => Some(caller.account.clone()),
        Err(_) => credential(request)
            .ok()
            .flatten()
            .and_then(|credential| state.live.load().authenticator.named_account(credential)),
    };
    request
        .extensions_mut()
        .insert(EarlyAuthentication(outcome));
    account
}

fn check_credential(request: &HttpRequest, state: &AppState) -> Result<Caller, Rejection> {
    let (caller, quota) = state.live.load().authenticator.authenticate(
        credential(request)?,
        account_alias::name(request).as_deref(),
    )?;

    if let Some(quota) = quota {
        request.extensions_mut().insert(quota);
    }

    note_caller(request, &caller);
    Ok(caller)
}

/// The id of a request whose account has a seed.
#[derive(Debug)]
pub(crate) struct SeededRequestId(pub(crate) String);

fn note_caller(request: &HttpRequest, caller: &Caller) {
    // The memory for the body counts towards the share of the account.
    if has_body(request) {
        request
            .extensions_mut()
            .insert(BodyOwner(caller.account.as_str().to_owned()));
    }
    note_account(request, &caller.account);
}

/// Gives the request an id of the account's series, if the account has a seed.
pub(crate) fn note_account(request: &HttpRequest, account: &AccountId) {
    let state = request.app_data::<Data<AppState>>();
    if let Some(id) = state.and_then(|state| state.request_ids.seeded(account)) {
        request.extensions_mut().insert(SeededRequestId(id));
    }
}

fn has_body(request: &HttpRequest) -> bool {
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING]
        .iter()
        .any(|name| request.headers().contains_key(name))
}

fn state(request: &HttpRequest) -> Result<&Data<AppState>, ApiError> {
    request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| ApiError::Internal("the application has no state".into()))
}

/// Whether a request has any header for credentials.
pub(crate) fn has_credential(request: &HttpRequest) -> bool {
    [header::AUTHORIZATION.as_str(), "x-api-key", "x-api-secret"]
        .iter()
        .any(|name| request.headers().contains_key(*name))
}

/// The token in `Authorization`, with or without its scheme.
pub(crate) fn bearer_token(request: &HttpRequest) -> Option<&[u8]> {
    let value = request.headers().get(header::AUTHORIZATION)?;
    let token = without_scheme(value.as_bytes().trim_ascii());
    (!token.is_empty()).then_some(token)
}

fn credential(request: &HttpRequest) -> Result<Option<Credential<'_>>, Rejection> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map(|value| value.as_bytes().trim_ascii())
    };

    if let Some(token) = bearer_token(request) {
        return Ok(Some(Credential::Token(token)));
    }

    let filled = |name| header(name).filter(|value| !value.is_empty());
    match (filled("x-api-key"), filled("x-api-secret")) {
        (Some(key), Some(secret)) => Ok(Some(Credential::Pair { key, secret })),
        (Some(_), None) => Err(Rejection::Unauthenticated(
            "'x-api-key' requires 'x-api-secret'".into(),
        )),
        (None, Some(_)) => Err(Rejection::Unauthenticated(
            "'x-api-secret' requires 'x-api-key'".into(),
        )),
        (None, None) => Ok(None),
    }
}

fn without_scheme(value: &[u8]) -> &[u8] {
    match value.split_at_checked("Bearer".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"Bearer") => match rest.first() {
            None => rest,
            Some(space) if space.is_ascii_whitespace() => rest.trim_ascii(),
            Some(_) => value,
        },
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bearer_scheme_is_removed() {
        for (value, token) in [
            (&b"abc"[..], &b"abc"[..]),
            (b"Bearer abc", b"abc"),
            (b"bearer   abc", b"abc"),
            (b"Bearer", b""),
            (b"Bearerabc", b"Bearerabc"),
            (b"Basic abc", b"Basic abc"),
        ] {
            assert_eq!(without_scheme(value), token);
        }
    }
}
