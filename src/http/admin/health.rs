//! For whoever watches the process: is it up, can it store.

use crate::http::{error::ApiError, state::AppState};
use crate::store::{STALL_TIMEOUT, StallCause, StoreError};
use actix_web::{HttpResponse, web::Data};

/// `GET /livez`: the process answers.
pub(crate) async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// `GET /readyz`: a write would be taken, and soon. Asks the writer itself, without changing
/// anything.
pub(crate) async fn readyz(state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let asked = state.store.write(|_| Ok::<(), StoreError>(()));
    actix_rt::time::timeout(STALL_TIMEOUT, asked)
        .await
        .unwrap_or_else(|_too_long| held_up(&state))?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "status": "ok" })))
}

/// Why the writer does not answer: it says so itself, unless others come first, one after the
/// other.
fn held_up(state: &AppState) -> Result<(), StoreError> {
    state
        .store
        .check_writable()
        .and(Err(StoreError::Stalled(StallCause::Work)))
}
