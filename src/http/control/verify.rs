//! `POST /_local/verify`: whether the recorded requests are as expected.

use crate::http::{error::ApiError, extract::body::JsonObject, state::AppState};
use crate::{
    domain::{
        body::{self, AttributeReader},
        rejection::Rejection,
        request_match::{MatchScope, RequestMatch},
    },
    service::control::{ControlCaller, ExpectedCount},
};
use actix_web::{
    HttpResponse,
    http::StatusCode,
    web::{self, Data},
};
use serde_json::json;

/// `POST /_local/verify`
pub(crate) async fn verify(
    caller: ControlCaller,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let mut reader = AttributeReader::new(body.attributes);
    let attributes = reader.optional("match", body::object).unwrap_or_default();
    let expected = reader.optional("count", ExpectedCount::parse);
    reader.finish(crate::domain::body::Strictness::Strict)?;
    let conditions = RequestMatch::parse("match", &attributes, MatchScope::Exchange)
        .map_err(Rejection::Invalid)?;

    let control = state.control.clone();
    let verified = web::block(move || {
        control.verify(caller.scope(), &conditions, expected.unwrap_or_default())
    });
    let result = verified
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))??;

    if result.messages.is_empty() {
        Ok(HttpResponse::Ok().json(json!({"matched": result.matched})))
    } else {
        Err(ApiError::Unmet {
            status: StatusCode::CONFLICT,
            messages: result.messages,
        })
    }
}
