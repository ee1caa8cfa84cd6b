//! What is known of an account's objects without reading them, as of one commit. Cloning is cheap.

use super::column::{Column, TooLarge};
use crate::domain::list::{Object, Place};
use roaring::RoaringTreemap;
use serde_json::value::RawValue;
use std::sync::Arc;

/// So many places of an account are known at most, since each costs the writer with every change of an object.
pub(super) const PLACES: usize = 64;

/// Which objects an account has, and the values of some places in them.
#[derive(Clone, Debug, Default)]
pub struct View {
    live: Arc<RoaringTreemap>,
    /// The last are those that were asked for last.
    columns: Vec<(Arc<Place>, Arc<Column>)>,
}

impl View {
    /// The tinyIds of all objects.
    pub fn live(&self) -> &RoaringTreemap {
        &self.live
    }

    /// The tinyIds among `among` of the objects whose value at `place` passes; `None` if the place is not here.
    pub fn select(
        &self,
        place: &Place,
        among: &RoaringTreemap,
        passes: impl Fn(Option<&RawValue>) -> bool,
    ) -> Option<RoaringTreemap> {
        Some(self.column(place)?.select(among, passes))
    }

    /// The value at `place` of one object.
    pub fn value(&self, place: &Place, tiny_id: u64) -> Option<&RawValue> {
        self.column(place)?.get(tiny_id)
    }

    /// The different values at `place`, each with the objects that have it, where there are few.
    pub fn values(&self, place: &Place) -> Option<impl Iterator<Item = (&RawValue, &RoaringTreemap)>> {
        self.column(place)?.values()
    }

    /// Whether asking about the place looks at the objects one by one.
    pub fn is_long(&self, place: &Place) -> bool {
        self.column(place).is_none_or(Column::is_long)
    }

    fn column(&self, place: &Place) -> Option<&Column> {
        self.columns.iter().find(|(known, _)| **known == *place).map(|(_, column)| column.as_ref())
    }

    pub(super) fn has(&self, place: &Place) -> bool {
        self.column(place).is_some()
    }

    /// Room for another place, whose values will come by [`insert`](Self::insert).
    pub(super) fn with_places(places: impl IntoIterator<Item = Place>) -> Self {
        let columns = places.into_iter().map(|place| (Arc::new(place), Arc::default())).collect();
        Self { live: Arc::default(), columns }
    }

    /// Takes the places of another view of the same objects.
    pub(super) fn extend(&mut self, other: Self) {
        self.live = other.live;
        self.columns.extend(other.columns);
    }

    /// Notes that these places are asked for.
    pub(super) fn touch(&mut self, places: &[&Place]) {
        self.columns.sort_by_key(|(known, _)| places.contains(&known.as_ref()));
    }

    /// Forgets the places that were not asked for longest, until there are no more than [`PLACES`] and they fit into so
    /// many bytes. These stay.
    pub(super) fn forget_all_but(&mut self, places: &[&Place], bytes: usize) {
        self.touch(places);
        while self.columns.len() > places.len() && (self.columns.len() > PLACES || self.bytes() > bytes) {
            self.columns.remove(0);
        }
    }

    /// An object of which nothing but its number is to be known.
    pub(super) fn insert_number(&mut self, tiny_id: u64) {
        Arc::make_mut(&mut self.live).insert(tiny_id);
    }

    /// An object that is not here yet.
    pub(super) fn insert(&mut self, tiny_id: u64, object: &Object<'_>) -> Result<(), TooLarge> {
        self.insert_number(tiny_id);
        let mut columns = self.columns.iter_mut();
        columns.try_for_each(|(place, column)| Arc::make_mut(column).insert(tiny_id, place.find(object)))
    }

    /// An object's new state.
    pub(super) fn set(&mut self, tiny_id: u64, object: &Object<'_>) -> Result<(), TooLarge> {
        if !self.live.contains(tiny_id) {
            return self.insert(tiny_id, object);
        }
        for (place, column) in &mut self.columns {
            let value = place.find(object);
            // Most updates leave most values alone.
            if column.get(tiny_id).map(RawValue::get) != value.map(RawValue::get) {
                let column = Arc::make_mut(column);
                column.remove(tiny_id);
                column.insert(tiny_id, value)?;
            }
        }
        Ok(())
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

    pub(super) fn needs_attributes(&self) -> bool {
        !self.columns.is_empty()
    }

    /// Bytes of memory, more or less.
    pub(super) fn bytes(&self) -> usize {
        const REST: usize = 512;
        // Names can be as long as a URL, and a place that no object has costs as much as another.
        const REST_OF_COLUMN: usize = 256;
        let columns = self
            .columns
            .iter()
            .map(|(place, column)| place.name().len().saturating_add(column.bytes()).saturating_add(REST_OF_COLUMN));
        columns.fold(self.live.serialized_size().saturating_add(REST), usize::saturating_add)
    }
}
