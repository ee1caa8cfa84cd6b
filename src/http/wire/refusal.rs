//! The error body for answers that are given before any of our code sees a request.
//!
//! What is no HTTP, a head that is too large, or one that does not arrive in time, the HTTP library answers by itself,
//! with an empty body. It has no hook for that, so the error body is put in as the answer goes out. Such an answer is
//! recognised without doubt: a status from 400 up with `content-length: 0` and without a `request-id`, which all of our own
//! have.

use crate::domain::timestamp::Timestamp;
use actix_rt::net::TcpStream;
use actix_web::http::{StatusCode, header::HttpDate};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};
use tokio::io::AsyncWrite;

const END_OF_HEAD: &str = "\r\n\r\n";
const NO_BODY: &str = "content-length: 0";
const OURS: &str = "request-id:";
const VERSION: &str = "HTTP/1.1 ";

/// An answer on its way out, completed.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What it says.
    pub(super) status: StatusCode,
    bytes: Vec<u8>,
    gone: usize,
}

/// What the library does not tell about a request that it refuses.
#[derive(Debug)]
pub(super) struct Circumstances {
    /// A new request id.
    pub(super) request_id: String,
    /// The limit, if the request line alone is longer.
    pub(super) url_over: Option<usize>,
}

impl Refusal {
    /// The answer in these bytes, if it is an error without a body. There may be other answers before it.
    pub(super) fn of(bytes: &[u8], circumstances: impl FnOnce() -> Circumstances) -> Option<Self> {
        completed(bytes, circumstances).map(|(status, bytes)| Self { status, bytes, gone: 0 })
    }

