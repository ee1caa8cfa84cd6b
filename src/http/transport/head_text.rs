//! The text of a head, as far as it is kept: for what the HTTP library loses (the order of headers),
//! and for the logs of heads that it refuses.

/// Bytes kept of a head. Hardly any head is longer.
const MAX_KEPT_LEN: usize = 8 << 10;
/// Memory that an idle connection may keep.
const MAX_IDLE_CAPACITY: usize = 1 << 10;

/// The beginning of a head.
#[derive(Debug, Default)]
pub(crate) struct HeadText(Vec<u8>);

/// The request line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestTarget<'a> {
    pub(crate) method: &'a str,
    /// Path and query.
    pub(crate) target: &'a str,
}

impl HeadText {
    /// Begins the next head of the connection.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
        self.0.shrink_to(MAX_IDLE_CAPACITY);
    }

    /// Appends bytes of the head, up to [`MAX_KEPT_LEN`].
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let free = MAX_KEPT_LEN.saturating_sub(self.0.len());
        let kept = bytes.get(..free).unwrap_or(bytes);
        self.0.extend_from_slice(kept);
    }

    /// The method and the target. A target that was cut is as long as it was kept.
    pub(crate) fn request_target(&self) -> Option<RequestTarget<'_>> {
        let line = str::from_utf8(self.lines().next()?).ok()?;
        let mut words = line.split(' ');
        Some(RequestTarget {
            method: words.next()?,
            target: words.next()?,
        })
    }

    /// The headers that were kept completely: lower-case names, and values.
    pub(crate) fn headers(&self) -> Vec<(String, String)> {
        let mut lines: Vec<_> = self.lines().collect();
        // Empty, unless the head was cut within a line.
        lines.pop();
        let headers = lines.into_iter().skip(1).map_while(split);
        let headers = headers.map(|(name, value)| {
            (
                String::from_utf8_lossy(name).to_ascii_lowercase(),
                String::from_utf8_lossy(value.trim_ascii()).into_owned(),
            )
        });
        headers.collect()
    }

    /// Puts headers with lower-case names into the order in which they arrived. Repeated headers
    /// keep their order, and those beyond what was kept follow in that of their names.
    pub(crate) fn sort_headers(&self, headers: &mut [(String, String)]) {
        let names = self.lines().skip(1).filter_map(split);
        let names: Vec<&[u8]> = names.map(|(name, _)| name).collect();
        headers.sort_by_cached_key(|(name, _)| {
            let is_name = |known: &&[u8]| known.eq_ignore_ascii_case(name.as_bytes());
            match names.iter().position(is_name) {
                Some(position) => (position, String::new()),
                None => (names.len(), name.clone()),
            }
        });
    }

    /// The lines without their ends, and without empty ones before the request line.
    fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.0.split(|byte| *byte == b'\n');
        lines
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .skip_while(|line| line.is_empty())
    }
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, rest) = line.split_at_checked(colon)?;
    Some((name, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(head: &str) -> HeadText {
        let mut text = HeadText::default();
        text.push(head.as_bytes());
        text
    }

    #[test]
    fn target_and_headers_are_found() {
        let text = kept("\r\nPOST /integration/a?b HTTP/1.1\r\nHost: x\r\nX-A: 1: 2 \r\n\r\n");
        assert_eq!(
            text.request_target(),
            Some(RequestTarget {
                method: "POST",
                target: "/integration/a?b"
            })
        );
        let headers = [("host", "x"), ("x-a", "1: 2")];
        assert_eq!(
            text.headers(),
            headers.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(kept("").request_target(), None);
        assert_eq!(kept("x").request_target(), None);
    }

    #[test]
    fn cut_header_is_left_out() {
        let mut text = kept("GET /a HTTP/1.1\r\na: 1\r\nb: ");
        text.push(&vec![b'x'; 2 * MAX_KEPT_LEN]);
        assert_eq!(text.headers(), [("a".to_owned(), "1".to_owned())]);

        text.clear();
        text.push(b"GET /b HTTP/1.1\r\n\r\n");
        assert_eq!(text.request_target().unwrap().target, "/b");
        assert_eq!(text.headers(), []);
    }

    #[test]
    fn headers_are_sorted_as_they_arrived() {
        let text = kept("GET /a HTTP/1.1\r\nZ: 1\r\nHost: x\r\nA: 1\r\nz: 2\r\n\r\n");
        let names = ["unknown", "a", "host", "z", "z", "further"];
        let mut headers: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(index, name)| ((*name).to_owned(), index.to_string()))
            .collect();
        text.sort_headers(&mut headers);
        let sorted: Vec<_> = headers
            .iter()
            .map(|(name, value)| format!("{name}{value}"))
            .collect();
        assert_eq!(sorted, ["z3", "z4", "host2", "a1", "further5", "unknown0"]);
    }
}
