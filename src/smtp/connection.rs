//! One connection: reads commands and messages as they come, in whatever pieces, and hands messages
//! on.

use super::{
    Desk,
    commands::Commands,
    partial_delivery::Fingerprint,
    session::{GREETING, Next, NoMailbox, Session, line},
};
use crate::{
    adapters::RequestParts,
    domain::{ids::IntegrationId, rejection::Rejection},
    service::{
        error::ServiceError,
        events::{EventAck, IncomingRequest, Refused},
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

/// Read at once.
const PORTION: usize = 2_048;
/// A connection is kept for so many times as long as a silent one.
const AT_MOST: u32 = 10;

/// A message on its way in.
pub(super) struct Incoming {
    receiver: DataReceiver,
    message: Vec<u8>,
    too_large: bool,
}

impl Incoming {
    pub(super) fn new() -> Self {
        let (mut receiver, mut message) = (DataReceiver::new(), Vec::new());
        // The dot that ends a message may stand in its first line.
        receiver.ingest(&mut b"\r\n".iter(), &mut message);
        message.clear();
        Self {
            receiver,
            message,
            too_large: false,
        }
    }

    /// Takes what has come. `true` at its end.
    pub(super) fn take(&mut self, bytes: &mut std::slice::Iter<'_, u8>, most: usize) -> bool {
        let ended = self.receiver.ingest(bytes, &mut self.message);
        self.too_large |= self.message.len() > most;
        if self.too_large {
            self.message = Vec::new();
        }
        ended
    }
}

/// Why there is no more to come.
#[derive(Debug)]
enum End {
    /// The connection broke off.
    Broken(io::Error),
    /// The client was silent, or talked, for too long.
    TooLong,
    /// The server stops.
    Stopping,
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// When a connection ends, whatever the client does. Only what the client sends is waited for no
/// longer; a message that came whole is dealt with, and the reply to it sent.
struct Ends {
    idle: Duration,
    deadline: Pin<Box<Sleep>>,
    stopping: watch::Receiver<bool>,
}

impl Ends {
    async fn read(&mut self, stream: &mut TcpStream, portion: &mut [u8]) -> Result<usize, End> {
        tokio::select! {
            biased;
            _told = self.stopping.wait_for(|stopping| *stopping) => Err(End::Stopping),
            () = &mut self.deadline => Err(End::TooLong),
            read = timeout(self.idle, stream.read(portion)) => Ok(read.map_err(|_| End::TooLong)??),
        }
    }

    async fn write(&self, stream: &mut TcpStream, replies: &str) -> Result<(), End> {
        Ok(timeout(self.idle, stream.write_all(replies.as_bytes()))
            .await
            .map_err(|_| End::TooLong)??)
    }
}

/// Talks until either side has had enough.
pub(super) async fn serve(
    mut stream: TcpStream,
    peer: IpAddr,
    desk: &Desk,
    stopping: watch::Receiver<bool>,
) -> io::Result<()> {
    let idle = desk.limits.idle;
    let mut ends = Ends {
        idle,
        deadline: Box::pin(sleep(idle * AT_MOST)),
        stopping,
    };

    let farewell = match converse(&mut stream, peer, desk, &mut ends).await {
        Ok(()) => None,
        Err(End::Broken(error)) => return Err(error),
        Err(End::TooLong) => Some(line("421 4.4.2 it took too long")),
        Err(End::Stopping) => Some(line(
            "421 4.3.2 the server is shutting down; try again later",
        )),
    };

    if let Some(farewell) = farewell {
        timeout(idle, stream.write_all(farewell.as_bytes())).await??;
    }

    timeout(idle, stream.shutdown()).await?
}

async fn converse(
    stream: &mut TcpStream,
    peer: IpAddr,
    desk: &Desk,
    ends: &mut Ends,
) -> Result<(), End> {
    let most = desk.limits.message_bytes;
    let mut session = Session::new(peer, most);
    let mut commands = Commands::default();
    let mut incoming: Option<Incoming> = None;
    let mut replies = GREETING.to_owned();
    let mut portion = [0; PORTION];

    loop {
        ends.write(stream, &replies).await?;
        replies.clear();
        let read = ends.read(stream, &mut portion).await?;

        if read == 0 {
            return Ok(());
        }

        let mut bytes = portion.get(..read).unwrap_or_default().iter();
        loop {
            if let Some(message) = &mut incoming {
                if !message.take(&mut bytes, most) {
                    break;
                }

                let reply = match incoming.take() {
                    Some(whole) if !whole.too_large => {
                        deliver(desk, &mut session, whole.message, peer).await
                    }
                    _ => {
                        desk.event_metrics.count_message("too_large");
                        let reason = format!("the message has more than {most} bytes");
                        for id in &session.recipients {
                            log_refused(desk, &session, id, peer, (552, &reason)).await;
                        }
                        session.refuse_too_large()
                    }
                };

                replies.push_str(&reply);
                continue;
            }

            let Some(command) = commands.take(&mut bytes) else {
                break;
            };

            let mut unknown = None;
            let next = session.command(command, |name| {
                let found = mailbox(desk, name);
                unknown = found.is_err().then(|| name.to_owned());
                found
            });

            if let Some(id) = unknown.and_then(|name| IntegrationId::parse(&name).ok()) {
                let reason = "only integrations of type email take mail";
                log_refused(desk, &session, &id, peer, (550, reason)).await;
            }

            match next {
                Next::Command(reply) => replies.push_str(&reply),
                Next::Message(reply) => {
                    replies.push_str(&reply);
                    incoming = Some(Incoming::new());
                }
                Next::End(reply) => {
                    replies.push_str(&reply);
                    return ends.write(stream, &replies).await;
                }
            }
        }
    }
}

/// Leaves a log of a message that is refused, if there is such an integration.
async fn log_refused(
    desk: &Desk,
    session: &Session,
    id: &IntegrationId,
    peer: IpAddr,
    (status, reason): (u16, &str),
) {
    let refused = Refused {
        arrival: arrival(session, id, b"", peer),
        status,
        reason: reason.to_owned(),
    };
    desk.incoming.log_refused(id, refused).await;
}

fn mailbox(desk: &Desk, name: &str) -> Result<IntegrationId, NoMailbox> {
    desk.incoming.mailbox(name).map_err(|fault| match fault {
        ServiceError::Rejected(_) => NoMailbox::Unknown,
        ServiceError::Store(_) => NoMailbox::Later,
    })
}

/// What became of a message, the worst first: what is tried again is tried for all recipients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Later,
    TooMany,
    Taken,
    Disabled,
    Blocked,
    Unknown,
}

async fn deliver(desk: &Desk, session: &mut Session, message: Vec<u8>, peer: IpAddr) -> String {
    let mut fate = Fate::Unknown;
    let fingerprint = Fingerprint::of(session.sender.as_deref().unwrap_or_default(), &message);
    let mut taken = desk.partial_deliveries.take(fingerprint);

    for id in &session.recipients {
        if taken.contains(id) {
            fate = fate.min(Fate::Taken);
            continue;
        }

        let throttle = (desk.throttling)();
        let outcome = desk
            .incoming
            .take(id.clone(), arrival(session, id, &message, peer), &throttle)
            .await;
        let own = fate_of(outcome.map(|taken| taken.receipt));

        if own == Fate::Taken {
            taken.push(id.clone());
        }

        fate = fate.min(own);
    }

    if matches!(fate, Fate::Later | Fate::TooMany) && !taken.is_empty() {
        desk.partial_deliveries.remember(fingerprint, taken);
    }

    session.reset();
    let (outcome, reply) = match fate {
        Fate::Later => (
            "later",
            "451 4.3.0 the message could not be kept; try again later",
        ),
        Fate::TooMany => (
            "too_many",
            "451 4.7.1 too many events of this integration; try again later",
        ),
        Fate::Taken => ("taken", "250 2.0.0 taken"),
        Fate::Disabled => ("disabled", "550 5.2.1 the integration is disabled"),
        Fate::Blocked => ("blocked", "550 5.7.1 the message was found to be spam"),
        Fate::Unknown => ("unknown", "550 5.1.1 there is no such integration any more"),
    };

    desk.event_metrics.count_message(outcome);
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
        ..RequestParts::default()
    };

    IncomingRequest {
        parts,
        path: format!("/integration/{}", id.as_str()),
        remote: Some(peer.to_string()),
    }
}

fn fate_of(outcome: Result<EventAck, ServiceError>) -> Fate {
    match outcome {
        Ok(EventAck::Accepted) => Fate::Taken,
        Ok(EventAck::Disabled) => Fate::Disabled,
        Ok(EventAck::Blocked) => Fate::Blocked,
        Err(ServiceError::Rejected(Rejection::TooMany { .. })) => Fate::TooMany,
        Err(ServiceError::Rejected(_)) => Fate::Unknown,
        Err(ServiceError::Store(cause)) => {
            log::warn!(cause:display; "A message could not be kept; its sender is told to try again");
            Fate::Later
        }
    }
}
