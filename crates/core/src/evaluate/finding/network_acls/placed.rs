//! An entry of a network ACL where it is, or must be.

use serde::{Deserialize, Serialize};

use crate::inventory::AclEntry;

/// An entry with its place in a network ACL.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacedEntry {
    /// What it does.
    pub entry: AclEntry,
    /// Its rule number; `None` where it has none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u16>,
    /// Whose it is.
    pub part: EntryPart,
}

/// `EntryType` of the model.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EntryPart {
    /// The policy's, before all others.
    First,
    /// The policy's, behind all others.
    Last,
    /// Anybody's, between those.
    Custom,
}
