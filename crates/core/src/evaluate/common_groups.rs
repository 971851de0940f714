//! `SECURITY_GROUPS_COMMON`: every resource in scope carries a replica of each primary group, and
//! replicas are as their primaries are (semantics §5.4, §9 row 37, §10 rows 18, 19, 27, 28, §11 rows
//! 38, 42, 57, 65).
//!
//! Readings of what the text leaves open; each is the one that cannot call a violator compliant:
//!
//! - A listed interface is judged wherever it is attached; `applyToAllEC2InstanceENIs` is about
//!   instances. Where nothing tells which interface of an instance is the primary one, all must agree.
//! - A VPC is the account's own unless an item shows its owner to be another account. What does not tell
//!   its VPC may be in one that is shown to be another's; an interface that does not say that a service
//!   manages it is not managed by one.
//! - Where copying tags is asked for, a replica's further tags are an edit as well (`aws:` ones aside).
//! - A reference is owed where the replica's VPC has an active peering with a VPC of the referenced
//!   group's account: which VPC that group is in, inventory does not keep. A primary's reference to
//!   itself is never owed, and in a replica it stands for the replica or the primary.
//! - Replicas are judged whether anything carries them or not. Of replicas that are not there, only the
//!   resources that lack them are told.

mod edits;
mod holding;
mod networks;
mod places;
mod primaries;

use std::collections::BTreeSet;

use crate::ident::ResourceType;
use crate::inventory::{Body, Item, Shard};
use crate::policy::Policy;
use crate::policy::common_groups::CommonGroups;

use super::evaluator::Evaluator;
use super::filter::Special;
use super::interfaces::Interfaces;
use super::network;
use super::security_groups::{
    administrators_group, is_own, is_terminated, stateless_gap, untold_groups_gap,
};
use super::web_acls::is_protectable;
use super::{DependentService, Evidence, Gap, Judgement, Reference, Verdict, selected};

use holding::Holder;
use networks::Networks;
use places::Places;
use primaries::Primaries;

/// Types whose resources have interfaces or are some.
const CARRIERS: [ResourceType; 2] = [ResourceType::INSTANCE, ResourceType::NETWORK_INTERFACE];

/// Types whose resources carry groups themselves.
const BALANCERS: [ResourceType; 2] =
    [ResourceType::LOAD_BALANCER, ResourceType::CLASSIC_LOAD_BALANCER];

impl Evaluator for CommonGroups {
    fn references(&self, policy: &Policy) -> BTreeSet<Reference> {
        self.primaries.iter().map(|id| administrators_group(policy, id)).collect()
    }

    fn shard_references(&self, policy: &Policy, shard: &Shard) -> BTreeSet<Reference> {
        match lists_any(policy, &CARRIERS) {
            true => network::groups_listed(shard),
            false => BTreeSet::new(),
        }
    }

    /// Types that a verdict reads: what is listed, and groups, whose names tell replicas.
    fn needed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut needed: BTreeSet<_> = policy.resource_types().iter().cloned().collect();
        needed.insert(ResourceType::SECURITY_GROUP);
        needed
    }

    /// Types whose items a judgement reads. What is on an instance is told by its interfaces as well,
    /// and the other way round (semantics §11 row 42).
    fn reads(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut reads = self.must_not_be_missed(policy);
        if !self.shared_vpcs {
            reads.extend([ResourceType::VPC, ResourceType::SUBNET]);
        }
        if self.copies_references {
            reads.insert(ResourceType::VPC_PEERING_CONNECTION);
        }
        reads
    }

    /// A missed VPC or subnet could only take a resource out of scope; of missed peerings the
    /// judgement of a replica tells where it reads them.
    fn must_not_be_missed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut types = self.needed(policy);
        if lists_any(policy, &CARRIERS) {
            types.extend(CARRIERS);
        }
        if lists_any(policy, &BALANCERS) {
            types.insert(ResourceType::SECURITY_GROUP_VPC_ASSOCIATION);
        }
        types
    }

    fn leaves_out(&self, _policy: &Policy, shard: &Shard, item: &Item) -> Option<Special> {
        self.left_out(item, shard, &Networks::of(shard))
    }

    /// Judges what is in scope, and the replicas.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let networks = Networks::of(evidence.shard);
        let in_scope = self.in_scope(policy, evidence.shard, &networks);
        let primaries = match Primaries::find(policy, self, evidence, &mut judgement.gaps) {
            Ok(primaries) => primaries,
            Err(gap) => {
                let undecided = |item| judgement.record(item, Verdict::Undecided(gap.clone()));
                in_scope.into_iter().map(|(item, _)| item).for_each(undecided);
                return;
            }
        };
        let holder = Holder::new(self, policy, evidence, &primaries);
        for (item, places) in in_scope {
            let mut gaps = BTreeSet::new();
            let verdict = match &places {
                None => Verdict::Undecided(untold_groups_gap(item)),
                Some(places) => holder.verdict(places, &mut gaps),
            };
            judgement.doubt(item, gaps);
            judgement.tell(item, |told| {
                places.iter().for_each(|places| holder.tell(places, told));
            });
            // A terminated instance is in no scope, nor what is in a VPC that another account shares.
            let may_be_out =
                stateless_gap(item).or_else(|| self.vpc_gap(item, places.as_ref(), &networks));
            let verdict = match (verdict, may_be_out) {
                (Verdict::Violate(..), Some(gap)) => Verdict::Undecided(gap),
                (verdict, _) => verdict,
            };
            // An interface is judged by its instance's body as well: its places tell what is old.
            match item.key.resource_type == ResourceType::NETWORK_INTERFACE {
                true => judgement.record_told(item, verdict),
                false => judgement.record(item, verdict),
            }
        }
        if self.reverts_edits || self.copies_references {
            edits::judge(self, policy, evidence.shard, &primaries, &networks, judgement);
        }
    }
}

