//! Requests that are meant as events, recognized without a route: those refused before there is one.

use crate::domain::ids::IntegrationId;

/// The integration that a request is an event for, by its method and path.
pub(super) fn recipient(method: &str, path: &str) -> Option<IntegrationId> {
    let segments: Vec<_> = path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let id = match (method, segments.as_slice()) {
        ("POST", ["integration", id] | ["integration", id, "g"])
        | ("GET", ["integration", id, "g"]) => id,
        _ => return None,
    };
    IntegrationId::parse(id).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_have_a_recipient() {
        for (method, path) in [
            ("POST", "/integration/int_a"),
            ("POST", "//integration/int_a/g/"),
            ("GET", "/integration/int_a/g"),
        ] {
            assert_eq!(recipient(method, path).unwrap().as_str(), "int_a");
        }
        for (method, path) in [
            ("GET", "/integration/int_a"),
            ("PUT", "/integration/int_a"),
            ("POST", "/integration"),
            ("POST", "/integration/x"),
            ("POST", "/_local/integration/int_a/try"),
        ] {
            assert_eq!(recipient(method, path), None, "{method} {path}");
        }
    }
}
