//! Observations in the form in which a store keeps them, all in one memory. What is only to be stored
//! is not made into an [`Item`](super::Item) of its own, and most of it never is one.

use std::collections::BTreeMap;

use crate::ident::{IdentError, ResourceId, ResourceType, ShardId};

use super::bystander::{Bystander, SLOTS, slot};
use super::encode::{append_item, append_plain, decode_item};
use super::missed::may_be_global;
use super::outline::{Field, Outline};
use super::read::{is_type_read, plain_pairs, state_id};
use super::{ItemDecodeError, ItemKey, Observation, Version, seen_ms};

/// What some file says, in its order.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Encoded {
    places: Vec<Place>,
    known: BTreeMap<(ShardId, ResourceType), usize>,
    /// Places by [`slot`] of their type; of two for one slot the later.
    last: Vec<Option<usize>>,
    rows: Vec<Row>,
    /// Of each row its id, and then its item.
    bytes: Vec<u8>,
}

/// Where items are, and what.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Place {
    shard: ShardId,
    resource_type: ResourceType,
    is_read: bool,
    /// Such items were told as `global`, and otherwise.
    told: [bool; 2],
}

/// One observation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Row {
    place: usize,
    global: bool,
    is_tombstone: bool,
    is_ahead: bool,
    captured_ms: i64,
    /// INVARIANT: UTF-8 up to the middle.
    from: usize,
    middle: usize,
    to: usize,
}

/// Observations of one type in one shard.
#[derive(Clone, Debug)]
pub struct OfType<'e> {
    /// Where they are.
    pub shard: &'e ShardId,
    /// What they are.
    pub resource_type: &'e ResourceType,
    /// Ascending by id, then in the order in which they were told.
    pub items: Vec<EncodedItem<'e>>,
}

/// What one observation says of an item.
#[derive(Clone, Copy, Debug)]
pub struct EncodedItem<'e> {
    place: &'e Place,
    /// The resource's.
    pub id: &'e str,
    /// [`Observation::global`]
    pub global: bool,
    /// [`Item::is_tombstone`](super::Item::is_tombstone)
    pub is_tombstone: bool,
    /// [`Observation::is_ahead`]
    pub is_ahead: bool,
    captured_ms: i64,
    /// As [`encode_item`](super::encode_item) has it.
    pub body: &'e [u8],
}

impl Encoded {
    /// Adds an observation.
    pub fn push(&mut self, observation: &Observation) {
        let item = &observation.item;
        let ItemKey { resource_type, id, .. } = &item.key;
        let place = self.place(item.key.shard(), resource_type);
        self.row(place, id.as_str(), observation.global, &item.version, item.is_tombstone());
        self.rows.last_mut().into_iter().for_each(|row| row.is_ahead = observation.is_ahead);
        self.body(|out| append_item(out, item));
    }

    /// Adds an item that nothing is unusual about, of a type that nobody reads; `None` when it is
    /// another, which has to be read the long way. Answers whether one was told of this place, type
    /// and kind before.
    pub(super) fn push_bystander(
        &mut self,
        item: &Bystander<'_>,
        outline: &Outline<'_>,
    ) -> Option<bool> {
        let place = match self.familiar(item) {
            Some(place) => place,
            None => {
                let (shard, resource_type) = item.identity()?;
                self.place(shard, &resource_type)
            }
        };
        let known = self.places.get_mut(place)?;
        if known.is_read || item.global && !may_be_global(&known.resource_type) {
            return None;
        }
        let text = |field| match outline.raw(field) {
            None => Some(None),
            // Empty is as good as none.
            Some(_) => match std::str::from_utf8(outline.plain(field)?).ok()? {
                "" => Some(None),
                text => Some(Some(text)),
            },
        };
        let (name, arn) = (text(Field::Name)?, text(Field::Arn)?);
        let tags = plain_pairs(outline.text(Field::Tags)?)?;
        let id = std::str::from_utf8(outline.plain(Field::Id)?).ok()?;
        let told = std::mem::replace(known.told.get_mut(usize::from(item.global))?, true);
        let version = Version {
            state: outline.text(Field::State).and_then(state_id),
            captured_ms: item.captured_ms,
        };
        self.row(place, id, item.global, &version, false);
        self.body(|out| append_plain(out, &version, name, arn, &tags));
        Some(told)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Makes room for the items of as many more bytes of a file.
    pub(super) fn reserve(&mut self, items: usize, bytes: usize) {
        self.rows.reserve(items);
        self.bytes.reserve(bytes);
    }

    /// In the order in which they were told.
    pub fn items(&self) -> impl Iterator<Item = EncodedItem<'_>> {
        self.rows.iter().filter_map(|row| self.item(row))
    }

