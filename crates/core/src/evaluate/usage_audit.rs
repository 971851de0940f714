//! `SECURITY_GROUPS_USAGE_AUDIT`: each group in scope is used, and is the only one of its VPC with
//! its rules (semantics §5.6, §9 row 40, §10 rows 1, 14, 15, 28, §11 rows 41, 42, 57).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{AccountId, ResourceType};
use crate::inventory::{Body, Item, ItemKey, SecurityGroup, Shard};
use crate::policy::Policy;
use crate::policy::usage_audit::UsageAudit;

use super::coverage::{not_seen, open_gaps};
use super::elsewhere::account_doubt;
use super::evaluator::Evaluator;
use super::interfaces::{self, Groups, Interfaces};
use super::listener::Told;
use super::network;
use super::opening::{Opening, Peer, Ports, openings};
use super::security_groups::{
    Maker, Replicas, is_own, is_terminated, stateless_gap, unnamed_gap, untold_groups_gap,
    untold_rules_gap,
};
use super::web_acls::{is_protectable, kind_gap};
use super::{
    DependentService, Direction, Evidence, Gap, Judgement, NetworkFacts, NetworkUser, Reference,
    SecurityGroupFinding, Verdict, outdated, selected, unseen, unseen_gap,
};

/// Name of every VPC's default group; no other group may have it.
const DEFAULT_GROUP: &str = "default";

/// Types without which "unused" cannot be told.
const MUST_BE_KNOWN: [ResourceType; 2] = [ResourceType::INSTANCE, ResourceType::NETWORK_INTERFACE];

/// Types whose resources use groups.
const USERS: [ResourceType; 5] = [
    ResourceType::INSTANCE,
    ResourceType::NETWORK_INTERFACE,
    ResourceType::CLASSIC_LOAD_BALANCER,
    ResourceType::LOAD_BALANCER,
    ResourceType::SECURITY_GROUP_VPC_ASSOCIATION,
];

impl Evaluator for UsageAudit {
    fn references(&self, _policy: &Policy) -> BTreeSet<Reference> {
        [Reference::CommonPolicies].into()
    }

    fn shard_references(&self, _policy: &Policy, shard: &Shard) -> BTreeSet<Reference> {
        network::vpcs_of_groups(shard)
    }

    /// Types that a verdict reads (semantics §10 row 1): groups, interfaces (they also choose the
    /// keeper) and, for "used", instances, as §1.5 lists them. Load balancers that are held count as
    /// use, but need not be recorded: their groups are those of their interfaces.
    fn needed(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        let mut needed = BTreeSet::from([ResourceType::SECURITY_GROUP]);
        if self.unique {
            needed.insert(ResourceType::NETWORK_INTERFACE);
        }
        if self.unused_after_ms.is_some() {
            needed.extend(MUST_BE_KNOWN);
        }
        needed
    }

    /// Types whose items a judgement reads.
    fn reads(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        [ResourceType::SECURITY_GROUP].into_iter().chain(MUST_BE_KNOWN).chain(USERS).collect()
    }

