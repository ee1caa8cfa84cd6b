//! A streaming response body that a thread writes while the client reads it, with bounded memory
//! and timeouts.

use actix_web::web::Bytes;
use futures_core::Stream;
use std::{
    collections::VecDeque,
    io::{self, Write},
    pin::Pin,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Size of a chunk.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that may wait for the reader.
const MAX_QUEUED_CHUNKS: usize = 4;

#[derive(Debug, Default)]
struct PipeState {
    chunks: VecDeque<Bytes>,
    /// Whether the writer has finished.
    complete: bool,
    writer_gone: bool,
    reader_gone: bool,
    reader: Option<Waker>,
}

#[derive(Debug, Default)]
struct StreamState {
    state: Mutex<PipeState>,
    changed: Condvar,
}

impl StreamState {
    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a waiting writer checks whether to abort.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Returns the reason to abort, if there is one.
type AbortReason = Box<dyn Fn() -> Option<io::Error> + Send>;

/// The end that a thread writes. A write fails if the client reads nothing for `timeout`, or if
/// there is a reason to abort.
pub(crate) struct BodyWriter {
    shared: Arc<StreamState>,
    buffer: Vec<u8>,
    timeout: Duration,
    abort_reason: AbortReason,
}

/// The end that is the response body. It fails, which breaks the connection, unless the writer
/// calls [`finish`](BodyWriter::finish).
#[derive(Debug)]
pub(crate) struct StreamingBody(Arc<StreamState>);

pub(crate) fn streaming_body(
    timeout: Duration,
    abort_reason: impl Fn() -> Option<io::Error> + Send + 'static,
) -> (BodyWriter, StreamingBody) {
    let shared = Arc::new(StreamState::default());
    let abort_reason = Box::new(abort_reason);
    (
        BodyWriter {
            shared: Arc::clone(&shared),
            buffer: Vec::new(),
            timeout,
            abort_reason,
        },
        StreamingBody(shared),
    )
}

impl BodyWriter {
    /// Completes the body.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.send_chunk()?;
        self.shared.lock().complete = true;
        Ok(())
    }

    fn send_chunk(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }

        let chunk = std::mem::take(&mut self.buffer).into();
        let mut state = self.wait_for_room()?;
        if state.reader_gone {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the client has disconnected",
            ));
        }

        if state.chunks.len() >= MAX_QUEUED_CHUNKS {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client stopped reading",
            ));
        }

        state.chunks.push_back(chunk);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }

        Ok(())
    }

    /// Waits until the queue has room, the timeout is over, or there is a reason to abort.
    fn wait_for_room(&self) -> io::Result<MutexGuard<'_, PipeState>> {
        let full =
            |state: &mut PipeState| state.chunks.len() >= MAX_QUEUED_CHUNKS && !state.reader_gone;
        let (mut state, mut left) = (self.shared.lock(), self.timeout);
        loop {
            if let Some(reason) = (self.abort_reason)() {
                return Err(reason);
            }
            if !full(&mut state) || left.is_zero() {
                return Ok(state);
            }
            let time = left.min(POLL_INTERVAL);
            let waited = self.shared.changed.wait_timeout_while(state, time, full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            left = left.saturating_sub(time);
        }
    }
}

impl Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.send_chunk()?;
        }
        Ok(bytes.len())
    }

    /// Does nothing: [`finish`](Self::finish) sends the last chunk.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BodyWriter {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.writer_gone = true;
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }
    }
}

impl Stream for StreamingBody {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.lock();
        if let Some(chunk) = state.chunks.pop_front() {
            self.0.changed.notify_all();
            return Poll::Ready(Some(Ok(chunk)));
        }

        match (state.complete, state.writer_gone) {
            (true, _) => Poll::Ready(None),
            (false, true) => Poll::Ready(Some(Err(io::Error::other("the body is incomplete")))),
            (false, false) => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for StreamingBody {
    fn drop(&mut self) {
        self.0.lock().reader_gone = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    fn next(reader: &mut StreamingBody) -> Poll<Option<io::Result<Bytes>>> {
        Pin::new(reader).poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn bytes_are_read_in_order_until_the_end() {
        let (mut writer, mut reader) = streaming_body(LONG, || None);
        assert!(next(&mut reader).is_pending());
        let writing = std::thread::spawn(move || {
            for number in 0..100_000_u32 {
                writer.write_all(&number.to_be_bytes()).unwrap();
            }
            writer.finish().unwrap();
        });

        let mut read = Vec::new();
        loop {
            match next(&mut reader) {
                Poll::Ready(Some(chunk)) => read.extend_from_slice(&chunk.unwrap()),
                Poll::Ready(None) => break,
                Poll::Pending => std::thread::yield_now(),
            }
        }

        writing.join().unwrap();
        let expected: Vec<u8> = (0..100_000_u32).flat_map(u32::to_be_bytes).collect();
        assert!(
            read == expected,
            "{} bytes of {}",
            read.len(),
            expected.len()
        );
    }

    #[test]
    fn body_fails_when_its_writer_is_dropped() {
        let (mut writer, mut reader) = streaming_body(LONG, || None);
        writer.write_all(&[0; CHUNK_BYTES]).unwrap();
        drop(writer);
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Ok(_)))));
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Err(_)))));
    }

    #[test]
    fn a_reader_that_takes_nothing_is_given_up() {
        let (mut writer, _reader) = streaming_body(Duration::ZERO, || None);
        for _ in 0..MAX_QUEUED_CHUNKS {
            writer.write_all(&[0; CHUNK_BYTES]).unwrap();
        }
        assert_eq!(
            writer.write_all(&[0; CHUNK_BYTES]).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[test]
    fn a_reader_that_goes_ends_the_writing() {
        let (mut writer, reader) = streaming_body(LONG, || None);
        let writing = std::thread::spawn(move || {
            loop {
                if let Err(error) = writer.write_all(&[0; CHUNK_BYTES]) {
                    return error.kind();
                }
            }
        });
        drop(reader);
        assert_eq!(writing.join().unwrap(), io::ErrorKind::BrokenPipe);
    }

    /// A writer used to hold the store until its timeout, although the store had to be reopened.
    #[test]
    fn a_writer_that_is_to_stop_does_not_wait_for_its_reader() {
        let stopping = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopping);
        let stop = move || {
            told.load(Ordering::Relaxed)
                .then(|| io::Error::other("it is over"))
        };

        let (mut writer, _reader) = streaming_body(Duration::MAX, stop);
        for _ in 0..MAX_QUEUED_CHUNKS {
            writer.write_all(&[0; CHUNK_BYTES]).unwrap();
        }

        let writing = std::thread::spawn(move || {
            writer.write_all(&[0; CHUNK_BYTES]).unwrap_err().to_string()
        });
        stopping.store(true, Ordering::Relaxed);
        assert_eq!(writing.join().unwrap(), "it is over");
    }
}
