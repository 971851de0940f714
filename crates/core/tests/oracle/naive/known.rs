//! What is known of a type in a shard, and what is not told (semantics §11 rows 36, 37, 39).

use serde_json::Value;

use super::held::{self, Held, covers, either, is_internal, lists};
use super::item::{RECORDER, is_deleted, is_unseen};
use super::told::Hole;
use super::{Found, Mutation, World, list, text};

/// Types whose items may be of `global`.
const GLOBAL_KINDS: [&str; 4] = [
    "AWS::CloudFront::Distribution",
    "AWS::Shield::Protection",
    "AWS::WAFv2::WebACL",
    "AWS::WAF::WebACL",
];

impl Held<'_> {
    /// Whether all that there is of a type is told.
    pub fn knows(&self, world: &World<'_>, kind: &str) -> bool {
        if self.broken == Some(Mutation::UnknownTypeCountedCompliant) {
            return true;
        }
        if self.has_hole(world, kind) && self.broken != Some(Mutation::HolesOfReadTypesPass) {
            return false;
        }
        let named = |kinds: &Value| list(kinds).iter().any(|one| text(one) == kind);
        // Nothing is assumed of what nothing was heard of.
        let whole_here = self
            .told
            .wholes
            .iter()
            .any(|whole| whole.account == self.account && whole.region == self.region);
        let heard_of = whole_here || !self.all.is_empty();
        if heard_of && (*self.assumed == true || named(self.assumed)) {
            return true;
        }
        let mut recorders =
            self.of_type(RECORDER).filter(|one| !is_internal(one, self.broken)).peekable();
        if recorders.peek().is_some() {
            let at_rest = self.broken == Some(Mutation::RecorderAtRestCountedRecording);
            let records = |recorder| {
                let on = either(held::body(recorder), "Recording", "recording") != false;
                (on || at_rest) && lists(recorder, kind)
            };
            return match self.broken {
                Some(Mutation::FirstRecorderDecides) => recorders.next().is_some_and(records),
                _ => recorders.any(records),
            };
        }
        // A recorder that was deleted records nothing.
        let was_internal = |id: &str| {
            self.all.iter().any(|state| {
                text(&state.item["resourceId"]) == id && is_internal(&state.item, self.broken)
            })
        };
        let gone = self.all.iter().any(|state| {
            let item = &state.item;
            text(&item["resourceType"]) == RECORDER
                && is_deleted(item)
                && !was_internal(text(&item["resourceId"]))
        });
        if gone && self.broken != Some(Mutation::DeletedRecorderForgotten) {
            return false;
        }
        let any_item = self.all.iter().any(|state| text(&state.item["resourceType"]) == kind);
        if any_item && self.broken == Some(Mutation::KnownByOneItem) {
            return true;
        }
        self.told.wholes.iter().filter(|whole| whole.account == self.account).any(|whole| {
            let shown = whole.shown.iter().any(|(home, shown, gone)| {
                let gone = *gone && self.broken != Some(Mutation::KnownByDeletions);
                *home == self.region && shown == kind && !gone
            });
            let any =
                whole.region == self.region && self.broken == Some(Mutation::KnownByAnySnapshot);
            shown && !held::may_hide_any(whole, &self.region) || any
        })
    }

    /// Whether something of the type is known to be untold.
    pub fn has_hole(&self, world: &World<'_>, kind: &str) -> bool {
        self.has_hole_of(world, kind, false)
    }

    /// Whether something untold may be of this resource. An item that could not be read is of the
    /// resource that it names.
    pub fn has_hole_about(&self, world: &World<'_>, kind: &str, id: &str) -> bool {
        let about = |hole: &&Hole| !hole.item || hole.id.as_deref().is_none_or(|named| named == id);
        self.told.holes.iter().filter(about).any(|hole| {
            hole.kind.as_deref().is_none_or(|of| of == kind) && self.is_open(world, hole, kind)
        })
    }

    /// Of recorders that were not listed nothing bad can come: what any records is known.
    fn has_hole_of(&self, world: &World<'_>, kind: &str, items_alone: bool) -> bool {
        self.told.holes.iter().filter(|hole| hole.unreadable || !items_alone).any(|hole| {
            hole.kind.as_deref().is_none_or(|of| of == kind) && self.is_open(world, hole, kind)
        })
    }

    /// Whether a hole concerns this shard and nothing has closed it since.
    fn is_open(&self, world: &World<'_>, hole: &Hole, kind: &str) -> bool {
        let here = match &hole.account {
            Some(account) => *account == self.account,
            None => {
                let members = list(&world.case["organization"]["Accounts"]);
                members.iter().any(|member| text(&member["Id"]) == self.account)
            }
        };
        let elsewhere = !hole.regions.is_empty() && !hole.regions.contains(&self.region);
        // A file of another Region may hold `global` items of this one, no others.
        let by_another = hole.of_file.as_deref().is_some_and(|of| of != self.region);
        if !here || elsewhere || by_another && !GLOBAL_KINDS.contains(&kind) {
            return false;
        }
        let closed = self.told.wholes.iter().any(|whole| {
            whole.account == self.account
                && whole.moment_ms >= hole.since_ms + i64::from(hole.within)
                // It is the whole truth of what could be read of it.
                && !held::may_hide(whole, &self.region, kind)
                // It would hold the recorder's item.
                && (covers(whole, &self.region, kind, None)
                    || kind == RECORDER && whole.region == self.region)
        });
        let by_type = self.broken == Some(Mutation::GapsWithoutTypeNeedOne);
        let mended = hole.item
            && self.broken != Some(Mutation::MendedItemsStayUnreadable)
            && self.told.states.iter().any(|state| {
                state.account == self.account
                    && (state.region == self.region || hole.anywhere)
                    && Some(text(&state.item["resourceId"])) == hole.id.as_deref()
                    // Where its type was not told an id is enough.
                    && (hole.kind.as_deref())
                        .map_or(!by_type, |of| of == text(&state.item["resourceType"]))
                    && state.seen_ms >= hole.since_ms
            });
        !mended && (!closed || self.broken == Some(Mutation::SnapshotsCloseNothing))
    }

    /// Whether what is recorded is itself not told, or not any more.
    pub fn recorder_is_untold(&self, world: &World<'_>) -> bool {
        let mut recorders = self.of_type(RECORDER).filter(|one| !is_internal(one, self.broken));
        (recorders.any(|item| is_unseen(item) || self.is_outdated(item))
            || self.has_hole_of(world, RECORDER, true))
            && self.broken != Some(Mutation::UntoldRecorderPasses)
    }
}

/// Notes each needed type that is not known.
pub fn require(found: &mut Found, world: &World<'_>, here: &Held<'_>, needed: &[&str]) {
    if needed.iter().any(|kind| !here.knows(world, kind)) {
        found.gap();
    }
}
