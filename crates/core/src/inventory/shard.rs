//! The items of one (account, Region), and what is known about how complete they are.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{ResourceId, ResourceType, ShardId};

use super::{Body, Item, OpenGaps, RecordingGroup};

/// Everything judged together: live items of one (account, Region) with what tells their coverage.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shard {
    /// Whose.
    pub id: ShardId,
    /// Live items (no tombstones) by type, then id.
    pub items: BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>,
    /// Types of which an item, live or deleted, is held.
    pub held_types: BTreeSet<ResourceType>,
    /// A whole snapshot of this shard was accepted.
    pub snapshot_accepted: bool,
    /// A recorder's tombstone is held and no live recorder is.
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
        !self.snapshot_accepted && self.held_types.is_empty()
    }

    /// Whether all there is of this type was seen: it is known, and nothing of it was missed.
    pub fn sees_all(&self, resource_type: &ResourceType) -> bool {
        self.knows(resource_type) && !self.open_gaps.contains_key(resource_type)
    }

    /// Whether the absence of an item of this type means that there is none (semantics §10 row 1):
    /// a recording recorder lists the type; without a recorder item, a whole snapshot of the shard
    /// or an item of the type was accepted. A recorder whose configuration was not recorded lists
    /// nothing that is known.
    pub fn knows(&self, resource_type: &ResourceType) -> bool {
        let mut recorders = self.of_type(&ResourceType::CONFIGURATION_RECORDER).peekable();
        if recorders.peek().is_some() {
            return recorders.any(|item| match &item.body {
                Body::Recorder(recorder) => {
                    recorder.recording && recorder.group.lists(resource_type)
                }
                _ => false,
            });
        }
        if self.recorder_deleted {
            return false;
        }
        self.snapshot_accepted || self.held_types.contains(resource_type)
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
