//! NETWORK_ACL_COMMON, naively: subnets whose network ACL does not begin with a policy's first entries and
//! end with its last ones (semantics §4.7, §5.11, §10 rows 1 and 28, §11 rows 36, 38, 53).

use serde_json::Value;

use super::held::{self, Held};
use super::item::is_unseen;
use super::known::require;
use super::scope::{account_in, tags_in_scope, tags_leave_open, tags_leave_out};
use super::{Found, Mutation, Said, World, list, number, text};
use crate::address::Range;

pub const SUBNET: &str = "AWS::EC2::Subnet";
pub const ACL: &str = "AWS::EC2::NetworkAcl";
const REASON: &str = "INVALID_NETWORK_ACL_ENTRY";
/// The number of the entries that close each list, which are not counted.
const CLOSING: i64 = 32_767;

/// One entry, as far as lists are compared by it.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    protocol: i64,
    allows: bool,
    cidr: (u8, u128, u128),
    /// From and to, or type and code, where the protocol has any.
    ports: Option<(i64, i64)>,
}

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let mut found = Found::default();
    require(&mut found, world, &here, &[SUBNET, ACL]);
    for subnet in here.of_type(SUBNET) {
        if !tags_in_scope(policy, &here, subnet, broken) {
            continue;
        }
        // Row 28: judged for its owner alone.
        let owner = text(&held::body(subnet)["ownerId"]);
        if !owner.is_empty()
            && owner != here.account
            && broken != Some(Mutation::ForeignSubnetsJudged)
        {
            continue;
        }
        let elders = is_elders(world, &here, subnet, broken);
        if elders == Said::Yes {
            continue;
        }
        if is_unseen(subnet) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            continue;
        }
        if here.is_outdated(subnet) && broken != Some(Mutation::OutdatedResourcesPass) {
            found.gap();
        }
        let id = text(&subnet["resourceId"]);
        let names = |acl: &&Value| {
            let associations = list(&held::body(acl)["associations"]);
            associations.iter().any(|one| text(&one["subnetId"]) == id) && !is_unseen(acl)
        };
        // Each subnet has one: where none names it that was not told.
        let mut naming = here.of_type(ACL).filter(names);
        let Some(acl) = naming.next() else {
            if broken == Some(Mutation::SubnetsWithoutAclPass) {
                continue;
            }
            found.gap();
            continue;
        };
        // It has one: of several nobody knows which.
        if naming.next().is_some() && broken != Some(Mutation::FirstAclOfSubnetsCounts) {
            found.gap();
            continue;
        }
        if here.is_outdated(acl) && broken != Some(Mutation::OutdatedNetworkAclsPass) {
            found.gap();
        }
        match is_as_wanted(held::body(acl), policy, broken) {
            // What complies does so whoever judges it.
            Said::Yes => {}
            Said::No if elders == Said::No => found.violator(subnet, REASON),
            _ => found.gap(),
        }
    }
    found
}

/// Whether an older policy's scope holds a subnet, which that one judges then (row 53).
pub fn is_elders(
    world: &World<'_>,
    here: &Held<'_>,
    subnet: &Value,
    broken: Option<Mutation>,
) -> Said {
    let mut sum = Said::No;
    for older in list(&world.case["olderPolicies"]) {
        if broken == Some(Mutation::OlderPoliciesIgnored) || !account_in(world.case, older, broken)
        {
            continue;
        }
        sum = sum.or(if tags_leave_out(older, here, subnet) {
            Said::No
        } else if tags_leave_open(older, here, subnet) {
            Said::Untold
        } else {
            // A later state may have other tags, where the policy asks for any.
            let asks = !list(&older["ResourceTags"]).is_empty();
            if asks && here.has_untold_tags(subnet) { Said::Untold } else { Said::Yes }
        });
    }
    sum
}

