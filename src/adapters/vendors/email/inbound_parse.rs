//! Messages that SendGrid's Inbound Parse and Mailgun's routes post as a form.
//!
//! Both can send the raw message in a field. Otherwise a message is put together from the fields.

use crate::adapters::request::InboundRequest;

/// Fields with a raw message.
const RAW_FIELDS: [&str; 2] = ["email", "body-mime"];
/// Headers and the fields that have them if the original headers are missing.
const HEADER_FIELDS: [(&str, &str); 5] = [
    ("From", "from"),
    ("To", "to"),
    ("Cc", "cc"),
    ("Subject", "subject"),
    ("Message-ID", "Message-Id"),
];
/// Headers that describe the original body, not the new one.
const DROPPED_HEADERS: [&str; 3] = ["content-type", "content-transfer-encoding", "mime-version"];
const BOUNDARY: &str = "=_inbound_parse_7c1f0f4e";

/// The message in a form; `None` if the request is not such a form.
pub(super) fn message(request: &InboundRequest) -> Option<Vec<u8>> {
    let content_type = request.header("content-type")?.trim_start().to_ascii_lowercase();
    let is_form = content_type.starts_with("multipart/form-data")
        || content_type.starts_with("application/x-www-form-urlencoded");
    if !is_form {
        return None;
    }

    let field = |name: &str| request.get(name).non_empty();
    if let Some(raw) = RAW_FIELDS.iter().find_map(|name| field(name)) {
        return Some(raw.into_bytes());
    }

    let html = field("html").or_else(|| field("body-html"));
    let text = field("text").or_else(|| field("body-plain"));
    if html.is_none() && text.is_none() && field("subject").is_none() {
        return None;
    }

    let mut headers = original_headers(request);
    for (name, source) in HEADER_FIELDS {
        let is_known = headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some(value) = field(source).filter(|_| !is_known) {
            headers.push((name.to_owned(), value));
        }
    }

    let mut message = String::new();
    for (name, value) in headers {
        // A line break would end the header.
        message.push_str(&format!("{name}: {}\r\n", value.replace(['\r', '\n'], " ")));
    }
    message.push_str(&format!(
        "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{BOUNDARY}\"\r\n\r\n"
    ));
    for (kind, content) in [("plain", text), ("html", html)] {
        if let Some(content) = content {
            message.push_str(&format!(
                "--{BOUNDARY}\r\nContent-Type: text/{kind}; charset=utf-8\r\n\
                 Content-Transfer-Encoding: 8bit\r\n\r\n{content}\r\n"
            ));
        }
    }
    message.push_str(&format!("--{BOUNDARY}--\r\n"));
    Some(message.into_bytes())
}

/// The headers of the original message: a list of pairs in JSON, or a block of text.
fn original_headers(request: &InboundRequest) -> Vec<(String, String)> {
    let list = request.get("message-headers").text();
    let pairs: Vec<(String, String)> = match serde_json::from_str(&list) {
        Ok(pairs) => pairs,
        Err(_) => unfold(&request.get("headers").text()),
    };
    pairs
        .into_iter()
        .filter(|(name, _)| {
            !DROPPED_HEADERS
                .iter()
                .any(|dropped| name.trim().eq_ignore_ascii_case(dropped))
        })
        .collect()
}

fn unfold(block: &str) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.starts_with([' ', '\t']), headers.last_mut()) {
            (true, Some((_, value))) => {
                value.push(' ');
                value.push_str(line.trim());
            }
            _ => headers.extend(
                line.split_once(':')
                    .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())),
            ),
        }
    }
    headers
}
