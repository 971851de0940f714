//! SECURITY_GROUPS_USAGE_AUDIT, naively: groups that nothing uses, groups that repeat another
//! (semantics §5.6, §10 rows 1, 14, 15, 28, §11 rows 38, 41, 42, 57).

use serde_json::Value;

use super::age::may_be_otherwise;
use super::demand::{is_replica, name_of};
use super::held::{self, Held};
use super::item::{captured_ms, is_unseen};
use super::known::require;
use super::network::{
    Carrier, INSTANCE, INTERFACE, ids_of, instances, interfaces, is_mute, is_terminated,
};
use super::rules::{Peer, Rule, rules};
use super::scope::tags_in_scope;
use super::sharing::{ASSOCIATION, Association, associations, untold_vpcs};
use super::{Found, Mutation, World, flag, list, number, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const BALANCERS: [&str; 2] =
    ["AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer"];

/// What uses groups.
struct Users<'a> {
    interfaces: Vec<Carrier<'a>>,
    instances: Vec<Carrier<'a>>,
    balancers: Vec<Carrier<'a>>,
    /// Associations of groups with other VPCs, the account's own and those that others tell.
    associations: [Vec<Association>; 2],
    /// What other accounts tell and what may be otherwise by now (row 40).
    doubtful: Vec<&'a Value>,
}

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let data = super::service_data(policy);
    let must_be_used = flag(&data["deleteUnusedSecurityGroups"], broken);
    let must_be_unique = flag(&data["coalesceRedundantSecurityGroups"], broken);
    let delay_ms = number(&data["optionalDelayForUnusedInMinutes"], broken).unwrap_or(0) * 60_000;
    let here = held::of_account(world, text(&case["region"]), broken);
    let others = held::of_others(world, broken);
    let mut found = Found::default();

    let interfaces_known = here.knows(world, INTERFACE);
    let instances_known =
        here.knows(world, INSTANCE) || broken == Some(Mutation::InstancesNotNeeded);
    let mut needed = vec![GROUP];
    if must_be_used || must_be_unique {
        needed.push(INTERFACE);
    }
    require(&mut found, world, &here, &needed);
    if must_be_used && !instances_known {
        found.gap();
    }
    let others_told =
        BALANCERS.iter().chain([&ASSOCIATION]).all(|kind| !here.has_hole(world, kind));
    let users = Users::of(world, &here, &others, broken);
    let users_seen =
        interfaces_known && instances_known && others_told && users.are_all_told(broken);
    let untold_vpcs = untold_vpcs(world, &here, &others, broken);

    let judged = judged_groups(world, &here, must_be_unique, &mut found, broken);
    for group in &judged {
        let id = text(&group["resourceId"]);
        let redundant = must_be_unique
            && keeper(group, &judged, &users, broken).is_some_and(|keeper| keeper != id);
        let mut due = captured_plus(group, delay_ms, &here, broken) <= evaluated_ms(case);
        if broken == Some(Mutation::DelayEndsOneLater) {
            due = captured_plus(group, delay_ms, &here, broken) < evaluated_ms(case);
        }
        due |= delay_ms == 0 || broken == Some(Mutation::DelayIgnored);
        let asked = must_be_used || broken == Some(Mutation::UnusedWithoutBeingAsked);
        let used = users.use_of(id, broken);
        let unused = asked && due && used != Use::Now;
        if unused && used == Use::Once && !redundant {
            found.gap();
            continue;
        }
        let unseen_by_others = untold_vpcs.contains(&vpc_of(group));
        let some_outdated =
            users.some_outdated() && broken != Some(Mutation::OutdatedUsersUseNothingElse);
        if unused && !redundant && some_outdated {
            found.gap();
        }
        let countable = users.are_countable() && !unseen_by_others;
        if redundant && !countable && broken != Some(Mutation::UntoldInterfacesCount) {
            found.gap();
        }
        // Redundant and unused is redundant; whether it is unused need not be known then.
        let mut violation = redundant.then_some("SECURITY_GROUP_REDUNDANT");
        if unused && users_seen && !unseen_by_others {
            if !redundant || broken == Some(Mutation::UnusedWinsOverRedundant) {
                violation = Some("SECURITY_GROUP_UNUSED");
            }
        } else if unused && !redundant {
            found.gap();
        }
        if let Some(reason) = violation {
            found.violator(group, reason);
        }
    }
    found
}

