//! Rounds on one disk: the server works, is killed, and finds what a power cut at that moment could
//! have left.

use super::{
    chance::Chance,
    disk::{Counts, Disk},
    image::Image,
    shim::Shim,
    trace,
};
use crate::support::{Server, Setup, random::SplitMix64, workload::Workload};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// Outcomes checked for each cut. The server continues on the last.
const OUTCOMES: usize = 3;

/// A description of a loss.
#[derive(Debug)]
pub(crate) struct Loss(pub(crate) String);

pub(crate) struct Rounds {
    shim: Shim,
    random: SplitMix64,
    /// The contents of the disk before and after this round.
    before: Image,
    image: Image,
    pub(crate) workload: Workload,
    /// Whether any write was acknowledged.
    worked: bool,
    counts: Counts,
    /// Outcomes checked, and how many of them lacked something that the server had last seen.
    pub(crate) outcomes: usize,
    pub(crate) losing: usize,
}

impl Rounds {
    /// Starts with an empty disk. `counts` decides which syncs count.
    pub(crate) fn new(seed: u64, counts: Counts) -> Self {
        let mut random = SplitMix64(seed);
        let (shim, image, workload) = (Shim::new(), Image::default(), Workload::new(&mut random));
        Self {
            shim,
            random,
            before: image.clone(),
            image,
            workload,
            worked: false,
            counts,
            outcomes: 0,
            losing: 0,
        }
    }

    /// Runs one round: verifies what the last one left, lets the server work and cuts the power.
    /// One cut in six hits the server while it opens the store.
    pub(crate) fn round(&mut self) -> Result<(), Loss> {
        let server = self.verified()?;
        if self.random.below(6) == 0 {
            server.kill();
            self.cut(true)
        } else {
            self.worked = true;
            self.workload
                .run_until_killed(server, 1 + self.random.below(200));
            self.cut(false)
        }
    }

    /// Starts the server on what the last round left, and compares its data with the acknowledged
    /// writes.
    pub(crate) fn verified(&mut self) -> Result<Server, Loss> {
        let setup = self.shim.around(Setup::new());
        self.image.write_to(&setup.path(""));
        let server = or_loss("the server does not start", || setup.start())?;
        or_loss(
            "the server shows something else than was acknowledged",
            || self.workload.verify(&server),
        )?;
        Ok(server)
    }

    /// Cuts the power at the end, or anywhere if nothing was acknowledged meanwhile, and checks the
    /// possible outcomes.
    fn cut(&mut self, anywhere: bool) -> Result<(), Loss> {
        let trace = self.shim.trace();
        let records = trace::read(&trace);
        let until = if anywhere {
            self.random.below(records.len() as u64 + 1) as usize
        } else {
            records.len()
        };

        self.before = std::mem::take(&mut self.image);
        let mut disk = Disk::holding(&self.before, self.counts);
        records[..until]
            .iter()
            .for_each(|record| disk.happens(record));

        let seen = disk.left(&mut Chance::Everything);
        for _ in 0..OUTCOMES {
            self.image = disk.left(&mut Chance::cut(self.random.next()));
            self.outcomes += 1;
            self.losing += usize::from(self.image != seen);
            self.check().map_err(|Loss(told)| {
                Loss(format!("cut at {until} of {}: {told}", records.len()))
            })?;
        }

        Ok(())
    }

    fn check(&self) -> Result<(), Loss> {
        if !self.worked {
            // There may be no store at all, which `check` rightly calls a fault. But the server
            // must make one.
            let setup = Setup::new();
            self.image.write_to(&setup.path(""));
            return or_loss("the server does not start", || setup.start().kill());
        }

        let setup = Setup::bare().args(["check"]);
        self.image.write_to(&setup.path(""));
        let outcome = setup.run();

        if outcome.code == Some(0) {
            Ok(())
        } else {
            Err(Loss(format!("{outcome:#?}")))
        }
    }

    /// Saves the disk before the round, the trace, and the disk after the cut.
    pub(crate) fn keep_evidence(&self, folder: &Path) {
        let _none_of_an_earlier_run = std::fs::remove_dir_all(folder);
        for (name, image) in [("before", &self.before), ("left", &self.image)] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            image.write_to(&folder.join(name));
        }
        std::fs::write(folder.join("trace"), self.shim.trace()).unwrap();
    }
}

/// Turns a panic into a loss.
fn or_loss<T>(what: &str, work: impl FnOnce() -> T) -> Result<T, Loss> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let why = panic
            .downcast_ref::<String>()
            .map_or("see above", String::as_str);
        Loss(format!("{what}: {why}"))
    })
}
