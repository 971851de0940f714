//! What an evaluator is: one for each type of policy, in the file of its name. What most have in common
//! is there by default, on the safe side.

use std::collections::BTreeSet;

use crate::ident::ResourceType;
use crate::inventory::{Item, Shard};
use crate::policy::Policy;

use super::change::{Changed, Footprint};
use super::filter::Special;
use super::{Evidence, Judgement, Reference};

/// Judges policies of one type.
pub(super) trait Evaluator {
    /// Types without which a verdict cannot be told: each that is not known is a gap (semantics §10
    /// row 1).
    fn needed(&self, policy: &Policy) -> BTreeSet<ResourceType>;

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement);

    /// Whether anything of the shard can be in scope. Where nothing can, no type has to be known.
    fn is_concerned(&self, _policy: &Policy, _evidence: &Evidence<'_>) -> bool {
        true
    }

    /// Types whose items a judgement reads, beside those that the policy lists and recorders.
    fn reads(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        self.needed(policy)
    }

    /// Types of which whatever was missed is a gap (semantics §11 rows 37 and 39), known or not.
    fn must_not_be_missed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        self.needed(policy)
    }

    /// Facts outside the shard that the policy names.
    fn references(&self, _policy: &Policy) -> BTreeSet<Reference> {
        BTreeSet::new()
    }

    /// Facts outside the shard that its items name.
    fn shard_references(&self, _policy: &Policy, _shard: &Shard) -> BTreeSet<Reference> {
        BTreeSet::new()
    }

    /// How far a change of a resource reaches that shows something else than before.
    fn footprint(&self, _policy: &Policy, _changed: &Changed) -> Footprint {
        Footprint::Shard
    }

    /// Whether two states of a resource, in scope alike, show the evaluator the same.
    fn shows_same(&self, before: &Item, after: &Item) -> bool {
        before == after
    }

    /// What leaves out a resource whose account, type and tags are in scope, beside what does so under
    /// every type of policy.
    fn leaves_out(&self, _policy: &Policy, _shard: &Shard, _item: &Item) -> Option<Special> {
        None
    }

    /// Types of which all resources are read to judge one whose change reaches no further than
    /// itself.
    fn judged_with(&self) -> BTreeSet<ResourceType> {
        BTreeSet::new()
    }
}
