//! What is said in a session, without any connection: commands in, replies out.

use super::commands::spoken;
use crate::domain::{body::excerpt, ids::IntegrationId};
use smtp_proto::{Error, Request};
use std::{borrow::Cow, net::IpAddr};

/// One conversation, from the greeting to the end.
#[derive(Debug)]
pub(super) struct Session {
    message_bytes: usize,
    peer: IpAddr,
    /// What the client calls itself, once it has.
    pub(super) helo: Option<String>,
    /// Who sends the message that is under way.
    pub(super) sender: Option<String>,
    /// Whom it is for, each once.
    pub(super) recipients: Vec<IntegrationId>,
    mistakes: usize,
}

/// What comes after a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next command, after this reply.
    Command(String),
    /// The message, after this reply.
    Message(String),
    /// Nothing, after this reply.
    End(String),
}

/// Why there is no mailbox of a name.
#[derive(Debug)]
pub(super) enum NoMailbox {
    /// Nobody is called so.
    Unknown,
    /// It cannot be known now.
    Later,
}

const MOST_RECIPIENTS: usize = 100;
/// A client that does not speak SMTP is not listened to for long.
const MOST_MISTAKES: usize = 20;
pub(super) const GREETING: &str =
    "220 pagertree-local ESMTP takes mail for <integration id>@<any host>\r\n";

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

    /// Forgets the message that is under way.
    pub(super) fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }

    /// Answers one command. `mailbox` finds the integration of the part of an address before the
    /// `@`.
    pub(super) fn command(
        &mut self,
        command: Result<Request<Cow<'_, str>>, Error>,
        mailbox: impl FnOnce(&str) -> Result<IntegrationId, NoMailbox>,
    ) -> Next {
        let answered = match command {
            Ok(Request::Quit) => return Next::End(line("221 2.0.0 goodbye")),
            Ok(Request::Data) if self.sender.is_some() && !self.recipients.is_empty() => {
                return Next::Message(line(
                    "354 end the message with a line that holds a dot alone",
                ));
            }
            Ok(request) => self.request(request, mailbox),
            // A web page can have a browser post to this port, and commands may stand in the body
            // of that.
            Err(Error::UnknownCommand) if self.helo.is_none() => {
                return Next::End(line(
                    "554 5.5.1 this is a mail server; a session begins with EHLO",
                ));
            }
            Err(Error::ResponseTooLong) => {
                return Next::End(line("500 5.5.2 the line is too long"));
            }
            Err(fault) => Err(fault_of(&fault)),
        };

        match answered {
            Ok(reply) => Next::Command(reply),
            Err(_) if self.mistakes >= MOST_MISTAKES => {
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
        mailbox: impl FnOnce(&str) -> Result<IntegrationId, NoMailbox>,
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
            Request::Mail { .. } if self.helo.is_none() => Err("503 5.5.1 say EHLO first".into()),
            Request::Mail { .. } if self.sender.is_some() => {
                Err("503 5.5.1 a message is under way; RSET ends it".into())
            }
            Request::Mail { from } if from.size > self.message_bytes => Err(self.too_large()),
            Request::Mail { from } => {
                self.sender = Some(excerpt(&spoken(&from.address)));
                Ok(line("250 2.1.0 sender taken"))
            }
            Request::Rcpt { .. } if self.sender.is_none() => {
                Err("503 5.5.1 say MAIL FROM first".into())
            }
            Request::Rcpt { .. } if self.recipients.len() >= MOST_RECIPIENTS => Err(format!(
                "452 4.5.3 a message may have {MOST_RECIPIENTS} recipients"
            )),
            Request::Rcpt { to } => self.recipient(&to.address, mailbox),
            Request::Data if self.sender.is_none() => Err("503 5.5.1 say MAIL FROM first".into()),
            Request::Data => Err("503 5.5.1 say RCPT TO first".into()),
            Request::Rset => {
                self.reset();
                Ok(line("250 2.0.0 forgotten"))
            }
            Request::Noop { .. } => Ok(line("250 2.0.0 nothing done")),
            Request::Vrfy { .. } => Ok(line("252 2.5.2 send, and see")),
            Request::Help { .. } => Ok(line(
                "214 2.0.0 EHLO, MAIL FROM, RCPT TO:<integration id>@<any host>, DATA, RSET, NOOP, QUIT",
            )),
            other => Err(format!("502 5.5.1 {} is not offered", other.name())),
        }
    }

    fn recipient(
        &mut self,
        address: &str,
        mailbox: impl FnOnce(&str) -> Result<IntegrationId, NoMailbox>,
    ) -> Result<String, String> {
        let name = address.rsplit_once('@').map_or(address, |(name, _)| name);
        match mailbox(name) {
            Ok(id) => {
                if !self.recipients.contains(&id) {
                    self.recipients.push(id);
                }
                Ok(line("250 2.1.5 recipient taken"))
            }
            Err(NoMailbox::Unknown) => Err(
                "550 5.1.1 the part before the @ must be the id of an integration of type email"
                    .into(),
            ),
            Err(NoMailbox::Later) => {
                Err("451 4.3.0 the store cannot be read; try again later".into())
            }
        }
    }

    fn too_large(&self) -> String {
        format!("552 5.3.4 a message may have {} bytes", self.message_bytes)
    }

    /// The reply to a message that went on beyond the limit.
    pub(super) fn refuse_too_large(&mut self) -> String {
        self.reset();
        line(&self.too_large())
    }
}

/// A reply of one line. What a client said is in none, so that nobody can put lines in.
pub(super) fn line(text: &str) -> String {
    format!("{text}\r\n")
}

fn fault_of(fault: &Error) -> String {
    match fault {
        Error::InvalidSenderAddress => "501 5.1.7 the sender's address is malformed".into(),
        Error::InvalidRecipientAddress => "501 5.1.3 the recipient's address is malformed".into(),
        Error::SyntaxError { syntax } => format!("501 5.5.2 the syntax is: {syntax}"),
        Error::InvalidParameter { param } => {
            format!("501 5.5.4 the parameter {param} is malformed")
        }
        Error::UnsupportedParameter { .. } => "504 5.5.4 a parameter is not known".into(),
        _ => "500 5.5.2 the command is not known".into(),
    }
}
