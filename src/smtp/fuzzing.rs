//! Runs an SMTP session on arbitrary bytes, without a connection.

use super::{
    commands::Commands,
    connection::MessageReceiver,
    session::{MailboxError, Next, Session},
};
use crate::domain::ids::IntegrationId;
use std::net::{IpAddr, Ipv4Addr};

const MAX_MESSAGE_BYTES: usize = 4_096;

/// Runs a session, and asserts that replies are well-formed and do not depend on how the client's
/// bytes were cut into packets.
pub(crate) fn run_session(data: &[u8]) {
    let whole = replies(data, data.len().max(1));
    for length in [1, 7] {
        assert!(
            replies(data, length) == whole,
            "replies depend on the packets' length"
        );
    }

    for reply in &whole {
        assert!(reply.ends_with("\r\n"), "unfinished reply {reply:?}");
        for line in reply.lines() {
            let (code, rest) = line.split_at_checked(3).unwrap_or_default();
            assert!(
                code.parse::<u16>()
                    .is_ok_and(|code| (200..600).contains(&code))
                    && rest.starts_with([' ', '-']),
                "malformed reply {reply:?}"
            );
        }
    }
}

/// The replies to a client whose bytes come in packets of this length.
fn replies(data: &[u8], length: usize) -> Vec<String> {
    let (mut session, mut commands) = (
        Session::new(IpAddr::V4(Ipv4Addr::LOCALHOST), MAX_MESSAGE_BYTES),
        Commands::default(),
    );
    let mut receiving: Option<MessageReceiver> = None;
    let mut replies = Vec::new();

    for packet in data.chunks(length) {
        let mut bytes = packet.iter();
        while !bytes.as_slice().is_empty() {
            if let Some(message) = &mut receiving {
                if message.feed(&mut bytes, MAX_MESSAGE_BYTES) {
                    receiving = None;
                    session.reset();
                    replies.push("250 2.0.0 ok\r\n".to_owned());
                }
                continue;
            }

            let Some(command) = commands.feed(&mut bytes) else {
                continue;
            };
            match session.command(command, find_mailbox) {
                Next::Command(reply) => replies.push(reply),
                Next::Message(reply) => {
                    replies.push(reply);
                    receiving = Some(MessageReceiver::new());
                }
                Next::End(reply) => {
                    replies.push(reply);
                    return replies;
                }
            }
        }
    }

    replies
}

fn find_mailbox(name: &str) -> Result<IntegrationId, MailboxError> {
    IntegrationId::parse(name).map_err(|_| MailboxError::Unknown)
}
