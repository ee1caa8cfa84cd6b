//! How a test starts the program as a child process.
//!
//! A [`Setup`] owns the temporary folder that the program runs in, so that one folder can see
//! several starts. Nothing here sleeps: the first line on standard output says that the server is
//! ready, and a thread reads standard error and wakes whichever test waits for a line.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{ChildStderr, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Log, Server};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_pagertree-local");

/// The user id of `nobody`, who owns no files.
const NOBODY: u32 = 65_534;

/// How long a test waits for a line or an exit before it fails. Generous: CI machines are slow.
pub(super) const WAIT_TIMEOUT: Duration = Duration::from_secs(60);

/// How to start the program, and the folder in which it runs.
pub(crate) struct Setup {
    folder: Arc<tempfile::TempDir>,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    /// Shell commands that run before the program.
    prelude: Vec<String>,
}

impl Setup {
    /// An empty folder and no arguments.
    pub(crate) fn bare() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self {
            folder,
            arguments: Vec::new(),
            environment: Vec::new(),
            prelude: Vec::new(),
        }
    }

    /// A server on a free port, with its store in `data` in the folder.
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

    /// Limits the size of files, in blocks of 512 bytes; a write beyond it fails.
    pub(crate) fn file_blocks(mut self, blocks: u32) -> Self {
        self.prelude.push(format!("ulimit -S -f {blocks}"));
        self
    }

    /// Limits the number of open files.
    pub(crate) fn open_files(mut self, files: u32) -> Self {
        self.prelude.push(format!("ulimit -n {files}"));
        self
    }

    /// Runs a shell command before the program, which takes the place of the shell.
    pub(crate) fn prelude(mut self, command: &str) -> Self {
        self.prelude.push(command.into());
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

    /// Opens the store with sled directly, with the options that the program uses for a new store.
    pub(crate) fn engine(&self) -> sled::Db {
        sled::Config::new()
            .path(self.store())
            .segment_size(8 << 20)
            .open()
            .unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        if !self.prelude.is_empty() {
            command = Command::new("sh");
            let prelude = self.prelude.join("; ");

            // With SIGXFSZ ignored, a write beyond a limit fails instead of ending the process.
            command
                .arg("-c")
                .arg(format!("trap '' XFSZ; {prelude}; exec \"$0\" \"$@\""))
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

    /// Starts the server and waits until it listens on a TCP address.
    pub(crate) fn start(&self) -> Server {
        let mut server = self.launch();
        let address = server
            .first_line
            .trim_end()
            .strip_prefix("listening on http://")
            .map(str::parse);
        let Some(Ok(address)) = address else {
            server.fail_to_listen()
        };
        server.address = address;
        server
    }

    /// Starts the server and waits until it listens, on a TCP address or on a Unix socket. Its
    /// `address` is not set.
    pub(crate) fn launch(&self) -> Server {
        let mut process = self.command().spawn().unwrap();
        let log = Log::read(process.stderr.take().unwrap());
        let mut server = Server::attach(process, log, Arc::clone(&self.folder));
        if !server.first_line.starts_with("listening on ") {
            server.fail_to_listen();
        }
        server
    }

    /// Like [`start`](Self::start), but leaves standard error unread.
    pub(crate) fn start_with_unread_stderr(&self) -> (Server, ChildStderr) {
        let mut process = self.command().spawn().unwrap();
        let stderr = process.stderr.take().unwrap();
        let mut server = Server::attach(process, Log::unread(), Arc::clone(&self.folder));
        server.address = server
            .first_line
            .trim_end()
            .strip_prefix("listening on http://")
            .unwrap()
            .parse()
            .unwrap();
        (server, stderr)
    }

    /// Runs a command as a user other than root, to whom file modes apply, even if root runs the
    /// tests.
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

    /// Runs a command and kills it once `ready` returns `true`. Returns `false` if the command
    /// exited before that.
    pub(crate) fn run_and_kill_when(&self, mut ready: impl FnMut() -> bool) -> bool {
        let mut process = self
            .command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();

        while process.try_wait().unwrap().is_none() {
            if ready() {
                process.kill().unwrap();
                return process.wait().unwrap().code().is_none();
            }
            std::thread::yield_now();
        }

        false
    }

    /// Runs a command, sends it a signal once `ready` returns `true`, and waits for its exit.
    pub(crate) fn run_and_signal_when(
        &self,
        signal: Signal,
        mut ready: impl FnMut() -> bool,
    ) -> Outcome {
        let mut process = self.command().spawn().unwrap();
        while process.try_wait().unwrap().is_none() {
            if ready() {
                // The process has not been reaped, so its id cannot belong to another process.
                kill_process(Pid::from_child(&process), signal).unwrap();
                break;
            }
            std::thread::yield_now();
        }
        Outcome::of(process.wait_with_output().unwrap())
    }

    /// Runs a command and, once `ready` returns `true`, sends it one signal after another until it
    /// exits. Returns the number of signals.
    pub(crate) fn signal_until_exit(
        &self,
        signal: Signal,
        mut ready: impl FnMut() -> bool,
    ) -> (u32, Outcome) {
        let mut process = self.command().spawn().unwrap();
        let mut signals = 0;
        while process.try_wait().unwrap().is_none() {
            if ready() {
                kill_process(Pid::from_child(&process), signal).unwrap();
                signals += 1;
            }
            std::thread::yield_now();
        }
        (signals, Outcome::of(process.wait_with_output().unwrap()))
    }

    /// Runs a command with its standard output redirected.
    pub(crate) fn run_with_stdout(&self, stdout: impl Into<Stdio>) -> Outcome {
        Outcome::of(
            self.command()
                .stdout(stdout)
                .spawn()
                .unwrap()
                .wait_with_output()
                .unwrap(),
        )
    }

    /// Runs a command and closes its standard output after the first line, as `head -1` does.
    pub(crate) fn run_and_close_stdout(&self) -> Outcome {
        let mut process = self.command().spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut String::new()).unwrap();
        drop(stdout);
        Outcome::of(process.wait_with_output().unwrap())
    }

    /// Runs a command and waits for its exit.
    pub(crate) fn run(&self) -> Outcome {
        self.run_with_input("")
    }

    /// Runs a command with this standard input and waits for its exit.
    pub(crate) fn run_with_input(&self, input: &str) -> Outcome {
        let mut process = self.command().spawn().unwrap();
        // A command may exit before it has read all of its input.
        let _ignored = process.stdin.take().unwrap().write_all(input.as_bytes());

        let log = Log::read(process.stderr.take().unwrap());
        let mut stdout = String::new();
        for line in BufReader::new(process.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap)
        {
            if line.starts_with("listening on ") {
                process.kill().unwrap();
                panic!(
                    "the command serves instead of exiting; its log: {:#?}",
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

/// The exit code and the output of a command.
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

    /// The message of a command that failed: exit code 1, one line on standard error, nothing on
    /// standard output.
    #[track_caller]
    pub(crate) fn error(&self) -> &str {
        self.error_with_code(1)
    }

    /// Like [`error`](Self::error), with another exit code.
    #[track_caller]
    pub(crate) fn error_with_code(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(
            self.stdout.is_empty(),
            "a failed command prints nothing on standard output: {self:#?}"
        );
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        let message = self
            .stderr
            .strip_prefix("pagertree-local: ")
            .and_then(|rest| rest.strip_suffix('\n'));
        message
            .filter(|message| !message.contains('\n') && !message.is_empty())
            .unwrap_or_else(|| panic!("{self:#?}"))
    }
}

/// All files in a folder and its subfolders.
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
