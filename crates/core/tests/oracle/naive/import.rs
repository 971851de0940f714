//! IMPORT_NETWORK_FIREWALL, naively: firewall policies of the firewalls in resource sets that lack what a
//! policy asks for (semantics §4.7, §5.8, §10 rows 1 and 27, §11 rows 38, 59).

use std::collections::BTreeSet;

use serde_json::Value;

use super::firewall_rules::answers;
use super::held::{self, Held};
use super::item::is_unseen;
use super::known::require;
use super::scope::{account_in, tags_in_scope, tags_leave_open, tags_leave_out};
use super::{Found, Mutation, Said, World, list, service_data, text};

const FIREWALL: &str = "AWS::NetworkFirewall::Firewall";
const FIREWALL_POLICY: &str = "AWS::NetworkFirewall::FirewallPolicy";
const REASON: &str = "NETWORK_FIREWALL_POLICY_MODIFIED";

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let config = service_data(policy)["awsNetworkFirewallConfig"].clone();
    let mut found = Found::default();
    let Some(set) = arns_of(case, policy) else {
        found.issues.insert("AWSVPC".to_owned());
        found.no_result = true;
        return found;
    };
    // Row 59: an account of which the sets hold nothing has nothing in scope. ARNs tell the account.
    let of_account = |arn: &&str| arn.split(':').nth(4) == Some(here.account.as_str());
    if !set.iter().any(of_account) && broken != Some(Mutation::EveryFirewallIsImported) {
        return found;
    }
    require(&mut found, world, &here, &[FIREWALL, FIREWALL_POLICY]);
    for firewall in here.of_type(FIREWALL) {
        if !tags_in_scope(policy, &here, firewall, broken) {
            continue;
        }
        let is_in_set = match arn_of(firewall) {
            Some(_) if broken == Some(Mutation::EveryFirewallIsImported) => Said::Yes,
            Some(arn) => Said::of(set.contains(arn)),
            None => Said::Untold,
        };
        // The oldest policy with its set manages it (§4.7).
        let scope = is_in_set.and(is_elders(world, &here, firewall, broken).opposite());
        if scope == Said::No {
            continue;
        }
        if is_unseen(firewall) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            continue;
        }
        if here.is_outdated(firewall) && broken != Some(Mutation::OutdatedResourcesPass) {
            found.gap();
        }
        let arn = text(&held::body(firewall)["firewall"]["firewallPolicyArn"]);
        let of_it = |item: &&Value| {
            text(&held::body(item)["firewallPolicyResponse"]["firewallPolicyArn"]) == arn
        };
        let Some(held) = here.of_type(FIREWALL_POLICY).find(of_it).filter(|_| !arn.is_empty())
        else {
            if broken != Some(Mutation::UnheldFirewallPoliciesPass) {
                found.gap();
            }
            continue;
        };
        if here.is_outdated(held) && broken != Some(Mutation::OutdatedFirewallPoliciesPass) {
            found.gap();
        }
        let answers = answers(&config, held::body(held), broken);
        let violates = answers.contains(&Said::No);
        if answers.contains(&Said::Untold) || violates && scope == Said::Untold {
            found.gap();
        }
        if violates && scope == Said::Yes {
            found.violator(held, REASON);
        }
    }
    found
}

/// The ARNs of a policy's resource sets; nothing where one of them is not known (row 27).
fn arns_of<'c>(case: &'c Value, policy: &Value) -> Option<BTreeSet<&'c str>> {
    let mut arns = BTreeSet::new();
    for id in list(&policy["ResourceSetIds"]) {
        arns.extend(case["resourceSets"][text(id)].as_array()?.iter().map(text));
    }
    Some(arns)
}

fn arn_of(firewall: &Value) -> Option<&str> {
    held::body(firewall)["firewall"]["firewallArn"].as_str()
}

/// Whether an older policy that imports the firewall's set has it in scope.
fn is_elders(
    world: &World<'_>,
    here: &Held<'_>,
    firewall: &Value,
    broken: Option<Mutation>,
) -> Said {
    let mut sum = Said::No;
    for older in list(&world.case["olderPolicies"]) {
        if broken == Some(Mutation::OlderPoliciesIgnored) || !account_in(world.case, older, broken)
        {
            continue;
        }
        let in_set = match (arns_of(world.case, older), arn_of(firewall)) {
            // The set of the older one is not known.
            (Some(arns), Some(arn)) => Said::of(arns.contains(arn)),
            _ => Said::Untold,
        };
        let tags = if tags_leave_out(older, here, firewall) {
            Said::No
        } else if tags_leave_open(older, here, firewall) || here.has_untold_tags(firewall) {
            Said::Untold
        } else {
            Said::Yes
        };
        sum = sum.or(in_set.and(tags));
    }
    sum
}
