//! Which policies a shard is judged under, and what that reads.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_api::ControlView;
use palisade_core::evaluate::{self, Reference};
use palisade_core::ident::{PolicyId, Region, ResourceType, ShardId};
use palisade_core::policy::Policy;
use palisade_store::{Due, Want};

/// Some policies, and what judging a whole shard under them reads.
pub struct Asked<'a> {
    pub policies: Vec<&'a Arc<Policy>>,
    pub ids: Vec<PolicyId>,
    pub references: BTreeSet<Reference>,
    pub types: BTreeSet<ResourceType>,
}

impl<'a> Asked<'a> {
    pub fn of(policies: Vec<&'a Arc<Policy>>) -> Asked<'a> {
        Asked {
            ids: policies.iter().map(|policy| policy.id.clone()).collect(),
            references: policies.iter().flat_map(|policy| evaluate::references(policy)).collect(),
            types: policies.iter().flat_map(|policy| evaluate::reads(policy)).collect(),
            policies,
        }
    }

    /// What is asked of a store for one shard.
    pub fn want<'w>(&'w self, shard: &'w ShardId) -> Want<'w> {
        let Asked { ids: policies, references, types, .. } = self;
        Want::of_types(shard, references, policies, types)
    }
}

/// The policies of a Region that such marks name.
pub fn policies_of<'v>(
    view: &'v ControlView,
    region: &Region,
    dues: &[&Due],
) -> Vec<&'v Arc<Policy>> {
    let is_named = |policy: &Policy| {
        dues.iter().any(|due| match due {
            Due::Shard | Due::Changes => true,
            Due::Policy(id) => *id == policy.id,
        })
    };
    view.policies().filter(|policy| policy.region == *region && is_named(policy)).collect()
}
