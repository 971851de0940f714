//! SECURITY_GROUPS_USAGE_AUDIT, naively: groups that nothing uses, groups that repeat another
//! (semantics §5.6, §10 rows 1, 14, 15, 28).

use serde_json::Value;

use super::held::{self, Held};
use super::rules::{Peer, Rule, rules};
use super::{Found, Mutation, list, tags_in_scope, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const INSTANCE: &str = "AWS::EC2::Instance";
const BALANCERS: [&str; 2] =
    ["AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer"];

pub fn judge(case: &Value, broken: Option<Mutation>) -> Found {
    let policy = &case["policy"];
    let data = super::service_data(policy);
    let must_be_used = data["deleteUnusedSecurityGroups"] == true;
    let must_be_unique = data["coalesceRedundantSecurityGroups"] == true;
    let delay_ms = data["optionalDelayForUnusedInMinutes"].as_i64().unwrap_or(0) * 60_000;
    let here = held::of_account(case, text(&case["region"]), broken);
    let mut found = Found::default();

    let interfaces_known = here.knows(INTERFACE);
    let instances_known = here.knows(INSTANCE) || broken == Some(Mutation::InstancesNotNeeded);
    if !here.knows(GROUP)
        || ((must_be_used || must_be_unique) && !interfaces_known)
        || (must_be_used && !instances_known)
    {
        unseen(&mut found);
    }
    let users_seen = interfaces_known && instances_known && all_users_seen(&here, broken);

    let judged = judged_groups(case, &here, &mut found, broken);
    for group in &judged {
        let id = text(&group["resourceId"]);
        let redundant = must_be_unique
            && keeper(group, &judged, &here, broken).is_some_and(|keeper| keeper != id);
        let mut due = captured_plus(group, delay_ms, &here, broken) <= evaluated_ms(case);
        if broken == Some(Mutation::DelayEndsOneLater) {
            due = captured_plus(group, delay_ms, &here, broken) < evaluated_ms(case);
        }
        due |= delay_ms == 0 || broken == Some(Mutation::DelayIgnored);
        let asked = must_be_used || broken == Some(Mutation::UnusedWithoutBeingAsked);
        let used = use_of(id, &here, broken);
        let unused = asked && due && used != Use::Now;
        if unused && used == Use::Once && !redundant {
            unseen(&mut found);
            continue;
        }
        let some_outdated =
            outdated_users(&here) && broken != Some(Mutation::OutdatedUsersUseNothingElse);
        if unused && !redundant && some_outdated {
            unseen(&mut found);
        }
        let counted = redundant
            && here
                .of_type(INTERFACE)
                .any(|interface| held::is_unseen(interface) || here.is_outdated(interface))
            && broken != Some(Mutation::UntoldInterfacesCount);
        if counted {
            unseen(&mut found);
        }
        // Redundant and unused is redundant; whether it is unused need not be known then.
        let mut violation = redundant.then_some("SECURITY_GROUP_REDUNDANT");
        if unused && users_seen {
            if !redundant || broken == Some(Mutation::UnusedWinsOverRedundant) {
                violation = Some("SECURITY_GROUP_UNUSED");
            }
        } else if unused && !redundant {
            unseen(&mut found);
        }
        if let Some(reason) = violation {
            found.violators.insert((GROUP.to_owned(), id.to_owned(), reason.to_owned()));
        }
    }
    found
}

fn unseen(found: &mut Found) {
    found.issues.insert("AWSCONFIG".to_owned());
    found.undecided = true;
}

/// The account's own groups in scope, neither `default` nor replicas. Those that show no body are
/// noted.
fn judged_groups<'a>(
    case: &Value,
    here: &Held<'a>,
    found: &mut Found,
    broken: Option<Mutation>,
) -> Vec<&'a Value> {
    let mut judged = vec![];
    for group in here.of_type(GROUP) {
        let outside = !tags_in_scope(&case["policy"], here, group, broken);
        if outside && broken != Some(Mutation::GroupsOutOfScopeCompared) {
            continue;
        }
        if held::is_unseen(group) {
            if !outside && broken != Some(Mutation::NotRecordedCountedCompliant) {
                unseen(found);
            }
            continue;
        }
        let body = held::body(group);
        let owner = text(&body["ownerId"]);
        let foreign = !owner.is_empty() && owner != text(&case["account"]);
        if foreign && broken != Some(Mutation::ForeignGroupsAudited) {
            continue;
        }
        if !outside && here.is_outdated(group) && broken != Some(Mutation::OutdatedGroupsPass) {
            unseen(found);
        }
        let name = text(&body["groupName"]);
        if name == "default" && broken != Some(Mutation::DefaultGroupsMustBeUsed) {
            continue;
        }
        if name.starts_with("FMManagedSecurityGroup") && broken != Some(Mutation::ReplicasAudited) {
            continue;
        }
        judged.push(group);
    }
    judged
}

