//! Injects faults into requests.
//!
//! A fault keeps the promises of the store: a request is either not processed at all, or processed
//! as usual and only its response suffers.

use super::{
    preference,
    recording::{Injection, Recording},
};
use crate::http::{
    early_answer::{self, EarlyAnswer},
    error::{ApiError, encode_errors},
    extract::body,
    state::AppState,
    transport::connection_state::ConnectionState,
    v3::response::NoErrorBody,
};
use crate::{
    domain::{
        fault::{CloseFault, FaultOutcome, StatusFault},
        list::RawObject,
        quota::Quota,
        rejection::Rejection,
    },
    service::control::FiredFault,
    store::StoreError,
};
use actix_web::{
    Error, HttpMessage, HttpResponse, HttpResponseBuilder,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header::RETRY_AFTER},
    middleware::Next,
    web::Bytes,
};
use serde_json::Value;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Processes a request, with the fault that hits it.
pub(crate) async fn call<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
    state: &AppState,
    recording: Option<&Recording>,
    connection: &ConnectionState,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let fault = match find_fault(&mut request, state, recording).await {
        Ok(fault) => fault,
        Err(error) => {
            early_answer::refuse(&mut request, error);
            None
        }
    };
    let Some(fault) = fault else {
        return process(request, next).await;
    };

    request.extensions_mut().insert(Injection {
        fault: fault.injected,
        is_closed: matches!(
            fault.outcome,
            Some(FaultOutcome::Close(
                CloseFault::Before | CloseFault::AfterCommit
            ))
        ),
    });

    let delay = Duration::from_millis(fault.delay_millis);
    if fault.outcome == Some(FaultOutcome::SlowStore) {
        // What has been committed is there for others, as on a server whose disk is slow.
        let response = process(request, next).await;
        wait(delay, state, connection).await;
        return response;
    }

    wait(delay, state, connection).await;
    match fault.outcome {
        None | Some(FaultOutcome::SlowStore) => process(request, next).await,
        Some(FaultOutcome::Status(status)) => {
            early_answer::answer(&mut request, respond(&status)?);
            process(request, next).await
        }
        Some(FaultOutcome::BusyStore) => {
            early_answer::refuse(&mut request, StoreError::QueueFull.into());
            process(request, next).await
        }
        Some(FaultOutcome::Limit {
            requests,
            per_seconds,
        }) => {
            early_answer::refuse(&mut request, too_many(requests, per_seconds).into());
            process(request, next).await
        }
        Some(FaultOutcome::Close(CloseFault::Before)) => {
            connection.cut();
            Ok(request.into_response(HttpResponse::ServiceUnavailable().finish()))
        }
        Some(FaultOutcome::Close(CloseFault::AfterCommit)) => {
            let response = process(request, next).await;
            connection.cut();
            response
        }
        Some(FaultOutcome::Close(CloseFault::MidBody)) => {
            Ok(cut_body(process(request, next).await?, connection))
        }
    }
}

async fn process<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    Ok(next.call(request).await?.map_into_boxed_body())
}

async fn find_fault(
    request: &mut ServiceRequest,
    state: &AppState,
    recording: Option<&Recording>,
) -> Result<Option<FiredFault>, ApiError> {
    // What the middleware has refused already stays refused.
    if request.extensions().contains::<EarlyAnswer>() {
        return Ok(None);
    }

    if let Some(recording) = recording.filter(|recording| recording.may_be_hit(state)) {
        let payload = request.take_payload();
        let kind = recording.integration_type_in_path();
        body::read_ahead(request.request(), payload, state, kind).await?;

        let record = recording.describe(request.request(), "", state);
        let account = record.sid.clone();
        let now = account
            .as_ref()
            .map_or_else(|| state.clock.now(), |account| state.clock.now_in(account));
        let record =
            serde_json::to_vec(&record).map_err(|error| ApiError::Internal(error.to_string()))?;
        let record =
            RawObject::parse(&record).map_err(|error| ApiError::Internal(error.to_string()))?;
        let fault = state.control.faults().decide(&account, &record, false, now);
        if fault.is_some() {
            return Ok(fault);
        }
    }

    preference::requested_fault(request.request(), state)
}

/// Waits, unless the client leaves or the server stops.
async fn wait(delay: Duration, state: &AppState, connection: &ConnectionState) {
    if delay.is_zero() {
        return;
    }
    tokio::select! {
        () = actix_rt::time::sleep(delay) => {}
        () = state.drain.begun() => {}
        () = connection.disconnected() => {}
    }
}

fn respond(fault: &StatusFault) -> Result<HttpResponse, ApiError> {
    let status = StatusCode::from_u16(fault.status)
        .map_err(|error| ApiError::Internal(error.to_string()))?;
    let mut response = HttpResponseBuilder::new(status);
    if let Some(seconds) = fault.retry_after {
        response.insert_header((RETRY_AFTER, seconds));
    }

    let has_body = status != StatusCode::NO_CONTENT && status != StatusCode::NOT_MODIFIED;
    let mut response = match &fault.body {
        _ if !has_body => response.finish(),
        Some(Value::String(text)) => response
            .content_type("text/plain; charset=utf-8")
            .body(text.clone()),
        Some(json) => response.json(json),
        None if status.is_client_error() || status.is_server_error() => {
            let reason = status.canonical_reason().unwrap_or("Injected fault");
            response.json(encode_errors(&[format!("{reason} (injected fault)")]))
        }
        None => response.json(Value::Object(serde_json::Map::new())),
    };
    // The body is as the rule gives it, JSON or not.
    response.extensions_mut().insert(NoErrorBody);
    Ok(response)
}

fn too_many(requests: u64, per_seconds: u64) -> Rejection {
    let per_minute = requests.saturating_mul(60) / per_seconds.max(1);
    Rejection::TooMany {
        message: format!(
            "Too many requests: at most {requests} per {per_seconds} seconds are allowed \
             (injected fault)"
        ),
        retry_after: per_seconds,
        quota: Quota {
            policy: "faults",
            per_minute: per_minute.try_into().unwrap_or(u32::MAX),
            remaining: 0,
            reset_seconds: per_seconds,
        },
    }
}

/// Lets half of the body pass, and then breaks the connection. A response without a body is not
/// sent at all.
fn cut_body(response: ServiceResponse, connection: &ConnectionState) -> ServiceResponse {
    let half = match response.response().body().size() {
        BodySize::Sized(length) => length / 2,
        BodySize::None | BodySize::Stream => 0,
    };
    if half == 0 {
        connection.cut();
        return response;
    }
    response.map_body(|_, body| {
        BoxBody::new(CutBody {
            body,
            left: usize::try_from(half).unwrap_or(usize::MAX),
            has_paused: false,
        })
    })
}

/// The first half of a body, and an error.
struct CutBody {
    body: BoxBody,
    /// Bytes that still pass.
    left: usize,
    has_paused: bool,
}

impl MessageBody for CutBody {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.left > 0 {
            let polled = Pin::new(&mut self.body).poll_next(context);
            return polled.map(|next| {
                next.map(|chunk| {
                    let mut chunk = chunk?;
                    chunk.truncate(self.left);
                    self.left = self.left.saturating_sub(chunk.len());
                    Ok(chunk)
                })
            });
        }

        if !self.has_paused {
            // The library writes what it has before it polls again, and nothing after an error.
            self.has_paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(
            "the connection is cut by an injected fault".into()
        )))
    }
}
