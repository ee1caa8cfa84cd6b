//! For whoever watches the process: is it up, can it store.

use super::{problem::Problem, state::State};
use crate::store::{STUCK_AFTER, StoreError};
use actix_web::{HttpResponse, web::Data};

/// `GET /livez`: the process answers.
pub(super) async fn livez() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// `GET /readyz`: a write would be taken, and soon. Asks the writer itself, without changing anything.
pub(super) async fn readyz(state: Data<State>) -> Result<HttpResponse, Problem> {
    let asked = state.store.write(|_| Ok::<(), StoreError>(()));
    actix_rt::time::timeout(STUCK_AFTER, asked).await.unwrap_or(Err(StoreError::Stuck))?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "status": "ok" })))
}
