//! `SECURITY_GROUPS_USAGE_AUDIT`: each group in scope is used, and is the only one of its VPC with
//! its rules (semantics §5.6, §9 row 40, §10 rows 1, 14, 15, 28).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

use crate::ident::{AccountId, ResourceType};
use crate::inventory::{Body, Instance, Item, SecurityGroup, Shard};
use crate::policy::Policy;
use crate::policy::usage_audit::UsageAudit;

use super::coverage::not_recording;
use super::opening::{Opening, Peer, Ports, openings};
use super::security_groups::{is_own, is_replica, is_terminated};
use super::{
    Direction, Evidence, Finding, Gap, Judgement, Verdict, Violation, ViolationReason, outdated,
    selected, unseen, unseen_gap,
};

/// Name of every VPC's default group; no other group may have it.
const DEFAULT_GROUP: &str = "default";

/// Types that a verdict reads (semantics §10 row 1): groups, interfaces (they also choose the
/// keeper) and, for "used", instances, as §1.5 lists them. Load balancers that are held count as
/// use, but need not be recorded: their groups are those of their interfaces.
pub(super) fn needed(audit: &UsageAudit) -> BTreeSet<ResourceType> {
    let mut needed = BTreeSet::from([ResourceType::SECURITY_GROUP]);
    if audit.unique {
        needed.insert(ResourceType::NETWORK_INTERFACE);
    }
    if audit.unused_after_ms.is_some() {
        needed.extend(MUST_BE_KNOWN);
    }
    needed
}

/// Types without which "unused" cannot be told.
const MUST_BE_KNOWN: [ResourceType; 2] = [ResourceType::INSTANCE, ResourceType::NETWORK_INTERFACE];

/// Types whose resources use groups.
const USERS: [ResourceType; 4] = [
    ResourceType::INSTANCE,
    ResourceType::NETWORK_INTERFACE,
    ResourceType::CLASSIC_LOAD_BALANCER,
    ResourceType::LOAD_BALANCER,
];

/// Types whose items a judgement reads.
pub(super) fn reads() -> impl Iterator<Item = ResourceType> {
    [ResourceType::SECURITY_GROUP].into_iter().chain(MUST_BE_KNOWN).chain(USERS)
}

/// Whether a resource shows the same to this audit: of what uses groups, which ones. What it shows
/// otherwise can make any group of the shard unused or redundant.
pub(super) fn shows_same(audit: &UsageAudit, before: &Item, after: &Item) -> bool {
    if before.key.resource_type != ResourceType::SECURITY_GROUP {
        return discriminant(&before.body) == discriminant(&after.body)
            && is_terminated(before) == is_terminated(after)
            && groups_used(before) == groups_used(after);
    }
    let as_new = audit.unused_after_ms.is_none() || newest_ms(before) == newest_ms(after);
    as_new && before.body == after.body
}

/// Judges what is in scope.
pub(super) fn judge(
    policy: &Policy,
    audit: &UsageAudit,
    evidence: &Evidence<'_>,
    judgement: &mut Judgement,
) {
    let shard = evidence.shard;
    let account = &shard.id.account;
    let groups: Vec<&Item> = selected(policy, shard, &ResourceType::SECURITY_GROUP)
        .into_iter()
        .filter(|item| is_own(item, account))
        .collect();
    let uses = Uses::of(shard);
    let keepers = if audit.unique { keepers(&groups, &uses, account) } else { BTreeMap::new() };
    if !keepers.is_empty() {
        judgement.gaps.extend(uses.uncounted.clone());
    }
    for item in groups {
        let verdict = match &item.body {
            Body::SecurityGroup(group) if is_audited(group) => {
                match (keepers.get(item.key.id.as_str()), audit.unused_after_ms) {
                    (Some(keeper), _) => redundant(item, keeper),
                    (None, Some(after_ms)) => {
                        unused(item, &uses, after_ms, evidence.evaluated_ms, judgement)
                    }
                    (None, None) => Verdict::Comply,
                }
            }
            Body::SecurityGroup(_) => Verdict::Comply,
            _ => unseen(item),
        };
        judgement.record(item, verdict);
    }
}

/// A VPC's default group cannot be deleted, and replicas are Firewall Manager's own.
fn is_audited(group: &SecurityGroup) -> bool {
    &*group.group_name != DEFAULT_GROUP && !is_replica(group)
}

/// Which groups of a shard are used.
struct Uses<'a> {
    used: BTreeSet<&'a str>,
    /// Groups that were used by what may have changed since.
    once_used: BTreeMap<&'a str, Gap>,
    /// On how many interfaces a group is.
    interfaces: BTreeMap<&'a str, u64>,
    /// Why those counts may be others: an interface's groups were not recorded, or not the latest.
    uncounted: Option<Gap>,
    /// Why a group that nothing seen uses may be used.
    blind: Option<Gap>,
    /// That a group which nothing used may be used by now.
    outdated: Option<Gap>,
}

