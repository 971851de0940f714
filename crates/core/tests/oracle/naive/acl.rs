//! Which web ACL a resource has, and whose it is (semantics §5.1, §7.2, §10 row 16, §11 rows 34,
//! 38, 52).

use serde_json::Value;

use super::held::{self, Held};
use super::item::is_unseen;
use super::{Mutation, Said, World, any_case, list, text};
use crate::world::DOUBTS;

pub const WEB_ACL: &str = "AWS::WAFv2::WebACL";
pub const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
pub const STAGE: &str = "AWS::ApiGateway::Stage";

/// Digits of the moment in a web ACL's name.
const MOMENT: std::ops::RangeInclusive<usize> = 10..=13;

#[derive(Clone, PartialEq)]
pub enum Association {
    Acl(String),
    None,
    /// Only relationships could tell, and not all of them are told.
    Unseen,
}

pub fn web_acl_of(
    world: &World<'_>,
    item: &Value,
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> Association {
    let by_relationship = || {
        // What shows no body shows nothing.
        let shown = |acl: &&Value| !is_unseen(acl) || broken == Some(Mutation::UnseenAclsHeld);
        let claims =
            |acl: &&Value| names(acl, text(&item["resourceType"]), text(&item["resourceId"]));
        let mut claiming = here.of_type(WEB_ACL).filter(shown).filter(claims);
        if let Some(acl) = claiming.next() {
            // A resource has one at the most: of several nobody knows which.
            return match claiming.next() {
                Some(_) if broken != Some(Mutation::FirstClaimDecides) && *DOUBTS => {
                    Association::Unseen
                }
                _ => Association::Acl(text(&acl["resourceId"]).to_owned()),
            };
        }
        let pass = broken == Some(Mutation::UntoldRelationshipsAreNone);
        let all_seen = here.of_type(WEB_ACL).all(|acl| {
            (!is_unseen(acl) || broken == Some(Mutation::UnseenAclsHeld))
                && (acl["relationships"].is_array() || pass)
        });
        if all_seen && here.knows(world, WEB_ACL) { Association::None } else { Association::Unseen }
    };
    if broken == Some(Mutation::RelationshipsOverAttribute)
        && let Association::Acl(arn) = by_relationship()
    {
        return Association::Acl(arn);
    }
    match attribute_of(item) {
        Some("") if broken == Some(Mutation::EmptyAttributeAsksRelationships) => by_relationship(),
        Some("") => Association::None,
        Some(arn) => Association::Acl(arn.to_owned()),
        None if broken == Some(Mutation::RelationshipsNeverAsked) => Association::None,
        None => by_relationship(),
    }
}

/// Whether a web ACL's relationships name a resource.
pub fn names(acl: &Value, kind: &str, id: &str) -> bool {
    list(&acl["relationships"])
        .iter()
        .any(|related| text(&related["resourceType"]) == kind && text(&related["resourceId"]) == id)
}

/// What a resource itself says of its web ACL.
pub fn attribute_of(item: &Value) -> Option<&str> {
    let body = held::body(item);
    match text(&item["resourceType"]) {
        BALANCER => list(&item["supplementaryConfiguration"]["LoadBalancerAttributes"])
            .iter()
            .find(|pair| text(&pair["key"]) == "waf.web_acl_id")
            .map(|pair| text(&pair["value"])),
        STAGE => body["webAclArn"].as_str(),
        _ => body["distributionConfig"]["webACLId"].as_str(),
    }
}

/// Whether only relationships of web ACLs tell which one a resource has, or that it has none, and
/// they may have changed since.
pub fn claims_are_outdated(
    world: &World<'_>,
    item: &Value,
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> bool {
    if attribute_of(item).is_some() || broken == Some(Mutation::OutdatedClaimsPass) {
        return false;
    }
    match web_acl_of(world, item, here, broken) {
        Association::Acl(arn) => here.item(WEB_ACL, &arn).is_some_and(|acl| here.is_outdated(acl)),
        Association::None | Association::Unseen => {
            here.of_type(WEB_ACL).any(|acl| here.is_outdated(acl))
        }
    }
}

/// A web ACL that shows its body.
pub fn seen_acl<'a>(arn: &str, here: &Held<'a>, broken: Option<Mutation>) -> Option<&'a Value> {
    here.item(WEB_ACL, arn)
        .filter(|acl| !is_unseen(acl) || broken == Some(Mutation::UnseenAclsHeld))
}

