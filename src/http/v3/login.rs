//! `POST /public/login`: exchanges user name and password for a token.

use crate::domain::{
    body::{self, AttributeReader},
    user_profile::UserDraft,
};
use crate::http::{
    error::ApiError, extract::body::JsonObject, limits::rate_limit_headers, state::AppState,
};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data},
};
use std::sync::Arc;

/// Hashing a password needs much time and memory, so it runs on a bounded number of blocking
/// threads. The rate limit is checked before waiting for one.
pub(crate) async fn login(
    request: HttpRequest,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let mut reader = AttributeReader::new(body.attributes);
    let username = reader.required("username", body::text);
    let password = reader.required("password", body::text);

    reader.finish(body.strictness)?;
    let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
    let authenticator = Arc::clone(&state.live.load().authenticator);
    let quota =
        authenticator.check_login_rate(&username, request.peer_addr().map(|peer| peer.ip()))?;
    let profile = UserDraft::of_login(&username);
    let logged_in = if authenticator.is_login_slow() {
        let permit = state.logins.acquire().await?;
        let outcome = web::block(move || {
            let _permit = permit;
            authenticator.login(&username, &password)
        });
        outcome
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))??
    } else {
        authenticator.login(&username, &password)?
    };

    // Clients ask for the user of their token next. The login itself does not depend on the store.
    if let Some(profile) = profile {
        let user = state
            .users
            .ensure(&logged_in.account, logged_in.user, profile);
        if let Err(error) = user.await {
            log::warn!("Could not store the user of a login: {error}");
        }
    }

    let mut response = HttpResponse::Ok().json(serde_json::json!({ "token": logged_in.token }));
    if let Some(quota) = quota {
        rate_limit_headers::write(quota, response.headers_mut());
    }

    Ok(response)
}
