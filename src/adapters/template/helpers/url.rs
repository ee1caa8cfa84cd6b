//! Helpers for URLs and paths of files.

use super::{HelperDefinition, arguments::Arguments, helper};
use serde_json::{Value, json};
use url::Url;

/// Characters besides letters and digits that `encodeURIComponent` keeps.
const UNRESERVED: &[u8] = b"-_.!~*'()";

pub(super) const HELPERS: &[HelperDefinition] = &[
    helper("basename", |arguments| {
        Ok(basename(&arguments.text(0)).into())
    }),
    helper("decodeURI", |arguments| {
        Ok(decode(&arguments.text(0)).into())
    }),
    helper("dirname", |arguments| {
        let text = arguments.text(0);
        Ok(text
            .rsplit_once('/')
            .map_or(".", |(folder, _)| folder)
            .into())
    }),
    helper("encodeURI", |arguments| {
        Ok(encode(&arguments.text(0)).into())
    }),
    helper("escape", |arguments| Ok(encode(&arguments.text(0)).into())),
    helper("extname", |arguments| {
        let text = arguments.text(0);
        let extension = basename(&text)
            .rsplit_once('.')
            .filter(|(stem, _)| !stem.is_empty());
        Ok(extension
            .map_or_else(String::new, |(_, extension)| format!(".{extension}"))
            .into())
    }),
    helper("segments", segments),
    helper("stem", |arguments| {
        let text = arguments.text(0);
        let name = basename(&text);
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        Ok(stem.into())
    }),
    helper("stripProtocol", |arguments| {
        let text = arguments.text(0);
        Ok(match text.split_once("://") {
            Some((_, rest)) => format!("//{rest}"),
            None => text,
        }
        .into())
    }),
    helper("stripQuerystring", |arguments| {
        let text = arguments.text(0);
        Ok(text.split('?').next().unwrap_or_default().into())
    }),
    helper("urlParse", |arguments| {
        let url = Url::parse(&arguments.text(0)).map_err(|error| error.to_string())?;
        Ok(json!({
            "protocol": format!("{}:", url.scheme()),
            "host": url.host_str().map(|host| match url.port() {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            }),
            "hostname": url.host_str(),
            "port": url.port().map(|port| port.to_string()),
            "pathname": url.path(),
            "search": url.query().map(|query| format!("?{query}")),
            "query": url.query(),
            "hash": url.fragment().map(|fragment| format!("#{fragment}")),
            "href": url.as_str(),
        }))
    }),
    helper("urlResolve", |arguments| {
        let base = Url::parse(&arguments.text(0)).map_err(|error| error.to_string())?;
        let url = base
            .join(&arguments.text(1))
            .map_err(|error| error.to_string())?;
        Ok(url.as_str().into())
    }),
];

fn basename(path: &str) -> &str {
    path.trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
}

fn segments(arguments: &Arguments<'_>) -> Result<Value, String> {
    let text = arguments.text(0);
    let parts: Vec<_> = text.split('/').collect();
    let position = |index: Option<i64>, default: usize| {
        index.map_or(default, |index| {
            usize::try_from(index).unwrap_or_default().min(parts.len())
        })
    };
    let (start, end) = (
        position(arguments.index(1), 0),
        position(arguments.index(2), parts.len()),
    );
    Ok(parts
        .get(start..end.max(start))
        .unwrap_or_default()
        .join("/")
        .into())
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || UNRESERVED.contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

fn decode(text: &str) -> String {
    // `+` is no space here.
    let form = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(form.as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
