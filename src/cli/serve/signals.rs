//! The signals that reload or stop a server.

use crate::{
    cli::stop_signals::{StopRequest, StopSignals},
    clock::Clock,
};
use actix_rt::signal::unix::{Signal, SignalKind, signal};
use std::io;

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalAction {
    Reload,
    Stop,
    StopNow,
}

pub(super) struct ServerSignals {
    hangup: Signal,
    interrupt: Signal,
    terminate: Signal,
    counted: StopSignals,
}

impl ServerSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            counted: StopSignals::default(),
        })
    }

    pub(super) async fn next(&mut self) -> SignalAction {
        loop {
            let kind = tokio::select! {
                _ = self.hangup.recv() => return SignalAction::Reload,
                _ = self.interrupt.recv() => SignalKind::interrupt(),
                _ = self.terminate.recv() => SignalKind::terminate(),
            };

            match self
                .counted
                .receive(kind.as_raw_value(), Clock::System.stopwatch())
            {
                StopRequest::Stop => return SignalAction::Stop,
                StopRequest::StopNow => return SignalAction::StopNow,
                StopRequest::Repeated => {}
            }
        }
    }

    pub(super) async fn stop_now(&mut self) {
        while self.next().await != SignalAction::StopNow {}
    }
}
