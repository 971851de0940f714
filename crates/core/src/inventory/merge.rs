//! Newer wins, whatever the order of arrival: what holds of a resource after one more observation.

use std::cmp::Ordering;

use super::{Body, Item, Version, encode_item};

impl Version {
    /// Whether this state is newer than `other`: by `configurationStateId` when both are decimal,
    /// else by capture time (formats §3). Equal is not newer: a repeat is a no-op.
    ///
    /// A state without a number counts as numbered by its capture time, in milliseconds, which is
    /// what AWS Config itself writes since item version 1.3. Comparing the two capture times
    /// instead would not be transitive, and the winner of three states would depend on the order
    /// in which they arrive.
    pub fn supersedes(&self, other: &Version) -> bool {
        self.order() > other.order()
    }

    fn order(&self) -> (i128, i64) {
        let state = self.state.map_or(i128::from(self.captured_ms), i128::from);
        (state, self.captured_ms)
    }
}

/// What is held of one resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Its newest state.
    pub item: Item,
    /// The last moment at which some delivery showed it, milliseconds since the epoch: the capture
    /// time of a state, or the moment of a snapshot that contains it.
    pub seen_ms: i64,
}

/// What an incoming state does to the held one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Merged {
    /// The incoming state is newer, or the first: hold this.
    Replaced(Held),
    /// The held state stays; only the moment at which it was last seen moved.
    Seen(Held),
    /// Nothing changes.
    Stale,
}

/// Merges one more state of a resource into what is held of it.
///
/// The result of any number of merges is the same in every order and with any repeats: the state
/// is the greatest by version, then a deletion over a presence, then a body over an unseen one (the
/// fetched form of an oversized notification has its summary's version), then the greater encoding;
/// the moment is the latest.
pub fn merge(held: Option<&Held>, incoming: Held) -> Merged {
    let Some(held) = held else {
        return Merged::Replaced(incoming);
    };
    let seen_ms = held.seen_ms.max(incoming.seen_ms);
    if newer(&incoming.item, &held.item) {
        Merged::Replaced(Held { item: incoming.item, seen_ms })
    } else if seen_ms > held.seen_ms {
        Merged::Seen(Held { item: held.item.clone(), seen_ms })
    } else {
        Merged::Stale
    }
}

fn newer(incoming: &Item, held: &Item) -> bool {
    incoming
        .version
        .order()
        .cmp(&held.version.order())
        .then_with(|| body_rank(&incoming.body).cmp(&body_rank(&held.body)))
        .then_with(|| {
            if incoming == held {
                Ordering::Equal
            } else {
                encode_item(incoming).cmp(&encode_item(held))
            }
        })
        .is_gt()
}

fn body_rank(body: &Body) -> u8 {
    match body {
        Body::Unseen => 0,
        Body::Deleted => 2,
        Body::Unwanted
        | Body::SecurityGroup(_)
        | Body::NetworkInterface(_)
        | Body::Instance(_)
        | Body::PrefixList(_)
        | Body::LoadBalancer(_)
        | Body::ClassicLoadBalancer(_)
        | Body::ApiStage(_)
        | Body::Distribution(_)
        | Body::WebAcl(_)
        | Body::Protection(_)
        | Body::Recorder(_) => 1,
    }
}

/// Whether the resource exists as far as is known: not deleted, and seen at or after `mark_ms`, the
/// moment of the newest snapshot that is the whole truth about its shard and type (semantics §10
/// row 3).
pub fn is_live(held: &Held, mark_ms: Option<i64>) -> bool {
    !matches!(held.item.body, Body::Deleted) && mark_ms.is_none_or(|mark| held.seen_ms >= mark)
}

#[cfg(test)]
mod tests;