/// Whether Firewall Manager says that it manages a web ACL, or has put groups into it.
pub fn told_flag(acl: &Value, flag: &str, broken: Option<Mutation>) -> Said {
    match any_case(held::body(acl), flag) {
        Value::Bool(true) => Said::Yes,
        Value::Null if broken != Some(Mutation::UntoldFlagsAreFalse) => Said::Untold,
        _ => Said::No,
    }
}

/// Whether a web ACL is the policy's own (semantics §10 row 16, §11 row 34).
pub fn is_own(acl: &Value, case: &Value, broken: Option<Mutation>) -> Said {
    let arn = text(&acl["resourceId"]);
    let name = any_case(held::body(acl), "Name").as_str().unwrap_or_else(|| name_in(arn));
    if !is_named_by(name, case, broken) {
        return Said::No;
    }
    match broken {
        Some(Mutation::ManagedFlagIgnored) => Said::Yes,
        _ => told_flag(acl, "ManagedByFirewallManager", broken),
    }
}

/// The name in a web ACL's ARN.
pub fn name_in(arn: &str) -> &str {
    arn.split('/').nth(2).unwrap_or("")
}

/// Whether a name of a web ACL is one that the policy gives: of all policies whose names fit, its
/// own is the longest (row 34).
pub fn is_named_by(name: &str, case: &Value, broken: Option<Mutation>) -> bool {
    let longest = |names: &[&str]| {
        let fitting = names.iter().filter(|policy| fits(name, policy, broken));
        fitting.map(|policy| policy.chars().count()).max()
    };
    let former = list(&case["formerNames"]).iter().map(text);
    let former = former.filter(|_| broken != Some(Mutation::FormerNamesForgotten));
    let mut own = vec![text(&case["policy"]["PolicyName"])];
    own.extend(former);
    let mut others = vec![];
    for policy in list(&case["otherPolicies"]) {
        // Web ACLs are made in the policy's Region, by the types of policies that have any.
        let makes = ["WAFV2", "SHIELD_ADVANCED"].contains(&text(&policy["service"]));
        if !makes || policy["region"].as_str().is_some_and(|at| at != text(&case["region"])) {
            continue;
        }
        others.push(text(&policy["name"]));
        others.extend(list(&policy["formerNames"]).iter().map(text));
    }
    match (longest(&own), longest(&others)) {
        (Some(own), Some(others)) => {
            own >= others || broken == Some(Mutation::OtherPoliciesNamesForgotten)
        }
        (own, _) => own.is_some(),
    }
}

/// Whether a web ACL's name is made of a policy's, in either generation.
fn fits(name: &str, policy: &str, broken: Option<Mutation>) -> bool {
    let digits = |moment: &str| {
        let right = MOMENT.contains(&moment.len()) || broken == Some(Mutation::AnyDigitsAreAMoment);
        right && !moment.is_empty() && moment.chars().all(|c| c.is_ascii_digit())
    };
    let Some(rest) = name.strip_prefix("FMManagedWebACLV2") else { return false };
    let new = rest.strip_prefix(&format!("-{policy}-"));
    let old = rest.strip_prefix(policy).filter(|_| broken != Some(Mutation::OlderNamesForgotten));
    match (new, broken) {
        (Some(_), Some(Mutation::OwnNameByPrefix)) => true,
        _ => new.is_some_and(digits) || old.is_some_and(digits),
    }
}