    /// Writes what is left of it.
    pub(super) fn write(&mut self, stream: &mut TcpStream, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.bytes.get(self.gone..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut *stream).poll_write(context, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.gone = self.gone.saturating_add(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The whole answer to a head that the library would wait for without an end, or drop.
pub(super) fn of_head(status: StatusCode, now: Timestamp, request_id: &str) -> Vec<u8> {
    let since_epoch = Duration::from_millis(now.millis().try_into().unwrap_or_default());
    let date = HttpDate::from(SystemTime::UNIX_EPOCH + since_epoch);
    let body = body(status, None);
    let mut headers = headers(&body, request_id);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.push_str("\r\nretry-after: 1");
    }
    log_refusal(status, request_id);
    format!("{VERSION}{status}\r\n{headers}\r\nconnection: close\r\ndate: {date}{END_OF_HEAD}{body}").into_bytes()
}

/// The status, and the bytes with a body for the last answer in them, if it is an error without one.
fn completed(bytes: &[u8], circumstances: impl FnOnce() -> Circumstances) -> Option<(StatusCode, Vec<u8>)> {
    // Nearly every answer has a body, which does not end like a head does.
    let text = std::str::from_utf8(bytes.strip_suffix(END_OF_HEAD.as_bytes())?).ok()?;
    let (before, head) = last_head(text)?;
    let said = bare_error(head)?;
    let Circumstances { request_id, url_over } = circumstances();
    // The library calls a URL that is too long for it malformed, or a head that is too large.
    let url_over = url_over.filter(|_| said != StatusCode::REQUEST_TIMEOUT);
    let status = url_over.map_or(said, |_| StatusCode::URI_TOO_LONG);
    let body = body(status, url_over);
    log_refusal(status, &request_id);
    let headers = headers(&body, &request_id);
    let others = head.split("\r\n").skip(1).map(|line| if says_no_body(line) { headers.as_str() } else { line });
    let others = others.collect::<Vec<_>>().join("\r\n");
    Some((status, format!("{before}{VERSION}{status}\r\n{others}{END_OF_HEAD}{body}").into_bytes()))
}

fn headers(body: &str, request_id: &str) -> String {
    format!("content-length: {}\r\ncontent-type: application/json\r\nrequest-id: {request_id}", body.len())
}

fn log_refusal(status: StatusCode, request_id: &str) {
    log::info!(status = status.as_u16(), request_id; "Refused before it was a request");
}

/// Splits off the last head, given without its end. Before it there may be heads, which end in an empty line, and
/// right before it a body, which need not end in a line break. Only the line that the head begins on is searched for
/// its beginning: what follows holds values that the client chose.
fn last_head(text: &str) -> Option<(&str, &str)> {
    let line = text.rfind(END_OF_HEAD).map_or(0, |end| end.saturating_add(END_OF_HEAD.len()));
    let first = text.get(line..)?.split("\r\n").next()?;
    text.split_at_checked(line.saturating_add(first.rfind(VERSION)?))
}

/// The status of a head of an error without a body that is not our own: each of ours has a request id.
fn bare_error(head: &str) -> Option<StatusCode> {
    let mut lines = head.split("\r\n");
    let code = lines.next()?.strip_prefix(VERSION)?.get(..3)?.parse().ok()?;
    let status = StatusCode::from_u16(code).ok().filter(|status| status.as_u16() >= 400)?;
    let ours = |line: &str| line.get(..OURS.len()).is_some_and(|name| name.eq_ignore_ascii_case(OURS));
    (lines.clone().any(says_no_body) && !lines.any(ours)).then_some(status)
}

fn says_no_body(line: &str) -> bool {
    line.eq_ignore_ascii_case(NO_BODY)
}

fn body(status: StatusCode, url_over: Option<usize>) -> String {
    let message = match (url_over, status) {
        (Some(limit), _) => return error_body(&format!("The path and query may have at most {limit} bytes")),
        (None, StatusCode::BAD_REQUEST) => "This is not a valid HTTP/1.1 request",
        (None, StatusCode::REQUEST_TIMEOUT) => "The head of the request did not arrive in time",
        (None, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE) => "The head of the request is too large",
        (None, StatusCode::SERVICE_UNAVAILABLE) => "The server is shutting down",
        (None, other) => other.canonical_reason().unwrap_or("The request was refused"),
    };
    error_body(message)
}

fn error_body(message: &str) -> String {
    serde_json::json!({ "errors": [{ "message": message }] }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(bytes: &[u8], request_id: impl Into<String>) -> Option<String> {
        let circumstances = || Circumstances { request_id: request_id.into(), url_over: None };
        super::completed(bytes, circumstances).map(|(_, bytes)| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn an_error_without_a_body_gets_one() {
        let bare = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let completed = completed(bare, "req_1").unwrap();
        let (head, body) = completed.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{completed}");
        assert!(head.contains("request-id: req_1\r\n"), "{completed}");
        assert!(body.starts_with(r#"{"errors":[{"message":""#), "{completed}");
    }

    #[test]
    fn only_the_last_of_several_answers_can_be_one() {
        let both =
            b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\n\r\n";
        let completed = completed(both, "").unwrap();
        assert!(completed.starts_with(
            "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: "
        ));
    }

    #[test]
    fn the_answer_may_stand_right_behind_a_body() {
        let both = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nrequest-id: a\r\n\r\n{}HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
        let completed = completed(both, "req_1").unwrap();
        let (before, last) = completed.split_once("{}").unwrap();
        assert_eq!(before, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nrequest-id: a\r\n\r\n");
        assert!(last.starts_with("HTTP/1.1 400 Bad Request\r\ncontent-length: "), "{completed}");
        assert!(last.contains("\r\nrequest-id: req_1\r\n\r\n{\"errors\""), "{completed}");
    }

    #[test]
    fn an_id_of_the_client_that_looks_like_a_head_is_no_head() {
        for own in ["content-length: 0", "HTTP/1.1 404 content-length: 0", "HTTP/1.1 404 Not Found", "}HTTP/1.1 400 "] {
            for status in ["204 No Content", "404 Not Found", "200 OK"] {
                for (above, below) in [("", ""), ("content-length: 0\r\n", ""), ("", "content-length: 0\r\n")] {
                    for name in ["request-id", "Request-Id"] {
                        let answer = format!("HTTP/1.1 {status}\r\n{above}{name}: {own}\r\n{below}\r\n");
                        assert_eq!(completed(answer.as_bytes(), ""), None, "{answer}");
                        let behind_another = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{{}}{answer}");
                        assert_eq!(completed(behind_another.as_bytes(), ""), None, "{behind_another}");
                    }
                }
            }
        }
    }

    #[test]
    fn another_header_that_only_looks_like_a_length_is_none() {
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\nx: content-length: 0\r\n\r\n";
        assert_eq!(completed(answer, ""), None);
    }

    #[test]
    fn everything_else_is_left_alone() {
        for bytes in [
            &b"HTTP/1.1 204 No Content\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 10\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
            b"\r\n\r\n",
        ] {
            assert_eq!(completed(bytes, ""), None);
        }
    }

    #[test]
    fn an_error_that_is_due_to_the_url_says_so() {
        for said in ["400 Bad Request", "431 Request Header Fields Too Large"] {
            let bare = format!("HTTP/1.1 {said}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let circumstances = || Circumstances { request_id: "req_1".into(), url_over: Some(100) };
            let (status, bytes) = super::completed(bare.as_bytes(), circumstances).unwrap();
            let completed = String::from_utf8(bytes).unwrap();
            assert_eq!(status, StatusCode::URI_TOO_LONG);
            assert!(completed.starts_with("HTTP/1.1 414 URI Too Long\r\ncontent-length: "), "{completed}");
            assert!(completed.contains("at most 100 bytes"), "{completed}");
        }
    }
}
