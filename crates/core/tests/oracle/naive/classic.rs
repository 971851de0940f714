//! WAF Classic, naively: missing and incorrect web ACLs, rule groups that are not first in the policy's
//! own (semantics §5.2, §10 rows 16 and 18, §11 rows 36, 38, 56, 63).

use serde_json::Value;

use super::acl::{BALANCER, WEB_ACL as NEW_ACL, attribute_of, names};
use super::held::{self, Held};
use super::item::is_unseen;
use super::known::require;
use super::scope::{listed_types, tags_in_scope};
use super::waf::balancer_kind;
use super::{Found, Mutation, Said, World, any_case, list, service_data, text};

pub const REGIONAL_ACL: &str = "AWS::WAFRegional::WebACL";
pub const GLOBAL_ACL: &str = "AWS::WAF::WebACL";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";

const MISSING: &str = "RESOURCE_MISSING_WEB_ACL";
const INCORRECT: &str = "RESOURCE_INCORRECT_WEB_ACL";
const NO_GROUP: &str = "WEB_ACL_MISSING_RULE_GROUP";

/// The web ACL on a resource.
enum OnIt<'a> {
    /// None at all.
    None,
    /// One of WAFv2.
    New,
    /// A Classic one, as far as it is held; one of them where several say so, for a resource has one at
    /// the most (§4.7).
    Classic(Vec<&'a Value>),
    Untold,
}

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let data = service_data(policy);
    let mut found = Found::default();
    let listed = listed_types(policy);
    let kind_of_acls = if listed.contains(&DISTRIBUTION) { GLOBAL_ACL } else { REGIONAL_ACL };
    let mut needed = listed.clone();
    needed.push(kind_of_acls);
    require(&mut found, world, &here, &needed);
    for item in &here.live {
        let kind = text(&item["resourceType"]);
        if !listed.contains(&kind) || !tags_in_scope(policy, &here, item, broken) {
            continue;
        }
        if kind == BALANCER
            && balancer_kind(item) != "application"
            && broken != Some(Mutation::NetworkBalancersInScope)
        {
            continue;
        }
        if is_unseen(item) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            continue;
        }
        if here.is_outdated(item) && broken != Some(Mutation::OutdatedResourcesPass) {
            found.gap();
        }
        let on_it = acl_of(world, item, &here, kind_of_acls, &mut found, broken);
        let reason = match on_it {
            OnIt::Untold => Err(()),
            OnIt::None => Ok(MISSING),
            OnIt::New if broken == Some(Mutation::NewAclsServeClassic) => Ok(""),
            OnIt::New => Ok(INCORRECT),
            OnIt::Classic(acls) => {
                if acls.iter().any(|acl| here.is_outdated(acl))
                    && broken != Some(Mutation::OutdatedAclsPass)
                {
                    found.gap();
                }
                let mut answers: Vec<_> =
                    acls.iter().map(|acl| verdict(acl, &data, broken)).collect();
                answers.dedup();
                match answers.as_slice() {
                    // One at the most is on it: of several nobody knows which (§4.7).
                    [_] if acls.len() > 1 && broken != Some(Mutation::FirstClaimDecides) => Err(()),
                    [one] => *one,
                    // What is not held may be the policy's own.
                    _ => Err(()),
                }
            }
        };
        match reason {
            Ok("") => {}
            Ok(reason) => found.violator(item, reason),
            Err(()) => found.gap(),
        }
    }
    found
}

/// The resource's own attribute decides; web ACLs tell where that is absent (row 16): Classic ones by
/// their list, which global ones do not have, and those of WAFv2 by relationships (formats §9).
fn acl_of<'a>(
    world: &World<'_>,
    item: &Value,
    here: &Held<'a>,
    kind_of_acls: &str,
    found: &mut Found,
    broken: Option<Mutation>,
) -> OnIt<'a> {
    match attribute_of(item) {
        Some("") => return OnIt::None,
        Some(said) if said.starts_with("arn:") && said.contains(":wafv2:") => return OnIt::New,
        // A bare id, or an ARN that ends in it.
        Some(said) => {
            let id = said.rsplit('/').next().unwrap_or("");
            let held = here.item(kind_of_acls, id).filter(|acl| !is_unseen(acl));
            return OnIt::Classic(held.into_iter().collect());
        }
        None if broken == Some(Mutation::RelationshipsNeverAsked) => return OnIt::None,
        None => {}
    }
    let (kind, id) = (text(&item["resourceType"]), text(&item["resourceId"]));
    let acls = || here.of_type(kind_of_acls).chain(here.of_type(NEW_ACL));
    let claims = |acl: &&Value| {
        let listed = list(any_case(held::body(acl), "associationList"));
        let listed = listed.iter().any(|one| text(any_case(one, "resourceARN")) == id);
        !is_unseen(acl) && if is_new(acl) { names(acl, kind, id) } else { listed }
    };
    let (new, classic): (Vec<&Value>, Vec<&Value>) =
        acls().filter(claims).partition(|acl| is_new(acl));
    // What web ACLs claimed once they may claim no more, and others by now.
    let mut may_claim: Vec<&Value> = new.clone();
    if new.is_empty() {
        may_claim.extend(here.of_type(NEW_ACL));
    }
    if kind_of_acls == REGIONAL_ACL || new.is_empty() {
        may_claim.extend(here.of_type(kind_of_acls));
    }
    if may_claim.iter().any(|acl| here.is_outdated(acl))
        && broken != Some(Mutation::OutdatedClaimsPass)
    {
        found.gap();
    }
    if !new.is_empty() {
        return OnIt::New;
    }
    if !classic.is_empty() {
        return OnIt::Classic(classic);
    }
    let tells = |acl: &Value| {
        let listed = any_case(held::body(acl), "associationList");
        let told = if is_new(acl) { &acl["relationships"] } else { listed };
        !is_unseen(acl) && told.is_array()
    };
    let all_told = acls().all(tells) || broken == Some(Mutation::UntoldRelationshipsAreNone);
    match all_told
        && kind_of_acls == REGIONAL_ACL
        && here.knows(world, kind_of_acls)
        && here.knows(world, NEW_ACL)
    {
        true => OnIt::None,
        false => OnIt::Untold,
    }
}