/// Whether both directions begin with the first entries and end with the last ones, in order.
fn is_as_wanted(body: &Value, policy: &Value, broken: Option<Mutation>) -> Said {
    let option = &policy["SecurityServicePolicyData"]["PolicyOption"];
    let set = &option["NetworkAclCommonPolicy"]["NetworkAclEntrySet"];
    if !body["entries"].is_array() {
        return Said::Untold;
    }
    let mut sum = Said::Yes;
    for egress in [false, true] {
        if egress && broken == Some(Mutation::EgressEntriesIgnored) {
            continue;
        }
        let of = |side: &str| -> Vec<Entry> {
            let all = list(&set[side]).iter().filter(|entry| entry["Egress"] == egress);
            all.map(|entry| as_wanted(entry, broken)).collect()
        };
        let (first, last) = (of("FirstEntries"), of("LastEntries"));
        let mut numbered = vec![];
        let mut untold = false;
        for entry in list(&body["entries"]) {
            let told = (number(&entry["ruleNumber"], None), entry["egress"].as_bool());
            let (Some(at), Some(way)) = told else {
                untold |= told.0 != Some(CLOSING);
                continue;
            };
            let closing = at == CLOSING
                && entry["ruleAction"] == "deny"
                && broken != Some(Mutation::ClosingEntriesCount);
            if way != egress || closing {
                continue;
            }
            match as_held(entry, broken) {
                Some(read) => numbered.push((at, read)),
                None => untold = true,
            }
        }
        if untold {
            sum = sum.and(Said::Untold);
            continue;
        }
        if broken != Some(Mutation::RuleNumbersIgnored) {
            numbered.sort_by_key(|(at, _)| *at);
        }
        let held: Vec<Entry> = numbered.into_iter().map(|(_, entry)| entry).collect();
        let enough = held.len() >= first.len() + last.len()
            || broken == Some(Mutation::FirstAndLastMayBeOne)
                && held.len() >= first.len().max(last.len());
        let fits = match broken {
            Some(Mutation::EntriesAnywhere) => first.iter().chain(&last).all(|e| held.contains(e)),
            Some(Mutation::LastEntriesAnywhere) => {
                held.starts_with(&first) && last.iter().all(|e| held.contains(e))
            }
            _ => enough && held.starts_with(&first) && held.ends_with(&last),
        };
        sum = sum.and(Said::of(fits));
    }
    sum
}

/// An entry of a policy.
fn as_wanted(entry: &Value, broken: Option<Mutation>) -> Entry {
    let (ports, icmp) = (&entry["PortRange"], &entry["IcmpTypeCode"]);
    let pair = |of: &Value, one: &str, two: &str| Some((of[one].as_i64()?, of[two].as_i64()?));
    let protocol = protocol(text(&entry["Protocol"]));
    Entry {
        protocol,
        allows: is_allow(&entry["RuleAction"], broken),
        cidr: cidr(entry["CidrBlock"].as_str().or(entry["Ipv6CidrBlock"].as_str())).expect("one"),
        ports: match protocol {
            6 | 17 if broken != Some(Mutation::PortsOfEntriesIgnored) => pair(ports, "From", "To"),
            1 | 58 if broken != Some(Mutation::IcmpOfEntriesIgnored) => {
                Some(any_type(pair(icmp, "Type", "Code").unwrap_or((-1, -1))))
            }
            _ => None,
        },
    }
}

/// Of any type there is any code.
fn any_type((kind, code): (i64, i64)) -> (i64, i64) {
    if kind == -1 { (-1, -1) } else { (kind, code) }
}

/// An entry of a network ACL; nothing where it does not tell all that it is compared by.
fn as_held(entry: &Value, broken: Option<Mutation>) -> Option<Entry> {
    let (ports, icmp) = (&entry["portRange"], &entry["icmpTypeCode"]);
    let pair =
        |of: &Value, one: &str, two: &str| Some((number(&of[one], None)?, number(&of[two], None)?));
    let protocol = protocol(entry["protocol"].as_str()?);
    entry["ruleAction"].as_str()?;
    Some(Entry {
        protocol,
        allows: is_allow(&entry["ruleAction"], broken),
        cidr: cidr(entry["cidrBlock"].as_str().or(entry["ipv6CidrBlock"].as_str()))?,
        ports: match protocol {
            6 | 17 if broken != Some(Mutation::PortsOfEntriesIgnored) => {
                Some(pair(ports, "from", "to")?)
            }
            1 | 58 if broken != Some(Mutation::IcmpOfEntriesIgnored) => {
                Some(any_type(pair(icmp, "type", "code")?))
            }
            _ => None,
        },
    })
}

/// Whether an entry tells all that entries have (row 39).
pub fn makes_sense(entry: &Value) -> bool {
    let closing = number(&entry["ruleNumber"], None) == Some(CLOSING);
    number(&entry["ruleNumber"], None).is_some()
        && entry["egress"].is_boolean()
        && (closing || as_held(entry, None).is_some())
}

fn is_allow(action: &Value, broken: Option<Mutation>) -> bool {
    text(action).eq_ignore_ascii_case("allow") || broken == Some(Mutation::ActionsOfEntriesIgnored)
}

fn cidr(said: Option<&str>) -> Option<(u8, u128, u128)> {
    let range = Range::read(said?)?;
    Some((range.family, range.first, range.last))
}

fn protocol(said: &str) -> i64 {
    match said.to_ascii_lowercase().as_str() {
        "tcp" => 6,
        "udp" => 17,
        "icmp" => 1,
        "icmpv6" => 58,
        number => number.parse().unwrap_or(-1),
    }
}
