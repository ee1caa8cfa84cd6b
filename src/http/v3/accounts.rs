//! `GET /account/:sid`

use crate::domain::{caller::Caller, ids::AccountId};
use crate::http::{error::ApiError, extract::path::AccountPath, state::AppState};
use actix_web::{HttpResponse, web::Data};

/// The caller's own account.
pub(crate) async fn get(
    caller: Caller,
    path: AccountPath,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let id: &AccountId = &path.0;
    Ok(HttpResponse::Ok().json(state.accounts.get(&caller, id)?))
}
