//! The index of one account as of one commit. Cloning is cheap.

use super::column::{Column, TooLarge};
use crate::domain::list::{FieldPath, RawObject};
use roaring::RoaringTreemap;
use serde_json::value::RawValue;
use std::sync::Arc;

/// The tinyIds of an account's objects, and the values of some fields.
#[derive(Clone, Debug, Default)]
pub struct IndexView {
    live: Arc<RoaringTreemap>,
    /// Ordered by use, most recent last.
    columns: Vec<(FieldPath, Arc<Column>)>,
}

/// Fields per account. Each makes every change of an object more expensive.
const MAX_FIELDS: usize = 64;
/// Work of one change, in bytes read and copied while the writer holds up all other commands. Twice
/// an object of a mebibyte.
const MAX_CHANGE_WORK_BYTES: usize = 2 << 20;
/// With so few fields, their order of use does not matter.
const MAX_UNORDERED_FIELDS: usize = 16;

impl IndexView {
    /// The tinyIds of all objects.
    pub fn live(&self) -> &RoaringTreemap {
        &self.live
    }

    /// The tinyIds in `among` of the objects whose value of the field passes; `None` if the field
    /// is not indexed.
    pub fn select(
        &self,
        field: &FieldPath,
        among: &RoaringTreemap,
        passes: impl Fn(Option<&RawValue>) -> bool,
    ) -> Option<RoaringTreemap> {
        Some(self.column(field)?.select(among, passes))
    }

    /// The value of the field in one object.
    pub fn value(&self, field: &FieldPath, tiny_id: u64) -> Option<&RawValue> {
        self.column(field)?.get(tiny_id)
    }

    /// The distinct values of the field, each with its tinyIds; `None` if there are many, or the
    /// field is not indexed.
    pub fn values(
        &self,
        field: &FieldPath,
    ) -> Option<impl Iterator<Item = (&RawValue, &RoaringTreemap)>> {
        self.column(field)?.values()
    }

    /// Bytes that the values of the field use.
    pub fn field_bytes(&self, field: &FieldPath) -> usize {
        self.column(field).map_or(0, Column::bytes)
    }

    /// Whether a predicate on the field is evaluated once per object.
    pub fn needs_scan(&self, field: &FieldPath) -> bool {
        self.column(field).is_none_or(Column::needs_scan)
    }

    fn column(&self, field: &FieldPath) -> Option<&Column> {
        self.columns
            .iter()
            .find(|(known, _)| known == field)
            .map(|(_, column)| column.as_ref())
    }

    pub(super) fn has(&self, field: &FieldPath) -> bool {
        self.column(field).is_some()
    }

    /// An empty view with these fields.
    pub(in crate::store) fn with_fields(fields: impl IntoIterator<Item = FieldPath>) -> Self {
        let columns = fields
            .into_iter()
            .map(|field| (field, Arc::default()))
            .collect();
        Self {
            live: Arc::default(),
            columns,
        }
    }

    /// Adds the fields of another view of the same objects.
    pub(super) fn extend(&mut self, other: Self) {
        self.live = other.live;
        self.columns.extend(other.columns);
    }

    /// Moves these fields to the end of the order of use.
    pub(super) fn mark_used(&mut self, fields: &[&FieldPath]) {
        if self.columns.len() > MAX_UNORDERED_FIELDS {
            self.columns
                .sort_by_key(|(known, _)| fields.contains(&known));
        }
    }

    /// Drops fields until at most [`MAX_FIELDS`] are left, but none of these.
    pub(super) fn evict_least_recently_used(&mut self, fields: &[&FieldPath]) {
        let mut too_many = self.columns.len().saturating_sub(MAX_FIELDS);
        self.columns.retain(|(known, _)| {
            let stays = too_many == 0 || fields.contains(&known);
            too_many -= usize::from(!stays);
            stays
        });
    }

    /// Drops all fields but these.
    pub(super) fn retain_fields(&mut self, fields: &[&FieldPath]) {
        self.columns.retain(|(known, _)| fields.contains(&known));
    }

    /// Adds an object without values.
    pub(in crate::store) fn insert_tiny_id(&mut self, tiny_id: u64) {
        Arc::make_mut(&mut self.live).insert(tiny_id);
    }

    /// Adds an object, or replaces its values.
    ///
    /// # Errors
    /// The values are too much work, and nothing changed; or a column is full, and the view must be
    /// dropped.
    pub(in crate::store) fn set(
        &mut self,
        tiny_id: u64,
        object: &RawObject<'_>,
    ) -> Result<(), TooLarge> {
        let fields: Vec<&FieldPath> = self.columns.iter().map(|(field, _)| field).collect();
        let (values, work) = FieldPath::find_each(&fields, object);
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

    /// Drops the fields whose values have no size limit, and returns them.
    pub(super) fn remove_open_ended(&mut self) -> Vec<FieldPath> {
        let (removed, kept) = std::mem::take(&mut self.columns)
            .into_iter()
            .partition(|(field, _)| field.is_open_ended());
        self.columns = kept;
        let removed: Vec<(FieldPath, Arc<Column>)> = removed;
        removed.into_iter().map(|(field, _)| field).collect()
    }

    /// Removes an object.
    pub(super) fn remove(&mut self, tiny_id: u64) {
        if !self.live.contains(tiny_id) {
            return;
        }
        Arc::make_mut(&mut self.live).remove(tiny_id);
        for (_, column) in &mut self.columns {
            Arc::make_mut(column).remove(tiny_id);
        }
    }

    pub(in crate::store) fn has_fields(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Approximate memory use.
    pub(in crate::store) fn bytes(&self) -> usize {
        const COLUMN_OVERHEAD: usize = 128;
        let columns = self
            .columns
            .iter()
            .map(|(field, column)| column.bytes() + field.name().len() + COLUMN_OVERHEAD);
        columns.fold(self.live.serialized_size(), usize::saturating_add)
    }
}
