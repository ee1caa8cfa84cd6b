//! The lines that a child process writes to standard error.

use std::{
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex},
};

use super::setup::WAIT_TIMEOUT;

/// Standard error of a child process, read by a thread of its own.
#[derive(Clone)]
pub(crate) struct Log(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    /// The log of a process whose standard error is left unread: empty for ever.
    pub(super) fn unread() -> Self {
        Self(Arc::default())
    }

    /// Reads lines in a thread of its own until the process closes the stream.
    pub(super) fn read(stderr: impl Read + Send + 'static) -> Self {
        let log = Self(Arc::default());
        let writer = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                writer.0.0.lock().unwrap().lines.push(line.unwrap());
                writer.0.1.notify_all();
            }
            writer.0.0.lock().unwrap().ended = true;
            writer.0.1.notify_all();
        });
        log
    }

    fn wait_until<T>(&self, what: &str, ready: impl Fn(&Lines) -> Option<T>) -> T {
        let (lines, changed) = &*self.0;
        let waiting = |lines: &mut Lines| ready(lines).is_none() && !lines.ended;
        let (lines, _) = changed
            .wait_timeout_while(lines.lock().unwrap(), WAIT_TIMEOUT, waiting)
            .unwrap();
        ready(&lines).unwrap_or_else(|| panic!("{what} never came; there is {:#?}", lines.lines))
    }

    /// Waits for a line with this text and returns it.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |lines| {
            lines.lines.iter().find(|line| line.contains(text)).cloned()
        })
    }

    pub(super) fn wait_for_end(&self) {
        self.wait_until("the end", |lines| lines.ended.then_some(()));
    }

    /// All lines so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }
}