/// The account's own groups in scope, neither `default` nor replicas. Those that do not tell what
/// is asked of them are noted.
fn judged_groups<'a>(
    world: &World<'_>,
    here: &Held<'a>,
    compared: bool,
    found: &mut Found,
    broken: Option<Mutation>,
) -> Vec<&'a Value> {
    let mut judged = vec![];
    for group in here.of_type(GROUP) {
        let outside = !tags_in_scope(&world.case["policy"], here, group, broken);
        if outside && broken != Some(Mutation::GroupsOutOfScopeCompared) {
            continue;
        }
        if is_unseen(group) {
            if !outside && broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            continue;
        }
        let body = held::body(group);
        let owner = text(&body["ownerId"]);
        let foreign = !owner.is_empty() && owner != here.account;
        if foreign && broken != Some(Mutation::ForeignGroupsAudited) {
            continue;
        }
        if !outside && here.is_outdated(group) && broken != Some(Mutation::OutdatedGroupsPass) {
            found.gap();
        }
        if name_of(group).is_empty() && broken != Some(Mutation::UntoldNamesAreOrdinary) {
            // It may be `default`.
            if !outside {
                found.gap();
            }
            continue;
        }
        if name_of(group) == "default" && broken != Some(Mutation::DefaultGroupsMustBeUsed) {
            continue;
        }
        if is_replica(world, group, broken) && broken != Some(Mutation::ReplicasAudited) {
            continue;
        }
        judged.push(group);
    }
    // What a group does not tell of its VPC or its rules, one that it repeats may have (row 38). Only
    // one that is told to be in no VPC is compared with none (row 14).
    let unsure = judged.iter().any(|one| !is_comparable(one, broken) && !vpc_is_none(one));
    if compared && unsure {
        found.gap();
    }
    judged
}

/// In no VPC, as in EC2-Classic, which is told.
fn vpc_is_none(group: &Value) -> bool {
    held::body(group).get("vpcId").is_some_and(|vpc| vpc.is_null() || *vpc == "")
}

/// Whether a group tells what groups are compared by.
fn is_comparable(group: &Value, broken: Option<Mutation>) -> bool {
    let told = rules(group, broken);
    let vpc = held::body(group).as_object().is_some_and(|body| body.contains_key("vpcId"));
    (vpc && !told.untold_ingress && !told.untold_egress)
        || broken == Some(Mutation::UntoldRulesAreNone)
}

/// The delay counts from the group's newest configuration item, whatever that shows (§5.6).
fn captured_plus(group: &Value, delay_ms: i64, here: &Held<'_>, broken: Option<Mutation>) -> i64 {
    let known = broken == Some(Mutation::DelayFromTheKnownState);
    let newest = here.later(group).filter(|_| !known).unwrap_or(group);
    captured_ms(newest) + delay_ms
}

fn evaluated_ms(case: &Value) -> i64 {
    case["evaluatedMs"].as_i64().unwrap_or(0)
}

#[derive(PartialEq)]
enum Use {
    Now,
    /// By what may have changed since.
    Once,
    Never,
}

