//! The values of one field in all objects of an account, by tinyId.
//!
//! A field with few distinct values, such as `type` or `enabled`, is stored as one compressed
//! bitmap per value, and a predicate is evaluated once per value. A field with many, such as
//! `name`, is stored as the values themselves, in chunks. Clones share both; a change copies only
//! the bitmap or chunk that it touches.

use roaring::RoaringTreemap;
use serde_json::value::RawValue;
use std::{collections::BTreeMap, sync::Arc};

/// The values of one field.
#[derive(Clone, Debug)]
pub(super) enum Column {
    /// The tinyIds of each distinct value.
    Bitmaps(Vec<(Arc<RawValue>, Arc<RoaringTreemap>)>),
    /// The values by tinyId, [`CHUNK_LEN`] to a chunk.
    Chunks(BTreeMap<u64, Arc<Chunk>>),
}

/// A column with more distinct values becomes chunks.
const MAX_BITMAPS: usize = 64;

/// A column with a longer value becomes chunks, because finding a value compares it with all
/// others.
const MAX_BITMAP_VALUE_LEN: usize = 1024;

/// Number of `tinyId`s per chunk. A change copies one chunk if a clone shares it.
const CHUNK_LEN: u64 = 512;

impl Default for Column {
    fn default() -> Self {
        Self::Bitmaps(Vec::new())
    }
}

impl Column {
    /// Sets the value of an object that has none yet. `None` means that the object lacks the field.
    ///
    /// # Errors
    /// The value does not fit; the column must not be used any more.
    pub(super) fn insert(
        &mut self,
        tiny_id: u64,
        value: Option<&RawValue>,
    ) -> Result<(), TooLarge> {
        let Some(value) = value else { return Ok(()) };
        if let Self::Bitmaps(values) = self {
            let is_short = value.get().len() <= MAX_BITMAP_VALUE_LEN;
            let known = values
                .iter_mut()
                .find(|(known, _)| is_short && known.get() == value.get());

            if let Some((_, numbers)) = known {
                Arc::make_mut(numbers).insert(tiny_id);
                return Ok(());
            }

            if values.len() < MAX_BITMAPS && is_short {
                values.push((
                    value.to_owned().into(),
                    Arc::new([tiny_id].into_iter().collect()),
                ));
                return Ok(());
            }

            *self = Self::Chunks(chunks_from(values)?);
        }

        match self {
            Self::Bitmaps(_) => Ok(()),
            Self::Chunks(chunks) => Arc::make_mut(chunks.entry(tiny_id / CHUNK_LEN).or_default())
                .set(slot(tiny_id), value.get()),
        }
    }

    /// Removes the value of an object.
    pub(super) fn remove(&mut self, tiny_id: u64) {
        match self {
            Self::Bitmaps(values) => {
                let held = values
                    .iter_mut()
                    .find(|(_, numbers)| numbers.contains(tiny_id));
                if let Some((_, numbers)) = held {
                    Arc::make_mut(numbers).remove(tiny_id);
                    values.retain(|(_, numbers)| !numbers.is_empty());
                }
            }
            Self::Chunks(chunks) => {
                if let Some(chunk) = chunks.get_mut(&(tiny_id / CHUNK_LEN)) {
                    Arc::make_mut(chunk).clear(slot(tiny_id));
                }
            }
        }
    }

    /// The JSON text of an object's value.
    pub(super) fn text(&self, tiny_id: u64) -> Option<&str> {
        match self {
            Self::Bitmaps(_) => self.get(tiny_id).map(RawValue::get),
            Self::Chunks(chunks) => chunks
                .get(&(tiny_id / CHUNK_LEN))?
                .span(slot(tiny_id))
                .filter(|text| !text.is_empty()),
        }
    }

    /// The value of an object.
    pub(super) fn get(&self, tiny_id: u64) -> Option<&RawValue> {
        match self {
            Self::Bitmaps(values) => values
                .iter()
                .find(|(_, numbers)| numbers.contains(tiny_id))
                .map(|(value, _)| value.as_ref()),
            Self::Chunks(chunks) => chunks.get(&(tiny_id / CHUNK_LEN))?.get(slot(tiny_id)),
        }
    }

