//! Ties the life of the server to another process: its standard input, or a process id.
//!
//! A test runner that is killed cannot stop the server that it started. Both ways work however it
//! ends: the system closes its end of a pipe, and its process id disappears.

use crate::cli::CliError;
use clap::Args;
use rustix::{io::Errno, process::Pid};
use std::{
    io::{self, Read},
    thread,
    time::Duration,
};
use tokio::sync::mpsc;

/// Flags that stop the server together with another process.
#[derive(Clone, Debug, Default, Args)]
pub(in crate::cli) struct LifelineArgs {
    /// Stop as soon as standard input is closed
    #[arg(long)]
    until_stdin_closes: bool,
    /// Stop as soon as this process has ended
    #[arg(long, value_name = "PID", value_parser = clap::value_parser!(i32).range(1..))]
    parent: Option<i32>,
}

/// Waits for the end of the processes that the server is tied to.
pub(super) struct Lifelines {
    ended: mpsc::Receiver<&'static str>,
    /// Keeps the channel open, so that a server without lifelines waits for ever.
    _open: mpsc::Sender<&'static str>,
}

impl Lifelines {
    /// Starts to watch.
    ///
    /// # Errors
    /// The process does not exist, or a thread cannot be started.
    pub(super) fn watch(arguments: &LifelineArgs) -> Result<Self, CliError> {
        let (ends, ended) = mpsc::channel(2);
        if arguments.until_stdin_closes {
            watch_with(
                "stdin",
                ends.clone(),
                "standard input was closed",
                read_to_end,
            )?;
        }

        if let Some(id) = arguments.parent {
            let process = Process::find(id)?;
            watch_with(
                "parent",
                ends.clone(),
                "the process of --parent ended",
                move || {
                    process.wait();
                },
            )?;
        }

        Ok(Self { ended, _open: ends })
    }

    /// Why the server should stop. Pending as long as it should not.
    pub(super) async fn ended(&mut self) -> &'static str {
        match self.ended.recv().await {
            Some(reason) => reason,
            None => std::future::pending().await,
        }
    }
}

fn watch_with(
    name: &str,
    ends: mpsc::Sender<&'static str>,
    reason: &'static str,
    wait: impl FnOnce() + Send + 'static,
) -> io::Result<()> {
    let watch = move || {
        wait();
        // The receiver is gone if the server has stopped for another reason.
        let _ignored = ends.blocking_send(reason);
    };
    thread::Builder::new()
        .name(name.into())
        .spawn(watch)
        .map(drop)
}

/// Discards standard input up to its end. An error counts as its end.
fn read_to_end() {
    let mut discarded = [0; 4096];
    loop {
        match io::stdin().lock().read(&mut discarded) {
            Ok(0) => return,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return,
            _ => {}
        }
    }
}

/// Another process.
struct Process {
    id: Pid,
    /// Refers to the process even if its id is used again. Not every system has it.
    #[cfg(target_os = "linux")]
    handle: Option<rustix::fd::OwnedFd>,
}

impl Process {
    const POLL_INTERVAL: Duration = Duration::from_millis(200);

    fn find(id: i32) -> Result<Self, CliError> {
        let missing = || {
            CliError(format!(
                "--parent {id}: no process has this id; pass the id of the process that should own the server"
            ))
        };
        let id = Pid::from_raw(id).ok_or_else(missing)?;
        let process = Self {
            id,
            #[cfg(target_os = "linux")]
            handle: rustix::process::pidfd_open(id, rustix::process::PidfdFlags::empty()).ok(),
        };

        if process.is_alive() {
            Ok(process)
        } else {
            Err(missing())
        }
    }

    fn is_alive(&self) -> bool {
        // Without permission to signal it, the process exists all the same.
        !matches!(
            rustix::process::test_kill_process(self.id),
            Err(Errno::SRCH)
        )
    }

    fn wait(self) {
        #[cfg(target_os = "linux")]
        if let Some(handle) = &self.handle {
            use rustix::event::{PollFd, PollFlags, poll};
            let mut waiting = [PollFd::new(handle, PollFlags::IN)];
            loop {
                match poll(&mut waiting, None) {
                    Ok(_) => return,
                    Err(Errno::INTR) => {}
                    // Polling by id takes over.
                    Err(_) => break,
                }
            }
        }

        while self.is_alive() {
            thread::sleep(Self::POLL_INTERVAL);
        }
    }
}
