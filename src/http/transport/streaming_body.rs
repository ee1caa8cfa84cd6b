//! A body that a thread writes while a client reads it: bounded memory, and nobody waits for ever.

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

/// Bytes that are handed on together.
const CHUNK: usize = 64 << 10;
/// Chunks that may wait for the reader.
const MOST_WAITING: usize = 4;

#[derive(Debug, Default)]
struct PipeState {
    chunks: VecDeque<Bytes>,
    /// Everything was written.
    complete: bool,
    writer_gone: bool,
    reader_gone: bool,
    reader: Option<Waker>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<PipeState>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While a writer waits it looks so often whether it is to stop.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Why a writer is to stop, if it is.
type Stop = Box<dyn Fn() -> Option<io::Error> + Send>;

/// The end that a thread writes. A reader that takes nothing for `patience` is given up, and any
/// reader when `stop` says so.
pub(crate) struct BodyWriter {
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    patience: Duration,
    stop: Stop,
}

/// The end that is the body. It ends with an error, which breaks the connection, unless the writer
/// has [`finish`](BodyWriter::finish)ed.
#[derive(Debug)]
pub(crate) struct StreamingBody(Arc<Shared>);

pub(crate) fn streaming_body(
    patience: Duration,
    stop: impl Fn() -> Option<io::Error> + Send + 'static,
) -> (BodyWriter, StreamingBody) {
    let shared = Arc::new(Shared::default());
    let stop = Box::new(stop);
    (
        BodyWriter {
            shared: Arc::clone(&shared),
            buffer: Vec::new(),
            patience,
            stop,
        },
        StreamingBody(shared),
    )
}

impl BodyWriter {
    /// Says that this was all.
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
                "the client has gone",
            ));
        }

        if state.chunks.len() >= MOST_WAITING {
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client reads no more",
            ));
        }

        state.chunks.push_back(chunk);
        if let Some(reader) = state.reader.take() {
            reader.wake();
        }

        Ok(())
    }

    /// Waits for the reader as long as there is patience, but not beyond the moment in which it is
    /// to stop.
    fn wait_for_room(&self) -> io::Result<MutexGuard<'_, PipeState>> {
        let full = |state: &mut PipeState| state.chunks.len() >= MOST_WAITING && !state.reader_gone;
        let (mut state, mut left) = (self.shared.lock(), self.patience);
        loop {
            if let Some(reason) = (self.stop)() {
                return Err(reason);
            }
            if !full(&mut state) || left.is_zero() {
                return Ok(state);
            }
            let time = left.min(LOOK_AGAIN);
            let waited = self.shared.changed.wait_timeout_while(state, time, full);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            left = left.saturating_sub(time);
        }
    }
}

impl Write for BodyWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.send_chunk()?;
        }
        Ok(bytes.len())
    }

    /// What is handed on in chunks needs none; the last one goes with [`finish`](Self::finish).
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
            (false, true) => {
                Poll::Ready(Some(Err(io::Error::other("it was not written to its end"))))
            }
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
    fn what_is_written_is_read_in_order_and_then_it_ends() {
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
    fn a_writer_that_breaks_off_breaks_the_body() {
        let (mut writer, mut reader) = streaming_body(LONG, || None);
        writer.write_all(&[0; CHUNK]).unwrap();
        drop(writer);
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Ok(_)))));
        assert!(matches!(next(&mut reader), Poll::Ready(Some(Err(_)))));
    }

    #[test]
    fn a_reader_that_takes_nothing_is_given_up() {
        let (mut writer, _reader) = streaming_body(Duration::ZERO, || None);
        for _ in 0..MOST_WAITING {
            writer.write_all(&[0; CHUNK]).unwrap();
        }
        assert_eq!(
            writer.write_all(&[0; CHUNK]).unwrap_err().kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[test]
    fn a_reader_that_goes_ends_the_writing() {
        let (mut writer, reader) = streaming_body(LONG, || None);
        let writing = std::thread::spawn(move || {
            loop {
                if let Err(error) = writer.write_all(&[0; CHUNK]) {
                    return error.kind();
                }
            }
        });
        drop(reader);
        assert_eq!(writing.join().unwrap(), io::ErrorKind::BrokenPipe);
    }

    /// It held the store until its patience was at an end, though the store had to be opened anew.
    #[test]
    fn a_writer_that_is_to_stop_does_not_wait_for_its_reader() {
        let stopping = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopping);
        let stop = move || {
            told.load(Ordering::Relaxed)
                .then(|| io::Error::other("it is over"))
        };

        let (mut writer, _reader) = streaming_body(Duration::MAX, stop);
        for _ in 0..MOST_WAITING {
            writer.write_all(&[0; CHUNK]).unwrap();
        }

        let writing =
            std::thread::spawn(move || writer.write_all(&[0; CHUNK]).unwrap_err().to_string());
        stopping.store(true, Ordering::Relaxed);
        assert_eq!(writing.join().unwrap(), "it is over");
    }
}
