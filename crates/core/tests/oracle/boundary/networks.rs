//! The same in what networks are made of: network ACLs, route tables, firewalls.

use serde_json::{Value, json};

use super::{choose, edit_cidr};
use crate::random::Random;

/// The names of members that `edit` knows how to change.
pub const KNOWN: &[&str] = &[
    "ruleNumber",
    "ruleAction",
    "RuleAction",
    "egress",
    "Egress",
    "protocol",
    "from",
    "to",
    "From",
    "To",
    "code",
    "FirstEntries",
    "LastEntries",
    "firewallName",
    "gatewayId",
    "resourceArn",
    "statelessDefaultActions",
    "statelessFragmentDefaultActions",
    "ruleOrder",
    "availabilityZone",
    "main",
    "cidrBlock",
    "ipv6CidrBlock",
    "CidrBlock",
    "Ipv6CidrBlock",
    "associations",
    "entries",
    "olderPolicies",
    "subnetMappings",
    "statelessRuleGroupReferences",
    "statefulRuleGroupReferences",
    "routes",
    "aaaaaaaaaaaaaaaaaaaaaa",
];

pub fn edit(target: &mut Value, key: &str, random: &mut Random) {
    match key {
        "cidrBlock" | "ipv6CidrBlock" | "CidrBlock" | "Ipv6CidrBlock" => edit_cidr(target, random),
        "ruleNumber" if target.as_i64().is_some_and(|at| at < 32_767) => {
            let by = [7, -7, 13, -13, 23, -23, 207][random.below(7)];
            *target = json!((target.as_i64().unwrap_or(1) + by).max(1));
        }
        "ruleAction" | "RuleAction" => choose(target, random, &["allow", "deny"]),
        "egress" | "Egress" if target.is_boolean() => *target = json!(*target == false),
        "protocol" if ["6", "17"].iter().any(|one| *target == *one) => {
            choose(target, random, &["6", "17"]);
        }
        "from" | "From" if target.as_i64().is_some_and(|port| port > 0) => {
            *target = json!(target.as_i64().unwrap_or(1) - 1);
        }
        "to" | "To" if target.as_i64().is_some_and(|port| port < 65_535) => {
            *target = json!(target.as_i64().unwrap_or(0) + 1);
        }
        "code" if target.as_i64().is_some_and(|code| code < 16) => {
            *target = json!(target.as_i64().unwrap_or(0) + 1);
        }
        "firewallName" => *target = json!(format!("{}x", target.as_str().unwrap_or_default())),
        "gatewayId" if *target != "local" => {
            choose(target, random, &["igw-01", "nat-01", "vgw-01"])
        }
        "resourceArn" => *target = json!(format!("{}x", target.as_str().unwrap_or_default())),
        "statelessDefaultActions" | "statelessFragmentDefaultActions" if target.is_array() => {
            choose(&mut target[0], random, &["aws:pass", "aws:drop"]);
        }
        "ruleOrder" => choose(target, random, &["STRICT_ORDER", "DEFAULT_ACTION_ORDER"]),
        "availabilityZone" if target.as_str().is_some_and(|zone| zone.starts_with("eu-")) => {
            choose(target, random, &["eu-west-1a", "eu-west-1b", "eu-west-1c"]);
        }
        "main" => {
            if let Some(value) = target.as_bool() {
                *target = json!(!value);
            }
        }
        "FirstEntries" | "LastEntries" if target.is_array() => {
            let elements = target.as_array_mut().expect("checked");
            match random.below(2) {
                0 if elements.len() > 1 => drop(elements.pop()),
                _ => elements.reverse(),
            }
        }
        "associations"
        | "entries"
        | "olderPolicies"
        | "subnetMappings"
        | "routes"
        | "aaaaaaaaaaaaaaaaaaaaaa"
        | "statelessRuleGroupReferences"
        | "statefulRuleGroupReferences" => {
            if let Some(elements) = target.as_array_mut().filter(|e| !e.is_empty()) {
                elements.remove(random.below(elements.len()));
            }
        }
        _ => {}
    }
}
