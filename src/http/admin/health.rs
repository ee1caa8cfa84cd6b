//! Health checks.

use crate::http::{error::ApiError, state::AppState};
use crate::store::{STALL_TIMEOUT, StallCause, StoreError};
use actix_web::{HttpResponse, web::Data};

/// `GET /livez`: the process responds.
pub(crate) async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// `GET /readyz`: the store accepts writes, without long delay. Runs an empty command on the
/// writer.
pub(crate) async fn readyz(state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let probe = state.store.write(|_| Ok::<(), StoreError>(()));
    actix_rt::time::timeout(STALL_TIMEOUT, probe)
        .await
        .unwrap_or_else(|_timeout| stall(&state))?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "status": "ok" })))
}

/// Why the writer did not respond in time. If it is not stalled, it is busy with other writes.
fn stall(state: &AppState) -> Result<(), StoreError> {
    state
        .store
        .check_writable()
        .and(Err(StoreError::Stalled(StallCause::Work)))
}
