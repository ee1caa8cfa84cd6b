//! Assembles command lines from chunks of input, and parses them.
//!
//! The parser rejects address literals (RFC 5321, 4.1.3). They are passed to it with substitute
//! characters, which `restore_literal` reverts.

use smtp_proto::{Error, Request};
use std::{borrow::Cow, slice::Iter};

/// Longer than any valid command.
const MAX_LINE_BYTES: usize = 4_096;
const SUBSTITUTES: [(char, char); 3] = [('[', '{'), (']', '}'), (':', '|')];

/// An incomplete command line.
#[derive(Debug, Default)]
pub(super) struct Commands {
    partial: Vec<u8>,
    line: Vec<u8>,
}

impl Commands {
    /// Consumes input up to the end of a command. `None` if the command is still incomplete.
    pub(super) fn feed(
        &mut self,
        bytes: &mut Iter<'_, u8>,
    ) -> Option<Result<Request<Cow<'_, str>>, Error>> {
        let input = bytes.as_slice();
        let end = input
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|end| end.saturating_add(1));
        let (line, rest) = input.split_at_checked(end.unwrap_or(input.len()))?;

        *bytes = rest.iter();
        self.partial.extend_from_slice(line);
        if self.partial.len() > MAX_LINE_BYTES {
            return Some(Err(Error::ResponseTooLong));
        }

        end?;
        self.line = substitute_literal(&self.partial);
        self.partial.clear();

        Some(Request::parse(&mut self.line.iter()))
    }
}

/// Replaces the characters of an address literal.
fn substitute_literal(line: &[u8]) -> Vec<u8> {
    let mut line = line.to_vec();
    let ends = line.windows(2).position(|pair| pair == b"]>");
    let host = ends.and_then(|end| {
        let start = line
            .get(..end)?
            .windows(2)
            .rposition(|pair| pair == b"@[")?;
        line.get_mut(start..=end)
    });

    for byte in host.into_iter().flatten() {
        let substitute = SUBSTITUTES
            .iter()
            .find(|(sign, _)| char::from(*byte) == *sign);
        *byte = substitute
            .and_then(|(_, other)| u8::try_from(*other).ok())
            .unwrap_or(*byte);
    }

    line
}

/// Restores the address literal of a parsed address.
pub(super) fn restore_literal(address: &str) -> Cow<'_, str> {
    match address.rsplit_once('@') {
        Some((name, host)) if host.starts_with('{') && host.ends_with('}') => {
            let host = SUBSTITUTES
                .iter()
                .fold(host.to_owned(), |host, (sign, other)| {
                    host.replace(*other, &sign.to_string())
                });
            format!("{name}@{host}").into()
        }
        _ => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipient(line: &str) -> Option<String> {
        let mut commands = Commands::default();
        match commands.feed(&mut format!("{line}\r\n").into_bytes().iter()) {
            Some(Ok(Request::Rcpt { to })) => Some(restore_literal(&to.address).into_owned()),
            _ => None,
        }
    }

    #[test]
    fn address_literals_are_accepted() {
        for address in [
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "a@[IPv6:fe80::1]",
            "a@example.com",
        ] {
            assert_eq!(
                recipient(&format!("RCPT TO:<{address}>")).as_deref(),
                Some(address)
            );
        }

        assert_eq!(recipient("RCPT TO:<a@[127.0.0.1>"), None);
        assert_eq!(recipient("RCPT TO:<a[b]>"), None);
    }

    #[test]
    fn commands_are_assembled_up_to_the_length_limit() {
        let mut commands = Commands::default();
        assert!(commands.feed(&mut b"NO".iter()).is_none());
        let mut bytes = b"OP\r\nRSET\r\nQ".iter();

        assert!(matches!(
            commands.feed(&mut bytes),
            Some(Ok(Request::Noop { .. }))
        ));
        assert!(matches!(commands.feed(&mut bytes), Some(Ok(Request::Rset))));
        assert!(commands.feed(&mut bytes).is_none());
        assert!(matches!(
            commands.feed(&mut [b'x'; MAX_LINE_BYTES].iter()),
            Some(Err(Error::ResponseTooLong))
        ));
    }
}
