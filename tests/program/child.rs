//! The program as a child process: started on a free port in a temporary folder, asked over HTTP,
//! told by signals.
//!
//! A [`Setup`] says how to start it and owns the folder, so that one folder can see several starts.
//! Nothing here sleeps: the first line on standard output says that the server is ready, standard
//! error is read by a thread that wakes whoever waits for a line, and its end is the end of the
//! process.

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    os::{fd::AsFd, unix::process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, mpsc},
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};

pub(crate) use super::http::{Answer, Client};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_pagertree-local");

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

/// Nothing that is waited for takes as long, unless it never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to start the program, and the folder in which it runs.
pub(crate) struct Setup {
    folder: Arc<tempfile::TempDir>,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    /// As the shell's `ulimit` takes them.
    limits: Vec<String>,
}

impl Setup {
    /// In an empty folder, without arguments.
    pub(crate) fn bare() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self {
            folder,
            arguments: Vec::new(),
            environment: Vec::new(),
            limits: Vec::new(),
        }
    }

    /// On a free port; the store goes to `data` in the folder.
    pub(crate) fn new() -> Self {
        Self::bare().args(["--listen", "127.0.0.1:0"])
    }

    /// The same folder, without arguments.
    pub(crate) fn same_folder(&self) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            ..Self::bare()
        }
    }

    pub(crate) fn args<T: Into<OsString>>(
        mut self,
        arguments: impl IntoIterator<Item = T>,
    ) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Writes `config.toml` into the folder.
    pub(crate) fn config(self, text: &str) -> Self {
        self.write("config.toml", text);
        self
    }

    /// No file may grow beyond so many blocks of 512 bytes; a write beyond fails.
    pub(crate) fn file_blocks(mut self, blocks: u32) -> Self {
        self.limits.push(format!("-S -f {blocks}"));
        self
    }

    /// No more files may be open at once.
    pub(crate) fn open_files(mut self, files: u32) -> Self {
        self.limits.push(format!("-n {files}"));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The folder that sled works in.
    pub(crate) fn store(&self) -> PathBuf {
        self.path("data/store")
    }

    /// What is in there, behind the program's back, as the engine of a new store opens it.
    pub(crate) fn engine(&self) -> sled::Db {
        sled::Config::new()
            .path(self.store())
            .segment_size(8 << 20)
            .open()
            .unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        if !self.limits.is_empty() {
            command = Command::new("sh");
            let limits: String = self
                .limits
                .iter()
                .map(|limit| format!("ulimit {limit}; "))
                .collect();

            // Without a handler for the signal, a write beyond the limit fails in place of ending
            // the process.
            command
                .arg("-c")
                .arg(format!("trap '' XFSZ; {limits} exec \"$0\" \"$@\""))
                .arg(BINARY);
        }

        command
            .args(&self.arguments)
            .current_dir(self.folder.path());

        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PAGERTREE_LOCAL_") || name == "RUST_LOG" {
                command.env_remove(name);
            }
        }

        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());

        command
    }

    /// Starts the server and waits until it listens at an address.
    pub(crate) fn start(&self) -> Server {
        let mut server = self.launch();
        let address = server
            .first_line
            .trim_end()
            .strip_prefix("listening on http://")
            .map(str::parse);
        let Some(Ok(address)) = address else {
            server.does_not_listen()
        };
        server.address = address;
        server
    }

    /// Starts the server and waits until it listens anywhere; its address is none.
    pub(crate) fn launch(&self) -> Server {
        let mut process = self.command().spawn().unwrap();
        let log = Log::read(process.stderr.take().unwrap());
        let mut server = self.of_process(process, log);
        if !server.first_line.starts_with("listening on ") {
            server.does_not_listen();
        }
        server
    }

    /// The same as [`start`](Self::start), but nobody reads standard error.
    pub(crate) fn start_unread(&self) -> (Server, ChildStderr) {
        let mut process = self.command().spawn().unwrap();
        let stderr = process.stderr.take().unwrap();
        let mut server = self.of_process(process, Log(Arc::default()));
        server.address = server
            .first_line
            .trim_end()
            .strip_prefix("listening on http://")
            .unwrap()
            .parse()
            .unwrap();
        (server, stderr)
    }

    fn of_process(&self, mut process: Child, log: Log) -> Server {
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut first_line = String::new();
        stdout.read_line(&mut first_line).unwrap();

        let (folder, address) = (Arc::clone(&self.folder), ([127, 0, 0, 1], 0).into());
        Server {
            process,
            log,
            first_line,
            rest: stdout,
            address,
            _folder: folder,
        }
    }

    /// As another user runs it, who may do with files only what their modes say. Tests that root
    /// runs are.
    pub(crate) fn run_as_nobody(&self) -> Outcome {
        let mut command = self.command();
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY);
        }

        Outcome::of(
            command
                .stdin(Stdio::null())
                .spawn()
                .unwrap()
                .wait_with_output()
                .unwrap(),
        )
    }

    /// Runs a command until `enough` says so, and kills it then. `false` if it ended before.
    pub(crate) fn run_until(&self, mut enough: impl FnMut() -> bool) -> bool {
        let mut process = self
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();

        while process.try_wait().unwrap().is_none() {
            if enough() {
                process.kill().unwrap();
                return process.wait().unwrap().code().is_none();
            }
            std::thread::yield_now();
        }

        false
    }

    /// Runs a command until `enough` says so, sends it this signal then, and waits for its end.
    pub(crate) fn run_until_signalled(
        &self,
        signal: Signal,
        mut enough: impl FnMut() -> bool,
    ) -> Outcome {
        let mut process = self.command().spawn().unwrap();
        while process.try_wait().unwrap().is_none() {
            if enough() {
                // It is not reaped, so the signal goes nowhere else if it has ended.
                kill_process(Pid::from_child(&process), signal).unwrap();
                break;
            }
            std::thread::yield_now();
        }
        Outcome::of(process.wait_with_output().unwrap())
    }

    /// The same, with one signal after another until it ends. Returns how many it took.
    pub(crate) fn signalled_until_it_ends(
        &self,
        signal: Signal,
        mut begun: impl FnMut() -> bool,
    ) -> (u32, Outcome) {
        let mut process = self.command().spawn().unwrap();
        let mut signals = 0;
        while process.try_wait().unwrap().is_none() {
            if begun() {
                kill_process(Pid::from_child(&process), signal).unwrap();
                signals += 1;
            }
            std::thread::yield_now();
        }
        (signals, Outcome::of(process.wait_with_output().unwrap()))
    }

    /// Runs a command whose standard output goes there.
    pub(crate) fn run_onto(&self, stdout: impl Into<Stdio>) -> Outcome {
        Outcome::of(
            self.command()
                .stdout(stdout)
                .spawn()
                .unwrap()
                .wait_with_output()
                .unwrap(),
        )
    }

    /// Runs a command of whose output somebody reads the first line only.
    pub(crate) fn run_and_read_a_line(&self) -> Outcome {
        let mut process = self.command().spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        drop(stdout);
        Outcome::of(process.wait_with_output().unwrap())
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self) -> Outcome {
        self.run_with_input("")
    }

    /// Runs a command to its end with something on its standard input.
    pub(crate) fn run_with_input(&self, input: &str) -> Outcome {
        let mut process = self.command().spawn().unwrap();
        // A command that does not read its input is gone before all is written; that is its right.
        let _not_wanted = process.stdin.take().unwrap().write_all(input.as_bytes());

        let log = Log::read(process.stderr.take().unwrap());
        let mut stdout = String::new();
        for line in BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
        {
            if line.starts_with("listening on ") {
                process.kill().unwrap();
                panic!(
                    "it serves where it should have ended, and logs {:#?}",
                    log.all()
                );
            }
            stdout.push_str(&line);
            stdout.push('\n');
        }

        log.wait_for_end();
        let stderr = log.all().into_iter().map(|line| line + "\n").collect();
        Outcome {
            code: process.wait().unwrap().code(),
            stdout,
            stderr,
        }
    }
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    fn of(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// The sentence of a command that failed in the way in which all are to fail.
    #[track_caller]
    pub(crate) fn fault(&self) -> &str {
        self.fault_with(1)
    }

    /// The same with another exit code.
    #[track_caller]
    pub(crate) fn fault_with(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.stdout.is_empty(), "nothing is announced: {self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        let fault = self
            .stderr
            .strip_prefix("pagertree-local: ")
            .and_then(|rest| rest.strip_suffix('\n'));
        fault
            .filter(|fault| !fault.contains('\n') && !fault.is_empty())
            .unwrap_or_else(|| panic!("{self:#?}"))
    }
}

