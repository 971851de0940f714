//! What is wrong: one pure judgement of a policy over a shard. One file a policy type, with the
//! names of [`crate::policy`].

use std::collections::BTreeSet;

use crate::ident::ResourceType;
use crate::inventory::Shard;
use crate::policy::{Policy, Rule};

mod account;
mod acl_order;
mod addresses;
mod audit_lists;
mod change;
mod common_groups;
mod content_audit;
mod coverage;
mod dns_firewall;
mod elsewhere;
mod evaluator;
mod explain;
mod filter;
mod finding;
mod firewall_policies;
mod footprint;
mod freshness;
mod gap;
#[cfg(test)]
mod hidden;
mod import_network_firewall;
mod interfaces;
mod judgement;
mod lacking;
mod listener;
mod managed_options;
mod narrowing;
mod network;
mod network_acl_common;
mod network_firewall;
mod opening;
mod prefix_lists;
mod reference;
mod rule_groups;
mod security_groups;
mod selection;
mod shield_advanced;
mod third_party_firewall;
mod unrecorded;
mod usage_audit;
mod waf;
mod wafv2;
mod web_acl_name;
mod web_acls;
#[cfg(test)]
mod world;
mod yardstick;

pub use crate::policy::DependentService;
pub use account::{AccountFacts, ServedRegion};
pub use change::{Changed, Footprint};
pub use content_audit::VIOLATIONS_MAX;
pub(crate) use coverage::STALE;
pub use coverage::current_until_ms;
pub use dns_firewall::DNS_RULE_GROUPS_PER_VPC_MAX;
use evaluator::Evaluator;
pub use explain::{Explained, Explanation, explain};
pub use filter::{Filter, Special};
use finding::first;
pub use finding::{
    ATTACHED_RULES_MAX, AclRemedy, AclStep, AttachedGroup, BrokenRule, CONFLICTS_MAX, Direction,
    DnsFinding, DnsRemedy, DnsStep, EntryFault, EntryFaultReason, EntryPart, ExpectedRoute,
    Finding, FirewallFinding, FirewallPath, GroupPlace, GroupStep, Mismatch, MissingReplica,
    NarrowPeer, NarrowRule, NearMiss, NetworkAclFinding, OUT_OF_SCOPE_RESOURCES_MAX, Obstacle,
    PlacedEntry, REPLICA_DIFFERENCES_MAX, ROUTES_MAX, RULE_GROUP_DIFFERENCES_MAX,
    ReplicaDifference, RouteRemedy, RouteStep, RoutedSubnet, RuleAction, RuleRemedy,
    SecurityGroupFinding, ShieldFinding, ThirdPartyFinding, UNAVAILABLE_PRIORITIES_MAX, Violation,
    ViolationReason, WafFinding,
};
pub use footprint::{Difference, Support, footprint, judge_changed, support};
pub use freshness::Freshness;
pub use gap::Gap;
use judgement::unseen;
pub use judgement::{Evidence, Judgement, Status, Verdict, Violator};
pub use lacking::{Lacking, Missing};
pub use listener::{HELD_MAX, Held, ItemSeen, READ_MAX};
pub use network::{
    InterfacesKnown, LateVpcs, NETWORK_TYPES, NetworkAsked, NetworkFacts, NetworkShown,
    NetworkUser, Presence, Sharers, reads_networks,
};
pub use reference::{Fact, Reference, References};
use selection::selected;
use unrecorded::{outdated, unseen_gap};

/// Which rules these are. To be raised with every change of what an evaluator finds of the same
/// facts: a ledger that was judged by others is judged again when it is next served.
pub const RULES: u32 = 9;

/// The evaluator of a policy's type: the one place that knows them all.
fn evaluator(rule: &Rule) -> &dyn Evaluator {
    match rule {
        Rule::CommonGroups(common) => common,
        Rule::ContentAudit(audit) => audit,
        Rule::DnsFirewall(dns) => dns,
        Rule::ImportNetworkFirewall(import) => import,
        Rule::NetworkAclCommon(common) => common,
        Rule::NetworkFirewall(firewall) => firewall,
        Rule::ShieldAdvanced(shield) => shield,
        Rule::ThirdPartyFirewall(firewall) => firewall,
        Rule::UsageAudit(audit) => audit,
        Rule::Waf(waf) => waf,
        Rule::Wafv2(wafv2) => wafv2,
    }
}

/// Facts outside the shard that judging a policy needs. What of them is found goes into
/// [`Evidence::references`].
pub fn references(policy: &Policy) -> BTreeSet<Reference> {
    evaluator(&policy.rule).references(policy)
}

/// What of other accounts' shards a policy's judgement of this shard reads: whoever changes that has it
/// judged again ([`Reference`]).
pub fn shard_references(policy: &Policy, shard: &Shard) -> BTreeSet<Reference> {
    evaluator(&policy.rule).shard_references(policy, shard)
}

/// Types whose items judging a policy reads, in the shard judged and in the account's others: of all
/// other types no item can change a judgement.
pub fn reads(policy: &Policy) -> BTreeSet<ResourceType> {
    let mut reads = evaluator(&policy.rule).reads(policy);
    reads.extend(policy.resource_types().iter().cloned());
    reads.insert(ResourceType::CONFIGURATION_RECORDER);
    reads
}

/// Types without which the policy's verdicts cannot be told.
fn needed(policy: &Policy) -> BTreeSet<ResourceType> {
    evaluator(&policy.rule).needed(policy)
}

/// Judges one policy over one shard. The caller has checked that the shard's account is in the
/// policy's scope and that the shard is of the policy's Region.
pub fn judge(policy: &Policy, evidence: &Evidence<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    judge_into(policy, evidence, &mut judgement);
    judgement
}

/// As [`judge`], into a judgement that somebody may listen to.
fn judge_into(policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
    let evaluator = evaluator(&policy.rule);
    evaluator.judge(policy, evidence, judgement);
    for (item, gap) in selection::undecided(policy, evidence.shard) {
        judgement.doubt(item, [gap]);
    }
    let (mut needed, mut read) = (evaluator.needed(policy), evaluator.must_not_be_missed(policy));
    if !evaluator.is_concerned(policy, evidence) {
        (needed, read) = (BTreeSet::new(), BTreeSet::new());
    }
    coverage::note(judgement, &needed, &read, evidence);
    elsewhere::note(judgement, policy, evaluator, evidence);
    judgement.violators.sort_by(|a, b| (&a.resource_type, &a.id).cmp(&(&b.resource_type, &b.id)));
}