    /// By shard and type, ascending.
    pub fn by_type(&self) -> Vec<OfType<'_>> {
        let mut all: Vec<OfType<'_>> = self
            .places
            .iter()
            .map(|place| {
                let Place { shard, resource_type, .. } = place;
                OfType { shard, resource_type, items: Vec::new() }
            })
            .collect();
        for row in &self.rows {
            if let (Some(of_type), Some(item)) = (all.get_mut(row.place), self.item(row)) {
                of_type.items.push(item);
            }
        }
        all.retain(|of_type| !of_type.items.is_empty());
        all.sort_by_key(|of_type| (of_type.shard, of_type.resource_type));
        all.iter_mut().for_each(|of_type| of_type.items.sort_by_key(|item| item.id));
        all
    }

    /// Whether two tell of one resource.
    pub(super) fn repeats(&self) -> bool {
        let is_one = |pair: &[EncodedItem<'_>]| matches!(pair, [a, b] if a.id == b.id);
        self.by_type().iter().any(|of_type| of_type.items.windows(2).any(is_one))
    }

    /// Whether those from a place on are all of one resource.
    pub(super) fn are_of_one(&self, from: usize) -> bool {
        let id = |row: &Row| self.bytes.get(row.from..row.middle);
        let rows = self.rows.get(from..).unwrap_or_default();
        let is_one = |pair: &[Row]| match pair {
            [one, other] => one.place == other.place && id(one) == id(other),
            _ => false,
        };
        rows.windows(2).all(is_one)
    }

    /// The id of the one at a place.
    pub(super) fn id(&self, at: usize) -> Option<&str> {
        Some(self.item(self.rows.get(at)?)?.id)
    }

    fn item(&self, row: &Row) -> Option<EncodedItem<'_>> {
        Some(EncodedItem {
            place: self.places.get(row.place)?,
            id: std::str::from_utf8(self.bytes.get(row.from..row.middle)?).ok()?,
            global: row.global,
            is_tombstone: row.is_tombstone,
            is_ahead: row.is_ahead,
            captured_ms: row.captured_ms,
            body: self.bytes.get(row.middle..row.to)?,
        })
    }

    /// The place of an item, if one of its type was there before.
    fn familiar(&self, item: &Bystander<'_>) -> Option<usize> {
        let place = (*self.last.get(slot(item.resource_type)?)?)?;
        let Place { shard, resource_type, .. } = self.places.get(place)?;
        let is_same = shard.account.as_str().as_bytes() == item.account
            && shard.region.as_str().as_bytes() == item.region
            && resource_type.as_str().as_bytes() == item.resource_type;
        is_same.then_some(place)
    }

    fn place(&mut self, shard: ShardId, resource_type: &ResourceType) -> usize {
        let next = self.places.len();
        let place = *self.known.entry((shard, resource_type.clone())).or_insert_with_key(|key| {
            let (shard, resource_type) = key.clone();
            let is_read = is_type_read(&resource_type);
            self.places.push(Place { shard, resource_type, is_read, told: [false; 2] });
            next
        });
        self.last.resize(SLOTS, None);
        let slot = slot(resource_type.as_str().as_bytes());
        if let Some(last) = slot.and_then(|slot| self.last.get_mut(slot)) {
            *last = Some(place);
        }
        place
    }

    /// Begins a row.
    fn row(&mut self, place: usize, id: &str, global: bool, version: &Version, is_tombstone: bool) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(id.as_bytes());
        let middle = self.bytes.len();
        let captured_ms = version.captured_ms;
        self.rows.push(Row {
            place,
            global,
            is_tombstone,
            is_ahead: false,
            captured_ms,
            from,
            middle,
            to: middle,
        });
    }

    /// Ends it.
    fn body(&mut self, append: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        self.bytes = append(std::mem::take(&mut self.bytes));
        if let Some(row) = self.rows.last_mut() {
            row.to = self.bytes.len();
        }
    }
}

impl EncodedItem<'_> {
    /// The item's type.
    pub fn resource_type(&self) -> &ResourceType {
        &self.place.resource_type
    }

    /// The item's key.
    ///
    /// # Errors
    /// None while only ids are put in that are ids.
    pub fn key(&self) -> Result<ItemKey, IdentError> {
        let ShardId { account, region } = self.place.shard.clone();
        let resource_type = self.place.resource_type.clone();
        Ok(ItemKey { account, region, resource_type, id: ResourceId::try_from(self.id)? })
    }

    /// When a delivery shows it ([`seen_ms`]).
    pub fn seen_ms(&self, snapshot_moment_ms: Option<i64>) -> i64 {
        let version = Version { state: None, captured_ms: self.captured_ms };
        seen_ms(&version, snapshot_moment_ms)
    }

    /// The observation itself.
    ///
    /// # Errors
    /// None while what is put in is what was encoded.
    pub fn decode(&self) -> Result<Observation, ItemDecodeError> {
        let key = self.key().map_err(|error| ItemDecodeError::Damaged(error.to_string()))?;
        let item = decode_item(&key, self.body)?;
        Ok(Observation { item, global: self.global, is_ahead: self.is_ahead })
    }
}
