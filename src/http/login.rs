//! `POST /public/login`: a user name and a password for a token.

use super::{body::JsonObject, problem::Problem, quota, state::State};
use crate::domain::body::{self, BodyReader};
use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Data},
};
use std::sync::Arc;

/// Hashing a password takes long and much memory, so it happens elsewhere and not too often at
/// once. Who has tried too often does not even wait for a turn.
pub(super) async fn login(
    request: HttpRequest,
    body: JsonObject,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let mut reader = BodyReader::new(body.attributes);
    let username = reader.required("username", body::text);
    let password = reader.required("password", body::text);

    reader.finish(body.strictness)?;
    let (username, password) = (username.unwrap_or_default(), password.unwrap_or_default());
    let gate = Arc::clone(&state.live.load().gate);
    let quota = gate.may_try_login(&username, request.peer_addr().map(|peer| peer.ip()))?;
    let token = if gate.login_is_slow() {
        let turn = state.logins.next().await?;
        let outcome = web::block(move || {
            let _held_until_done = turn;
            gate.login(&username, &password)
        });
        outcome
            .await
            .map_err(|error| Problem::Internal(error.to_string()))??
    } else {
        gate.login(&username, &password)?
    };

    let mut response = HttpResponse::Ok().json(serde_json::json!({ "token": token }));
    if let Some(quota) = quota {
        quota::write(quota, response.headers_mut());
    }

    Ok(response)
}