fn is_new(acl: &Value) -> bool {
    text(&acl["resourceType"]) == NEW_ACL
}

/// Whether a Classic web ACL is the policy's own and begins with its rule groups (row 56).
fn verdict(acl: &Value, data: &Value, broken: Option<Mutation>) -> Result<&'static str, ()> {
    let body = held::body(acl);
    let name = any_case(body, "name").as_str().or(acl["resourceName"].as_str());
    let Some(name) = name else { return Err(()) };
    let own = match broken {
        Some(Mutation::ClassicNamesNeedV2) => name.starts_with("FMManagedWebACLV2"),
        Some(Mutation::AnyClassicAclServes) => true,
        _ => name.starts_with("FMManagedWebACL"),
    };
    if !own {
        return Ok(INCORRECT);
    }
    match begins_with(body, list(&data["ruleGroups"]), broken) {
        Said::Yes => Ok(""),
        Said::No => Ok(NO_GROUP),
        Said::Untold => Err(()),
    }
}

/// Whether a web ACL holds these rule groups first, in order, with their override action.
fn begins_with(body: &Value, wanted: &[Value], broken: Option<Mutation>) -> Said {
    if broken == Some(Mutation::ClassicGroupsIgnored) {
        return Said::Yes;
    }
    let rules = any_case(body, "rulesList");
    if !rules.is_array() {
        return Said::Untold;
    }
    let rules: Vec<&Value> = list(rules).iter().collect();
    if broken == Some(Mutation::ClassicGroupsAnywhere) {
        let there =
            |group: &Value| rules.iter().any(|rule| is_group(rule, group, broken) == Said::Yes);
        return Said::of(wanted.iter().all(there));
    }
    if starts(&rules, wanted, |said| said == Said::Yes, broken) {
        Said::Yes
    } else if starts(&rules, wanted, |said| said != Said::No, broken) {
        Said::Untold
    } else {
        Said::No
    }
}

/// Whether some rule passes for the first of the wanted groups and stands before all others, and so on
/// with the rest.
fn starts(
    rules: &[&Value],
    wanted: &[Value],
    passes: fn(Said) -> bool,
    broken: Option<Mutation>,
) -> bool {
    let Some((group, more)) = wanted.split_first() else { return true };
    (0..rules.len()).any(|at| {
        let mut others = rules.to_vec();
        let rule = others.remove(at);
        let before = |other: &&Value| passes(is_before(rule, other, broken));
        passes(is_group(rule, group, broken))
            && others.iter().all(before)
            && starts(&others, more, passes, broken)
    })
}

fn is_before(rule: &Value, other: &Value, broken: Option<Mutation>) -> Said {
    let priority = |rule: &Value| any_case(rule, "priority").as_i64();
    match (priority(rule), priority(other)) {
        _ if broken == Some(Mutation::ClassicPrioritiesIgnored) => Said::Yes,
        (Some(one), Some(two)) => Said::of(one <= two),
        _ => Said::Untold,
    }
}

/// Whether a rule is this group, with its override action.
fn is_group(rule: &Value, group: &Value, broken: Option<Mutation>) -> Said {
    let said = |told: &Value, want: &str| match told.as_str() {
        Some(said) => Said::of(said == want),
        None => Said::Untold,
    };
    let id = said(any_case(rule, "ruleId"), text(&group["id"]));
    let want = group["overrideAction"]["type"].as_str().unwrap_or("NONE");
    let action = match broken {
        Some(Mutation::ClassicOverridesIgnored) => Said::Yes,
        _ => said(any_case(any_case(rule, "overrideAction"), "type"), want),
    };
    // What is of another type is a rule by itself.
    match said(any_case(rule, "type"), "GROUP") {
        Said::No => Said::No,
        _ if id == Said::Untold => id,
        kind => kind.and(id).and(action),
    }
}
