//! `GET /metrics`: metrics for Prometheus.

use crate::http::{error::ApiError, state::AppState};
use actix_web::{HttpResponse, web::Data};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`
pub(crate) async fn scrape(state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let text = state.metrics.encode();
    let text = text.map_err(|error| ApiError::Internal(error.to_string()))?;
    Ok(HttpResponse::Ok().content_type(OPEN_METRICS).body(text))
}
