//! What is known of an account's objects without reading them, as of one commit. Cloning is cheap.

use super::column::{Column, TooLarge};
use crate::domain::list::{FieldPath, RawObject};
use roaring::RoaringTreemap;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Which objects an account has, and the values of some places in them.
#[derive(Clone, Debug, Default)]
pub struct IndexView {
    live: Arc<RoaringTreemap>,
    /// Those that were used last stand at the end.
    columns: Vec<(FieldPath, Arc<Column>)>,
}

/// More places of one account than people ask for; each costs the writer with each change.
const MAX_FIELDS: usize = 64;
/// Bytes of work of one change, which the writer does while all others wait. The values of an
/// object of a mebibyte are looked at once and copied; what would take more is not known.
const MAX_CHANGE_WORK_BYTES: usize = 2 << 20;
/// Up to here nobody looks which were used last.
const MAX_UNORDERED_FIELDS: usize = 16;

impl IndexView {
    /// The tinyIds of all objects.
    pub fn live(&self) -> &RoaringTreemap {
        &self.live
    }

    /// The tinyIds among `among` of the objects whose value at `place` passes; `None` if the place
    /// is not here.
    pub fn select(
        &self,
        place: &FieldPath,
        among: &RoaringTreemap,
        passes: impl Fn(Option<&RawValue>) -> bool,
    ) -> Option<RoaringTreemap> {
        Some(self.column(place)?.select(among, passes))
    }

    /// The value at `place` of one object.
    pub fn value(&self, place: &FieldPath, tiny_id: u64) -> Option<&RawValue> {
        self.column(place)?.get(tiny_id)
    }

    /// The different values at `place`, each with the objects that have it, where there are few.
    pub fn values(
        &self,
        place: &FieldPath,
    ) -> Option<impl Iterator<Item = (&RawValue, &RoaringTreemap)>> {
        self.column(place)?.values()
    }

    /// Bytes of the values at a place.
    pub fn field_bytes(&self, place: &FieldPath) -> usize {
        self.column(place).map_or(0, Column::bytes)
    }

    /// Whether asking about the place looks at the objects one by one.
    pub fn needs_scan(&self, place: &FieldPath) -> bool {
        self.column(place).is_none_or(Column::needs_scan)
    }

    fn column(&self, place: &FieldPath) -> Option<&Column> {
        self.columns
            .iter()
            .find(|(known, _)| known == place)
            .map(|(_, column)| column.as_ref())
    }

    pub(super) fn has(&self, place: &FieldPath) -> bool {
        self.column(place).is_some()
    }

    /// Room for another place, whose values will come by [`insert`](Self::insert).
    pub(super) fn with_fields(places: impl IntoIterator<Item = FieldPath>) -> Self {
        let columns = places
            .into_iter()
            .map(|place| (place, Arc::default()))
            .collect();
        Self {
            live: Arc::default(),
            columns,
        }
    }

    /// Takes the places of another view of the same objects.
    pub(super) fn extend(&mut self, other: Self) {
        self.live = other.live;
        self.columns.extend(other.columns);
    }

    /// Notes that these places were asked for.
    pub(super) fn mark_used(&mut self, places: &[&FieldPath]) {
        if self.columns.len() > MAX_UNORDERED_FIELDS {
            self.columns
                .sort_by_key(|(known, _)| places.contains(&known));
        }
    }

    /// Forgets places until there are not too many, but none of these.
    pub(super) fn evict_least_recently_used(&mut self, places: &[&FieldPath]) {
        let mut too_many = self.columns.len().saturating_sub(MAX_FIELDS);
        self.columns.retain(|(known, _)| {
            let stays = too_many == 0 || places.contains(&known);
            too_many -= usize::from(!stays);
            stays
        });
    }

    /// Forgets all places but these.
    pub(super) fn retain_fields(&mut self, places: &[&FieldPath]) {
        self.columns.retain(|(known, _)| places.contains(&known));
    }

    /// An object of which nothing but its number is to be known.
    pub(super) fn insert_tiny_id(&mut self, tiny_id: u64) {
        Arc::make_mut(&mut self.live).insert(tiny_id);
    }

    /// An object that is not here yet, or its new state.
    ///
    /// # Errors
    /// What stands at the places is more than may be known of one object; nothing was changed then.
    /// Or a column is full, and of no use any more.
    pub(super) fn set(&mut self, tiny_id: u64, object: &RawObject<'_>) -> Result<(), TooLarge> {
        let places: Vec<&FieldPath> = self.columns.iter().map(|(place, _)| place).collect();
        let (values, work) = FieldPath::find_each(&places, object);
        if work > MAX_CHANGE_WORK_BYTES {
            return Err(TooLarge);
        }

        let is_new = !self.live.contains(tiny_id);
        if is_new {
            self.insert_tiny_id(tiny_id);
        }

        for ((_, column), value) in self.columns.iter_mut().zip(values) {
            if is_new {
                Arc::make_mut(column).insert(tiny_id, value)?;
            } else if column.text(tiny_id) != value.map(RawValue::get) {
                // Most updates leave most values alone.
                let column = Arc::make_mut(column);
                column.remove(tiny_id);
                column.insert(tiny_id, value)?;
            }
        }

        Ok(())
    }

    /// Forgets the places whose values may be of any size, and tells which they were.
    pub(super) fn remove_open_ended(&mut self) -> Vec<FieldPath> {
        let (gone, stay) = std::mem::take(&mut self.columns)
            .into_iter()
            .partition(|(place, _)| place.is_open_ended());
        self.columns = stay;
        let gone: Vec<(FieldPath, Arc<Column>)> = gone;
        gone.into_iter().map(|(place, _)| place).collect()
    }

    /// An object is gone.
    pub(super) fn remove(&mut self, tiny_id: u64) {
        if !self.live.contains(tiny_id) {
            return;
        }
        Arc::make_mut(&mut self.live).remove(tiny_id);
        for (_, column) in &mut self.columns {
            Arc::make_mut(column).remove(tiny_id);
        }
    }

    pub(super) fn has_fields(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Bytes of memory, more or less.
    pub(super) fn bytes(&self) -> usize {
        const COLUMN_OVERHEAD: usize = 128;
        let columns = self
            .columns
            .iter()
            .map(|(place, column)| column.bytes() + place.name().len() + COLUMN_OVERHEAD);
        columns.fold(self.live.serialized_size(), usize::saturating_add)
    }
}
