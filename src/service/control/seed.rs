//! The seed from which the ids of an account are derived.

use super::{Control, ControlCaller, ControlWriter};
use crate::{
    domain::{
        body::{AttributeReader, Strictness, excerpt},
        rejection::Rejection,
    },
    ids::{Ids, Seeds},
};
use serde_json::{Map, Value};

impl Control {
    /// The seed of the caller's account, or of all accounts without one of their own.
    pub fn seed(&self, caller: &ControlCaller) -> Option<u64> {
        self.seeds()?.seed(caller.scope().account())
    }

    /// Sets the seed. Objects that exist keep their ids.
    pub fn set_seed(&self, writer: &ControlWriter, seed: u64) {
        if let Some(seeds) = self.seeds() {
            seeds.set(writer.scope().account(), seed);
        }
    }

    /// Returns to the seed of the start, or to random ids.
    pub fn clear_seed(&self, writer: &ControlWriter) {
        if let Some(seeds) = self.seeds() {
            seeds.clear(writer.scope().account());
        }
    }

    pub(super) fn seeds(&self) -> Option<&Seeds> {
        match &self.ids {
            Ids::Seedable(seeds) => Some(seeds),
            // The server has no control plane, or a test of the code gave it other ids.
            Ids::Random | Ids::Seeded(_) => None,
        }
    }
}

/// Parses `{"seed": 7}`.
///
/// # Errors
/// Everything that is wrong.
pub fn parse_seed(attributes: Map<String, Value>) -> Result<u64, Rejection> {
    let mut body = AttributeReader::new(attributes);
    let seed = body.required("seed", |value| {
        value.as_u64().ok_or_else(|| {
            format!(
                "must be a whole number from 0 to {}, but was {}",
                u64::MAX,
                excerpt(&value.to_string())
            )
        })
    });
    body.finish(Strictness::Strict)?;
    Ok(seed.unwrap_or_default())
}
