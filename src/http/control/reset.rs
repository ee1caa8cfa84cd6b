//! `POST /_local/reset`: an account as if it had never been used.

use crate::http::{error::ApiError, state::AppState};
use crate::service::control::ControlWriter;
use actix_web::{HttpResponse, web::Data};

/// `POST /_local/reset`
pub(crate) async fn reset(
    writer: ControlWriter,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    state.control.reset(&writer).await?;
    Ok(HttpResponse::NoContent().finish())
}
