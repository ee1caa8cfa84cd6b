//! Parses faults. Every error names its place and what would be right.

use super::{
    CloseFault, FaultAction, FaultDelay, FaultOutcome, FaultPlan, FaultRule, MAX_DELAY_MILLIS,
    StatusFault,
};
use crate::domain::{
    body::{excerpt, kind_of},
    request_match::{MatchScope, RequestMatch},
};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const MAX_RULES: usize = 100;
const MAX_NTH: usize = 10_000;

/// The members of an object that have not been read yet, and the errors so far.
struct FaultMembers<'a> {
    place: String,
    rest: Map<String, Value>,
    errors: &'a mut Vec<String>,
}

impl<'a> FaultMembers<'a> {
    /// `None` if the value is no object, which is an error.
    fn of(place: String, value: &Value, errors: &'a mut Vec<String>) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self {
                place,
                rest: members.clone(),
                errors,
            }),
            other => {
                errors.push(format!(
                    "'{place}' must be an object, but was {}",
                    kind_of(other)
                ));
                None
            }
        }
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.rest.shift_remove(name)
    }

    /// Takes a member by a rule that returns what would be right as the error.
    fn read<T>(&mut self, name: &str, expected: &str, rule: fn(&Value) -> Option<T>) -> Option<T> {
        let value = self.take(name)?;
        let read = rule(&value);
        if read.is_none() {
            self.errors.push(format!(
                "'{}' must be {expected}, but was {}",
                self.path(name),
                excerpt(&value.to_string())
            ));
        }
        read
    }

    fn path(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    fn error(&mut self, error: impl Into<String>) {
        self.errors.push(error.into());
    }

    /// What has not been read is unknown.
    fn finish(self, known: &str) {
        for name in self.rest.keys() {
            self.errors.push(format!(
                "'{}' is not known; there are {known}",
                self.path(name)
            ));
        }
    }
}

impl FaultPlan {
    /// Parses the body of `PUT /_local/faults`.
    ///
    /// # Errors
    /// Every error, each with its place.
    pub fn parse(attributes: Map<String, Value>) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let mut plan = Self::default();
        if let Some(mut members) =
            FaultMembers::of(String::new(), &Value::Object(attributes), &mut errors)
        {
            plan.seed = members
                .read("seed", "a whole number of at least 0", Value::as_u64)
                .unwrap_or_default();
            let rules = members
                .take("rules")
                .unwrap_or_else(|| Vec::<Value>::new().into());
            members.finish("seed, rules");
            plan.rules = parse_rules(&rules, &mut errors);
        }

        if errors.is_empty() {
            Ok(plan)
        } else {
            Err(errors)
        }
    }
}

fn parse_rules(rules: &Value, errors: &mut Vec<String>) -> Vec<FaultRule> {
    let Value::Array(rules) = rules else {
        errors.push(format!(
            "'rules' must be an array, but was {}",
            kind_of(rules)
        ));
        return Vec::new();
    };
    if rules.len() > MAX_RULES {
        errors.push(format!(
            "'rules' may have at most {MAX_RULES} rules, but has {}",
            rules.len()
        ));
        return Vec::new();
    }

    let rules = rules.iter().enumerate();
    rules
        .filter_map(|(position, rule)| parse_rule(&format!("rules[{position}]"), rule, errors))
        .collect()
}

fn parse_rule(place: &str, rule: &Value, errors: &mut Vec<String>) -> Option<FaultRule> {
    let source = rule.as_object().cloned();
    let mut members = FaultMembers::of(place.to_owned(), rule, errors)?;
    let conditions = members.take("match");
    let nth = members.read("nth", "an array of whole numbers of at least 1", parse_nth);
    let times = members.read("times", "a whole number of at least 1", positive);
    let probability = members.read("probability", "a number from 0 to 1", |value| {
        value.as_f64().filter(|number| (0.0..=1.0).contains(number))
    });
    let action = members.take("do");
    members.finish("match, nth, times, probability, do");

    let conditions = match conditions {
        None => RequestMatch::default(),
        Some(Value::Object(attributes)) => {
            let place = format!("{place}.match");
            RequestMatch::parse(&place, &attributes, MatchScope::Request).unwrap_or_else(|found| {
                errors.extend(found);
                RequestMatch::default()
            })
        }
        Some(other) => {
            errors.push(format!(
                "'{place}.match' must be an object, but was {}",
                kind_of(&other)
            ));
            RequestMatch::default()
        }
    };

    let Some(action) = action else {
        errors.push(format!("'{place}.do' is required"));
        return None;
    };
    Some(FaultRule {
        conditions,
        nth,
        times,
        probability,
        action: parse_action(format!("{place}.do"), &action, errors)?,
        source: source?,
    })
}

impl FaultAction {
    /// Parses the preferences of one request, as members of `do`.
    ///
    /// # Errors
    /// Every error.
    pub fn parse(place: &str, action: &Value) -> Result<Self, Vec<String>> {
        let mut errors = Vec::new();
        let action = parse_action(place.to_owned(), action, &mut errors);
        match action {
            Some(action) if errors.is_empty() => Ok(action),
            _ => Err(errors),
        }
    }
}

