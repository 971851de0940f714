//! The items of one (account, Region), and what is known about how complete they are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::ident::{ResourceId, ResourceType, ShardId};

use super::{Body, Item, OpenGaps, Recorder, RecordingGroup};

/// Everything judged together: live items of one (account, Region) with what tells their coverage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shard {
    /// Whose.
    pub id: ShardId,
    /// Live items (no tombstones) by type, then id.
    pub items: BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>,
    /// Types of which an item, live or deleted, is held: they are judged, and not known by that
    /// alone (semantics §11 row 36).
    pub held_types: BTreeSet<ResourceType>,
    /// Types of which some whole snapshot held an item.
    pub snapshot_types: BTreeSet<ResourceType>,
    /// Types that some source listed completely.
    pub listed_types: BTreeSet<ResourceType>,
    /// Types that count as recorded by the operator's word.
    pub assumed: Assumed,
    /// A whole snapshot of this shard was accepted.
    pub snapshot_accepted: bool,
    /// A recorder's tombstone is held and no live recorder is, service-linked ones aside.
    pub recorder_deleted: bool,
    /// What was not seen of it, and nothing has closed since (semantics §11 rows 37 and 39).
    pub open_gaps: OpenGaps,
    /// The newest moment that a delivery tells of this shard, milliseconds since the epoch (semantics
    /// §11 row 40); `None` where none told any.
    pub newest_ms: Option<i64>,
}

impl Shard {
    /// A shard of which nothing was ever delivered.
    pub fn empty(id: ShardId) -> Shard {
        Shard {
            id,
            items: BTreeMap::new(),
            held_types: BTreeSet::new(),
            snapshot_types: BTreeSet::new(),
            listed_types: BTreeSet::new(),
            assumed: Assumed::Nothing,
            snapshot_accepted: false,
            recorder_deleted: false,
            open_gaps: OpenGaps::new(),
            newest_ms: None,
        }
    }

    /// The live items of one type, ascending by id.
    pub fn of_type(&self, resource_type: &ResourceType) -> impl Iterator<Item = &Item> {
        self.items.get(resource_type).into_iter().flat_map(BTreeMap::values)
    }

    /// One live item.
    pub fn item(&self, resource_type: &ResourceType, id: &str) -> Option<&Item> {
        self.items.get(resource_type)?.get(id)
    }

    /// Whether nothing at all was delivered for this shard.
    pub fn is_unheard_of(&self) -> bool {
        !self.snapshot_accepted && self.held_types.is_empty() && self.listed_types.is_empty()
    }

    /// Whether all there is of this type was seen: it is known, and nothing of it was missed.
    pub fn sees_all(&self, resource_type: &ResourceType) -> bool {
        self.knows(resource_type) && !self.open_gaps.contains_key(resource_type)
    }

    /// Whether the absence of an item of this type means that there is none (semantics §11 row 36):
    /// the operator says so, a source listed the type completely, or a recording recorder lists it;
    /// where no recorder's item is held, a whole snapshot that held an item of the type. A recorder
    /// whose configuration was not recorded lists nothing that is known.
    pub fn knows(&self, resource_type: &ResourceType) -> bool {
        if self.assumed.has(resource_type) || self.listed_types.contains(resource_type) {
            return true;
        }
        let mut recorders = self.recorders().peekable();
        if recorders.peek().is_some() {
            return recorders.any(|item| match &item.body {
                Body::Recorder(recorder) => {
                    recorder.recording && recorder.group.lists(resource_type)
                }
                _ => false,
            });
        }
        !self.recorder_deleted && self.snapshot_types.contains(resource_type)
    }

    /// The live recorders that deliver to the account, ascending by id: all but service-linked ones.
    pub fn recorders(&self) -> impl Iterator<Item = &Item> {
        let all = self.of_type(&ResourceType::CONFIGURATION_RECORDER);
        all.filter(|item| !is_service_linked(item))
    }
}

/// Whether an item is of a recorder of scope INTERNAL, which delivers to an AWS service and not to
/// the account: it makes nothing known nor gone. Where its body does not tell, its name does.
pub fn is_service_linked(item: &Item) -> bool {
    item.key.resource_type == ResourceType::CONFIGURATION_RECORDER
        && match &item.body {
            Body::Recorder(recorder) => recorder.internal,
            _ => item.key.id.as_str().starts_with(Recorder::SERVICE_LINKED),
        }
}

/// Types that the operator knows to be recorded, whatever is delivered: the setting
/// `--assume-recorded`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Assumed {
    /// None.
    #[default]
    Nothing,
    /// Every type.
    All,
    /// These.
    Types(Arc<BTreeSet<ResourceType>>),
}

impl Assumed {
    /// Whether a type is among them.
    pub fn has(&self, resource_type: &ResourceType) -> bool {
        match self {
            Assumed::Nothing => false,
            Assumed::All => true,
            Assumed::Types(types) => types.contains(resource_type),
        }
    }

    /// The setting's words: types, or `all` of them in any letter case.
    ///
    /// # Errors
    /// A word that is no type any part of Palisade knows by name: it would change nothing.
    pub fn parse<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Assumed, String> {
        let mut types = BTreeSet::new();
        let mut all = false;
        for word in words {
            if word.eq_ignore_ascii_case("all") {
                all = true;
                continue;
            }
            match ResourceType::NAMED.iter().find(|named| named.as_str() == word) {
                Some(named) => types.insert(named.clone()),
                None => return Err(format!("no policy reads resources of type `{word}`")),
            };
        }
        Ok(match (all, types.is_empty()) {
            (true, _) => Assumed::All,
            (false, true) => Assumed::Nothing,
            (false, false) => Assumed::Types(Arc::new(types)),
        })
    }
}

impl fmt::Display for Assumed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Assumed::Nothing => Ok(()),
            Assumed::All => f.write_str("all"),
            Assumed::Types(types) => {
                let names: Vec<&str> = types.iter().map(ResourceType::as_str).collect();
                f.write_str(&names.join(","))
            }
        }
    }
}

impl RecordingGroup {
    /// Whether the recorder is told to record this type.
    pub fn lists(&self, resource_type: &ResourceType) -> bool {
        match self {
            RecordingGroup::All => true,
            RecordingGroup::Only(types) => types.contains(resource_type),
            RecordingGroup::AllBut(types) => !types.contains(resource_type),
        }
    }
}

#[cfg(test)]
mod tests;
