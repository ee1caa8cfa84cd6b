//! `/_local/clock`: the time of an account.

use crate::domain::clock_change::ClockChange;
use crate::http::{error::ApiError, extract::body::JsonObject, state::AppState, v3::response};
use crate::service::control::{ClockState, ControlCaller, ControlWriter};
use actix_web::{HttpResponse, web::Data};
use serde_json::json;

/// `GET /_local/clock`
pub(crate) async fn get(caller: ControlCaller, state: Data<AppState>) -> HttpResponse {
    respond(state.control.clock(&caller))
}

/// `PUT /_local/clock`
pub(crate) async fn change(
    writer: ControlWriter,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let change = ClockChange::parse(body.attributes)?;
    Ok(respond(state.control.change_clock(&writer, change)))
}

/// `DELETE /_local/clock`
pub(crate) async fn clear(writer: ControlWriter, state: Data<AppState>) -> HttpResponse {
    state.control.clear_clock(&writer);
    HttpResponse::NoContent().finish()
}

fn respond(clock: ClockState) -> HttpResponse {
    let body = json!({
        "now": clock.now,
        "rate": clock.rate.to_json(),
        "adjusted": clock.is_adjusted,
    });
    response::json(body.to_string())
}
