//! The last tinyIds that a store assigned. They stay assigned when another store replaces it.

use super::ArchiveError;
use crate::store::{
    StoreError,
    entries::Entry,
    local::Engine,
    trees::{Counters, Tree},
};
use std::{collections::BTreeMap, mem, ops::Bound};

/// Receives an entry of `accounts`.
type Put<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), ArchiveError> + 'a;

/// The number of objects according to entries of `accounts`, for progress. Unreadable entries count
/// as 0.
pub(in crate::store) fn count_live(
    counters: impl Iterator<Item = Result<Entry, StoreError>>,
) -> u64 {
    let live = |entry: Result<Entry, StoreError>| {
        Counters::decode(entry.ok()?.1.as_ref())
            .ok()
            .map(|counters| counters.live)
    };
    counters.filter_map(live).fold(0, u64::saturating_add)
}

/// The last `tinyId` by key in `accounts`.
#[derive(Clone, Debug, Default)]
pub(super) struct HighWaterMarks(BTreeMap<Vec<u8>, u64>);

impl HighWaterMarks {
    /// Reads those of a store.
    pub(super) fn of(engine: &Engine) -> Result<Self, StoreError> {
        let entries = engine.range(Tree::Accounts, (Bound::Unbounded, Bound::Unbounded));
        let numbers = entries.map(|entry| {
            let (key, value) = entry?;
            Ok((key, Counters::decode(value.as_ref())?.last_tiny_id))
        });
        Ok(Self(numbers.collect::<Result<_, StoreError>>()?))
    }

    /// Puts an entry, and before it the marks with smaller keys, each with the higher of both
    /// numbers. Keys must arrive in order.
    pub(super) fn merge_up_to(
        &mut self,
        key: &[u8],
        value: &[u8],
        put: &mut Put<'_>,
    ) -> Result<(), ArchiveError> {
        let rest = self.0.split_off(key);
        mem::replace(self, Self(rest)).put_remaining(put)?;
        let Some(last) = self.0.remove(key) else {
            return put(key, value);
        };

        let counters = Counters::decode(value)?;
        let last_tiny_id = counters.last_tiny_id.max(last);
        put(
            key,
            &Counters {
                last_tiny_id,
                ..counters
            }
            .encode(),
        )
    }

    /// Puts the marks that are left: of collections that the new store lacks.
    pub(super) fn put_remaining(self, put: &mut Put<'_>) -> Result<(), ArchiveError> {
        self.0.into_iter().try_for_each(|(key, last_tiny_id)| {
            put(
                &key,
                &Counters {
                    last_tiny_id,
                    live: 0,
                }
                .encode(),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(of: &[(&str, u64)]) -> HighWaterMarks {
        HighWaterMarks(
            of.iter()
                .map(|(key, last)| (key.as_bytes().to_vec(), *last))
                .collect(),
        )
    }

    #[test]
    fn the_higher_number_wins_and_all_marks_are_put_in_order() {
        let mut numbers = numbers(&[("a", 3), ("c", 9), ("d", 1), ("f", 5)]);
        let mut found = Vec::new();
        let mut put = |key: &[u8], value: &[u8]| {
            let Counters { last_tiny_id, live } = Counters::decode(value)?;
            found.push((String::from_utf8(key.to_vec()).unwrap(), last_tiny_id, live));
            Ok(())
        };

        for (key, last_tiny_id) in [("b", 7), ("c", 4), ("d", 6)] {
            numbers
                .merge_up_to(
                    key.as_bytes(),
                    &Counters {
                        last_tiny_id,
                        live: 2,
                    }
                    .encode(),
                    &mut put,
                )
                .unwrap();
        }

        numbers.put_remaining(&mut put).unwrap();
        let expected = [
            ("a", 3, 0),
            ("b", 7, 2),
            ("c", 9, 2),
            ("d", 6, 2),
            ("f", 5, 0),
        ];
        assert_eq!(
            found,
            expected.map(|(key, last, live)| (key.to_owned(), last, live))
        );
    }
}
