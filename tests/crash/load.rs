//! Everybody who writes to the server, and what they must find when it is back.

use super::{
    child::Server,
    found::{Found, Numbers, verify},
    random::Random,
    receiver::Receiver,
    reporter::Reporter,
    witness::Witness,
    worker::Worker,
};
use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};

const THREADS: usize = 8;
const ACCOUNTS: usize = 4;
const REPORTERS: usize = 2;

/// Eight threads on four accounts, and two third parties on accounts of their own.
pub(crate) struct Load {
    workers: Vec<Worker>,
    numbers: Vec<Numbers>,
    /// One for each account, and what decides where it looks.
    witnesses: Vec<(Witness, Random)>,
    reporters: Vec<Reporter>,
    /// Writes that were acknowledged and looked for.
    pub(crate) acknowledged: u64,
    /// Objects that readers were shown, counted anew in each round.
    pub(crate) shown: usize,
}

impl Load {
    pub(crate) fn new(random: &mut Random) -> Self {
        let workers = (0..THREADS)
            .map(|number| Worker::new(number, number % ACCOUNTS, random.next()))
            .collect();
        let witnesses = (0..ACCOUNTS)
            .map(|_| (Witness::default(), Random(random.next())))
            .collect();
        let receiver = Receiver::start();
        let reporters = (0..REPORTERS)
            .map(|number| Reporter::new(number, random.next(), &receiver))
            .collect();

        Self {
            workers,
            numbers: vec![Numbers::new(); ACCOUNTS],
            witnesses,
            reporters,
            acknowledged: 0,
            shown: 0,
        }
    }

    /// Lets all threads work on one server until so many writes are acknowledged, and kills it
    /// amidst the next ones.
    pub(crate) fn work_until_killed(&mut self, server: Server, until: u64) {
        let count = AtomicU64::new(0);
        let workers = std::mem::take(&mut self.workers);
        self.workers = thread::scope(|scope| {
            let (enough, wait) = mpsc::channel();
            let working: Vec<_> = workers
                .into_iter()
                .map(|mut worker| {
                    let client = server.client(&token(worker.account));
                    let (enough, count) = (enough.clone(), &count);
                    scope.spawn(move || {
                        while worker.writes(&client) {
                            if count.fetch_add(1, Ordering::SeqCst) + 1 == until {
                                enough.send(()).unwrap();
                            }
                        }
                        worker
                    })
                })
                .collect();

            for reporter in &mut self.reporters {
                let client = server.client(reporter.token());
                scope.spawn(move || while reporter.writes(&client) {});
            }

            drop(enough);
            for (account, (witness, random)) in self.witnesses.iter_mut().enumerate() {
                let client = server.client(&token(account));
                scope.spawn(move || while witness.looks(&client, random) {});
            }

            wait.recv().expect("the server went away by itself");
            server.kill();
            working
                .into_iter()
                .map(|worker| worker.join().unwrap())
                .collect()
        });
    }

    /// Looks that every account has what its threads know and its reader was shown, and nothing
    /// else, and that no number was given twice.
    pub(crate) fn verify(&mut self, server: &Server) {
        for (account, numbers) in self.numbers.iter_mut().enumerate() {
            let found = Found::read(&server.client(&token(account)));
            verify(
                found,
                self.workers
                    .iter_mut()
                    .filter(|worker| worker.account == account),
                numbers,
            );
        }

        for reporter in &mut self.reporters {
            reporter.verify(&server.client(reporter.token()));
            self.acknowledged += std::mem::take(&mut reporter.acknowledged);
        }

        for (account, (witness, _)) in self.witnesses.iter_mut().enumerate() {
            let workers = || {
                self.workers
                    .iter()
                    .filter(|worker| worker.account == account)
            };
            let objects = workers().flat_map(|worker| &worker.objects).collect();
            self.shown += std::mem::take(witness).verify(
                &objects,
                &workers().flat_map(|worker| &worker.deleted).collect(),
            );
        }

        self.acknowledged += self
            .workers
            .iter_mut()
            .map(|worker| std::mem::take(&mut worker.acknowledged))
            .sum::<u64>();
    }

    /// Looks that every webhook of what was acknowledged has come. Returns how many.
    pub(crate) fn everything_was_sent(&self, server: &Server) -> usize {
        let sent =
            |reporter: &Reporter| reporter.everything_was_sent(&server.client(reporter.token()));
        self.reporters.iter().map(sent).sum()
    }

    /// How many objects there are.
    pub(crate) fn objects(&self) -> usize {
        self.workers.iter().map(|worker| worker.objects.len()).sum()
    }
}

fn token(account: usize) -> String {
    format!("account {account}")
}
