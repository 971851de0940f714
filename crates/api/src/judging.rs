//! Judging where nothing is written: what is loaded of a shard and judged by, as the worker does it.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_core::evaluate::{self, Evidence, Reference};
use palisade_core::ident::{PolicyId, ResourceType, ShardId};
use palisade_core::policy::Policy;
use palisade_store::{Loaded, Want};

use crate::app::App;

/// Some policies, and what judging a whole shard under them reads.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The policies.
    pub policies: Vec<&'a Arc<Policy>>,
    /// Their ids.
    pub ids: Vec<PolicyId>,
    /// The facts that they name.
    pub references: BTreeSet<Reference>,
    /// Types whose items they read.
    pub types: BTreeSet<ResourceType>,
}

impl<'a> Asked<'a> {
    /// What judging under these policies reads.
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

/// What was loaded, with what the operator's word makes known.
pub(crate) fn assuming(app: &App, mut loaded: Loaded) -> Loaded {
    loaded.shard.assumed = app.settings.assumed.clone();
    loaded.account.assume(&app.settings.assumed);
    loaded
}

/// What a judgement at this moment depends on.
pub(crate) fn evidence<'l>(app: &App, loaded: &'l Loaded, now_ms: i64) -> Evidence<'l> {
    Evidence {
        shard: &loaded.shard,
        references: &loaded.references,
        account: &loaded.account,
        evaluated_ms: now_ms,
        stale_after_ms: app.settings.stale_after_ms,
    }
}
