//! WAFV2, naively: missing and incorrect web ACLs, missing rule groups (semantics §5.1, §10 rows
//! 16 and 18).

use serde_json::Value;

use super::held::{self, Held, held};
use super::{Found, Mutation, list, listed_types, tags_in_scope, text};

const WEB_ACL: &str = "AWS::WAFv2::WebACL";
const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const STAGE: &str = "AWS::ApiGateway::Stage";

pub fn judge(case: &Value, broken: Option<Mutation>) -> Found {
    let policy = &case["policy"];
    let (account, region) = (text(&case["account"]), text(&case["region"]));
    let here = held(&case["delivery"], &case["earlier"], account, region, broken);
    let mut found = Found::default();
    let listed = listed_types(policy);
    for kind in listed.iter().copied().chain([WEB_ACL]) {
        if !here.knows(kind) {
            found.issues.insert("AWSCONFIG".to_owned());
            found.undecided = true;
        }
    }
    for item in &here.live {
        let kind = text(&item["resourceType"]);
        if !listed.contains(&kind) || !tags_in_scope(policy, item, broken) {
            continue;
        }
        if held::is_unseen(item) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.issues.insert("AWSCONFIG".to_owned());
                found.undecided = true;
            }
            continue;
        }
        let body = held::body(item);
        if kind == BALANCER
            && text(&body["type"]) != "application"
            && broken != Some(Mutation::NetworkBalancersInScope)
        {
            continue;
        }
        let reason = match web_acl_of(item, &body, &here, broken) {
            Association::Unseen => {
                found.issues.insert("AWSCONFIG".to_owned());
                found.undecided = true;
                continue;
            }
            Association::None => "RESOURCE_MISSING_WEB_ACL",
            // Not held, but its ARN bears a name of the policy: it may be the policy's own.
            Association::Acl(arn)
                if here.item(WEB_ACL, &arn).is_none() && arn_names_own(&arn, policy) =>
            {
                found.issues.insert("AWSCONFIG".to_owned());
                found.undecided = true;
                continue;
            }
            Association::Acl(arn) if is_own(&arn, policy, &here, broken) => {
                match carries_groups(here.item(WEB_ACL, &arn), policy, broken) {
                    Some(true) => continue,
                    Some(false) => "WEB_ACL_MISSING_RULE_GROUP",
                    None => {
                        found.issues.insert("AWSCONFIG".to_owned());
                        found.undecided = true;
                        continue;
                    }
                }
            }
            Association::Acl(_) => {
                let overriding =
                    super::service_data(policy)["overrideCustomerWebACLAssociation"] == true;
                if overriding && broken == Some(Mutation::OverrideHidesIncorrect) {
                    continue;
                }
                "RESOURCE_INCORRECT_WEB_ACL"
            }
        };
        let id = text(&item["resourceId"]);
        found.violators.insert((kind.to_owned(), id.to_owned(), reason.to_owned()));
    }
    found
}

enum Association {
    Acl(String),
    None,
    /// Only relationships could tell, and web ACLs are not recorded.
    Unseen,
}

