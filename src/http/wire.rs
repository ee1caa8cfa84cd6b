//! The stream beneath HTTP: completes answers that are given before any of our code sees a request.
//!
//! What is no HTTP, a head that is too large, or one that does not arrive in time, the HTTP library answers by itself,
//! with an empty body. It has no hook for that, so the error body is put in as the answer goes out. Such an answer is
//! recognised without doubt: a status from 400 up with `content-length: 0`, which none of our own ever has.

use super::state::State;
use actix_rt::net::TcpStream;
use actix_web::{http::StatusCode, web::Data};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A TCP stream on which no error goes out without its body.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    state: Data<State>,
    /// What goes out in the place of what was to be written, and how much of it has gone.
    replacement: Option<(Vec<u8>, usize)>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, state: Data<State>) -> Self {
        Self { stream, state, replacement: None }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, state, replacement } = self.get_mut();
        if replacement.is_none() {
            *replacement = completed(bytes, || state.request_ids.next()).map(|completed| (completed, 0));
        }
        let Some((completed, gone)) = replacement else { return Pin::new(stream).poll_write(context, bytes) };
        while let Some(rest) = completed.get(*gone..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut *stream).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => *gone = gone.saturating_add(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        *replacement = None;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

const NO_BODY: &str = "content-length: 0\r\n";
const VERSION: &str = "HTTP/1.1 ";

/// The bytes with a body for the last answer in them, if it is an error without one.
fn completed(bytes: &[u8], request_id: impl FnOnce() -> String) -> Option<Vec<u8>> {
    // Nearly every answer has a body, which does not end like a head does.
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let start = text.rfind(VERSION)?;
    let (before, head) = text.split_at_checked(start)?;
    let status = head.strip_prefix(VERSION)?.get(..3)?.parse().ok().and_then(|code| StatusCode::from_u16(code).ok())?;
    if status.as_u16() < 400 || !head.contains(NO_BODY) {
        return None;
    }
    let (id, body) = (request_id(), body(status));
    log::info!(status = status.as_u16(), request_id:display = id; "Refused before it was a request");
    let headers = format!("content-length: {}\r\ncontent-type: application/json\r\nrequest-id: {id}\r\n", body.len());
    Some(format!("{before}{}{body}", head.replacen(NO_BODY, &headers, 1)).into_bytes())
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
