//! The error body for answers that are given before any of our code sees a request.
//!
//! What is no HTTP, a head that is too large, or one that does not arrive in time, the HTTP library answers by itself,
//! with an empty body. It has no hook for that, so the error body is put in as the answer goes out. Such an answer is
//! recognised without doubt: a status from 400 up with `content-length: 0` and without a `request-id`, which all of our own
//! have.

use actix_web::http::StatusCode;

const END_OF_HEAD: &str = "\r\n\r\n";
const NO_BODY: &str = "content-length: 0";
const OURS: &str = "request-id:";
const VERSION: &str = "HTTP/1.1 ";

/// The bytes with a body for the last answer in them, if it is an error without one.
pub(super) fn completed(bytes: &[u8], request_id: impl FnOnce() -> String) -> Option<Vec<u8>> {
    // Nearly every answer has a body, which does not end like a head does.
    let text = std::str::from_utf8(bytes.strip_suffix(END_OF_HEAD.as_bytes())?).ok()?;
    let (before, head) = last_head(text)?;
    let status = bare_error(head)?;
    let (id, body) = (request_id(), body(status));
    log::info!(status = status.as_u16(), request_id:display = id; "Refused before it was a request");
    let headers = format!("content-length: {}\r\ncontent-type: application/json\r\nrequest-id: {id}", body.len());
    let lines = head.split("\r\n").map(|line| if says_no_body(line) { headers.as_str() } else { line });
    let head = lines.collect::<Vec<_>>().join("\r\n");
    Some(format!("{before}{head}{END_OF_HEAD}{body}").into_bytes())
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

fn body(status: StatusCode) -> String {
    let message = match status {
        StatusCode::BAD_REQUEST => "This is not a valid HTTP/1.1 request",
        StatusCode::REQUEST_TIMEOUT => "The head of the request did not arrive in time",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "The head of the request is too large",
        other => other.canonical_reason().unwrap_or("The request was refused"),
    };
    serde_json::json!({ "errors": [{ "message": message }] }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_without_a_body_gets_one() {
        let bare = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let completed = String::from_utf8(completed(bare, || "req_1".into()).unwrap()).unwrap();
        let (head, body) = completed.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{completed}");
        assert!(head.contains("request-id: req_1\r\n"), "{completed}");
        assert!(body.starts_with(r#"{"errors":[{"message":""#), "{completed}");
    }

    #[test]
    fn only_the_last_of_several_answers_can_be_one() {
        let both = b"HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 431 X\r\ncontent-length: 0\r\n\r\n";
        let completed = String::from_utf8(completed(both, String::new).unwrap()).unwrap();
        assert!(completed.starts_with("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 431 X\r\ncontent-length: "));
    }

    #[test]
    fn the_answer_may_stand_right_behind_a_body() {
        let both = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nrequest-id: a\r\n\r\n{}HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n";
        let completed = String::from_utf8(completed(both, || "req_1".into()).unwrap()).unwrap();
        let (before, last) = completed.split_once("{}").unwrap();
        assert_eq!(before, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nrequest-id: a\r\n\r\n");
        assert!(last.starts_with("HTTP/1.1 400 X\r\ncontent-length: "), "{completed}");
        assert!(last.contains("\r\nrequest-id: req_1\r\n\r\n{\"errors\""), "{completed}");
    }

    #[test]
    fn an_id_of_the_client_that_looks_like_a_head_is_no_head() {
        for own in ["content-length: 0", "HTTP/1.1 404 content-length: 0", "HTTP/1.1 404 Not Found", "}HTTP/1.1 400 "] {
            for status in ["204 No Content", "404 Not Found", "200 OK"] {
                for (above, below) in [("", ""), ("content-length: 0\r\n", ""), ("", "content-length: 0\r\n")] {
                    for name in ["request-id", "Request-Id"] {
                        let answer = format!("HTTP/1.1 {status}\r\n{above}{name}: {own}\r\n{below}\r\n");
                        assert_eq!(completed(answer.as_bytes(), String::new), None, "{answer}");
                        let behind_another = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{{}}{answer}");
                        assert_eq!(completed(behind_another.as_bytes(), String::new), None, "{behind_another}");
                    }
                }
            }
        }
    }

    #[test]
    fn another_header_that_only_looks_like_a_length_is_none() {
        let answer = b"HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\nx: content-length: 0\r\n\r\n";
        assert_eq!(completed(answer, String::new), None);
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
            assert_eq!(completed(bytes, String::new), None);
        }
    }
}