/// A running server. It is killed when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) log: Log,
    pub(crate) first_line: String,
    rest: BufReader<std::process::ChildStdout>,
    pub(crate) address: SocketAddr,
    /// Stays for as long as the server may write into it.
    _folder: Arc<tempfile::TempDir>,
}

impl Server {
    fn does_not_listen(&mut self) -> ! {
        let _already_gone = self.process.kill();
        panic!(
            "the server does not listen but says {:?} and logs {:#?}",
            self.first_line,
            self.log.all()
        );
    }

    /// Waits until it is gone, without its log.
    #[track_caller]
    pub(crate) fn wait(mut self) -> ExitStatus {
        let (tell, told) = mpsc::channel();
        let mut output = self
            .rest
            .get_ref()
            .as_fd()
            .try_clone_to_owned()
            .map(File::from)
            .unwrap();
        std::thread::spawn(move || tell.send(output.read_to_end(&mut Vec::new()).unwrap()));
        told.recv_timeout(PATIENCE).expect("it ends");
        self.process.wait().unwrap()
    }

    /// A client with this credential, sent as it is in `Authorization`.
    pub(crate) fn client(&self, token: &str) -> Client {
        Client::new(self.address).with_header("authorization", token)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process), signal).unwrap();
    }

    /// From now on no file may grow beyond so many bytes. The [`Setup`] must have had a limit, so
    /// that writes fail.
    pub(crate) fn limited_files(&self, bytes: u64) {
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

    /// Takes the limit of [`Setup::file_blocks`] away, as if there were room on the disk again.
    pub(crate) fn unlimited_files(&self) {
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

    /// Bytes of memory that it has, and the most that it has had. Source: proc(5).
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

    /// Kills it and waits until it is gone.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        self.process.wait().unwrap();
    }

    /// Asks it to stop and waits until it is gone.
    #[track_caller]
    pub(crate) fn stop(self) -> Log {
        self.signal(Signal::TERM);
        let (status, log) = self.end();
        assert_eq!(status.code(), Some(0), "{:#?}", log.all());
        log
    }

    /// Sends this signal again and again until it is gone.
    pub(crate) fn signalled_until_it_ends(mut self, signal: Signal) -> (ExitStatus, Log) {
        while self.process.try_wait().unwrap().is_none() {
            self.signal(signal);
            std::thread::yield_now();
        }
        self.end()
    }

    /// Waits until it is gone, and looks that nothing but the first line was on standard output.
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
        let _already_gone = self.process.kill();
        let _already_gone = self.process.wait();
    }
}

