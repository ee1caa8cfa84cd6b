//! Extractors that authenticate callers of the control plane.
//!
//! A call acts for the account of its credential, or for all accounts with `?all=true` or with the
//! owner's token as its credential. From other machines, and through a proxy, each call needs the
//! owner's token: `test.token`, or the token in the file `running` of the data folder.

use super::parameters::asks_for_all;
use crate::http::{
    account_alias,
    admin::backup,
    browser_guard,
    error::ApiError,
    extract::caller::{authenticate_uncounted, bearer_token, has_credential},
    state::AppState,
};
use crate::{
    domain::{caller::Access, passwords, rejection::Rejection},
    service::control::{ControlCaller, ControlWriter},
};
use actix_web::{FromRequest, HttpRequest, dev::Payload, guard::GuardContext, web::Data};
use std::future::{Ready, ready};

/// The header for the owner's token beside the credential of an account.
const TEST_TOKEN: &str = "x-test-token";
/// Headers of requests that a proxy passes on for a client on another machine.
const FORWARDED: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Whether the control plane exists; a guard of its routes.
pub(crate) fn is_enabled(context: &GuardContext<'_>) -> bool {
    context
        .app_data::<Data<AppState>>()
        .is_some_and(|state| state.local.has_control)
}

impl FromRequest for ControlCaller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(control_caller(request))
    }
}

impl FromRequest for ControlWriter {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(control_caller(request).and_then(|caller| Ok(caller.into_writer()?)))
    }
}

fn control_caller(request: &HttpRequest) -> Result<ControlCaller, ApiError> {
    let state = request
        .app_data::<Data<AppState>>()
        .ok_or_else(|| ApiError::Internal("the application has no state".into()))?;
    browser_guard::check_sender(request.head(), &state.live.load())?;

    let token_is_credential = bearer_token(request).is_some_and(|token| is_owner(state, token));
    let token_is_beside = request
        .headers()
        .get(TEST_TOKEN)
        .map(|token| is_owner(state, token.as_bytes().trim_ascii()));
    if token_is_beside == Some(false) {
        return Err(Rejection::Unauthenticated("'X-Test-Token' is wrong".into()).into());
    }

    let is_owner = token_is_credential || token_is_beside.is_some();
    if !is_owner && !is_local(request) {
        let message = "From other machines and through a proxy, the control plane needs the owner's \
                       token: send 'X-Test-Token: <token>' with the setting test.token";
        return Err(Rejection::Unauthenticated(message.into()).into());
    }

    let has_no_account = token_is_credential || (is_owner && !has_credential(request));
    if has_no_account && account_alias::name(request).is_none() {
        return Ok(ControlCaller::for_all_accounts(Access::ReadWrite));
    }

    let caller = authenticate_uncounted(request)?;
    match asks_for_all(request)? {
        false => Ok(ControlCaller::for_account(caller)),
        // Open mode protects no account from another. In keys mode each has a secret.
        true if is_owner || !state.live.load().authenticator.requires_key() => {
            Ok(ControlCaller::for_all_accounts(caller.access))
        }
        true => {
            let message = "In keys mode only the owner's token acts for all accounts: send \
                           'X-Test-Token: <token>', or leave out 'all'";
            Err(Rejection::Forbidden(message.into()).into())
        }
    }
}

fn is_owner(state: &AppState, token: &[u8]) -> bool {
    let access = &state.local;
    passwords::matches(token, &access.token_sha256)
        || access
            .test_token_sha256
            .is_some_and(|expected| passwords::matches(token, &expected))
}

/// Whether a request comes from this machine, as far as can be told. A proxy on this machine
/// connects from here for clients anywhere, so what it has passed on is not local.
pub(super) fn is_local(request: &HttpRequest) -> bool {
    let is_forwarded = FORWARDED
        .iter()
        .any(|name| request.headers().contains_key(*name));
    !is_forwarded
        && request.peer_addr().is_some_and(|peer| {
            request
                .app_data::<Data<AppState>>()
                .is_some_and(|state| backup::is_own_address(peer.ip(), state))
        })
}
