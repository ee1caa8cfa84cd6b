//! A running server: its address, its log, its memory, and the signals that it gets.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    net::SocketAddr,
    os::fd::AsFd,
    process::{Child, ChildStdout, ExitStatus},
    sync::{Arc, mpsc},
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

use super::{Client, Log, setup::WAIT_TIMEOUT};

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    process: Child,
    pub(crate) log: Log,
    pub(crate) first_line: String,
    rest: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
    /// Keeps the folder for as long as the server may write into it.
    _folder: Arc<tempfile::TempDir>,
}

impl Server {
    /// Takes over a process that was just spawned, and reads the first line of its output.
    pub(super) fn attach(mut process: Child, log: Log, folder: Arc<tempfile::TempDir>) -> Self {
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut first_line = String::new();
        stdout.read_line(&mut first_line).unwrap();

        Self {
            process,
            log,
            first_line,
            rest: stdout,
            address: ([127, 0, 0, 1], 0).into(),
            _folder: folder,
        }
    }

    pub(super) fn fail_to_listen(&mut self) -> ! {
        let _ignored = self.process.kill();
        panic!(
            "the server does not listen; standard output: {:?}, log: {:#?}",
            self.first_line,
            self.log.all()
        );
    }

    /// Waits for the exit of a server whose standard error is not read.
    #[track_caller]
    pub(crate) fn wait(mut self) -> ExitStatus {
        let (exited, exit) = mpsc::channel();
        let mut output = self
            .rest
            .get_ref()
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
            .unwrap();
        std::thread::spawn(move || exited.send(output.read_to_end(&mut Vec::new()).unwrap()));
        exit.recv_timeout(WAIT_TIMEOUT).expect("the server exits");
        self.process.wait().unwrap()
    }

    /// A client that sends this text in `Authorization`.
    pub(crate) fn client(&self, token: &str) -> Client {
        Client::new(self.address).with_header("authorization", token)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// Closes the server's standard input.
    pub(crate) fn close_stdin(&mut self) {
        drop(self.process.stdin.take());
    }

    /// Limits the size of files, in bytes. The [`Setup`](super::Setup) must have had a limit too,
    /// so that a write beyond it fails instead of ending the process.
    pub(crate) fn limit_file_size(&self, bytes: u64) {
        let limited = Rlimit {
            current: Some(bytes),
            maximum: None,
        };
        prlimit(
            Some(Pid::from_child(&self.process)),
            Resource::Fsize,
            limited,
        )
        .unwrap();
    }

    /// Removes the limit of the size of files, as if the disk had space again.
    pub(crate) fn lift_file_size_limit(&self) {
        let unlimited = Rlimit {
            current: None,
            maximum: None,
        };
        prlimit(
            Some(Pid::from_child(&self.process)),
            Resource::Fsize,
            unlimited,
        )
        .unwrap();
    }

    /// The resident memory, now and at its peak. Source: proc(5).
    pub(crate) fn memory(&self) -> Memory {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let bytes = |name: &str| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .unwrap();
            line.trim()
                .strip_suffix(" kB")
                .unwrap()
                .parse::<u64>()
                .unwrap()
                << 10
        };

        Memory {
            now: bytes("VmRSS:"),
            most: bytes("VmHWM:"),
        }
    }

    /// Kills the server and waits for its exit.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.process.wait().unwrap();
    }

    /// Sends SIGTERM, waits for the exit, and asserts that it succeeded.
    #[track_caller]
    pub(crate) fn stop(self) -> Log {
        self.signal(Signal::TERM);
        let (status, log) = self.end();
        assert_eq!(status.code(), Some(0), "{:#?}", log.all());
        log
    }

    /// Sends a signal again and again until the server exits.
    pub(crate) fn signal_until_exit(mut self, signal: Signal) -> (ExitStatus, Log) {
        while self.process.try_wait().unwrap().is_none() {
            self.signal(signal);
            std::thread::yield_now();
        }
        self.end()
    }

    /// Waits for the exit and asserts that standard output had only its first line.
    pub(crate) fn end(mut self) -> (ExitStatus, Log) {
        let log = self.log.clone();
        log.wait_for_end();
        let mut rest = String::new();
        self.rest.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "standard output has one line");
        (self.process.wait().unwrap(), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ignored = self.process.kill();
        let _ignored = self.process.wait();
    }
}

/// Resident memory in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) most: u64,
}