impl<'a> Uses<'a> {
    fn of(shard: &'a Shard) -> Uses<'a> {
        let unknown = MUST_BE_KNOWN.iter().find(|resource_type| !shard.knows(resource_type));
        let mut uses = Uses {
            used: BTreeSet::new(),
            once_used: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            uncounted: None,
            blind: unknown.map(not_recording),
            outdated: None,
        };
        let users = USERS.iter().filter_map(|resource_type| shard.items.get(resource_type));
        for item in users.flat_map(BTreeMap::values).filter(|item| !is_terminated(item)) {
            uses.add(item);
        }
        uses
    }

    fn add(&mut self, item: &'a Item) {
        if item.key.resource_type == ResourceType::NETWORK_INTERFACE {
            let unseen = || item.body.is_unseen().then(|| unseen_gap(item));
            self.uncounted = self.uncounted.take().or_else(|| outdated(item).or_else(unseen));
        }
        let Some(groups) = groups_used(item) else {
            self.blind = self.blind.take().or_else(|| Some(unseen_gap(item)));
            return;
        };
        if matches!(item.body, Body::NetworkInterface(_)) {
            for group in &groups {
                let count = self.interfaces.entry(group).or_default();
                *count = count.saturating_add(1);
            }
        }
        let Some(gap) = outdated(item) else {
            self.used.extend(groups);
            return;
        };
        for group in groups {
            self.once_used.entry(group).or_insert_with(|| gap.clone());
        }
        self.outdated = self.outdated.take().or(Some(gap));
    }
}

/// The capture time of a resource's newest configuration item.
fn newest_ms(item: &Item) -> i64 {
    item.unseen_since.as_ref().map_or(&item.version, |later| &later.version).captured_ms
}

/// The groups that a resource uses; `None` when that was not recorded.
fn groups_used(item: &Item) -> Option<BTreeSet<&str>> {
    let groups = match &item.body {
        Body::NetworkInterface(interface) => &interface.groups,
        Body::Instance(Instance { groups, interfaces, .. }) => {
            let on_interfaces = interfaces.iter().flat_map(|interface| &interface.groups);
            return Some(groups.iter().chain(on_interfaces).map(Box::as_ref).collect());
        }
        Body::LoadBalancer(balancer) => &balancer.groups,
        Body::ClassicLoadBalancer(balancer) => &balancer.groups,
        _ => return None,
    };
    Some(groups.iter().map(Box::as_ref).collect())
}

/// What a group opens, so that groups that open the same are equal.
type Rules<'a> = Vec<(Direction, Option<u8>, Ports, Other<'a>)>;

/// The other end of a rule.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Other<'a> {
    /// The group that has the rule.
    Itself,
    Peer(Peer<'a>),
}

/// The rules of a group without order, grouping and description; a reference to itself counts as
/// such, and one to a group of the shard's account is the same with and without the account
/// (semantics §10 row 14).
fn rules<'a>(item: &'a Item, group: &'a SecurityGroup, account: &AccountId) -> Rules<'a> {
    let normal = |opening: Opening<'a>| {
        let other = match opening.peer {
            Peer::Group(_, id) if id == item.key.id.as_str() => Other::Itself,
            Peer::Group(Some(user), id) if user == account.as_str() => {
                Other::Peer(Peer::Group(None, id))
            }
            peer => Other::Peer(peer),
        };
        (opening.direction, opening.protocol, opening.ports, other)
    };
    let mut rules: Rules<'a> = openings(group).into_iter().map(normal).collect();
    rules.sort_unstable();
    rules.dedup();
    rules
}

/// The redundant groups, each with the one that is to stay in its place: that on most interfaces,
/// of equals the one with the smallest id. A group whose VPC is not told is compared with none.
fn keepers<'a>(
    groups: &[&'a Item],
    uses: &Uses<'_>,
    account: &AccountId,
) -> BTreeMap<&'a str, &'a str> {
    let mut alike: BTreeMap<(&str, Rules<'_>), Vec<&'a str>> = BTreeMap::new();
    for item in groups {
        if let Body::SecurityGroup(group) = &item.body
            && let Some(vpc) = group.vpc.as_deref()
            && is_audited(group)
        {
            let rules = rules(item, group, account);
            alike.entry((vpc, rules)).or_default().push(item.key.id.as_str());
        }
    }
    let mut keepers = BTreeMap::new();
    for ids in alike.into_values() {
        let count = |id: &str| uses.interfaces.get(id).copied().unwrap_or_default();
        let keeper = ids.iter().copied().max_by_key(|id| (count(id), Reverse(*id)));
        for id in ids {
            keepers.extend(keeper.filter(|keeper| *keeper != id).map(|keeper| (id, keeper)));
        }
    }
    keepers
}

/// What is also unused is redundant first: its remedy begins there (semantics §10 row 15).
fn redundant(item: &Item, keeper: &str) -> Verdict {
    let finding =
        Finding::RedundantGroup { group: item.key.id.as_str().into(), keeper: keeper.into() };
    let reason = ViolationReason::SecurityGroupRedundant;
    Verdict::Violate(Violation { reason, finding }, Vec::new())
}

/// Nothing uses the group, and it has been as it is for the delay, counted from its newest
/// configuration item, whether that tells its configuration or not (semantics §5.6); without a delay the clock does not matter. Before that, time alone will change the
/// judgement.
fn unused(
    item: &Item,
    uses: &Uses<'_>,
    after_ms: i64,
    evaluated_ms: i64,
    judgement: &mut Judgement,
) -> Verdict {
    if uses.used.contains(item.key.id.as_str()) {
        return Verdict::Comply;
    }
    let since_ms = newest_ms(item);
    let due_ms = since_ms.saturating_add(after_ms);
    if after_ms > 0 && evaluated_ms < due_ms {
        judgement.wake_at(due_ms);
        return Verdict::Comply;
    }
    if let Some(gap) = uses.once_used.get(item.key.id.as_str()) {
        return Verdict::Undecided(gap.clone());
    }
    if let Some(gap) = &uses.blind {
        return Verdict::Undecided(gap.clone());
    }
    judgement.gaps.extend(uses.outdated.clone());
    let finding = Finding::UnusedGroup { group: item.key.id.as_str().into(), since_ms };
    let reason = ViolationReason::SecurityGroupUnused;
    Verdict::Violate(Violation { reason, finding }, Vec::new())
}

#[cfg(test)]
mod tests;
