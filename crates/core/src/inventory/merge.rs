//! Newer wins, whatever the order of arrival: what holds of a resource after one more observation.

use super::Version;

impl Version {
    /// Whether this state is newer than `other`: by `configurationStateId` when both are decimal,
    /// else by capture time (formats §3). Equal is not newer: a repeat is a no-op.
    pub fn supersedes(&self, other: &Version) -> bool {
        match (self.state, other.state) {
            (Some(ours), Some(theirs)) if ours != theirs => ours > theirs,
            _ => self.captured_ms > other.captured_ms,
        }
    }
}
