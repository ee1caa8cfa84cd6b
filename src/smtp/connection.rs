//! One connection: reads commands and messages in chunks of any size, and delivers the messages.

use super::{
    SmtpState,
    commands::Commands,
    partial_delivery::Fingerprint,
    session::{GREETING, MailboxError, Next, Session, line},
};
use crate::{
    adapters::RequestParts,
    domain::{ids::IntegrationId, rejection::Rejection},
    service::{
        error::ServiceError,
        events::{EventAck, IncomingRequest, Mailbox, RefusedRequest},
    },
};
use actix_rt::{
    net::TcpStream,
    time::{Sleep, sleep, timeout},
};
use smtp_proto::request::receiver::DataReceiver;
use std::{io, net::IpAddr, pin::Pin, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::watch,
};

/// Bytes per read.
const BUFFER_BYTES: usize = 2_048;
/// The maximum duration of a connection, as a multiple of the idle timeout.
const MAX_IDLE_TIMEOUTS: u32 = 10;

/// Receives a message.
pub(super) struct MessageReceiver {
    receiver: DataReceiver,
    message: Vec<u8>,
    too_large: bool,
}

impl MessageReceiver {
    pub(super) fn new() -> Self {
        let (mut receiver, mut message) = (DataReceiver::new(), Vec::new());
        // The first line may already be the dot that ends a message.
        receiver.ingest(&mut b"\r\n".iter(), &mut message);
        message.clear();
        Self {
            receiver,
            message,
            too_large: false,
        }
    }

    /// Consumes input. `true` at the end of the message.
    pub(super) fn feed(&mut self, bytes: &mut std::slice::Iter<'_, u8>, max_bytes: usize) -> bool {
        let ended = self.receiver.ingest(bytes, &mut self.message);
        self.too_large |= self.message.len() > max_bytes;
        if self.too_large {
            self.message = Vec::new();
        }
        ended
    }
}

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The connection failed.
    Failed(io::Error),
    /// The client was idle, or connected, for too long.
    TimedOut,
    /// The server is shutting down.
    Stopping,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The deadlines of a connection. They bound the waiting for input: a message that has been received
/// is always delivered and answered.
struct Deadlines {
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    stopping: watch::Receiver<bool>,
}

impl Deadlines {
    async fn read(&mut self, stream: &mut TcpStream, buffer: &mut [u8]) -> Result<usize, End> {
        tokio::select! {
            biased;
            _ignored = self.stopping.wait_for(|stopping| *stopping) => Err(End::Stopping),
            () = &mut self.deadline => Err(End::TimedOut),
            read = timeout(self.idle, stream.read(buffer)) => Ok(read.map_err(|_| End::TimedOut)??),
        }
    }

    async fn write(&self, stream: &mut TcpStream, replies: &str) -> Result<(), End> {
        Ok(timeout(self.idle, stream.write_all(replies.as_bytes()))
            .await
            .map_err(|_| End::TimedOut)??)
    }
}

/// Serves a connection until either side ends it.
pub(super) async fn serve(
    mut stream: TcpStream,
    peer: IpAddr,
    shared: &SmtpState,
    stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let idle = shared.limits.idle;
    let mut deadlines = Deadlines {
        idle,
        deadline: Box::pin(sleep(idle * MAX_IDLE_TIMEOUTS)),
        stopping,
    };

    let last_reply = match run_session(&mut stream, peer, shared, &mut deadlines).await {
        Ok(()) => None,
        Err(End::Failed(error)) => return Err(error),
        Err(End::TimedOut) => Some(line("421 4.4.2 timeout exceeded")),
        Err(End::Stopping) => Some(line(
            "421 4.3.2 the server is shutting down; try again later",
        )),
    };

    if let Some(reply) = last_reply {
        timeout(idle, stream.write_all(reply.as_bytes())).await??;
    }

    timeout(idle, stream.shutdown()).await?
}

async fn run_session(
    stream: &mut TcpStream,
    peer: IpAddr,
    shared: &SmtpState,
    deadlines: &mut Deadlines,
) -> Result<(), End> {
    let max_bytes = shared.limits.message_bytes;
    let mut session = Session::new(peer, max_bytes);
    let mut commands = Commands::default();
    let mut receiving: Option<MessageReceiver> = None;
    let mut replies = GREETING.to_owned();
    let mut buffer = [0; BUFFER_BYTES];

    loop {
        // All replies to what arrived at once are written at once: clients may pipeline commands.
        deadlines.write(stream, &replies).await?;
        replies.clear();
        let read = deadlines.read(stream, &mut buffer).await?;

        if read == 0 {
            return Ok(());
        }

        let mut bytes = buffer.get(..read).unwrap_or_default().iter();
        loop {
            if let Some(message) = &mut receiving {
                // What follows the message in the same packet is a command, and stays in `bytes`.
                if !message.feed(&mut bytes, max_bytes) {
                    break;
                }

                let reply = match receiving.take() {
                    Some(received) if !received.too_large => {
                        deliver(shared, &mut session, received.message, peer).await
                    }
                    _ => {
                        shared.event_metrics.count_message("too_large");
                        let reason = format!("the message has more than {max_bytes} bytes");
                        for id in &session.recipients {
                            log_refused(shared, &session, id, peer, (552, &reason)).await;
                        }
                        session.refuse_too_large()
                    }
                };

                replies.push_str(&reply);
                continue;
            }

            let Some(command) = commands.feed(&mut bytes) else {
                break;
            };

            let mut other_type = None;
            let next = session.command(command, |name| match shared.events.mailbox(name) {
                Ok(Mailbox::Of(id)) => Ok(id),
                Ok(Mailbox::OtherType(id)) => {
                    other_type = Some(id);
                    Err(MailboxError::Unknown)
                }
                Ok(Mailbox::Ambiguous) => Err(MailboxError::Ambiguous),
                Ok(Mailbox::Unknown) => Err(MailboxError::Unknown),
                Err(_) => Err(MailboxError::Unavailable),
            });

            if let Some(id) = other_type {
                let reason = "only integrations of type email receive mail";
                log_refused(shared, &session, &id, peer, (550, reason)).await;
            }

            match next {
                Next::Command(reply) => replies.push_str(&reply),
                Next::Message(reply) => {
                    replies.push_str(&reply);
                    receiving = Some(MessageReceiver::new());
                }
                Next::End(reply) => {
                    replies.push_str(&reply);
                    return deadlines.write(stream, &replies).await;
                }
            }
        }
    }
}

