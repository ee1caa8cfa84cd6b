//! What a request is about, found out before it is routed: the hooks of requests need its account.

use crate::http::{extract::caller, state::AppState};
use crate::{
    domain::{ids::AccountId, masking::Secrets, recorded_request::RequestKind},
    service::control::Receiver,
};
use actix_web::{dev::ServiceRequest, http::Method};

/// A request that the hooks look at. Those of the control plane and of operators are none.
#[derive(Debug)]
pub(crate) struct IdentifiedRequest {
    pub(crate) kind: RequestKind,
    /// `None` if no credential names one.
    pub(crate) account: Option<AccountId>,
    /// The type of the integration in the path.
    pub(crate) integration_type: Option<String>,
    /// The secrets of the integration in the path, which its third party may echo.
    pub(crate) secrets: Secrets,
    pub(crate) is_login: bool,
}

/// The first segments of paths that serve the operator of the server, and of those to which the
/// middleware sends what it has refused.
const OPERATOR_PATHS: [&str; 6] = ["", "livez", "readyz", "metrics", "_local", "-"];

/// Finds out what a request is about, and authenticates it unless its credential is in its path or
/// its body. A path that does not exist counts as a call of the API: the client has mistaken it.
pub(crate) fn identify(request: &ServiceRequest, state: &AppState) -> Option<IdentifiedRequest> {
    let segments: Vec<&str> = request.path().split('/').skip(1).collect();
    let (receiver, is_event) = match segments.as_slice() {
        [first, ..] if OPERATOR_PATHS.contains(first) => return None,
        ["integration", id] => (state.control.receiver(id), request.method() == Method::POST),
        ["integration", id, "g"] => (state.control.receiver(id), true),
        _ => (None, false),
    };

    if is_event {
        let account = receiver.as_ref().map(|receiver| receiver.account.clone());
        return Some(IdentifiedRequest::new(
            RequestKind::Event,
            account,
            receiver,
        ));
    }

    if segments == ["public", "login"] {
        return Some(IdentifiedRequest {
            is_login: true,
            ..IdentifiedRequest::new(RequestKind::Api, None, None)
        });
    }

    let account = caller::authenticate_early(request.request(), state);
    // An integration of another account does not exist for this caller.
    let receiver = receiver.filter(|receiver| Some(&receiver.account) == account.as_ref());
    Some(IdentifiedRequest::new(RequestKind::Api, account, receiver))
}

impl IdentifiedRequest {
    fn new(kind: RequestKind, account: Option<AccountId>, receiver: Option<Receiver>) -> Self {
        let (integration_type, secrets) = match receiver {
            Some(receiver) => (Some(receiver.integration_type), receiver.secrets),
            None => (None, Secrets::None),
        };

        Self {
            kind,
            account,
            integration_type,
            secrets,
            is_login: false,
        }
    }
}