    /// Whether a resource shows the same to this audit: of what uses groups, which ones. What it shows
    /// otherwise can make any group of the shard unused or redundant.
    fn shows_same(&self, before: &Item, after: &Item) -> bool {
        if MUST_BE_KNOWN.contains(&before.key.resource_type) {
            return interfaces::shows_same(before, after);
        }
        if before.key.resource_type != ResourceType::SECURITY_GROUP {
            return before.body == after.body;
        }
        let as_new = self.unused_after_ms.is_none() || newest_ms(before) == newest_ms(after);
        as_new && before.body == after.body
    }

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let shard = evidence.shard;
        let account = &shard.id.account;
        let replicas = Replicas::of(evidence.references);
        let groups: Vec<&Item> = selected(policy, shard, &ResourceType::SECURITY_GROUP)
            .into_iter()
            .filter(|item| is_own(item, account))
            .collect();
        let interfaces = Interfaces::of(shard);
        let uses = Uses::of(evidence, &interfaces);
        let keepers = match self.unique {
            true => {
                let audited = groups.iter().filter(|item| match &item.body {
                    Body::SecurityGroup(group) => {
                        group.vpc.is_none() && is_audited(group, replicas)
                    }
                    _ => false,
                });
                audited.for_each(|item| judgement.doubt(item, [nowhere_gap(item)]));
                keepers(&groups, &uses, account, replicas)
            }
            false => BTreeMap::new(),
        };
        if !keepers.is_empty() {
            judgement.gaps.extend(uses.uncounted.clone());
        }
        for item in groups.iter().filter(|item| keepers.contains_key(item.key.id.as_str())) {
            judgement.doubt(item, uses.unknown_in_vpc(item));
        }
        for item in groups {
            let verdict = match &item.body {
                Body::SecurityGroup(group) if is_audited(group, replicas) => {
                    let lookalike = replicas.maker(group) == Maker::Lookalike;
                    // What is told to be in no VPC is compared with none.
                    let is_compared = self.unique && group.vpc.as_deref() != Some("");
                    if is_compared && group.has_untold_rules() {
                        judgement.doubt(item, [untold_rules_gap(item)]);
                    }
                    let keeper = keepers.get(item.key.id.as_str()).copied();
                    judgement.tell(item, |told| self.tell(item, keeper, &uses, told));
                    match (keepers.get(item.key.id.as_str()), self.unused_after_ms) {
                        _ if group.group_name.is_empty() => Verdict::Undecided(unnamed_gap(item)),
                        (Some(keeper), _) => redundant(item, keeper, lookalike),
                        (None, Some(after_ms)) => {
                            let since = Since { after_ms, evaluated_ms: evidence.evaluated_ms };
                            unused(item, &uses, since, lookalike, judgement)
                        }
                        (None, None) => Verdict::Comply,
                    }
                }
                Body::SecurityGroup(_) => {
                    judgement.tell(item, |told| {
                        let why =
                            "default groups, and those that Firewall Manager made, are not audited";
                        told.holds("group", why, item.key.id.as_str(), Some(true));
                    });
                    Verdict::Comply
                }
                _ => unseen(item),
            };
            judgement.record(item, verdict);
        }
    }
}

impl UsageAudit {
    /// What a group is held against: whether it is used, and alone with its rules.
    fn tell(&self, item: &Item, keeper: Option<&str>, uses: &Uses<'_>, told: &mut Told) {
        let id = item.key.id.as_str();
        if self.unused_after_ms.is_some() {
            let (found, fits) = match (uses.used.contains(id), uses.interfaces.get(id)) {
                (true, Some(count)) => (format!("on {count} network interfaces"), Some(true)),
                (true, None) => ("in use".to_owned(), Some(true)),
                (false, _) if uses.once_used.contains_key(id) || uses.blind.is_some() => {
                    ("no use is known for certain".to_owned(), None)
                }
                (false, _) => ("nothing uses it".to_owned(), Some(false)),
            };
            told.holds("use", "something uses the group", found, fits);
        }
        if self.unique {
            let (found, fits) = match keeper {
                Some(keeper) => {
                    (format!("{keeper} has the same rules and is to stay"), Some(false))
                }
                None => ("no other that is to stay".to_owned(), Some(true)),
            };
            told.holds("rules", "no other group of its VPC has them", found, fits);
        }
    }
}

/// A VPC's default group cannot be deleted, and replicas are Firewall Manager's own.
fn is_audited(group: &SecurityGroup, replicas: Replicas<'_>) -> bool {
    &*group.group_name != DEFAULT_GROUP && replicas.maker(group) != Maker::FirewallManager
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
    /// What other accounts use, or may.
    network: &'a NetworkFacts,
    evidence: Evidence<'a>,
}