impl<'a> Users<'a> {
    fn of(
        world: &World<'_>,
        here: &Held<'a>,
        others: &[Held<'a>],
        broken: Option<Mutation>,
    ) -> Users<'a> {
        let mut balancers = vec![];
        for kind in BALANCERS {
            let blind = match kind == BALANCERS[0] {
                true => broken == Some(Mutation::BalancersUseNothing),
                false => broken == Some(Mutation::ClassicBalancersUseNothing),
            };
            for item in here.of_type(kind).filter(|_| !blind) {
                let groups = &held::body(item)["securityGroups"];
                // Network and gateway load balancers mostly have none.
                let has_groups =
                    kind == BALANCERS[1] || super::waf::balancer_kind(item) == "application";
                balancers.push(Carrier {
                    item,
                    groups: ids_of(groups),
                    untold: has_groups && !groups.is_array(),
                    outdated: here.is_outdated(item),
                    sure: vec![],
                    foreign: false,
                });
            }
        }
        let mut interfaces = interfaces(here, others, broken);
        if broken == Some(Mutation::InterfacesUseNothing) {
            interfaces.clear();
        }
        let mut instances = instances(here, broken);
        // Those of other accounts use groups as well.
        for there in others.iter().filter(|_| broken != Some(Mutation::ForeignInstancesUseNothing))
        {
            let foreign = super::network::instances(there, broken);
            instances.extend(foreign.into_iter().map(|one| Carrier { foreign: true, ..one }));
        }
        if broken == Some(Mutation::InstancesUseNothing) {
            instances.clear();
        }
        if broken != Some(Mutation::TerminatedInstancesUse) {
            instances.retain(|instance| !is_terminated(instance.item));
        }
        for instance in &mut instances {
            instance.outdated |= is_mute(instance.item) && !is_unseen(instance.item);
        }
        let associations = match broken {
            Some(Mutation::AssociationsUseNothing) => [vec![], vec![]],
            _ => {
                let of_others = others.iter().flat_map(|there| {
                    let doubt = |id: &str| may_be_otherwise(world, here, there, (ASSOCIATION, id));
                    let mut told = associations(there);
                    told.iter_mut().for_each(|one| one.outdated |= doubt(&one.id));
                    told
                });
                [associations(here), of_others.collect()]
            }
        };
        let mut doubtful = vec![];
        for there in others {
            for item in [INTERFACE, INSTANCE].iter().flat_map(|kind| there.of_type(kind)) {
                let id = (text(&item["resourceType"]), text(&item["resourceId"]));
                if may_be_otherwise(world, here, there, id) {
                    doubtful.push(item);
                }
            }
        }
        Users { interfaces, instances, balancers, associations, doubtful }
    }

    fn all(&self) -> impl Iterator<Item = &Carrier<'a>> {
        self.interfaces.iter().chain(&self.instances).chain(&self.balancers)
    }

    /// Row 15.
    fn use_of(&self, id: &str, broken: Option<Mutation>) -> Use {
        let mut found = Use::Never;
        let of_it = |one: &&Association| one.group.as_deref() == Some(id) && one.is_on;
        for association in self.associations.iter().flatten().filter(of_it) {
            if !association.outdated {
                return Use::Now;
            }
            found = Use::Once;
        }
        for user in self.all() {
            if user.groups.iter().any(|listed| listed == id) {
                let doubtful = self.doubtful.iter().any(|one| std::ptr::eq(*one, user.item));
                let sure = user.sure.iter().any(|listed| listed == id);
                let outdated = user.outdated && !sure || doubtful;
                if !outdated || broken == Some(Mutation::OutdatedUsersUse) {
                    return Use::Now;
                }
                if broken != Some(Mutation::OutdatedUsersUseNothing) {
                    found = Use::Once;
                }
            }
        }
        found
    }

    /// Whether something that used other groups may use any by now.
    fn some_outdated(&self) -> bool {
        self.own().any(|user| user.outdated) || self.associations[0].iter().any(|one| one.outdated)
    }

    /// Whether everything held that might use a group tells its groups.
    fn are_all_told(&self, broken: Option<Mutation>) -> bool {
        let pass = broken == Some(Mutation::UntoldGroupsOfCarriersAreNone);
        let users = self.own().all(|user| match is_unseen(user.item) {
            true => !user.untold || broken == Some(Mutation::UnseenUsersIgnored),
            false => !user.untold || pass,
        });
        users && self.associations[0].iter().all(|one| one.group.is_some())
    }

    /// Whether it is known on how many interfaces groups are.
    fn are_countable(&self) -> bool {
        // Of what another account's shard does not show, sharing tells.
        let of_it = |user: &&Carrier<'_>| !(user.foreign && is_unseen(user.item));
        self.interfaces.iter().filter(of_it).all(|user| !user.untold && !user.outdated)
    }

    /// Users that the account's own shard holds.
    fn own(&self) -> impl Iterator<Item = &Carrier<'a>> {
        self.all().filter(|user| !user.foreign)
    }
}