/// Logs a rejected message, if the integration exists.
async fn log_refused(
    shared: &SmtpState,
    session: &Session,
    id: &IntegrationId,
    peer: IpAddr,
    (status, reason): (u16, &str),
) {
    let refused = RefusedRequest {
        incoming: arrival(session, id, b"", peer),
        status,
        reason: reason.to_owned(),
    };
    shared.events.log_refused(id, refused).await;
}

/// The outcome for a recipient. Of several recipients the smallest outcome decides the reply: a message
/// that must be retried is retried as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum DeliveryOutcome {
    Retry,
    RateLimited,
    Accepted,
    Disabled,
    Blocked,
    Unknown,
}

async fn deliver(
    shared: &SmtpState,
    session: &mut Session,
    message: Vec<u8>,
    peer: IpAddr,
) -> String {
    let mut worst = DeliveryOutcome::Unknown;
    let fingerprint = Fingerprint::of(session.sender.as_deref().unwrap_or_default(), &message);
    let mut accepted = shared.partial_deliveries.take(fingerprint);

    for id in &session.recipients {
        // The sender repeats a message for all recipients because one of them failed.
        if accepted.contains(id) {
            worst = worst.min(DeliveryOutcome::Accepted);
            continue;
        }

        let throttle = (shared.throttles)();
        let result = shared
            .events
            .receive(id.clone(), arrival(session, id, &message, peer), &throttle)
            .await;
        let outcome = outcome_of(result.map(|reply| reply.ack));

        if outcome == DeliveryOutcome::Accepted {
            accepted.push(id.clone());
        }

        worst = worst.min(outcome);
    }

    if matches!(worst, DeliveryOutcome::Retry | DeliveryOutcome::RateLimited)
        && !accepted.is_empty()
    {
        shared.partial_deliveries.remember(fingerprint, accepted);
    }

    // A reply ends the transaction, whatever it says (RFC 5321, 4.1.1.4).
    session.reset();
    let (label, reply) = match worst {
        DeliveryOutcome::Retry => (
            "later",
            "451 4.3.0 the message could not be stored; try again later",
        ),
        DeliveryOutcome::RateLimited => {
            ("too_many", "451 4.7.1 rate limit exceeded; try again later")
        }
        DeliveryOutcome::Accepted => ("taken", "250 2.0.0 accepted"),
        DeliveryOutcome::Disabled => ("disabled", "550 5.2.1 the integration is disabled"),
        DeliveryOutcome::Blocked => ("blocked", "550 5.7.1 the message is spam"),
        DeliveryOutcome::Unknown => ("unknown", "550 5.1.1 the integration no longer exists"),
    };

    shared.event_metrics.count_message(label);
    line(reply)
}

fn arrival(session: &Session, id: &IntegrationId, message: &[u8], peer: IpAddr) -> IncomingRequest {
    let envelope = [
        ("content-type", "message/rfc822"),
        ("helo", session.helo.as_deref().unwrap_or_default()),
        ("mail-from", session.sender.as_deref().unwrap_or_default()),
        ("rcpt-to", id.as_str()),
    ];
    let parts = RequestParts {
        method: "SMTP".into(),
        headers: envelope
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: message.to_vec(),
        remote_ip: Some(peer.to_string()),
        ..RequestParts::default()
    };

    IncomingRequest {
        parts,
        path: format!("/integration/{}", id.as_str()),
    }
}

fn outcome_of(outcome: Result<EventAck, ServiceError>) -> DeliveryOutcome {
    match outcome {
        Ok(EventAck::Accepted) => DeliveryOutcome::Accepted,
        Ok(EventAck::Disabled) => DeliveryOutcome::Disabled,
        Ok(EventAck::Blocked) => DeliveryOutcome::Blocked,
        Err(ServiceError::Rejected(Rejection::TooMany { .. })) => DeliveryOutcome::RateLimited,
        Err(ServiceError::Rejected(_)) => DeliveryOutcome::Unknown,
        Err(ServiceError::Store(cause)) => {
            log::warn!(cause:display; "A message could not be stored; its sender was asked to try again");
            DeliveryOutcome::Retry
        }
    }
}
