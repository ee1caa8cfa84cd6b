//! Non-blocking writer for log lines: a bounded buffer, and a thread that writes it to standard
//! error.
//!
//! Lines are collected for a moment and written in batches, since one system call per line would
//! cost a tenth of a request's time. Logging never waits for the reader of standard error, and
//! neither does shutdown. Lines that do not fit or cannot be written are dropped, and a later line
//! reports their number.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::AsFd,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// How long to wait for further lines of a batch.
const GATHER_INTERVAL: Duration = Duration::from_millis(10);

/// Size of the buffer. Lines beyond it are dropped.
const MAX_BUFFERED_BYTES: usize = 1 << 20;

/// How long shutdown waits for buffered lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Pause before another attempt on a non-blocking standard error that is full.
const RETRY_INTERVAL: Duration = Duration::from_millis(10);

/// Formats the line that reports how many others were dropped.
pub(super) type DroppedLine = fn(u64) -> String;

/// A handle to the sink. Cloning is cheap.
#[derive(Clone, Debug)]
pub(super) struct Sink(Arc<SinkState>);

#[derive(Debug, Default)]
struct SinkState {
    buffer: Mutex<LineBuffer>,
    /// Signals the first line of a batch, or a flush.
    wanted: Condvar,
    /// Signals that a batch was written or dropped.
    settled: Condvar,
}

#[derive(Debug, Default)]
struct LineBuffer {
    lines: Vec<u8>,
    dropped: u64,
    /// Total bytes accepted, and of those the bytes written or dropped.
    accepted: u64,
    settled: u64,
    /// Whether a call of [`Sink::flush`] is waiting.
    hurry: bool,
}

impl Sink {
    /// Starts the thread that writes to standard error.
    pub(super) fn start(dropped_line: DroppedLine) -> io::Result<Self> {
        // A separate handle, so that a write that blocks does not hold the standard library's lock.
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        Self::writing_to(stderr, dropped_line)
    }

    fn writing_to(
        output: impl Write + Send + 'static,
        dropped_line: DroppedLine,
    ) -> io::Result<Self> {
        let sink = Self(Arc::default());
        let writer = sink.clone();
        thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer.write_batches(output, dropped_line))?;
        Ok(sink)
    }

    fn write_batches(&self, mut output: impl Write, dropped_line: DroppedLine) {
        loop {
            let (mut batch, dropped) = self.next_batch();
            let bytes = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            if dropped > 0 {
                batch.extend_from_slice(dropped_line(dropped).as_bytes());
            }

            let lost = match write_all(&mut output, &batch) {
                Ok(()) => 0,
                // The lines of the batch, and the dropped ones that it should have reported.
                Err(rest) => lines_in(rest).saturating_add(dropped),
            };

            let mut buffer = self.buffer();
            buffer.settled = buffer.settled.saturating_add(bytes);
            buffer.dropped = buffer.dropped.saturating_add(lost);
            drop(buffer);
            self.0.settled.notify_all();
        }
    }

    /// Waits for a first line, then [`GATHER_INTERVAL`] for more.
    fn next_batch(&self) -> (Vec<u8>, u64) {
        let mut buffer = self.buffer();
        while buffer.lines.is_empty() {
            buffer.hurry = false;
            buffer = self
                .0
                .wanted
                .wait(buffer)
                .unwrap_or_else(PoisonError::into_inner);
        }

        let waited = self
            .0
            .wanted
            .wait_timeout_while(buffer, GATHER_INTERVAL, |buffer| !buffer.hurry);
        let (mut buffer, _) = waited.unwrap_or_else(PoisonError::into_inner);

        (
            std::mem::take(&mut buffer.lines),
            std::mem::take(&mut buffer.dropped),
        )
    }

    /// Waits until all lines accepted so far are written, up to [`FLUSH_TIMEOUT`].
    pub(super) fn flush(&self) {
        let mut buffer = self.buffer();
        let target = buffer.accepted;
        if buffer.settled >= target {
            return;
        }

        buffer.hurry = true;
        self.0.wanted.notify_one();
        let waited = self
            .0
            .settled
            .wait_timeout_while(buffer, FLUSH_TIMEOUT, |buffer| buffer.settled < target);

        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn buffer(&self) -> MutexGuard<'_, LineBuffer> {
        self.0.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Sink {
    /// Buffers a whole line, or drops it. Never blocks.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut buffer = self.buffer();
        if buffer.lines.len().saturating_add(line.len()) > MAX_BUFFERED_BYTES {
            buffer.dropped = buffer.dropped.saturating_add(1);
            return Ok(line.len());
        }

        let first = buffer.lines.is_empty();
        buffer.lines.extend_from_slice(line);
        buffer.accepted = buffer
            .accepted
            .saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        drop(buffer);

        if first {
            self.0.wanted.notify_one();
        }

        Ok(line.len())
    }

    /// Does nothing: the writer thread flushes. [`Sink::flush`] waits for it.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes all bytes, also if another process has made the shared standard error non-blocking.
/// # Errors
/// The bytes that were not written.
fn write_all<'a>(output: &mut impl Write, mut bytes: &'a [u8]) -> Result<(), &'a [u8]> {
    while !bytes.is_empty() {
        match output.write(bytes) {
            Ok(0) => return Err(bytes),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                thread::sleep(RETRY_INTERVAL)
            }
            Err(_) => return Err(bytes),
        }
    }

    Ok(())
}

fn lines_in(bytes: &[u8]) -> u64 {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
    u64::try_from(lines).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};

    /// A standard error of which the test says what becomes of each write.
    struct Steered {
        outcomes: Receiver<io::Result<()>>,
        written: Sender<String>,
    }

    impl Write for Steered {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Blocks until the test has decided.
            self.outcomes.recv().unwrap_or(Ok(()))?;
            let _ignored = self
                .written
                .send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn steered() -> (Sink, Sender<io::Result<()>>, Receiver<String>) {
        let ((decide, outcomes), (written, seen)) = (channel(), channel());
        let sink = Sink::writing_to(Steered { outcomes, written }, |lines| {
            format!("{lines} dropped\n")
        })
        .unwrap();
        (sink, decide, seen)
    }

    #[test]
    fn a_reader_that_takes_nothing_stops_neither_a_line_nor_the_end() {
        let (mut sink, decide, seen) = steered();
        let line = [b"x".repeat(1_023).as_slice(), b"\n"].concat();
        sink.write_all(&line).unwrap();
        sink.flush();

        // One batch is under way. Of as many lines as fill the buffer four times, a quarter fits.
        for _ in 0..4_096 {
            assert_eq!(sink.write(&line).unwrap(), line.len());
        }

        sink.flush();
        let kept = sink.buffer().lines.len();
        assert_eq!((kept, sink.buffer().dropped), (MAX_BUFFERED_BYTES, 3_072));
        drop(decide);
        sink.flush();

        let all: String = seen.try_iter().collect();
        assert_eq!(all.matches("x\n").count(), 1 + 1_024);
        assert!(
            all.ends_with("x\n3072 dropped\n"),
            "{}",
            &all[all.len() - 40..]
        );
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_told_of_later() {
        let (mut sink, decide, seen) = steered();
        decide.send(Err(io::ErrorKind::StorageFull.into())).unwrap();
        sink.write_all(b"one\ntwo\n").unwrap();
        sink.flush();
        decide.send(Err(io::ErrorKind::WouldBlock.into())).unwrap();
        decide.send(Ok(())).unwrap();
        sink.write_all(b"three\n").unwrap();
        sink.flush();
        assert_eq!(seen.recv().unwrap(), "three\n2 dropped\n");
    }
}
