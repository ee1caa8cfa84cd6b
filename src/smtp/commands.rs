//! Commands, line by line, in whatever pieces they come.
//!
//! The parser knows no address literals (RFC 5321, 4.1.3), which it would refuse: they are written
//! to it with other signs, and back for whoever wants to read them.

use smtp_proto::{Error, Request};
use std::{borrow::Cow, slice::Iter};

/// More than any command needs.
const LONGEST: usize = 4_096;
const SIGNS: [(char, char); 3] = [('[', '{'), (']', '}'), (':', '|')];

/// What has come of the next command.
#[derive(Debug, Default)]
pub(super) struct Commands {
    coming: Vec<u8>,
    whole: Vec<u8>,
}

impl Commands {
    /// Takes what has come, up to the end of a command. `None` while there is no whole one.
    pub(super) fn take(
        &mut self,
        bytes: &mut Iter<'_, u8>,
    ) -> Option<Result<Request<Cow<'_, str>>, Error>> {
        let came = bytes.as_slice();
        let end = came
            .iter()
            .position(|byte| *byte == b'\n')
            .map(|end| end.saturating_add(1));
        let (line, rest) = came.split_at_checked(end.unwrap_or(came.len()))?;

        *bytes = rest.iter();
        self.coming.extend_from_slice(line);
        if self.coming.len() > LONGEST {
            return Some(Err(Error::ResponseTooLong));
        }

        end?;
        self.whole = without_literal(&self.coming);
        self.coming.clear();

        Some(Request::parse(&mut self.whole.iter()))
    }
}

/// A host in brackets, as the parser takes it.
fn without_literal(line: &[u8]) -> Vec<u8> {
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
        let sign = SIGNS.iter().find(|(sign, _)| char::from(*byte) == *sign);
        *byte = sign
            .and_then(|(_, other)| u8::try_from(*other).ok())
            .unwrap_or(*byte);
    }

    line
}

/// An address as it was said.
pub(super) fn spoken(address: &str) -> Cow<'_, str> {
    match address.rsplit_once('@') {
        Some((name, host)) if host.starts_with('{') && host.ends_with('}') => {
            let host = SIGNS.iter().fold(host.to_owned(), |host, (sign, other)| {
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
        match commands.take(&mut format!("{line}\r\n").into_bytes().iter()) {
            Some(Ok(Request::Rcpt { to })) => Some(spoken(&to.address).into_owned()),
            _ => None,
        }
    }

    #[test]
    fn literals_are_hosts() {
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
    fn commands_come_in_any_pieces_and_no_longer_than_they_may_be() {
        let mut commands = Commands::default();
        assert!(commands.take(&mut b"NO".iter()).is_none());
        let mut bytes = b"OP\r\nRSET\r\nQ".iter();

        assert!(matches!(
            commands.take(&mut bytes),
            Some(Ok(Request::Noop { .. }))
        ));
        assert!(matches!(commands.take(&mut bytes), Some(Ok(Request::Rset))));
        assert!(commands.take(&mut bytes).is_none());
        assert!(matches!(
            commands.take(&mut [b'x'; LONGEST].iter()),
            Some(Err(Error::ResponseTooLong))
        ));
    }
}
