//! WAFV2, naively: missing and incorrect web ACLs, missing rule groups (semantics §5.1, §10 rows
//! 16 and 18), and web ACLs that cannot be taken over (§5.1 test 4).

use serde_json::Value;

use super::held::{self, Held};
use super::{Found, Mutation, list, listed_types, tags_in_scope, text};

const WEB_ACL: &str = "AWS::WAFv2::WebACL";
pub(super) const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const STAGE: &str = "AWS::ApiGateway::Stage";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";

pub fn judge(case: &Value, broken: Option<Mutation>) -> Found {
    let policy = &case["policy"];
    let here = held::of_account(case, text(&case["region"]), broken);
    let retrofit = super::service_data(policy)["webACLSource"] == "RETROFIT_EXISTING"
        && broken != Some(Mutation::RetrofitIgnored);
    let mut found = Found::default();
    let listed = listed_types(policy);
    for kind in listed.iter().copied().chain([WEB_ACL]) {
        if !here.knows(kind) {
            found.issues.insert("AWSCONFIG".to_owned());
            found.undecided = true;
        }
    }
    // Resources in scope, and web ACLs found on them.
    let mut in_scope: Vec<(&str, &str)> = vec![];
    let mut in_use: Vec<String> = vec![];
    for item in &here.live {
        let kind = text(&item["resourceType"]);
        if !listed.contains(&kind) || !tags_in_scope(policy, &here, item, broken) {
            continue;
        }
        let body = held::body(item);
        if kind == BALANCER
            && balancer_kind(item, &body) != "application"
            && broken != Some(Mutation::NetworkBalancersInScope)
        {
            continue;
        }
        in_scope.push((kind, text(&item["resourceId"])));
        if held::is_unseen(item) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.issues.insert("AWSCONFIG".to_owned());
                found.undecided = true;
            }
            continue;
        }
        let association = web_acl_of(item, &body, &here, broken);
        let outdated_acl = match &association {
            Association::Acl(arn) => {
                in_use.push(arn.clone());
                here.item(WEB_ACL, arn).is_some_and(|acl| here.is_outdated(acl))
                    && broken != Some(Mutation::OutdatedAclsPass)
            }
            _ => false,
        };
        let outdated = here.is_outdated(item) && broken != Some(Mutation::OutdatedResourcesPass);
        if outdated || outdated_acl || claims_are_outdated(item, &body, &here, broken) {
            found.issues.insert("AWSCONFIG".to_owned());
            found.undecided = true;
        }
        let reason = match association {
            Association::Unseen => {
                found.issues.insert("AWSCONFIG".to_owned());
                found.undecided = true;
                continue;
            }
            Association::None => "RESOURCE_MISSING_WEB_ACL",
            // Not held, but its ARN bears a name of the policy: it may be the policy's own.
            Association::Acl(arn)
                if seen_acl(&arn, &here, broken).is_none()
                    && (arn_names_own(&arn, policy) || retrofit && arn.starts_with("arn:")) =>
            {
                found.issues.insert("AWSCONFIG".to_owned());
                found.undecided = true;
                continue;
            }
            Association::Acl(arn)
                if is_own(&arn, policy, &here, broken)
                    || retrofit && is_customers(&arn, &here, broken) =>
            {
                let acl = seen_acl(&arn, &here, broken);
                let untouched = acl.is_some_and(|acl| {
                    let body = held::body(acl);
                    !is_own(&arn, policy, &here, broken)
                        && body["RetrofittedByFirewallManager"] != true
                });
                match carries_groups(acl, policy, untouched, broken) {
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
    for arn in in_use.iter().filter(|_| retrofit) {
        let Some(acl) = seen_acl(arn, &here, broken) else { continue };
        if is_own(arn, policy, &here, broken) {
            continue;
        }
        let others = !is_customers(arn, &here, broken);
        let names = |kind: &str, id: &str| {
            list(&acl["relationships"]).iter().any(|related| {
                text(&related["resourceType"]) == kind && text(&related["resourceId"]) == id
            })
        };
        let about = [BALANCER, STAGE, DISTRIBUTION];
        let own_arn = held::body(acl)["ARN"].as_str().unwrap_or_default().to_owned();
        let of_policies = about.into_iter().flat_map(|kind| here.of_type(kind)).any(|item| {
            let (kind, id) = (text(&item["resourceType"]), text(&item["resourceId"]));
            // Row 16: the resource's own attribute decides, relationships where it says nothing.
            let on_it =
                match attribute_of(item, &held::body(item)).filter(|_| !held::is_unseen(item)) {
                    Some(said) if broken != Some(Mutation::StrangersByRelationship) => {
                        said == arn || said == own_arn && !said.is_empty()
                    }
                    _ => names(kind, id),
                };
            on_it && !in_scope.contains(&(kind, id))
        });
        // What is named and not held is gone, if it is of a type that policies are about.
        let of_others = list(&acl["relationships"]).iter().any(|related| {
            let (kind, id) = (text(&related["resourceType"]), text(&related["resourceId"]));
            let gone = about.contains(&kind) && here.item(kind, id).is_none();
            match about.contains(&kind) {
                true => {
                    gone && !in_scope.contains(&(kind, id))
                        && broken == Some(Mutation::GoneResourcesAreStrangers)
                }
                false => !in_scope.contains(&(kind, id)),
            }
        });
        let strays = (of_policies || of_others) && broken != Some(Mutation::StrangersIgnored);
        if strays || (others && broken != Some(Mutation::AclsOfOthersTakenOver)) {
            let reason = "WEB_ACL_CONFIGURATION_OR_SCOPE_OF_USE".to_owned();
            found.violators.insert((WEB_ACL.to_owned(), arn.clone(), reason));
        }
    }
    found
}

/// Where the body does not tell, the ARN does.
pub(super) fn balancer_kind<'a>(item: &Value, body: &'a Value) -> &'a str {
    match body["type"].as_str() {
        Some(kind) => kind,
        None if text(&item["resourceId"]).contains(":loadbalancer/app/") => "application",
        None => "",
    }
}

