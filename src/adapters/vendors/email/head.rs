//! Where the headers of a raw message end.

/// The offset of the body, if an empty line separates it from the headers.
pub(super) fn end_of_headers(message: &[u8]) -> Option<usize> {
    let mut start = 0_usize;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\n" || line == b"\r\n" {
            return Some(start);
        }
        start = start.saturating_add(line.len());
    }
    None
}