/// The delay counts from the group's newest configuration item, whatever that shows (§5.6).
fn captured_plus(group: &Value, delay_ms: i64, here: &Held<'_>, broken: Option<Mutation>) -> i64 {
    let known = broken == Some(Mutation::DelayFromTheKnownState);
    let newest = here.later(group).filter(|_| !known).unwrap_or(group);
    held::captured_ms(newest) + delay_ms
}

fn evaluated_ms(case: &Value) -> i64 {
    case["evaluatedMs"].as_i64().unwrap_or(0)
}

/// The groups that an interface, an instance or a load balancer lists.
fn groups_listed(item: &Value) -> Vec<String> {
    let body = held::body(item);
    let mut lists = vec![&body["groups"], &body["securityGroups"]];
    for interface in list(&body["networkInterfaces"]) {
        lists.push(&interface["groups"]);
    }
    let mut ids = vec![];
    for listed in lists.into_iter().flat_map(list) {
        ids.push(listed.as_str().unwrap_or(text(&listed["groupId"])).to_owned());
    }
    ids
}

#[derive(PartialEq)]
enum Use {
    Now,
    /// By what may have changed since.
    Once,
    Never,
}

/// Row 15.
fn use_of(id: &str, here: &Held<'_>, broken: Option<Mutation>) -> Use {
    let mut found = Use::Never;
    for item in &here.live {
        let kind = text(&item["resourceType"]);
        let uses = match kind {
            INTERFACE => broken != Some(Mutation::InterfacesUseNothing),
            INSTANCE => {
                let gone = held::body(item)["state"]["name"] == "terminated";
                (!gone || broken == Some(Mutation::TerminatedInstancesUse))
                    && broken != Some(Mutation::InstancesUseNothing)
            }
            _ if kind == BALANCERS[1] => broken != Some(Mutation::ClassicBalancersUseNothing),
            _ => kind == BALANCERS[0] && broken != Some(Mutation::BalancersUseNothing),
        };
        if uses && groups_listed(item).iter().any(|listed| listed == id) {
            if !here.is_outdated(item) || broken == Some(Mutation::OutdatedUsersUse) {
                return Use::Now;
            }
            if broken != Some(Mutation::OutdatedUsersUseNothing) {
                found = Use::Once;
            }
        }
    }
    found
}

fn is_user(item: &Value) -> bool {
    let kind = text(&item["resourceType"]);
    kind == INTERFACE || kind == INSTANCE || BALANCERS.contains(&kind)
}

/// Whether something that used other groups may use any by now.
fn outdated_users(here: &Held<'_>) -> bool {
    here.live.iter().any(|item| {
        let gone = held::body(item)["state"]["name"] == "terminated";
        is_user(item) && !gone && here.is_outdated(item)
    })
}

/// Whether everything held that might use a group shows its body.
fn all_users_seen(here: &Held<'_>, broken: Option<Mutation>) -> bool {
    here.live.iter().all(|item| {
        !is_user(item) || !held::is_unseen(item) || broken == Some(Mutation::UnseenUsersIgnored)
    })
}

/// Row 14: which group of those with the same rules in the same VPC is to stay; nothing for a
/// group without a VPC.
fn keeper<'a>(
    group: &Value,
    judged: &[&'a Value],
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> Option<&'a str> {
    let vpc = vpc_of(group);
    if vpc.is_empty() && broken != Some(Mutation::GroupsWithoutVpcCompared) {
        return None;
    }
    let rules = normalised(group, broken);
    if rules.is_empty() && broken == Some(Mutation::EmptyRuleSetsDiffer) {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for other in judged {
        let same_vpc = vpc_of(other) == vpc || broken == Some(Mutation::VpcsCompared);
        if !same_vpc || normalised(other, broken) != rules {
            continue;
        }
        let id = text(&other["resourceId"]);
        let mut attached = here
            .of_type(INTERFACE)
            .filter(|interface| groups_listed(interface).iter().any(|listed| listed == id))
            .count();
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
fn normalised(group: &Value, broken: Option<Mutation>) -> Vec<String> {
    let own = text(&group["resourceId"]);
    let body = held::body(group);
    let mut words: Vec<String> = rules(group, broken).iter().filter_map(word).collect();
    for (direction, key) in [("in", "ipPermissions"), ("out", "ipPermissionsEgress")] {
        if direction == "out" && broken == Some(Mutation::EgressIgnored) {
            continue;
        }
        for permission in list(&body[key]) {
            let ports = ports(
                super::rules::protocol_number(text(&permission["ipProtocol"]), broken),
                permission["fromPort"].as_i64().unwrap_or(-1),
                permission["toPort"].as_i64().unwrap_or(-1),
            );
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