    /// The tinyIds in `among` whose value passes.
    pub(super) fn select(
        &self,
        among: &RoaringTreemap,
        passes: impl Fn(Option<&RawValue>) -> bool,
    ) -> RoaringTreemap {
        match self {
            Self::Bitmaps(values) => {
                let rest = passes(None).then(|| {
                    values
                        .iter()
                        .fold(among.clone(), |rest, (_, has)| rest - &**has)
                });
                let chosen = values.iter().filter(|(value, _)| passes(Some(value)));
                chosen.fold(rest.unwrap_or_default(), |found, (_, numbers)| {
                    found | (among & &**numbers)
                })
            }
            Self::Chunks(chunks) => {
                let mut current: Option<(u64, Option<&Arc<Chunk>>)> = None;
                let value = |tiny_id: u64| {
                    let number = tiny_id / CHUNK_LEN;
                    let chunk = match current {
                        Some((known, chunk)) if known == number => chunk,
                        _ => current.insert((number, chunks.get(&number))).1,
                    };
                    chunk.and_then(|chunk| chunk.get(slot(tiny_id)))
                };
                select_by(among, value, passes)
            }
        }
    }

    /// Whether a predicate is evaluated once per object instead of once per distinct value.
    pub(super) fn needs_scan(&self) -> bool {
        matches!(self, Self::Chunks(_))
    }

    /// Each distinct value with its tinyIds; `None` for chunks.
    pub(super) fn values(&self) -> Option<impl Iterator<Item = (&RawValue, &RoaringTreemap)>> {
        match self {
            Self::Bitmaps(values) => Some(
                values
                    .iter()
                    .map(|(value, numbers)| (value.as_ref(), numbers.as_ref())),
            ),
            Self::Chunks(_) => None,
        }
    }

    /// Approximate memory use.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Bitmaps(values) => values
                .iter()
                .map(|(value, numbers)| value.get().len() + numbers.serialized_size() + 64)
                .sum(),
            Self::Chunks(chunks) => chunks.values().map(|chunk| chunk.bytes() + 64).sum(),
        }
    }
}

fn select_by<'a>(
    among: &RoaringTreemap,
    mut value: impl FnMut(u64) -> Option<&'a RawValue>,
    passes: impl Fn(Option<&RawValue>) -> bool,
) -> RoaringTreemap {
    let mut found = RoaringTreemap::new();
    for tiny_id in among.iter().filter(|tiny_id| passes(value(*tiny_id))) {
        found.insert(tiny_id);
    }
    found
}

/// Converts bitmaps to chunks.
fn chunks_from(
    values: &[(Arc<RawValue>, Arc<RoaringTreemap>)],
) -> Result<BTreeMap<u64, Arc<Chunk>>, TooLarge> {
    let mut chunks = BTreeMap::<u64, Chunk>::new();
    for (value, numbers) in values {
        for tiny_id in numbers.iter() {
            chunks
                .entry(tiny_id / CHUNK_LEN)
                .or_default()
                .set(slot(tiny_id), value.get())?;
        }
    }

    Ok(chunks
        .into_iter()
        .map(|(number, chunk)| (number, Arc::new(chunk)))
        .collect())
}

fn slot(tiny_id: u64) -> usize {
    usize::try_from(tiny_id % CHUNK_LEN).unwrap_or_default()
}

/// The values of [`CHUNK_LEN`] consecutive tinyIds.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunk {
    text: String,
    /// Where each value is in the text; an empty span where there is none.
    spans: Vec<(u32, u32)>,
    /// Bytes of the text that no span covers.
    garbage: u32,
}

impl Chunk {
    fn span(&self, slot: usize) -> Option<&str> {
        let (start, end) = *self.spans.get(slot)?;
        self.text
            .get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
    }

    fn get(&self, slot: usize) -> Option<&RawValue> {
        let text = self.span(slot).filter(|text| !text.is_empty())?;
        serde_json::from_str(text).ok()
    }

