//! Finds the head and the body of a request in arbitrary bytes.

use super::head::Head;
use crate::http::transport::framing::Framing;

/// Asserts that the ends of the head and of the body do not depend on how the client's bytes were
/// cut into packets.
pub(crate) fn read_request(data: &[u8]) {
    let (mut whole, mut head) = (data.to_vec(), Head::new(0));
    let head_length = head.receive(&mut whole);
    assert!(head_length <= data.len(), "a head is part of what came");
    assert!(
        head.is_complete() || head_length == data.len(),
        "an unfinished head takes everything"
    );

    for length in [1, 7] {
        let (mut pieces, mut again, mut sum) = (data.to_vec(), Head::new(0), 0_usize);
        for piece in pieces.chunks_mut(length) {
            sum = sum.saturating_add(again.receive(piece));
        }
        assert!(
            sum == head_length
                && again.is_complete() == head.is_complete()
                && again.options() == head.options()
                && pieces == whole,
            "the head depends on the packets' length"
        );
    }

    let body = whole.get(head_length..).unwrap_or_default();
    for framing in [Framing::CHUNKED, Framing::Length(10)] {
        let (taken, rest) = framing.consume(body);
        assert!(taken <= body.len(), "a body is part of what came");
        assert!(
            read_in_pieces(framing, body) == (taken, rest),
            "the body depends on the packets' length"
        );
    }
}

fn read_in_pieces(mut framing: Framing, body: &[u8]) -> (usize, Framing) {
    let mut sum = 0_usize;
    for piece in body.chunks(3) {
        let (taken, rest) = framing.consume(piece);
        (framing, sum) = (rest, sum.saturating_add(taken));
        if taken < piece.len() {
            break;
        }
    }
    (sum, framing)
}
