//! `/_local/as/:name/…`: any route, in an account of that name.
//!
//! For programs whose token is fixed: with another name in their base URL, each test gives them an
//! account of its own. The account is derived from the name and the account of the credential, so
//! it gives access to nothing that the credential does not.

use actix_web::{
    HttpMessage, HttpRequest,
    dev::ServiceResponse,
    http::header::{HeaderValue, LOCATION},
};

/// What the paths of such requests begin with.
const PREFIX: &str = "/_local/as/";
/// Maximum length of a name.
const MAX_NAME_LEN: usize = 64;

/// The name of the account in the path of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AccountAlias(String);

/// Splits a path into the name and the path of the route. `None` if it has no valid name, and so
/// leads nowhere.
pub(super) fn split(path: &str) -> Option<(AccountAlias, &str)> {
    let (name, _) = path.strip_prefix(PREFIX)?.split_once('/')?;
    let is_valid = (1..=MAX_NAME_LEN).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    let rest = path.get(PREFIX.len().saturating_add(name.len())..)?;
    is_valid.then(|| (AccountAlias(name.to_owned()), rest))
}

/// The name of the account, if the path had one.
pub(super) fn name(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    let alias = extensions.get::<AccountAlias>();
    alias.map(|AccountAlias(name)| name.clone())
}

/// The path of a request as the client knows it.
pub(super) fn public_path(request: &HttpRequest) -> String {
    match name(request) {
        None => request.path().to_owned(),
        Some(name) => format!("{PREFIX}{name}{}", request.path()),
    }
}

/// Makes `Location` lead to the same account.
pub(super) fn adapt_location(response: &mut ServiceResponse) {
    let Some(name) = name(response.request()) else {
        return;
    };
    let location = response.headers().get(LOCATION);
    let adapted = location
        .and_then(|location| location.to_str().ok())
        .filter(|location| location.starts_with('/'))
        .and_then(|location| HeaderValue::try_from(format!("{PREFIX}{name}{location}")).ok());
    if let Some(adapted) = adapted {
        response.headers_mut().insert(LOCATION, adapted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_with_a_valid_name_are_split() {
        let found = |path| split(path).map(|(AccountAlias(name), rest)| (name, rest));
        assert_eq!(
            found("/_local/as/test-1/integration/int_1"),
            Some(("test-1".to_owned(), "/integration/int_1"))
        );
        assert_eq!(found("/_local/as/a/"), Some(("a".to_owned(), "/")));
        for path in [
            "/integration",
            "/_local/as",
            "/_local/as/a",
            "/_local/as//alert",
            "/_local/as/a%20b/alert",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
