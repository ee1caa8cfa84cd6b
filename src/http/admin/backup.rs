//! `/_local/backup` and `/_local/export`: the whole store, for the operator of the server.
//!
//! For peers on other machines these routes do not exist. On this machine any process can connect,
//! as can web pages and requests through a reverse proxy. So a token is required, which only users
//! with access to the data folder can read.

use crate::http::{
    error::ApiError,
    state::AppState,
    transport::streaming_body::{BodyWriter, streaming_body},
};
use crate::{
    domain::{passwords, rejection::Rejection},
    store::{
        Snapshot,
        archive::{self, ArchiveError, Progress},
    },
};
use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    guard::GuardContext,
    http::header::AUTHORIZATION,
    web::{self, Data},
};
use std::{
    future::{Ready, ready},
    io,
    net::IpAddr,
    thread,
    time::Duration,
};

/// How long a client may read nothing. Its snapshot keeps concurrent changes in memory.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Whether the peer is on this machine.
pub(crate) fn is_local_peer(context: &GuardContext<'_>) -> bool {
    let peer = context.head().peer_addr;
    let state = context.app_data::<Data<AppState>>();
    peer.zip(state)
        .is_some_and(|(peer, state)| is_own_address(peer.ip(), state))
}

/// Whether an address is one of this machine: loopback, or one that the server listens on. Peers on
/// a Unix socket have a loopback address.
pub(crate) fn is_own_address(address: IpAddr, state: &AppState) -> bool {
    let address = address.to_canonical();
    let mut own = state.local.addresses.iter().map(IpAddr::to_canonical);
    address.is_loopback() || own.any(|own| own == address)
}

/// An operator, authenticated by the token.
#[derive(Debug)]
pub(crate) struct Admin(());

impl FromRequest for Admin {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
        let state = request.app_data::<Data<AppState>>();
        let known = state
            .zip(token)
            .is_some_and(|(state, token)| passwords::matches(token, &state.local.token_sha256));
        ready(if known {
            Ok(Self(()))
        } else {
            Err(unauthenticated())
        })
    }
}

fn unauthenticated() -> ApiError {
    let message = "Send 'Authorization: Bearer <token>' with the token in the file 'running' of \
                   the data folder";
    Rejection::Unauthenticated(message.into()).into()
}

/// `GET /_local/backup`: a snapshot of everything, including secrets.
pub(crate) async fn backup(_: Admin, state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let write: Write =
        |snapshot, out| archive::backup(snapshot, out, &Progress::none()).map(|_| ());
    stream(
        &state,
        "application/octet-stream",
        archive::backup_steps,
        write,
    )
    .await
}

/// `GET /_local/export`: a snapshot of everything except secrets, as text.
pub(crate) async fn export(_: Admin, state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let write: Write =
        |snapshot, out| archive::export(snapshot, out, &Progress::none()).map(|_| ());
    stream(&state, "application/jsonl", archive::export_lines, write).await
}

type Write = fn(&Snapshot, &mut BodyWriter) -> Result<(), ArchiveError>;

/// Streams what `write` writes, on a thread of its own, from a snapshot taken now.
async fn stream(
    state: &AppState,
    kind: &'static str,
    steps: fn(&Snapshot) -> u64,
    write: Write,
) -> Result<HttpResponse, ApiError> {
    let snapshot = state.store.snapshot()?;
    // Takes long if there are many accounts.
    let counted = web::block(move || (steps(&snapshot), snapshot)).await;

    let (steps, snapshot) = counted
        .map_err(|error| ApiError::Internal(format!("counting the steps failed: {error}")))?;
    let expiry = snapshot.expiry();
    let (mut writer, reader) =
        streaming_body(READ_TIMEOUT, move || expiry.reason().map(io::Error::other));
    let work = move || {
        let written = write(&snapshot, &mut writer)
            .and_then(|()| writer.finish().map_err(ArchiveError::Output));
        drop(snapshot);
        match written {
            Ok(()) => log::info!("Sent a snapshot of the store"),
            Err(ArchiveError::Output(cause)) => {
                log::warn!(cause:display; "Could not send the whole store")
            }
            Err(cause) => log::error!(cause:display; "Could not send the whole store"),
        }
    };

    let started = thread::Builder::new()
        .name("store-sender".into())
        .spawn(work);

    started.map_err(|error| ApiError::Internal(format!("cannot start a thread: {error}")))?;
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((archive::STEPS_HEADER, steps))
        .streaming(reader))
}
