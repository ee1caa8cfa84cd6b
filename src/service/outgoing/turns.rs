//! Whose turn it is to send: of each integration one at a time, of each account a few, and first
//! whoever has waited longest for a turn. So neither a slow receiver nor a long queue keeps others
//! waiting.

use crate::{domain::ids::IntegrationId, store::Outbox};
use std::collections::{HashMap, HashSet};

/// So many are sent at once, where as many files may be open.
pub const MAX_CONCURRENT: usize = 32;
/// So many of them of one account.
const OF_ONE_ACCOUNT: usize = 4;

/// Who is at work, and who had a turn when.
#[derive(Debug)]
pub struct Turns {
    /// So many are at work at once.
    at_once: usize,
    at_work: Vec<Outbox>,
    /// The number of the last turn, for as long as an integration has something to send.
    last: HashMap<IntegrationId, u64>,
    turns: u64,
}

impl Turns {
    /// Nobody is at work, and at most so many will be at once.
    pub fn of(at_once: usize) -> Self {
        Self {
            at_once,
            at_work: Vec::new(),
            last: HashMap::new(),
            turns: 0,
        }
    }

    /// Those of the queues whose turn it is now; they are at work from now on.
    pub fn begin(&mut self, due: Vec<Outbox>) -> Vec<Outbox> {
        self.forget_all_but(&due);
        let mut waiting: Vec<Outbox> = due
            .into_iter()
            .filter(|queue| !self.is_at_work(queue))
            .collect();

        waiting.sort_by_key(|queue| (self.last.get(&queue.integration).copied(), queue.due));
        let mut chosen = Vec::new();
        while self.at_work.len() < self.at_once {
            let shares = waiting.iter().map(|queue| self.share(queue)).enumerate();
            let least = shares
                .filter(|(_, share)| *share < OF_ONE_ACCOUNT)
                .min_by_key(|(_, share)| *share);
            let Some((position, _)) = least else { break };
            let queue = waiting.remove(position);
            self.turns = self.turns.saturating_add(1);
            self.last.insert(queue.integration.clone(), self.turns);
            self.at_work.push(queue.clone());
            chosen.push(queue);
        }

        chosen
    }

    /// A turn is over.
    pub fn end(&mut self, queue: &Outbox) {
        self.at_work
            .retain(|other| other.integration != queue.integration);
    }

    fn is_at_work(&self, queue: &Outbox) -> bool {
        self.at_work
            .iter()
            .any(|other| other.integration == queue.integration)
    }

    fn share(&self, queue: &Outbox) -> usize {
        self.at_work
            .iter()
            .filter(|other| other.account == queue.account)
            .count()
    }

    fn forget_all_but(&mut self, due: &[Outbox]) {
        let known: HashSet<_> = due
            .iter()
            .chain(&self.at_work)
            .map(|queue| &queue.integration)
            .collect();
        self.last
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
    fn an_account_with_many_leaves_room_for_others() {
        let mut turns = Turns::of(MAX_CONCURRENT);
        let mut due: Vec<Outbox> = (0..100).map(|number| queue("a", number)).collect();
        assert_eq!(
            names(&turns.begin(due.clone())),
            ["int_a0", "int_a1", "int_a2", "int_a3"]
        );
        due.push(queue("b", 1_000));
        assert_eq!(names(&turns.begin(due.clone())), ["int_b1000"]);
        assert!(turns.begin(due).is_empty());
    }

    #[test]
    fn who_had_a_turn_waits_until_the_others_had_one() {
        let mut turns = Turns::of(MAX_CONCURRENT);
        let due: Vec<Outbox> = (0..6).map(|number| queue("a", number)).collect();
        for expected in [
            ["int_a0", "int_a1", "int_a2", "int_a3"],
            ["int_a4", "int_a5", "int_a0", "int_a1"],
        ] {
            let chosen = turns.begin(due.clone());
            assert_eq!(names(&chosen), expected);
            chosen.iter().for_each(|queue| turns.end(queue));
        }

        turns.begin(Vec::new());
        assert!(
            turns.last.is_empty(),
            "who has nothing to send is forgotten"
        );
    }

    #[test]
    fn accounts_with_little_at_work_come_first() {
        let mut turns = Turns::of(MAX_CONCURRENT);
        let accounts: Vec<String> = (0..20).map(|number| format!("x{number}-")).collect();
        let due: Vec<Outbox> = accounts
            .iter()
            .flat_map(|name| (0..4).map(|number| queue(name, number)))
            .collect();
        let chosen = turns.begin(due.clone());

        assert_eq!(chosen.len(), MAX_CONCURRENT);
        let late = queue("late", 9);
        turns.end(&chosen[0]);

        let next = turns.begin(due.into_iter().chain([late.clone()]).collect());
        assert_eq!(next, [late]);
    }
}
