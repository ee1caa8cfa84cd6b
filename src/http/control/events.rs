//! `GET /_local/events`: the changes of an account as server-sent events.
//!
//! All readers share the latest changes, so a reader costs its position. One that is too slow for
//! them gets an event that says so, and the stream ends.

use crate::http::{
    drain::Drain, error::ApiError, state::AppState, transport::connection_state::ConnectionState,
};
use crate::{
    domain::rejection::Rejection,
    service::control::{ChangeEvent, ChangeEvents, ControlCaller, ControlScope, EventPosition},
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::CACHE_CONTROL,
    web::{Bytes, Data},
};
use futures_core::Stream;
use std::{
    convert::Infallible,
    fmt::Write,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

const LAST_EVENT_ID: &str = "last-event-id";
/// Keeps proxies from closing a quiet stream, and notices clients that have vanished.
const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
const HEARTBEAT: &[u8] = b": heartbeat\n\n";

/// `GET /_local/events`
pub(crate) async fn follow(
    caller: ControlCaller,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse, ApiError> {
    let events = state.control.events().clone();
    let now = events.follow(caller.scope());
    let resumed = request.headers().get(LAST_EVENT_ID).map(|id| {
        let text = id.to_str().unwrap_or_default();
        EventPosition::parse(text).ok_or_else(|| {
            Rejection::invalid("'Last-Event-ID' must be the id of an event of this stream")
        })
    });
    let position = resumed.transpose()?.unwrap_or(now);

    let reader = EventReader {
        events,
        scope: caller.scope().clone(),
        drain: state.drain.clone(),
        connection: request
            .conn_data::<ConnectionState>()
            .cloned()
            .unwrap_or_default(),
    };
    // The first event comes at once, so that a client knows that it misses nothing from here.
    let greeting = format!("event: ready\nid: {position}\ndata: {{}}\n\n");
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(EventStream {
            greeting: Some(greeting.into()),
            next: Some(Box::pin(reader.next(position))),
        }))
}

/// Who reads, and what ends the reading.
struct EventReader {
    events: ChangeEvents,
    scope: ControlScope,
    drain: Drain,
    connection: ConnectionState,
}

/// A part of the stream, and how to get the next one. `None` is the end.
type Part = Option<(Bytes, Option<(EventReader, EventPosition)>)>;

impl EventReader {
    async fn next(self, position: EventPosition) -> Part {
        let found = tokio::select! {
            biased;
            found = self.events.next(&self.scope, position) => found,
            () = actix_rt::time::sleep(HEARTBEAT_INTERVAL) => {
                return Some((Bytes::from_static(HEARTBEAT), Some((self, position))));
            }
            () = self.drain.begun() => return None,
            () = self.connection.disconnected() => return None,
        };

        let Ok(events) = found else {
            return Some((encode(None, &ChangeEvent::lost()).into(), None));
        };
        let last = events.last().map_or(position, |(position, _)| *position);
        let text: String = events
            .iter()
            .map(|(position, event)| encode(Some(*position), event))
            .collect();
        Some((text.into(), Some((self, last))))
    }
}

fn encode(position: Option<EventPosition>, event: &ChangeEvent) -> String {
    let mut text = format!("event: {}\n", event.name);
    if let Some(position) = position {
        // Writing to a text cannot fail.
        let _ignored = writeln!(text, "id: {position}");
    }
    let data = String::from_utf8_lossy(&event.data);
    let _ignored = write!(text, "data: {data}\n\n");
    text
}

/// The body of the response.
struct EventStream {
    greeting: Option<Bytes>,
    next: Option<Pin<Box<dyn Future<Output = Part>>>>,
}

impl Stream for EventStream {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(greeting) = self.greeting.take() {
            return Poll::Ready(Some(Ok(greeting)));
        }
        let Some(next) = &mut self.next else {
            return Poll::Ready(None);
        };

        let Poll::Ready(part) = next.as_mut().poll(context) else {
            return Poll::Pending;
        };
        let (bytes, rest) = match part {
            Some((bytes, rest)) => (Some(bytes), rest),
            None => (None, None),
        };
        self.next = rest.map(|(reader, position)| {
            Box::pin(reader.next(position)) as Pin<Box<dyn Future<Output = Part>>>
        });
        Poll::Ready(bytes.map(Ok))
    }
}