impl CommonGroups {
    /// The resources in scope, each with the places by which it is judged; `None` where nothing tells
    /// its groups.
    fn in_scope<'a>(
        &self,
        policy: &Policy,
        shard: &'a Shard,
        networks: &Networks<'a>,
    ) -> Vec<(&'a Item, Option<Places<'a>>)> {
        let interfaces = Interfaces::of(shard);
        let mut in_scope = Vec::new();
        for item in selected(policy, shard, &ResourceType::NETWORK_INTERFACE) {
            let places = match &item.body {
                _ if self.left_out(item, shard, networks).is_some() => continue,
                _ if !is_own(item, &shard.id.account) => continue,
                Body::NetworkInterface(own) => places::of_interface(item, own, &interfaces),
                _ => None,
            };
            in_scope.push((item, places));
        }
        for item in selected(policy, shard, &ResourceType::INSTANCE) {
            if self.left_out(item, shard, networks).is_none() && !is_terminated(item) {
                let places = places::of_instance(item, &interfaces, self.all_interfaces, shard);
                in_scope.push((item, places));
            }
        }
        for resource_type in &BALANCERS {
            let balancers = selected(policy, shard, resource_type).into_iter();
            // Network and gateway load balancers are out of scope (semantics §10 row 18).
            for item in balancers.filter(|item| is_protectable(item)) {
                if self.left_out(item, shard, networks).is_none() {
                    in_scope.push((item, places::of_balancer(item, shard, networks)));
                }
            }
        }
        in_scope
    }
}

impl CommonGroups {
    /// What leaves out a resource whose type and tags are in scope (semantics §5.4).
    fn left_out(&self, item: &Item, shard: &Shard, networks: &Networks<'_>) -> Option<Special> {
        let vpc = match &item.body {
            Body::NetworkInterface(own) if own.is_managed() => {
                return Some(Special::RequesterManaged);
            }
            Body::NetworkInterface(own) => own.vpc.as_deref(),
            Body::Instance(own) => own.vpc.as_deref(),
            _ if BALANCERS.contains(&item.key.resource_type) => {
                places::balancer_vpc(item, shard, networks)
            }
            _ => None,
        };
        self.is_out(vpc, networks).then_some(Special::SharedVpc)
    }

    /// Why a resource may be out of scope after all: nothing tells that its VPC is not one of those shown
    /// to be another account's (semantics §11 row 38).
    fn vpc_gap(
        &self,
        item: &Item,
        places: Option<&Places<'_>>,
        networks: &Networks<'_>,
    ) -> Option<Gap> {
        let is_told = places.is_some_and(|places| places.vpc().is_some());
        let text =
            format!("The VPC of {} {} was not recorded.", item.key.resource_type, item.key.id);
        let may_be_out = !self.shared_vpcs && networks.shows_anothers() && !is_told;
        may_be_out.then(|| Gap::new(DependentService::Config, &text))
    }

    fn is_out(&self, vpc: Option<&str>, networks: &Networks<'_>) -> bool {
        !self.shared_vpcs && networks.is_anothers(vpc)
    }
}

fn lists_any(policy: &Policy, types: &[ResourceType]) -> bool {
    types.iter().any(|one| policy.scope.lists(one))
}

#[cfg(test)]
mod tests;
