//! `/_local/seed`: the number from which the ids of an account are derived.

use crate::http::{error::ApiError, extract::body::JsonObject, state::AppState, v3::response};
use crate::service::control::{self, ControlCaller, ControlWriter};
use actix_web::{HttpResponse, web::Data};
use serde_json::json;

/// `GET /_local/seed`
pub(crate) async fn get(caller: ControlCaller, state: Data<AppState>) -> HttpResponse {
    respond(state.control.seed(&caller))
}

/// `PUT /_local/seed`
pub(crate) async fn set(
    writer: ControlWriter,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let seed = control::parse_seed(body.attributes)?;
    state.control.set_seed(&writer, seed);
    Ok(respond(Some(seed)))
}

/// `DELETE /_local/seed`
pub(crate) async fn clear(writer: ControlWriter, state: Data<AppState>) -> HttpResponse {
    state.control.clear_seed(&writer);
    HttpResponse::NoContent().finish()
}

fn respond(seed: Option<u64>) -> HttpResponse {
    response::json(json!({ "seed": seed }).to_string())
}
