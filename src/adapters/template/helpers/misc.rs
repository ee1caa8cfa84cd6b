//! Helpers that fit nowhere else: random numbers, blocks without effect, and log lines.

use super::{
    Block, HelperDefinition, STEP,
    arguments::{Arguments, from_number},
    deep, helper,
};
use serde_json::{Map, Value};

/// Helpers that write to the log of PagerTree's server, and render nothing.
const fn silent(name: &'static str) -> HelperDefinition {
    helper(name, |_| Ok(Value::Null))
}

pub(super) const HELPERS: &[HelperDefinition] = &[
    silent(STEP),
    silent("bold"),
    silent("danger"),
    silent("error"),
    silent("info"),
    silent("log"),
    silent("ok"),
    silent("success"),
    silent("warn"),
    silent("warning"),
    helper("noop", |_| Ok(true.into())),
    helper("random", random),
    deep("withHash", |arguments| {
        let members = arguments
            .hash
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).clone()));
        Ok(Value::Object(members.collect::<Map<_, _>>()))
    })
    .block(Block::Context),
];

/// A number between two others, both included. It follows from the time of the event and the steps
/// that are left, so that an event that is parsed again gets the same numbers.
fn random(arguments: &Arguments<'_>) -> Result<Value, String> {
    let (low, high) = (arguments.number(0)?.ceil(), arguments.number(1)?.floor());
    if high < low {
        return Err("the second number must not be less than the first".to_owned());
    }

    let seed = arguments.now.timestamp_millis() as u64;
    let bits = mix(seed ^ mix(arguments.steps.left() as u64));
    let fraction = (bits >> 11) as f64 / (1_u64 << 53) as f64;
    Ok(from_number(low + (fraction * (high - low + 1.0)).floor()))
}

/// SplitMix64.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
