//! The faults that are set, and which requests they hit.

use super::{
    ControlScope,
    hooks::{RequestHook, RequestHooks},
};
use crate::domain::{
    account_rings::RingOwner,
    fault::{Chance, DEFAULT_SLOW_MILLIS, FaultAction, FaultOutcome, FaultPlan},
    ids::AccountId,
    list::RawObject,
    recorded_request::InjectedFault,
    rejection::Rejection,
    timestamp::Timestamp,
};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

/// The faults of all accounts. Clones share them.
#[derive(Clone, Debug)]
pub struct Faults(Arc<FaultsFields>);

#[derive(Debug)]
struct FaultsFields {
    plans: RwLock<Plans>,
    hooks: RequestHooks,
}

#[derive(Debug, Default)]
struct Plans {
    accounts: HashMap<AccountId, Arc<ActivePlan>>,
    /// Of every account, behind its own.
    all: Option<Arc<ActivePlan>>,
}

/// A plan, and what it has counted for each account.
#[derive(Debug)]
struct ActivePlan {
    plan: FaultPlan,
    counters: Mutex<HashMap<RingOwner, Vec<RuleCounters>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct RuleCounters {
    matched: u64,
    fired: u64,
    /// The start of the current window of a limit, and the requests in it.
    window: Option<(Timestamp, u64)>,
}

/// A fault that hits a request.
#[derive(Clone, Debug, PartialEq)]
pub struct FiredFault {
    /// How long the request waits, in milliseconds.
    pub delay_millis: u64,
    /// What becomes of it. `None` if it is only delayed.
    pub outcome: Option<FaultOutcome>,
    /// For the journal.
    pub injected: InjectedFault,
}

/// Accounts that may have faults at the same time, which bounds the memory of rules.
const MAX_PLANS: usize = 1_000;
/// Accounts that a plan for all counts separately. Further ones are counted together.
const MAX_COUNTED_ACCOUNTS: usize = 100_000;

impl Faults {
    /// No faults.
    pub(super) fn new(hooks: RequestHooks) -> Self {
        Self(Arc::new(FaultsFields {
            plans: RwLock::default(),
            hooks,
        }))
    }

    /// Replaces the faults of a scope. All counts start again.
    ///
    /// # Errors
    /// [`Rejection::Conflict`] when too many accounts have faults.
    pub fn set(&self, scope: &ControlScope, plan: FaultPlan) -> Result<(), Rejection> {
        let plan = Arc::new(ActivePlan {
            plan,
            counters: Mutex::default(),
        });
        self.change(|plans| match scope {
            ControlScope::Account(account) => {
                let is_new = !plans.accounts.contains_key(account);
                if is_new && plans.accounts.len() >= MAX_PLANS {
                    return Err(Rejection::Conflict(format!(
                        "{MAX_PLANS} accounts have faults, which is the limit; delete those of \
                         another account first"
                    )));
                }
                plans.accounts.insert(account.clone(), plan);
                Ok(())
            }
            ControlScope::AllAccounts => {
                plans.all = Some(plan);
                Ok(())
            }
        })
    }