/// A web ACL that shows its body.
fn seen_acl<'a>(arn: &str, here: &Held<'a>, broken: Option<Mutation>) -> Option<&'a Value> {
    here.item(WEB_ACL, arn)
        .filter(|acl| !held::is_unseen(acl) || broken == Some(Mutation::UnseenAclsHeld))
}

/// Whether only relationships of web ACLs tell which one a resource has, or that it has none, and
/// they may have changed since.
pub(super) fn claims_are_outdated(
    item: &Value,
    body: &Value,
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> bool {
    if attribute_of(item, body).is_some() || broken == Some(Mutation::OutdatedClaimsPass) {
        return false;
    }
    match web_acl_of(item, body, here, broken) {
        Association::Acl(arn) => here.item(WEB_ACL, &arn).is_some_and(|acl| here.is_outdated(acl)),
        Association::None | Association::Unseen => {
            here.of_type(WEB_ACL).any(|acl| here.is_outdated(acl))
        }
    }
}

/// Made by the account itself, whether Firewall Manager has put rule groups into it or not.
fn is_customers(arn: &str, here: &Held<'_>, broken: Option<Mutation>) -> bool {
    let Some(acl) = seen_acl(arn, here, broken) else { return false };
    let body = held::body(acl);
    body["ManagedByFirewallManager"] != true
        || (body["RetrofittedByFirewallManager"] == true
            && broken != Some(Mutation::RetrofittedFlagIgnored))
}

pub(super) enum Association {
    Acl(String),
    None,
    /// Only relationships could tell, and web ACLs are not recorded.
    Unseen,
}

pub(super) fn web_acl_of(
    item: &Value,
    body: &Value,
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> Association {
    let kind = text(&item["resourceType"]);
    let attribute = attribute_of(item, body);
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
        let all_seen = here.of_type(WEB_ACL).all(|acl| !held::is_unseen(acl))
            || broken == Some(Mutation::UnseenAclsHeld);
        if all_seen && here.knows(WEB_ACL) { Association::None } else { Association::Unseen }
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

/// What a resource itself says of its web ACL.
fn attribute_of<'a>(item: &'a Value, body: &'a Value) -> Option<&'a str> {
    match text(&item["resourceType"]) {
        BALANCER => list(&item["supplementaryConfiguration"]["LoadBalancerAttributes"])
            .iter()
            .find(|pair| text(&pair["key"]) == "waf.web_acl_id")
            .map(|pair| text(&pair["value"])),
        STAGE => body["webAclArn"].as_str(),
        _ => body["distributionConfig"]["webACLId"].as_str(),
    }
}

/// Semantics §10 row 16, last sentence, and §5.1 names.
fn is_own(arn: &str, policy: &Value, here: &Held<'_>, broken: Option<Mutation>) -> bool {
    let Some(acl) = seen_acl(arn, here, broken) else { return false };
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
/// Nobody put groups into one that is untouched.
fn carries_groups(
    acl: Option<&Value>,
    policy: &Value,
    untouched: bool,
    broken: Option<Mutation>,
) -> Option<bool> {
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
            if untouched && !wanted.is_empty() {
                return Some(false);
            }
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