fn web_acl_of(
    item: &Value,
    body: &Value,
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> Association {
    let kind = text(&item["resourceType"]);
    let attribute = match kind {
        BALANCER => list(&item["supplementaryConfiguration"]["LoadBalancerAttributes"])
            .iter()
            .find(|pair| text(&pair["key"]) == "waf.web_acl_id")
            .map(|pair| text(&pair["value"])),
        STAGE => body["webAclArn"].as_str(),
        _ => body["distributionConfig"]["webACLId"].as_str(),
    };
    let by_relationship = || {
        for acl in here.of_type(WEB_ACL) {
            for related in list(&acl["relationships"]) {
                if text(&related["resourceType"]) == kind
                    && text(&related["resourceId"]) == text(&item["resourceId"])
                {
                    return Association::Acl(text(&acl["resourceId"]).to_owned());
                }
            }
        }
        if here.knows(WEB_ACL) { Association::None } else { Association::Unseen }
    };
    if broken == Some(Mutation::RelationshipsOverAttribute)
        && let Association::Acl(arn) = by_relationship()
    {
        return Association::Acl(arn);
    }
    match attribute {
        Some("") if broken == Some(Mutation::EmptyAttributeAsksRelationships) => by_relationship(),
        Some("") => Association::None,
        Some(arn) => Association::Acl(arn.to_owned()),
        None if broken == Some(Mutation::RelationshipsNeverAsked) => Association::None,
        None => by_relationship(),
    }
}

/// Semantics §10 row 16, last sentence, and §5.1 names.
fn is_own(arn: &str, policy: &Value, here: &Held<'_>, broken: Option<Mutation>) -> bool {
    let Some(acl) = here.item(WEB_ACL, arn) else { return false };
    let body = held::body(acl);
    if body["ManagedByFirewallManager"] != true && broken != Some(Mutation::ManagedFlagIgnored) {
        return false;
    }
    bears_name(text(&body["Name"]), policy, broken)
}

fn arn_names_own(arn: &str, policy: &Value) -> bool {
    let name = arn.split('/').nth(2).unwrap_or("");
    bears_name(name, policy, None)
}

fn bears_name(name: &str, policy: &Value, broken: Option<Mutation>) -> bool {
    let start = format!("FMManagedWebACLV2-{}-", text(&policy["PolicyName"]));
    let Some(moment) = name.strip_prefix(start.as_str()) else { return false };
    broken == Some(Mutation::OwnNameByPrefix)
        || (!moment.is_empty() && moment.chars().all(|c| c.is_ascii_digit()))
}

/// Whether the web ACL has the policy's first and last groups, in order and unaltered; nothing
/// when it does not tell.
fn carries_groups(acl: Option<&Value>, policy: &Value, broken: Option<Mutation>) -> Option<bool> {
    if broken == Some(Mutation::RuleGroupsIgnored) {
        return Some(true);
    }
    let body = held::body(acl?);
    let data = super::service_data(policy);
    let mut untold = false;
    for (wanted, there) in [
        ("preProcessRuleGroups", "PreProcessFirewallManagerRuleGroups"),
        ("postProcessRuleGroups", "PostProcessFirewallManagerRuleGroups"),
    ] {
        let mut wanted: Vec<Vec<String>> =
            list(&data[wanted]).iter().map(|g| wanted_group(g, broken)).collect();
        if body[there].is_null() {
            untold |= !wanted.is_empty();
            continue;
        }
        let mut there: Vec<Vec<String>> =
            list(&body[there]).iter().map(|g| found_group(g, broken)).collect();
        if broken == Some(Mutation::RuleGroupOrderIgnored) {
            wanted.sort();
            there.sort();
        }
        if wanted != there {
            return Some(false);
        }
    }
    (!untold || broken == Some(Mutation::UntoldRuleGroupsPresent)).then_some(true)
}

/// What tells one rule group from another, as the policy writes it.
fn wanted_group(group: &Value, broken: Option<Mutation>) -> Vec<String> {
    let managed = &group["managedRuleGroupIdentifier"];
    let pinned = managed["versionEnabled"] == true;
    described(
        [
            text(&group["ruleGroupArn"]),
            text(&managed["vendorName"]),
            text(&managed["managedRuleGroupName"]),
            if pinned { text(&managed["version"]) } else { "" },
        ],
        text(&group["overrideAction"]["type"]) == "COUNT",
        broken,
    )
}

/// The same, as a web ACL's item writes it.
fn found_group(group: &Value, broken: Option<Mutation>) -> Vec<String> {
    let statement = &group["FirewallManagerStatement"];
    let managed = &statement["ManagedRuleGroupStatement"];
    described(
        [
            text(&statement["RuleGroupReferenceStatement"]["ARN"]),
            text(&managed["VendorName"]),
            text(&managed["Name"]),
            text(&managed["Version"]),
        ],
        group["OverrideAction"]["Count"].is_object(),
        broken,
    )
}

fn described(names: [&str; 4], count: bool, broken: Option<Mutation>) -> Vec<String> {
    let count = count && broken != Some(Mutation::OverrideActionIgnored);
    let mut described: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    if broken == Some(Mutation::VersionIgnored) {
        described[3].clear();
    }
    described.push(count.to_string());
    described
}