fn parse_action(place: String, action: &Value, errors: &mut Vec<String>) -> Option<FaultAction> {
    let mut members = FaultMembers::of(place.clone(), action, errors)?;
    let outcomes = read_outcomes(&place, &mut members);
    let delay = read_delay(&place, &mut members);

    let mut outcomes = outcomes.into_iter().flatten();
    let (outcome, second) = (outcomes.next(), outcomes.next());
    if second.is_some() {
        members.error(format!(
            "'{place}' may have one of status, close, store and limit, not several"
        ));
    } else if outcome.is_none() && delay.is_none() && members.errors.is_empty() {
        members.error(format!(
            "'{place}' must have one of status, close, store, limit, delay_ms and delay"
        ));
    }

    members.finish("status, body, retry_after, delay_ms, delay, close, limit, store");
    Some(FaultAction { delay, outcome })
}

/// Every outcome that is asked for. An action may have one.
fn read_outcomes(place: &str, members: &mut FaultMembers<'_>) -> [Option<FaultOutcome>; 4] {
    let status = read_status(place, members);
    let close = members.read("close", "before, after_commit or mid_body", |value| {
        Some(match value.as_str()? {
            "before" => CloseFault::Before,
            "after_commit" => CloseFault::AfterCommit,
            "mid_body" => CloseFault::MidBody,
            _ => return None,
        })
    });
    let store = members.read("store", "busy or slow", |value| {
        Some(match value.as_str()? {
            "busy" => FaultOutcome::BusyStore,
            "slow" => FaultOutcome::SlowStore,
            _ => return None,
        })
    });
    let limit = members.read(
        "limit",
        "an object like {\"requests\":10,\"per_seconds\":60}",
        parse_limit,
    );

    [
        status.map(FaultOutcome::Status),
        close.map(FaultOutcome::Close),
        store,
        limit,
    ]
}

fn read_status(place: &str, members: &mut FaultMembers<'_>) -> Option<StatusFault> {
    let status = members.read("status", "a status from 200 to 599", |value| {
        let status = value.as_u64().and_then(|status| u16::try_from(status).ok());
        status.filter(|status| (200..=599).contains(status))
    });
    let body = members.take("body");
    let retry_after = members.read("retry_after", "a whole number of seconds", Value::as_u64);
    if status.is_none() && (body.is_some() || retry_after.is_some()) {
        members.error(format!(
            "'{place}': 'body' and 'retry_after' need a 'status'"
        ));
    }

    Some(StatusFault {
        status: status?,
        body,
        retry_after,
    })
}

fn read_delay(place: &str, members: &mut FaultMembers<'_>) -> Option<FaultDelay> {
    let fixed = members.read("delay_ms", &delay_range(), |value| {
        value.as_u64().filter(|millis| *millis <= MAX_DELAY_MILLIS)
    });
    let delay = members.read(
        "delay",
        "an object like {\"distribution\":\"uniform\",\"min_ms\":10,\"max_ms\":200} or \
         {\"distribution\":\"lognormal\",\"median_ms\":50,\"sigma\":0.5}, of at most 60000 ms",
        parse_delay,
    );
    if fixed.is_some() && delay.is_some() {
        members.error(format!(
            "'{place}' may have 'delay_ms' or 'delay', not both"
        ));
    }

    delay.or(fixed.map(FaultDelay::Fixed))
}

fn delay_range() -> String {
    format!("a whole number of milliseconds, at most {MAX_DELAY_MILLIS}")
}

fn positive(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number > 0)
}

fn parse_nth(value: &Value) -> Option<BTreeSet<u64>> {
    let numbers = value.as_array()?;
    if numbers.is_empty() || numbers.len() > MAX_NTH {
        return None;
    }
    numbers.iter().map(positive).collect()
}

fn parse_limit(value: &Value) -> Option<FaultOutcome> {
    let members = value.as_object()?;
    let per_seconds = positive(members.get("per_seconds")?)?;
    let requests = members.get("requests")?.as_u64()?;
    (members.len() == 2).then_some(FaultOutcome::Limit {
        requests,
        per_seconds,
    })
}

fn parse_delay(value: &Value) -> Option<FaultDelay> {
    let members = value.as_object()?;
    let millis = |name: &str| {
        let millis = members.get(name)?.as_u64()?;
        (millis <= MAX_DELAY_MILLIS).then_some(millis)
    };
    if members.len() != 3 {
        return None;
    }

    match members.get("distribution")?.as_str()? {
        "uniform" => {
            let (min, max) = (millis("min_ms")?, millis("max_ms")?);
            (min <= max).then_some(FaultDelay::Uniform { min, max })
        }
        "lognormal" => {
            let sigma = members.get("sigma")?.as_f64()?;
            (0.0..=10.0)
                .contains(&sigma)
                .then_some(FaultDelay::LogNormal {
                    median: millis("median_ms")?,
                    sigma,
                })
        }
        _ => None,
    }
}
