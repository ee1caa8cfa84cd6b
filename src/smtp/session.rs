//! The state machine of an SMTP session: commands in, replies out.

use super::commands::restore_literal;
use crate::domain::{body::excerpt, ids::IntegrationId};
use smtp_proto::{Error, Request};
use std::{borrow::Cow, net::IpAddr};

/// One session, from the greeting to the end.
#[derive(Debug)]
pub(super) struct Session {
    message_bytes: usize,
    peer: IpAddr,
    /// The name from `HELO` or `EHLO`.
    pub(super) helo: Option<String>,
    /// The sender of the current message.
    pub(super) sender: Option<String>,
    /// The recipients of the current message, without repetitions.
    pub(super) recipients: Vec<IntegrationId>,
    mistakes: usize,
}

/// What to do after a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this reply, and wait for the next command.
    Command(String),
    /// Send this reply, and receive the message.
    Message(String),
    /// Send this reply, and close the connection.
    End(String),
}

/// Why a mailbox was not found.
#[derive(Debug)]
pub(super) enum MailboxError {
    /// It does not exist.
    Unknown,
    /// Several match, apart from the case of letters.
    Ambiguous,
    /// The store cannot be read.
    Unavailable,
}

const MAX_RECIPIENTS: usize = 100;
/// Invalid commands until the connection is closed.
const MAX_MISTAKES: usize = 20;
pub(super) const GREETING: &str =
    "220 pagertree-local ESMTP accepts mail for <integration id>@<any host>\r\n";

impl Session {
    pub(super) fn new(peer: IpAddr, message_bytes: usize) -> Self {
        Self {
            message_bytes,
            peer,
            helo: None,
            sender: None,
            recipients: Vec::new(),
            mistakes: 0,
        }
    }

    /// Discards the current message.
    pub(super) fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    /// Handles one command. `mailbox` finds the integration for the local part of an address.
    pub(super) fn command(
        &mut self,
        command: Result<Request<Cow<'_, str>>, Error>,
        mailbox: impl FnOnce(&str) -> Result<IntegrationId, MailboxError>,
    ) -> Next {
        let result = match command {
            Ok(Request::Quit) => return Next::End(line("221 2.0.0 goodbye")),
            Ok(Request::Data) if self.sender.is_some() && !self.recipients.is_empty() => {
                return Next::Message(line(
                    "354 end the message with a line that has a single dot",
                ));
            }
            Ok(request) => self.request(request, mailbox),
            // A web page could make a browser post SMTP commands to this port.
            Err(Error::UnknownCommand) if self.helo.is_none() => {
                return Next::End(line(
                    "554 5.5.1 this is a mail server; a session begins with EHLO",
                ));
            }
            Err(Error::ResponseTooLong) => {
                return Next::End(line("500 5.5.2 line too long"));
            }
            Err(fault) => Err(reply_to_error(&fault)),
        };

        match result {
            Ok(reply) => Next::Command(reply),
            Err(_) if self.mistakes >= MAX_MISTAKES => {
                Next::End(line("421 4.7.0 too many mistakes"))
            }
            Err(reply) => {
                self.mistakes += 1;
                Next::Command(line(&reply))
            }
        }
    }

    fn request(
        &mut self,
        request: Request<Cow<'_, str>>,
        mailbox: impl FnOnce(&str) -> Result<IntegrationId, MailboxError>,
    ) -> Result<String, String> {
        match request {
            Request::Ehlo { host } => {
                self.reset();
                self.helo = Some(excerpt(&host));
                Ok(format!(
                    "250-pagertree-local greets {}\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                     250-ENHANCEDSTATUSCODES\r\n250 SIZE {}\r\n",
                    self.peer, self.message_bytes
                ))
            }
            Request::Helo { host } => {
                self.reset();
                self.helo = Some(excerpt(&host));
                Ok(line("250 pagertree-local"))
            }
            Request::Mail { .. } if self.helo.is_none() => Err("503 5.5.1 send EHLO first".into()),
            Request::Mail { .. } if self.sender.is_some() => {
                Err("503 5.5.1 MAIL FROM was already sent; RSET discards the message".into())
            }
            Request::Mail { from } if from.size > self.message_bytes => Err(self.too_large()),
            Request::Mail { from } => {
                self.sender = Some(excerpt(&restore_literal(&from.address)));
                Ok(line("250 2.1.0 sender accepted"))
            }
            Request::Rcpt { .. } if self.sender.is_none() => {
                Err("503 5.5.1 send MAIL FROM first".into())
            }
            Request::Rcpt { .. } if self.recipients.len() >= MAX_RECIPIENTS => Err(format!(
                "452 4.5.3 too many recipients; the limit is {MAX_RECIPIENTS}"
            )),
            Request::Rcpt { to } => self.recipient(&to.address, mailbox),
            Request::Data if self.sender.is_none() => Err("503 5.5.1 send MAIL FROM first".into()),
            Request::Data => Err("503 5.5.1 send RCPT TO first".into()),
            Request::Rset => {
                self.reset();
                Ok(line("250 2.0.0 reset"))
            }
            Request::Noop { .. } => Ok(line("250 2.0.0 OK")),
            Request::Vrfy { .. } => Ok(line("252 2.5.2 cannot verify; send the message")),
            Request::Help { .. } => Ok(line(
                "214 2.0.0 EHLO, MAIL FROM, RCPT TO:<integration id>@<any host>, DATA, RSET, NOOP, QUIT",
            )),
            other => Err(format!("502 5.5.1 {} is not supported", other.name())),
        }
    }

    fn recipient(
        &mut self,
        address: &str,
        mailbox: impl FnOnce(&str) -> Result<IntegrationId, MailboxError>,
    ) -> Result<String, String> {
        let name = address.rsplit_once('@').map_or(address, |(name, _)| name);
        match mailbox(name) {
            Ok(id) => {
                if !self.recipients.contains(&id) {
                    self.recipients.push(id);
                }
                Ok(line("250 2.1.5 recipient accepted"))
            }
            Err(MailboxError::Unknown) => Err(
                "550 5.1.1 the part before the @ must be the id of an integration of type email"
                    .into(),
            ),
            Err(MailboxError::Ambiguous) => Err(
                "550 5.1.4 several integrations have this id, in other cases of letters; write it \
                 as the API shows it"
                    .into(),
            ),
            Err(MailboxError::Unavailable) => {
                Err("451 4.3.0 the store cannot be read; try again later".into())
            }
        }
    }

    fn too_large(&self) -> String {
        format!("552 5.3.4 the message exceeds {} bytes", self.message_bytes)
    }

    /// The reply to a message that exceeded the limit.
    pub(super) fn refuse_too_large(&mut self) -> String {
        self.reset();
        line(&self.too_large())
    }
}

/// A reply of one line. Replies never contain input, which could inject further lines.
pub(super) fn line(text: &str) -> String {
    format!("{text}\r\n")
}

fn reply_to_error(fault: &Error) -> String {
    match fault {
        Error::InvalidSenderAddress => "501 5.1.7 malformed sender address".into(),
        Error::InvalidRecipientAddress => "501 5.1.3 malformed recipient address".into(),
        Error::SyntaxError { syntax } => format!("501 5.5.2 syntax error; expected: {syntax}"),
        Error::InvalidParameter { param } => {
            format!("501 5.5.4 the parameter {param} is malformed")
        }
        Error::UnsupportedParameter { .. } => "504 5.5.4 unknown parameter".into(),
        _ => "500 5.5.2 unknown command".into(),
    }
}
