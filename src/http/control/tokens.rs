//! `/_local/tokens`: credentials of an account, in any state that a client must cope with.

use crate::http::{error::ApiError, extract::body::JsonObject, state::AppState};
use crate::service::control::{ControlWriter, TokenRequest};
use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::json;

/// `POST /_local/tokens`
pub(crate) async fn issue(
    writer: ControlWriter,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let request = TokenRequest::parse(body.attributes)?;
    let live = state.live.load();
    let issued = state
        .control
        .issue_token(&writer, &request, &live.authenticator)?;
    Ok(HttpResponse::Ok().json(json!({
        "id": issued.id,
        "token": issued.token,
        "sid": issued.account,
        "user_id": issued.user,
        "read_only": issued.is_read_only,
        "expires_at": issued.expires_at,
    })))
}

/// `DELETE /_local/tokens/:id`
pub(crate) async fn revoke(
    writer: ControlWriter,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let id = request.match_info().get("id").unwrap_or_default();
    state.control.revoke_token(&writer, id)?;
    Ok(HttpResponse::NoContent().finish())
}
