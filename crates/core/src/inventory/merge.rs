//! Newer wins, whatever the order of arrival: what holds of a resource after one more observation.

use std::cmp::Ordering;

use super::encode::encode_state;
use super::{Body, Item, UnseenState, Version};

impl Version {
    /// Whether this state is newer than `other`: by `configurationStateId` when both are decimal,
    /// else by capture time (formats §3); of equal numbers the one that was captured later. Equal is not newer:
    /// a repeat is a no-op.
    ///
    /// A state without a number counts as numbered by its capture time, in milliseconds, which is
    /// what AWS Config itself writes since item version 1.3. Comparing the two capture times
    /// instead would not be transitive, and the winner of three states would depend on the order
    /// in which they arrive.
    pub fn supersedes(&self, other: &Version) -> bool {
        (self.order(), self.captured_ms) > (other.order(), other.captured_ms)
    }

    /// The later of the capture time and of what the number says as milliseconds. The counters of
    /// the first years are long ago.
    pub(super) fn latest_ms(&self) -> i64 {
        let state_ms = self.state.map(|state| i64::try_from(state).unwrap_or(i64::MAX));
        state_ms.map_or(self.captured_ms, |state_ms| state_ms.max(self.captured_ms))
    }

    /// States of one order are of one version, whatever their capture times (semantics §11 row 67).
    fn order(&self) -> i128 {
        self.state.map_or(i128::from(self.captured_ms), i128::from)
    }
}

// By age, then, only so that there is one order, by how it was told.
impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let told = |version: &Version| (version.captured_ms, version.state);
        self.order().cmp(&other.order()).then_with(|| told(self).cmp(&told(other)))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What is held of one resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Held {
    /// Its newest state that tells a configuration or a deletion, with the newest state after it
    /// that tells neither; the latter alone where there is no other.
    pub item: Item,
    /// The last moment at which some delivery showed it, milliseconds since the epoch: the capture
    /// time of a state, or the moment of a snapshot that contains it.
    pub seen_ms: i64,
}

/// What an incoming state does to the held one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Merged {
    /// The incoming state tells something that was not held, or is the first: hold this.
    Replaced(Held),
    /// The held state stays; only the moment at which it was last seen moved.
    Seen(Held),
    /// Nothing changes.
    Stale,
}

/// Merges one more state of a resource into what is held of it.
///
/// The result of any number of merges is the same in every order and with any repeats. Kept are
/// the greatest state that tells a configuration or a deletion and, if it is greater by version,
/// the greatest that tells neither: a known violation counts until a later state shows it gone,
/// and a state without a body shows nothing. Greatest is by version, then a deletion over a
/// presence, then what tells more members, then the greater encoding; of one version a body wins over none
/// (the fetched form of an oversized notification has its summary's version). The moment is the latest.
///
/// Of states of the greatest version that tell the same member differently none is the newer (semantics §11
/// row 67): beside the one that is kept stands a state of that version that tells nothing, so that whatever
/// reads the item takes it for one that was seen later without a configuration.
pub fn merge(held: Option<&Held>, incoming: Held) -> Merged {
    let Some(held) = held else {
        return Merged::Replaced(incoming);
    };
    let seen_ms = held.seen_ms.max(incoming.seen_ms);
    if let Some(item) = joined(&held.item, incoming.item) {
        Merged::Replaced(Held { item, seen_ms })
    } else if seen_ms > held.seen_ms {
        Merged::Seen(Held { item: held.item.clone(), seen_ms })
    } else {
        Merged::Stale
    }
}

/// What to hold of both; `None` when the incoming state adds nothing.
fn joined(held: &Item, incoming: Item) -> Option<Item> {
    match (held.body.is_unseen(), incoming.body.is_unseen()) {
        (true, true) => (unseen_rank(&incoming) > unseen_rank(held)).then_some(incoming),
        (false, true) => with_unseen(held, unseen_state(&incoming)),
        (true, false) => Some(with_later(incoming, Some(Box::new(unseen_state(held))))),
        (false, false) => match incoming.version.order().cmp(&held.version.order()) {
            Ordering::Less => None,
            Ordering::Equal => of_one_version(held, incoming),
            Ordering::Greater => Some(with_later(incoming, held.unseen_since.clone())),
        },
    }
}

