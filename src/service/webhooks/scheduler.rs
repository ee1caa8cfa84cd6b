//! Fair scheduling of outboxes.
//!
//! One request at a time for each integration and a few for each account; among the rest, accounts
//! with the fewest requests in flight first, then the integration that has waited longest. So
//! neither a slow receiver nor a long outbox holds up others.

use crate::{domain::ids::IntegrationId, store::Outbox};
use std::collections::{HashMap, HashSet};

/// Maximum number of requests in flight, where enough files may be open.
pub const MAX_CONCURRENT: usize = 32;
const MAX_CONCURRENT_PER_ACCOUNT: usize = 4;

/// Decides which outboxes are processed next.
#[derive(Debug)]
pub(super) struct FairScheduler {
    max_concurrent: usize,
    in_flight: Vec<Outbox>,
    /// When each integration was last scheduled, as a sequence number. Kept while it has something
    /// to send.
    last_scheduled: HashMap<IntegrationId, u64>,
    sequence: u64,
}

impl FairScheduler {
    pub(super) fn new(max_concurrent: usize) -> Self {
        Self {
            max_concurrent,
            in_flight: Vec::new(),
            last_scheduled: HashMap::new(),
            sequence: 0,
        }
    }

    /// Chooses from the queues that are due those to process now, and marks them as in flight.
    pub(super) fn start(&mut self, due: Vec<Outbox>) -> Vec<Outbox> {
        self.forget_idle(&due);
        let mut waiting: Vec<Outbox> = due
            .into_iter()
            .filter(|queue| !self.is_in_flight(queue))
            .collect();
        waiting.sort_by_key(|queue| {
            let last = self.last_scheduled.get(&queue.integration).copied();
            (last, queue.due)
        });

        let mut chosen = Vec::new();
        while self.in_flight.len() < self.max_concurrent {
            let loads = waiting
                .iter()
                .map(|queue| self.account_load(queue))
                .enumerate();
            let least_loaded = loads
                .filter(|(_, load)| *load < MAX_CONCURRENT_PER_ACCOUNT)
                .min_by_key(|(_, load)| *load);
            let Some((position, _)) = least_loaded else {
                break;
            };

            let queue = waiting.remove(position);
            self.sequence = self.sequence.saturating_add(1);
            self.last_scheduled
                .insert(queue.integration.clone(), self.sequence);
            self.in_flight.push(queue.clone());
            chosen.push(queue);
        }

        chosen
    }

    /// Marks a queue as no longer in flight.
    pub(super) fn finish(&mut self, queue: &Outbox) {
        self.in_flight
            .retain(|other| other.integration != queue.integration);
    }

    fn is_in_flight(&self, queue: &Outbox) -> bool {
        self.in_flight
            .iter()
            .any(|other| other.integration == queue.integration)
    }

    /// Requests in flight of the queue's account.
    fn account_load(&self, queue: &Outbox) -> usize {
        self.in_flight
            .iter()
            .filter(|other| other.account == queue.account)
            .count()
    }

    fn forget_idle(&mut self, due: &[Outbox]) {
        let known: HashSet<_> = due
            .iter()
            .chain(&self.in_flight)
            .map(|queue| &queue.integration)
            .collect();
        self.last_scheduled
            .retain(|integration, _| known.contains(integration));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ids::AccountId, timestamp::Timestamp};

    fn queue(account: &str, number: i64) -> Outbox {
        let account_id = AccountId::parse(&format!("acc_{account}")).unwrap();
        let integration = IntegrationId::parse(&format!("int_{account}{number}")).unwrap();
        Outbox::new(
            account_id,
            integration,
            Timestamp::from_millis(number).unwrap(),
        )
    }

    fn names(queues: &[Outbox]) -> Vec<&str> {
        queues
            .iter()
            .map(|queue| queue.integration.as_str())
            .collect()
    }

    #[test]
    fn busy_account_leaves_capacity_for_others() {
        let mut scheduler = FairScheduler::new(MAX_CONCURRENT);
        let mut due: Vec<Outbox> = (0..100).map(|number| queue("a", number)).collect();
        assert_eq!(
            names(&scheduler.start(due.clone())),
            ["int_a0", "int_a1", "int_a2", "int_a3"]
        );
        due.push(queue("b", 1_000));
        assert_eq!(names(&scheduler.start(due.clone())), ["int_b1000"]);
        assert!(scheduler.start(due).is_empty());
    }

    #[test]
    fn integrations_of_an_account_take_turns() {
        let mut scheduler = FairScheduler::new(MAX_CONCURRENT);
        let due: Vec<Outbox> = (0..6).map(|number| queue("a", number)).collect();
        for expected in [
            ["int_a0", "int_a1", "int_a2", "int_a3"],
            ["int_a4", "int_a5", "int_a0", "int_a1"],
        ] {
            let chosen = scheduler.start(due.clone());
            assert_eq!(names(&chosen), expected);
            chosen.iter().for_each(|queue| scheduler.finish(queue));
        }

        scheduler.start(Vec::new());
        assert!(
            scheduler.last_scheduled.is_empty(),
            "idle integrations are forgotten"
        );
    }

    #[test]
    fn least_loaded_account_is_scheduled_first() {
        let mut scheduler = FairScheduler::new(MAX_CONCURRENT);
        let accounts: Vec<String> = (0..20).map(|number| format!("x{number}-")).collect();
        let due: Vec<Outbox> = accounts
            .iter()
            .flat_map(|name| (0..4).map(|number| queue(name, number)))
            .collect();
        let chosen = scheduler.start(due.clone());

        assert_eq!(chosen.len(), MAX_CONCURRENT);
        let late = queue("late", 9);
        scheduler.finish(&chosen[0]);

        let next = scheduler.start(due.into_iter().chain([late.clone()]).collect());
        assert_eq!(next, [late]);
    }
}