impl<'a> Uses<'a> {
    fn of(evidence: &Evidence<'a>, interfaces: &Interfaces<'a>) -> Uses<'a> {
        let (shard, network) = (evidence.shard, &evidence.account.network);
        let unseen = MUST_BE_KNOWN.iter().find_map(|resource_type| not_seen(shard, resource_type));
        // The others need not be known, but what is known to be missed may use any group.
        let unseen = unseen.or_else(|| {
            USERS.iter().find_map(|resource_type| open_gaps(shard, resource_type).next())
        });
        let mut uses = Uses {
            used: BTreeSet::new(),
            once_used: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            uncounted: None,
            blind: unseen,
            outdated: None,
            network,
            evidence: *evidence,
        };
        for NetworkUser { item, groups } in &network.users {
            let is_own = shard.item(&item.key.resource_type, item.key.id.as_str()).is_some();
            uses.add_foreign(item, groups, is_own);
        }
        let users = USERS.iter().filter_map(|resource_type| shard.items.get(resource_type));
        for item in users.flat_map(BTreeMap::values).filter(|item| !is_terminated(item)) {
            uses.add(item, interfaces);
        }
        uses
    }

    fn add(&mut self, item: &'a Item, interfaces: &Interfaces<'a>) {
        let is_interface = item.key.resource_type == ResourceType::NETWORK_INTERFACE;
        let used = groups_used(item, interfaces);
        if is_interface {
            let gap = match &used {
                None => Some(unseen_gap(item)),
                Some(used) => used.iter().find_map(|groups| groups.outdated.clone()),
            };
            self.uncounted = self.uncounted.take().or(gap);
        }
        let Some(used) = used else {
            self.blind = self.blind.take().or_else(|| Some(untold_groups_gap(item)));
            return;
        };
        for groups in used {
            self.blind = self.blind.take().or(groups.untold);
            if is_interface {
                for group in &groups.ids {
                    let count = self.interfaces.entry(group).or_default();
                    *count = count.saturating_add(1);
                }
            }
            let Some(gap) = groups.outdated else {
                self.used.extend(groups.ids);
                continue;
            };
            for group in groups.ids {
                self.once_used.entry(group).or_insert_with(|| gap.clone());
            }
            // Of what another account owns sharing tells.
            if is_own(item, &self.evidence.shard.id.account) {
                self.outdated = self.outdated.take().or(Some(gap));
            }
        }
    }
}

impl<'a> Uses<'a> {
    /// What another account's inventory tells to use groups of the shard's (semantics §11 row 41). An
    /// interface that the shard's own inventory tells of as well is counted there.
    fn add_foreign(&mut self, item: &Item, groups: &'a BTreeSet<Box<str>>, is_own: bool) {
        let listed = groups.iter().map(Box::as_ref);
        if item.key.resource_type == ResourceType::NETWORK_INTERFACE && !is_own {
            for group in listed.clone() {
                let count = self.interfaces.entry(group).or_default();
                *count = count.saturating_add(1);
            }
        }
        let Some(gap) = self.foreign_doubt(item) else {
            self.used.extend(listed);
            return;
        };
        for group in listed {
            self.once_used.entry(group).or_insert_with(|| gap.clone());
        }
    }

    /// Why what another account told may use something else by now. An instance that does not tell its
    /// state may be terminated.
    fn foreign_doubt(&self, item: &Item) -> Option<Gap> {
        let ItemKey { account, resource_type, id, .. } = &item.key;
        let what = match (item.unseen_since.is_some(), stateless_gap(item).is_some()) {
            (true, _) => "latest configuration",
            (false, true) => "state",
            (false, false) => {
                let newest_ms = self.network.user_ages.get(account)?;
                return account_doubt(account, *newest_ms, &self.evidence);
            }
        };
        let text =
            format!("The {what} of {resource_type} {id} of account {account} was not recorded.");
        Some(Gap::new(DependentService::Config, &text))
    }

    /// Why a group may be used by an account that shares its VPC.
    fn unknown_in_vpc(&self, item: &Item) -> Option<Gap> {
        let Body::SecurityGroup(group) = &item.body else { return None };
        let vpc = group.vpc.as_deref()?;
        let (account, what) = match (self.network.unrecorded.get(vpc), self.network.unseen.get(vpc))
        {
            (Some(account), _) => (account, "are not recorded"),
            (None, Some(account)) => (account, "were not all seen"),
            (None, None) => {
                let mut ages = self.network.sharer_ages.get(vpc)?.iter();
                return ages.find_map(|(account, newest_ms)| {
                    account_doubt(account, *newest_ms, &self.evidence)
                });
            }
        };
        let text = format!("Network interfaces of account {account}, which shares {vpc}, {what}.");
        Some(Gap::new(DependentService::Config, &text))
    }
}

/// The capture time of a resource's newest configuration item.
fn newest_ms(item: &Item) -> i64 {
    item.unseen_since.as_ref().map_or(&item.version, |later| &later.version).captured_ms
}

