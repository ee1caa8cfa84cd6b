//! The workload of the crash and power tests: clients that write and read until the server is
//! killed, and that know what the restarted server must have.

mod alert_model;
mod listing;
mod reader;
mod third_party;
mod webhook_receiver;
mod writer;

pub(crate) use listing::Listing;

use super::{Server, random::SplitMix64};
use listing::{Numbers, verify};
use reader::ReaderClient;
use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};
use third_party::ThirdParty;
use webhook_receiver::WebhookReceiver;
use writer::WriterClient;

const THREADS: usize = 8;
const ACCOUNTS: usize = 4;
const THIRD_PARTIES: usize = 2;

/// Eight writers and four readers on four accounts, and two third parties on accounts of their own.
pub(crate) struct Workload {
    writers: Vec<WriterClient>,
    numbers: Vec<Numbers>,
    /// One for each account.
    readers: Vec<(ReaderClient, SplitMix64)>,
    third_parties: Vec<ThirdParty>,
    /// Acknowledged writes that were verified.
    pub(crate) acknowledged: u64,
    /// Objects that readers saw, summed over all rounds.
    pub(crate) shown: usize,
}

impl Workload {
    pub(crate) fn new(random: &mut SplitMix64) -> Self {
        let writers = (0..THREADS)
            .map(|number| WriterClient::new(number, number % ACCOUNTS, random.next()))
            .collect();
        let readers = (0..ACCOUNTS)
            .map(|_| (ReaderClient::default(), SplitMix64(random.next())))
            .collect();
        let receiver = WebhookReceiver::start();
        let third_parties = (0..THIRD_PARTIES)
            .map(|number| ThirdParty::new(number, random.next(), &receiver))
            .collect();

        Self {
            writers,
            numbers: vec![Numbers::new(); ACCOUNTS],
            readers,
            third_parties,
            acknowledged: 0,
            shown: 0,
        }
    }

    /// Runs all clients on one server until `until` writes are acknowledged, and kills it while the
    /// next ones are under way.
    pub(crate) fn run_until_killed(&mut self, server: Server, until: u64) {
        let count = AtomicU64::new(0);
        let writers = std::mem::take(&mut self.writers);
        self.writers = thread::scope(|scope| {
            let (reached, wait) = mpsc::channel();
            let working: Vec<_> = writers
                .into_iter()
                .map(|mut writer| {
                    let client = server.client(&token(writer.account));
                    let (reached, count) = (reached.clone(), &count);
                    scope.spawn(move || {
                        while writer.write(&client) {
                            if count.fetch_add(1, Ordering::SeqCst) + 1 == until {
                                reached.send(()).unwrap();
                            }
                        }
                        writer
                    })
                })
                .collect();

            for third_party in &mut self.third_parties {
                let client = server.client(third_party.token());
                scope.spawn(move || while third_party.write(&client) {});
            }

            drop(reached);
            for (account, (reader, random)) in self.readers.iter_mut().enumerate() {
                let client = server.client(&token(account));
                scope.spawn(move || while reader.read(&client, random) {});
            }

            wait.recv().expect("the server exited by itself");
            server.kill();
            working
                .into_iter()
                .map(|writer| writer.join().unwrap())
                .collect()
        });
    }

    /// Asserts that every account has the objects that its writers and its reader know, and no
    /// others, and that no `tinyId` was assigned twice.
    pub(crate) fn verify(&mut self, server: &Server) {
        for (account, numbers) in self.numbers.iter_mut().enumerate() {
            let listing = Listing::read(&server.client(&token(account)));
            verify(
                listing,
                self.writers
                    .iter_mut()
                    .filter(|writer| writer.account == account),
                numbers,
            );
        }

        for third_party in &mut self.third_parties {
            third_party.verify(&server.client(third_party.token()));
            self.acknowledged += std::mem::take(&mut third_party.acknowledged);
        }

        for (account, (reader, _)) in self.readers.iter_mut().enumerate() {
            let writers = || {
                self.writers
                    .iter()
                    .filter(|writer| writer.account == account)
            };
            let objects = writers().flat_map(|writer| &writer.objects).collect();
            self.shown += std::mem::take(reader).verify(
                &objects,
                &writers().flat_map(|writer| &writer.deleted).collect(),
            );
        }

        self.acknowledged += self
            .writers
            .iter_mut()
            .map(|writer| std::mem::take(&mut writer.acknowledged))
            .sum::<u64>();
    }

    /// Waits for the webhooks of all acknowledged writes. Returns their number.
    pub(crate) fn wait_for_webhooks(&self, server: &Server) -> usize {
        let wait = |third_party: &ThirdParty| {
            third_party.wait_for_webhooks(&server.client(third_party.token()))
        };
        self.third_parties.iter().map(wait).sum()
    }

    /// The number of integrations.
    pub(crate) fn objects(&self) -> usize {
        self.writers.iter().map(|writer| writer.objects.len()).sum()
    }
}

fn token(account: usize) -> String {
    format!("account {account}")
}
