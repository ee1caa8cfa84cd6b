//! `/_local/ca.pem`: the certificate of the authority that signed the server's.

use crate::http::{error::ApiError, state::AppState};
use actix_web::{HttpRequest, HttpResponse, http::header::CONTENT_TYPE, web::Data};

/// The certificate in PEM, for the trust stores of clients. Source of the media type: RFC 8555,
/// section 9.1.
///
/// # Errors
/// The server has no such authority.
pub(crate) async fn ca_certificate(
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    match &state.local.ca_certificate {
        Some(certificate) => Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "application/pem-certificate-chain"))
            .body(certificate.clone())),
        None => Err(ApiError::NoSuchRoute {
            path: request.path().to_owned(),
        }),
    }
}
