//! `/_local/state`: an account as the lines of an export.

use super::read_query;
use crate::http::{
    error::ApiError,
    extract::body::{BodyLimit, RawBody},
    state::AppState,
};
use crate::service::control::{ControlCaller, ControlWriter, ParsedState};
use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse,
    web::{self, Data, Payload},
};

/// States are larger than objects.
const MAX_STATE_BYTES: usize = 64 << 20;

/// `GET /_local/state`
pub(crate) async fn get(
    caller: ControlCaller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    read_query(&request, &[])?;
    let control = state.control.clone();
    let lines = web::block(move || control.state(&caller))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))??;
    Ok(HttpResponse::Ok()
        .content_type("application/jsonl")
        .body(lines))
}

/// `PUT /_local/state`
pub(crate) async fn replace(
    writer: ControlWriter,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    read_query(&request, &[])?;
    request.extensions_mut().insert(BodyLimit(MAX_STATE_BYTES));
    let body = RawBody::from_request(&request, &mut payload.into_inner()).await?;
    let parsed = web::block(move || ParsedState::parse(&body.bytes))
        .await
        .map_err(|error| ApiError::Internal(error.to_string()))??;
    state.control.replace_state(&writer, parsed).await?;
    Ok(HttpResponse::NoContent().finish())
}
