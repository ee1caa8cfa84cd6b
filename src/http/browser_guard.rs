//! Protection against web pages of other sites: DNS rebinding and cross-site requests.

use crate::domain::{
    body::excerpt,
    web_origin::{Authority, PageHeaders},
};
use crate::http::{error::ApiError, state::LiveSettings};
use actix_web::{
    dev::RequestHead,
    http::header::{HOST, HeaderName, ORIGIN},
};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request for a host name that is not ours. This prevents DNS rebinding, in which a page
/// of `evil.example` points its own name at this machine after loading, and so passes for a page of
/// this server.
///
/// # Errors
/// [`ApiError::Misdirected`]
pub(super) fn check_host(request: &RequestHead, live: &LiveSettings) -> Result<(), ApiError> {
    let key_needed = live.authenticator.requires_key();
    if key_needed && live.allowed_hosts.is_empty() {
        return Ok(());
    }
    match named_hosts(request).find(|host| !is_own_host(host, live, key_needed)) {
        Some(host) => Err(ApiError::Misdirected {
            host: excerpt(host),
        }),
        None => Ok(()),
    }
}

fn is_own_host(host: &str, live: &LiveSettings, key_needed: bool) -> bool {
    // Browsers always send a host.
    host.is_empty()
        || Authority::parse(host).is_some_and(|host| {
            live.allowed_hosts.contains(&host) || (!key_needed && host.is_private_name())
        })
}

/// Every host that the request names: each `Host` header, and the host of an absolute target.
fn named_hosts(request: &RequestHead) -> impl Iterator<Item = &str> {
    let headers = request
        .headers
        .get_all(HOST)
        .map(|value| value.to_str().unwrap_or("?"));
    headers.chain(request.uri.authority().map(|authority| authority.as_str()))
}

/// Whether the request comes from a web page of another site.
pub(super) fn is_foreign(request: &RequestHead, live: &LiveSettings) -> bool {
    let header = |name| {
        request
            .headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };

    let (origin, fetch_site) = (header(ORIGIN), header(FETCH_SITE));
    // The usual case: the client is not a browser.
    if origin.is_none() && fetch_site.is_none() {
        return false;
    }

    let host = header(HOST).and_then(Authority::parse);
    PageHeaders {
        origin,
        fetch_site,
        host: host.as_ref(),
    }
    .is_foreign(&live.allowed_origins)
}

/// In open mode, refuses an event from a web page of another site. Browsers send forms, links and
/// images without a preflight, so CORS does not prevent them.
///
/// # Errors
/// [`ApiError::ForeignPage`]
pub(super) fn check_sender(request: &RequestHead, live: &LiveSettings) -> Result<(), ApiError> {
    if live.authenticator.requires_key() || !is_foreign(request, live) {
        return Ok(());
    }

    let origin = request
        .headers
        .get(ORIGIN)
        .map_or("", |value| value.to_str().unwrap_or("?"));

    if live.allowed_origins.allow(origin, false) {
        Ok(())
    } else {
        Err(ApiError::ForeignPage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn all_hosts_of_a_request_are_checked() {
        let request = TestRequest::default()
            .uri("http://target.example/integration")
            .append_header((HOST, "localhost"))
            .append_header((HOST, "evil.example"))
            .to_http_request();
        let hosts: Vec<_> = named_hosts(request.head()).map(str::to_owned).collect();
        assert_eq!(hosts, ["localhost", "evil.example", "target.example"]);
    }
}