    fn set(&mut self, slot: usize, value: &str) -> Result<(), TooLarge> {
        self.clear(slot);
        if self.spans.len() <= slot {
            self.spans.resize(slot.saturating_add(1), (0, 0));
        }

        let start = self.text.len().try_into().map_err(|_| TooLarge)?;
        let end = self
            .text
            .len()
            .saturating_add(value.len())
            .try_into()
            .map_err(|_| TooLarge)?;

        self.text.push_str(value);
        if let Some(span) = self.spans.get_mut(slot) {
            *span = (start, end);
        }

        Ok(())
    }

    fn clear(&mut self, slot: usize) {
        let Some(span) = self.spans.get_mut(slot) else {
            return;
        };
        let (start, end) = std::mem::take(span);
        self.garbage = self.garbage.saturating_add(end.saturating_sub(start));
        if usize::try_from(self.garbage).is_ok_and(|garbage| garbage > self.text.len() / 2) {
            self.compact();
        }
    }

    /// Removes the garbage.
    fn compact(&mut self) {
        let old = std::mem::take(self);
        for slot in 0..old.spans.len() {
            if let Some(value) = old.span(slot) {
                // It fit before, so it fits now.
                let _ignored = self.set(slot, value);
            }
        }
    }

    fn bytes(&self) -> usize {
        self.text.capacity() + self.spans.capacity() * size_of::<(u32, u32)>()
    }
}

/// The value does not fit: a chunk holds less than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct TooLarge;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.into()).unwrap()
    }

    /// A column must agree with a plain map after random inserts, updates and removals.
    fn assert_equals_a_map(different: u64) {
        let (mut column, mut map) = (Column::default(), BTreeMap::<u64, Box<RawValue>>::new());
        let mut random = 7_u64;
        for step in 0..20_000_u64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);

            let (tiny_id, value) = (
                (random >> 33) % 9_000,
                raw(&format!("\"value {}\"", (random >> 20) % different)),
            );

            column.remove(tiny_id);
            map.remove(&tiny_id);
            if step % 5 != 0 {
                column.insert(tiny_id, Some(&value)).unwrap();
                map.insert(tiny_id, value);
            }
        }

        assert_eq!(column.needs_scan(), different > MAX_BITMAPS as u64);
        let everything: RoaringTreemap = (0..9_000).collect();
        for tiny_id in &everything {
            let (found, expected) = (column.get(tiny_id), map.get(&tiny_id));
            assert_eq!(
                found.map(RawValue::get),
                expected.map(|value| value.get()),
                "{tiny_id}"
            );
        }

        let passes = |value: Option<&RawValue>| value.is_none_or(|value| value.get().contains('3'));
        let expected: RoaringTreemap = everything
            .iter()
            .filter(|number| passes(map.get(number).map(|value| &**value)))
            .collect();

        assert_eq!(column.select(&everything, passes), expected);
    }

    #[test]
    fn few_distinct_values_equal_a_map() {
        assert_equals_a_map(40);
    }

    #[test]
    fn many_distinct_values_equal_a_map() {
        assert_equals_a_map(5_000);
    }

    #[test]
    fn a_clone_does_not_see_later_changes() {
        for different in [1, 1_000] {
            let mut column = Column::default();
            for tiny_id in 0..different {
                column
                    .insert(tiny_id, Some(&raw(&tiny_id.to_string())))
                    .unwrap();
            }
            let seen = column.clone();
            column.remove(0);
            column.insert(0, Some(&raw("true"))).unwrap();
            assert_eq!(seen.get(0).unwrap().get(), "0");
            assert_eq!(column.get(0).unwrap().get(), "true");
        }
    }

    #[test]
    fn repeated_updates_take_no_more_memory() {
        let mut chunk = Chunk::default();
        for _ in 0..10_000 {
            chunk.set(1, "\"a value of some length\"").unwrap();
        }
        assert!(chunk.bytes() < 1_000, "{}", chunk.bytes());
    }
}
