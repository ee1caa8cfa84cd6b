//! Faults: parsing, and decisions that repeat.

use super::*;
use serde_json::json;

fn plan(value: Value) -> Result<FaultPlan, Vec<String>> {
    FaultPlan::parse(value.as_object().unwrap().clone())
}

fn rule(rule: Value) -> FaultRule {
    plan(json!({"rules": [rule]})).unwrap().rules.remove(0)
}

#[test]
fn malformed_faults_are_refused_with_place_and_reason() {
    for (value, part) in [
        (
            json!({"rule": []}),
            "'rule' is not known; there are seed, rules",
        ),
        (json!({"seed": -1}), "'seed' must be a whole number"),
        (json!({"rules": {}}), "'rules' must be an array"),
        (json!({"rules": [1]}), "'rules[0]' must be an object"),
        (json!({"rules": [{}]}), "'rules[0].do' is required"),
        (
            json!({"rules": [{"do": {}}]}),
            "'rules[0].do' must have one of status, close",
        ),
        (
            json!({"rules": [{"do": {"status": 99}}]}),
            "'rules[0].do.status' must be a status from 200 to 599, but was 99",
        ),
        (
            json!({"rules": [{"do": {"status": 500, "close": "before"}}]}),
            "may have one of status, close, store and limit",
        ),
        (
            json!({"rules": [{"do": {"retry_after": 3, "delay_ms": 1}}]}),
            "need a 'status'",
        ),
        (
            json!({"rules": [{"do": {"close": "later"}}]}),
            "'rules[0].do.close' must be before, after_commit or mid_body, but was \"later\"",
        ),
        (
            json!({"rules": [{"do": {"delay_ms": 60_001}}]}),
            "'rules[0].do.delay_ms' must be a whole number of milliseconds, at most 60000",
        ),
        (
            json!({"rules": [{"do": {"delay": {"distribution": "normal"}}}]}),
            "'rules[0].do.delay' must be an object like",
        ),
        (
            json!({"rules": [{"do": {"limit": {"requests": 1}}}]}),
            "'rules[0].do.limit' must be an object like",
        ),
        (
            json!({"rules": [{"nth": [0], "do": {"status": 500}}]}),
            "'rules[0].nth' must be an array of whole numbers of at least 1",
        ),
        (
            json!({"rules": [{"probability": 1.5, "do": {"status": 500}}]}),
            "'rules[0].probability' must be a number from 0 to 1",
        ),
        (
            json!({"rules": [{"match": {"status": 200}, "do": {"status": 500}}]}),
            "'rules[0].match': 'status' is not known before",
        ),
    ] {
        let errors = plan(value.clone()).unwrap_err();
        assert_eq!(errors.len(), 1, "{value}: {errors:#?}");
        assert!(errors[0].contains(part), "{part} is not in {errors:?}");
    }
}

#[test]
fn rule_hits_the_numbers_and_the_share_that_it_names() {
    let hits = |rule: &FaultRule, seed: u64| -> Vec<u64> {
        (1..=1_000)
            .filter(|number| rule.hits(*number, Chance::new(seed, 0, *number)))
            .collect()
    };

    let nth = rule(json!({"nth": [2, 5], "do": {"status": 500}}));
    assert_eq!(hits(&nth, 0), [2, 5]);

    let half = rule(json!({"probability": 0.5, "do": {"status": 500}}));
    let first = hits(&half, 7);
    assert_eq!(first, hits(&half, 7));
    assert_ne!(first, hits(&half, 8));
    assert!((400..600).contains(&first.len()), "{}", first.len());

    let (always, never) = (
        rule(json!({"probability": 1, "do": {"status": 500}})),
        rule(json!({"probability": 0, "do": {"status": 500}})),
    );
    assert_eq!((hits(&always, 1).len(), hits(&never, 1).len()), (1_000, 0));
}

#[test]
fn delays_follow_their_distribution() {
    let delays = |delay: Value| -> Vec<u64> {
        let rule = rule(json!({"do": {"delay": delay}}));
        let delay = rule.action.delay.unwrap();
        let mut found: Vec<u64> = (0..1_001)
            .map(|number| delay.millis(Chance::new(3, 0, number)))
            .collect();
        found.sort_unstable();
        found
    };

    let uniform = delays(json!({"distribution": "uniform", "min_ms": 10, "max_ms": 20}));
    assert_eq!((uniform[0], uniform[1_000]), (10, 20));

    let tail = delays(json!({"distribution": "lognormal", "median_ms": 100, "sigma": 0.5}));
    assert!((90..110).contains(&tail[500]), "{}", tail[500]);
    assert!(
        tail[990] > 200 && tail[10] < 60,
        "{} {}",
        tail[10],
        tail[990]
    );
}