/// The groups that a resource uses; `None` when that was not recorded. Of an instance those of each
/// of its interfaces, and what its body tells may have changed with the whole of it.
fn groups_used<'a>(item: &'a Item, interfaces: &Interfaces<'a>) -> Option<Vec<Groups<'a>>> {
    let groups = match &item.body {
        Body::Instance(_) => {
            let on_instance = interfaces.on_instance(item)?.into_values();
            let of_itself = || outdated(item).or_else(|| stateless_gap(item));
            let listed = on_instance
                .map(|groups| Groups { outdated: groups.outdated.or_else(&of_itself), ..groups });
            // One that listed none may use any by now.
            let none = Groups { outdated: of_itself(), ..Groups::default() };
            return Some(listed.chain([none]).collect());
        }
        Body::LoadBalancer(_) | Body::ClassicLoadBalancer(_) => groups_of(item)?,
        // A group that is associated with another VPC is in use there (semantics §11 row 41).
        Body::GroupAssociation(association) => {
            let ids = association.serving().into_iter().collect();
            return Some(vec![Groups { ids, outdated: outdated(item), untold: None }]);
        }
        _ if item.key.resource_type == ResourceType::NETWORK_INTERFACE => {
            return interfaces.on_interface(item).map(|groups| vec![groups]);
        }
        _ => return None,
    };
    let ids = groups.iter().map(Box::as_ref).collect();
    Some(vec![Groups { ids, outdated: outdated(item), untold: None }])
}

/// The groups of a load balancer; `None` where they are not told. Network and gateway ones mostly
/// have none, and then tell none.
fn groups_of(item: &Item) -> Option<&[Box<str>]> {
    match &item.body {
        Body::LoadBalancer(balancer) => match &balancer.groups {
            Some(groups) => Some(groups),
            None if is_protectable(item) || kind_gap(item).is_some() => None,
            None => Some(&[]),
        },
        Body::ClassicLoadBalancer(balancer) => balancer.groups.as_deref(),
        _ => None,
    }
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
/// of equals the one with the smallest id. A group that is in no VPC, or does not tell which, is
/// compared with none.
fn keepers<'a>(
    groups: &[&'a Item],
    uses: &Uses<'_>,
    account: &AccountId,
    replicas: Replicas<'_>,
) -> BTreeMap<&'a str, &'a str> {
    let mut alike: BTreeMap<(&str, Rules<'_>), Vec<&'a str>> = BTreeMap::new();
    for item in groups {
        if let Body::SecurityGroup(group) = &item.body
            && let Some(vpc) = group.vpc.as_deref().filter(|vpc| !vpc.is_empty())
            && !group.has_untold_rules()
            && !group.group_name.is_empty()
            && is_audited(group, replicas)
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

/// That a group may be redundant: its VPC was not told (semantics §11 row 38).
fn nowhere_gap(item: &Item) -> Gap {
    let text = format!("The VPC of {} {} was not recorded.", item.key.resource_type, item.key.id);
    Gap::new(DependentService::Config, &text)
}

/// What is also unused is redundant first: its remedy begins there (semantics §10 row 15).
fn redundant(item: &Item, keeper: &str, lookalike: bool) -> Verdict {
    let (group, keeper) = (item.key.id.as_str().into(), keeper.into());
    let finding = SecurityGroupFinding::RedundantGroup { group, keeper, lookalike };
    Verdict::violate(finding.reasoned())
}

/// Nothing uses the group, and it has been as it is for the delay, counted from its newest
/// configuration item, whether that tells its configuration or not (semantics §5.6); without a delay the clock does not matter. Before that, time alone will change the
/// judgement.
fn unused(
    item: &Item,
    uses: &Uses<'_>,
    since: Since,
    lookalike: bool,
    judgement: &mut Judgement,
) -> Verdict {
    let Since { after_ms, evaluated_ms } = since;
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
    if let Some(gap) = uses.unknown_in_vpc(item) {
        return Verdict::Undecided(gap);
    }
    if let Some(gap) = &uses.blind {
        return Verdict::Undecided(gap.clone());
    }
    judgement.doubt(item, uses.outdated.clone());
    let group = item.key.id.as_str().into();
    let finding = SecurityGroupFinding::UnusedGroup { group, since_ms, lookalike };
    Verdict::violate(finding.reasoned())
}

/// How long a group may be unused, and the moment of judging, milliseconds.
#[derive(Clone, Copy)]
struct Since {
    after_ms: i64,
    evaluated_ms: i64,
}

#[cfg(test)]
mod tests;