/// Resident memory in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) most: u64,
}

/// What a server says on standard error.
#[derive(Clone)]
pub(crate) struct Log(Arc<(Mutex<Lines>, Condvar)>);

#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    ended: bool,
}

impl Log {
    fn read(stderr: impl Read + Send + 'static) -> Self {
        let log = Self(Arc::default());
        let written = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines() {
                written.0.0.lock().unwrap().lines.push(line.unwrap());
                written.0.1.notify_all();
            }
            written.0.0.lock().unwrap().ended = true;
            written.0.1.notify_all();
        });
        log
    }

    fn wait_until<T>(&self, what: &str, ready: impl Fn(&Lines) -> Option<T>) -> T {
        let (lines, changed) = &*self.0;
        let waiting = |lines: &mut Lines| ready(lines).is_none() && !lines.ended;
        let (lines, _) = changed
            .wait_timeout_while(lines.lock().unwrap(), PATIENCE, waiting)
            .unwrap();
        ready(&lines).unwrap_or_else(|| panic!("{what} never came; there is {:#?}", lines.lines))
    }

    /// Waits for a line with this text and returns it.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(text, |lines| {
            lines.lines.iter().find(|line| line.contains(text)).cloned()
        })
    }

    fn wait_for_end(&self) {
        self.wait_until("the end", |lines| lines.ended.then_some(()));
    }

    /// All lines so far.
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.0.lock().unwrap().lines.clone()
    }
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());

    entries
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}
