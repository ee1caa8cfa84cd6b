//! `Prefer: code=503, delay=250`: a fault for one request.

use super::caller;
use crate::http::{error::ApiError, state::AppState};
use crate::{
    domain::{
        fault::{Chance, FaultAction},
        recorded_request::InjectedFault,
        rejection::Rejection,
    },
    service::control::FiredFault,
};
use actix_web::{HttpRequest, http::header::HeaderName};
use serde_json::{Map, Value};

pub(crate) const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Preferences, and the members of `do` that they stand for. Other preferences are ignored, as RFC
/// 7240 demands.
const PREFERENCES: [(&str, &str); 4] = [
    ("code", "status"),
    ("delay", "delay_ms"),
    ("close", "close"),
    ("store", "store"),
];

/// The fault that a request asks for itself. Requests from other machines and through a proxy
/// cannot.
pub(super) fn requested_fault(
    request: &HttpRequest,
    state: &AppState,
) -> Result<Option<FiredFault>, ApiError> {
    let headers = request.headers().get_all(PREFER);
    let texts: Vec<&str> = headers.filter_map(|value| value.to_str().ok()).collect();
    let mut action = Map::new();
    for preference in texts.iter().flat_map(|text| text.split(',')) {
        let Some((name, value)) = preference.split_once('=') else {
            continue;
        };
        let name = name.trim().to_ascii_lowercase();
        if let Some((_, member)) = PREFERENCES.iter().find(|(known, _)| *known == name) {
            let value = value.trim().trim_matches('"');
            let value = value
                .parse::<u64>()
                .map_or_else(|_| Value::from(value), Value::from);
            action.insert((*member).to_owned(), value);
        }
    }

    if action.is_empty() || !state.local.has_control || !caller::is_local(request) {
        return Ok(None);
    }

    let action =
        FaultAction::parse("Prefer", &Value::Object(action)).map_err(Rejection::Invalid)?;
    let injected = InjectedFault {
        rule: None,
        number: 1,
    };
    Ok(Some(FiredFault::new(
        &action,
        Chance::new(0, 0, 1),
        injected,
    )))
}