/// What is held of a state that tells something, with one that does not, if the latter is news.
fn with_unseen(held: &Item, unseen: UnseenState) -> Option<Item> {
    let is_of_one_version = unseen.version.order() == held.version.order();
    let is_news = unseen.version.supersedes(&held.version)
        && held.unseen_since.as_deref().is_none_or(|known| unseen > *known)
        // What is contradicted is in doubt already, until a greater version.
        && !(is_of_one_version && held.is_contradicted());
    // A state of this version that is captured later still ends the gap, and may contradict these members.
    let told_beside = held.told_beside.clone().filter(|_| is_of_one_version);
    is_news.then(|| Item { unseen_since: Some(Box::new(unseen)), told_beside, ..held.clone() })
}

/// A state that tells something, with one that does not if that is later.
fn with_later(told: Item, unseen: Option<Box<UnseenState>>) -> Item {
    let unseen_since = unseen.filter(|unseen| unseen.version.supersedes(&told.version));
    Item { unseen_since, told_beside: None, ..told }
}

/// Of two states of one version that tell something. What was told by those that are not kept is kept in mind
/// until something contradicts it: otherwise it would depend on the order whether a contradiction is noticed.
/// The moment of capture is the later one, by which a state without a body is later or not.
fn of_one_version(held: &Item, incoming: Item) -> Option<Item> {
    // Most repeats are exact: comparing costs less than taking apart.
    if is_same_state(&incoming, held) {
        return None;
    }
    let version = held.version.clone().max(incoming.version.clone());
    let [known, told] = [held, &incoming].map(Item::members);
    let beside = held.told_beside.as_deref();
    let is_contradicted = held.is_contradicted()
        || told.contradict(&known)
        || beside.is_some_and(|beside| told.contradict(beside));
    let [held_now, incoming] =
        [held.clone(), incoming].map(|item| Item { version: version.clone(), ..item });
    let rank = |item: &Item, members: &super::Members| {
        (is_deletion(item), members.count(), encode_state(item))
    };
    let is_greater = rank(&incoming, &told) > rank(&held_now, &known);
    let kept = if is_greater { incoming } else { held_now };
    let later = held
        .unseen_since
        .clone()
        .filter(|later| !held.is_contradicted() && later.version.supersedes(&version));
    let is_outdated = later.as_ref().is_some_and(|later| later.version.order() > version.order());
    let unseen_since = match is_contradicted && !is_outdated {
        true => Some(Box::new(contradiction(&kept))),
        false => later,
    };
    let told_beside = match is_contradicted || is_outdated {
        true => None,
        false => {
            let of_kept = if is_greater { told.clone() } else { known.clone() };
            let all = beside.cloned().unwrap_or_default().and(known).and(told);
            all.beyond(&of_kept).map(Box::new)
        }
    };
    let joined = Item { unseen_since, told_beside, ..kept };
    (joined != *held).then_some(joined)
}

/// That nothing is known of the version of a state.
fn contradiction(of: &Item) -> UnseenState {
    UnseenState { version: of.version.clone(), name: None, arn: None, tags: None }
}

/// Of one state what is delivered stands above what an earlier edition stored of it.
fn unseen_rank(item: &Item) -> (UnseenState, bool) {
    (unseen_state(item), item.body == Body::Unseen)
}

fn unseen_state(item: &Item) -> UnseenState {
    UnseenState {
        version: item.version.clone(),
        name: item.name.clone(),
        arn: item.arn.clone(),
        tags: item.tags.clone(),
    }
}

fn is_same_state(one: &Item, other: &Item) -> bool {
    one.version == other.version
        && one.body == other.body
        && one.tags == other.tags
        && (&one.name, &one.arn) == (&other.name, &other.arn)
}

fn is_deletion(item: &Item) -> bool {
    item.body == Body::Deleted
}

/// Whether the resource exists as far as is known: not deleted, and seen at or after `mark_ms`, the
/// moment of the newest snapshot that is the whole truth about its shard and type (semantics §10
/// row 3).
pub fn is_live(held: &Held, mark_ms: Option<i64>) -> bool {
    is_live_unless(held.item.is_tombstone(), held.seen_ms, mark_ms)
}

/// As [`is_live`], of a resource of which it is known whether its item is a tombstone.
pub fn is_live_unless(is_tombstone: bool, seen_ms: i64, mark_ms: Option<i64>) -> bool {
    !is_tombstone && mark_ms.is_none_or(|mark| seen_ms >= mark)
}

#[cfg(test)]
mod tests;