/// Row 14: which group of those with the same rules in the same VPC is to stay; nothing for a
/// group without a VPC.
fn keeper<'a>(
    group: &Value,
    judged: &[&'a Value],
    users: &Users<'_>,
    broken: Option<Mutation>,
) -> Option<&'a str> {
    let vpc = vpc_of(group);
    if vpc.is_empty() && broken != Some(Mutation::GroupsWithoutVpcCompared) {
        return None;
    }
    let rules = normalised(group, broken);
    let comparable = |group: &Value| is_comparable(group, broken);
    if !comparable(group) || rules.is_empty() && broken == Some(Mutation::EmptyRuleSetsDiffer) {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for other in judged.iter().filter(|other| comparable(other)) {
        let same_vpc = vpc_of(other) == vpc || broken == Some(Mutation::VpcsCompared);
        if !same_vpc || normalised(other, broken) != rules {
            continue;
        }
        let id = text(&other["resourceId"]);
        let listing = |user: &&Carrier<'_>| user.groups.iter().any(|listed| listed == id);
        let mut attached = users.interfaces.iter().filter(listing).count();
        if broken == Some(Mutation::KeeperBySmallestId) {
            attached = 0;
        }
        let better = best.is_none_or(|(most, smallest)| {
            let smaller = match broken {
                Some(Mutation::KeeperByLargestId) => id > smallest,
                _ => id < smallest,
            };
            attached > most || (attached == most && smaller)
        });
        if better {
            best = Some((attached, id));
        }
    }
    best.map(|(_, id)| id)
}

fn vpc_of(group: &Value) -> String {
    text(&held::body(group)["vpcId"]).to_owned()
}

/// The rules of a group as sorted words: neither order, nor repeats, nor descriptions, nor how they
/// are put together make a difference; a reference to the group itself is called so.
pub(super) fn normalised(group: &Value, broken: Option<Mutation>) -> Vec<String> {
    let own = text(&group["resourceId"]);
    let body = held::body(group);
    let mut words: Vec<String> = rules(group, broken).rules.iter().filter_map(word).collect();
    for (direction, key) in [("in", "ipPermissions"), ("out", "ipPermissionsEgress")] {
        if direction == "out" && broken == Some(Mutation::EgressIgnored) {
            continue;
        }
        for permission in list(&body[key]) {
            if text(&permission["ipProtocol"]).is_empty() {
                continue;
            }
            let protocol = super::rules::protocol_number(text(&permission["ipProtocol"]), broken);
            let (from, to) = super::rules::ports_of(permission, broken);
            let ports = ports(protocol, from, to);
            for pair in list(&permission["userIdGroupPairs"]) {
                let id = text(&pair["groupId"]);
                if id == own && broken != Some(Mutation::SelfIsAnotherGroup) {
                    words.push(format!("{direction} {ports} self"));
                } else {
                    words.push(format!("{direction} {ports} {id}"));
                }
            }
            if broken == Some(Mutation::DescriptionsCount) {
                for range in list(&permission["ipv4Ranges"]) {
                    words.push(range["description"].to_string());
                }
            }
        }
        if broken == Some(Mutation::GroupingOfRulesCounts) {
            words.push(format!("{direction} {}", list(&body[key]).len()));
        }
    }
    if broken != Some(Mutation::OrderOfRulesCounts) {
        words.sort();
        words.dedup();
    }
    words
}

fn word(rule: &Rule) -> Option<String> {
    let direction = if rule.egress { "out" } else { "in" };
    let peer = match &rule.peer {
        Peer::Cidr(range) => format!("{} {}-{}", range.family, range.first, range.last),
        Peer::PrefixList(id) => id.clone(),
        Peer::Group => return None,
    };
    Some(format!("{direction} {} {peer}", ports(rule.protocol, rule.from, rule.to)))
}

/// All protocols, and those that have none, have no ports; icmp has types and codes.
fn ports(protocol: i64, from: i64, to: i64) -> String {
    match protocol {
        1 | 6 | 17 | 58 => format!("{protocol} {from}-{to}"),
        _ => protocol.to_string(),
    }
}
