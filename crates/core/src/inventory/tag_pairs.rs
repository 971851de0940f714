//! Tags where they lie, on their way to the stored form of an item.

use serde::Serialize;
use serde::ser::{SerializeMap as _, Serializer};

/// Tags ascending by key, without repeats: encoded as [`Tags`](super::Tags) are.
pub(super) struct Pairs<'t>(pub(super) Vec<(&'t str, &'t str)>);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