    /// Removes the faults of a scope. For all accounts, removes those of each account too.
    pub fn clear(&self, scope: &ControlScope) {
        self.change(|plans| match scope {
            ControlScope::Account(account) => drop(plans.accounts.remove(account)),
            ControlScope::AllAccounts => *plans = Plans::default(),
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut Plans) -> T) -> T {
        let mut plans = self.0.plans.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = change(&mut plans);
        let has_any = plans.all.is_some() || !plans.accounts.is_empty();
        self.0.hooks.set(RequestHook::Faults, has_any);
        outcome
    }

    /// The faults of a scope, and how often each rule has matched and fired.
    pub fn describe(&self, scope: &ControlScope) -> Value {
        let plans = self.0.plans.read().unwrap_or_else(PoisonError::into_inner);
        let active = match scope {
            ControlScope::Account(account) => plans.accounts.get(account),
            ControlScope::AllAccounts => plans.all.as_ref(),
        };
        active.map_or_else(
            || json!({"seed": 0, "rules": []}),
            |active| active.describe(),
        )
    }

    /// Whether any fault may hit a request of this account.
    pub fn concern(&self, account: &RingOwner) -> bool {
        self.0.hooks.active().has(RequestHook::Faults) && !self.of(account).is_empty()
    }

    /// The plans of an account, its own first.
    fn of(&self, account: &RingOwner) -> Vec<Arc<ActivePlan>> {
        let plans = self.0.plans.read().unwrap_or_else(PoisonError::into_inner);
        let own = account
            .as_ref()
            .and_then(|account| plans.accounts.get(account));
        own.into_iter().chain(&plans.all).cloned().collect()
    }

    /// Counts a request, and decides which fault hits it. Webhooks are hit only by rules that name
    /// them.
    pub fn decide(
        &self,
        account: &RingOwner,
        record: &RawObject<'_>,
        is_webhook: bool,
        now: Timestamp,
    ) -> Option<FiredFault> {
        let plans = self.of(account);
        let decided = plans
            .iter()
            .map(|plan| plan.decide(account, record, is_webhook, now));
        // Every plan counts the request, whichever hits it.
        decided.collect::<Vec<_>>().into_iter().flatten().next()
    }
}

impl ActivePlan {
    fn decide(
        &self,
        account: &RingOwner,
        record: &RawObject<'_>,
        is_webhook: bool,
        now: Timestamp,
    ) -> Option<FiredFault> {
        // Before the lock: comparing may take a while, and all requests of the account count.
        let matching: Vec<usize> = self
            .plan
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.conditions.is_for_webhooks() == is_webhook)
            .filter(|(_, rule)| rule.conditions.holds(record))
            .map(|(position, _)| position)
            .collect();

        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = counters.len() < MAX_COUNTED_ACCOUNTS || counters.contains_key(account);
        let owner = if has_room { account.clone() } else { None };
        let counters = counters
            .entry(owner)
            .or_insert_with(|| vec![RuleCounters::default(); self.plan.rules.len()]);

        let mut fault = None;
        for position in matching {
            let (Some(rule), Some(counters)) =
                (self.plan.rules.get(position), counters.get_mut(position))
            else {
                continue;
            };

            // A rule counts each request that matches it, also one that an earlier rule hits.
            counters.matched = counters.matched.saturating_add(1);
            let number = counters.matched;
            let chance = Chance::new(self.plan.seed, position, number);
            let is_spent = rule.times.is_some_and(|times| counters.fired >= times);
            if fault.is_some() || is_spent || !rule.hits(number, chance) {
                continue;
            }
            if let Some(FaultOutcome::Limit {
                requests,
                per_seconds,
            }) = rule.action.outcome
                && !counters.exceeds(requests, per_seconds, now)
            {
                continue;
            }

            counters.fired = counters.fired.saturating_add(1);
            let injected = InjectedFault {
                rule: Some(position),
                number,
            };
            fault = Some(FiredFault::new(&rule.action, chance, injected));
        }
        fault
    }

    fn describe(&self) -> Value {
        let counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |position: usize, of: fn(&RuleCounters) -> u64| -> u64 {
            let all = counters.values().filter_map(|rules| rules.get(position));
            all.map(of).fold(0, u64::saturating_add)
        };

        let rules = self.plan.rules.iter().enumerate().map(|(position, rule)| {
            let mut described = rule.source.clone();
            described.insert("matched".into(), sum(position, |rule| rule.matched).into());
            described.insert("fired".into(), sum(position, |rule| rule.fired).into());
            Value::Object(described)
        });
        json!({"seed": self.plan.seed, "rules": rules.collect::<Vec<_>>()})
    }
}

impl RuleCounters {
    /// Counts a request in the window of a limit. Returns whether it is beyond the limit.
    fn exceeds(&mut self, requests: u64, per_seconds: u64, now: Timestamp) -> bool {
        let length = i64::try_from(per_seconds.saturating_mul(1_000)).unwrap_or(i64::MAX);
        let (start, used) = self
            .window
            .filter(|(start, _)| {
                // A clock that was moved back starts a new window, too.
                let passed = now.millis().saturating_sub(start.millis());
                (0..length).contains(&passed)
            })
            .unwrap_or((now, 0));
        self.window = Some((start, used.saturating_add(1)));
        used >= requests
    }
}

impl FiredFault {
    /// A fault by `action`.
    pub fn new(action: &FaultAction, chance: Chance, injected: InjectedFault) -> Self {
        let default = match action.outcome {
            Some(FaultOutcome::SlowStore) => DEFAULT_SLOW_MILLIS,
            _ => 0,
        };
        Self {
            delay_millis: action.delay.map_or(default, |delay| delay.millis(chance)),
            outcome: action.outcome.clone(),
            injected,
        }
    }
}
