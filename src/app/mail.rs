//! The mail server, put together.

use super::StartError;
use crate::{
    config::{Settings, SmtpSettings},
    domain::endpoint::Endpoint,
    http::AppState,
    service::metrics::EventMetrics,
    smtp::{self, MailServer},
};
use actix_web::web::Data;
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

/// # Errors
/// The address cannot be listened on.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(address);
    listener.map_err(|source| StartError::Listen {
        remedy: "smtp.listen",
        address: Endpoint::Tcp(address),
        source,
    })
}

/// A server for mail, which throttles as the settings of the moment say.
pub(super) fn server(
    settings: &Settings,
    listener: TcpListener,
    state: &Data<AppState>,
    event_metrics: &EventMetrics,
    connections: usize,
) -> Result<MailServer, StartError> {
    let SmtpSettings {
        message_bytes,
        idle_seconds,
        ..
    } = settings.smtp;
    let limits = smtp::SmtpLimits {
        message_bytes,
        connections,
        idle: Duration::from_secs(idle_seconds),
    };

    let (events, state) = (state.events.clone(), state.clone());
    let throttling = Box::new(move || Arc::clone(&state.live.load().events));
    MailServer::new(listener, events, throttling, event_metrics.clone(), limits)
        .map_err(StartError::Server)
}
