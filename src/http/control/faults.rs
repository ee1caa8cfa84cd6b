//! `/_local/faults`: which requests fail, and how.

use crate::http::{error::ApiError, extract::body::JsonObject, state::AppState};
use crate::{
    domain::{fault::FaultPlan, rejection::Rejection},
    service::control::{ControlCaller, ControlWriter},
};
use actix_web::{HttpResponse, web::Data};

/// Rules stay in memory until they are deleted.
const MAX_PLAN_BYTES: usize = 64 << 10;

/// `PUT /_local/faults`
pub(crate) async fn replace(
    writer: ControlWriter,
    body: JsonObject,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    if body.bytes > MAX_PLAN_BYTES {
        return Err(ApiError::BodyTooLarge {
            limit: MAX_PLAN_BYTES,
        });
    }
    let plan = FaultPlan::parse(body.attributes).map_err(Rejection::Invalid)?;
    let faults = state.control.faults();
    faults.set(writer.scope(), plan)?;
    Ok(HttpResponse::Ok().json(faults.describe(writer.scope())))
}

/// `GET /_local/faults`
pub(crate) async fn get(
    caller: ControlCaller,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().json(state.control.faults().describe(caller.scope())))
}

/// `DELETE /_local/faults`
pub(crate) async fn delete(
    writer: ControlWriter,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state.control.faults().clear(writer.scope());
    Ok(HttpResponse::NoContent().finish())
}
