//! WAFV2, naively: missing and incorrect web ACLs, missing rule groups (semantics §5.1, §10 rows
//! 16 and 18), and web ACLs that cannot be taken over (§5.1 test 4, §11 row 55).

use serde_json::Value;

use super::acl::{
    Association, WEB_ACL, attribute_of, claims_are_outdated, is_named_by, is_own, name_in, names,
    seen_acl, told_flag, web_acl_of,
};
pub use super::acl::{BALANCER, STAGE};
use super::held::{self, Held};
use super::item::is_unseen;
use super::known::require;
use super::rule_groups::carried;
use super::scope::{listed_types, tags_in_scope, tags_leave_open};
use super::{Found, Mutation, Said, World, flag, list, service_data, text};

const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
/// The types that policies of this kind are about.
const ABOUT: [&str; 3] = [BALANCER, STAGE, DISTRIBUTION];

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let data = service_data(policy);
    let retrofit =
        data["webACLSource"] == "RETROFIT_EXISTING" && broken != Some(Mutation::RetrofitIgnored);
    let mut found = Found::default();
    let listed = listed_types(policy);
    let mut needed = listed.clone();
    needed.push(WEB_ACL);
    require(&mut found, world, &here, &needed);
    // What is untold of them may be a stranger to a web ACL that is taken over.
    if retrofit
        && ABOUT.iter().any(|kind| here.has_hole(world, kind))
        && broken != Some(Mutation::UntoldStrangersPass)
    {
        found.gap();
    }
    // Resources in scope, and web ACLs found on them.
    let mut in_scope: Vec<(&str, &str)> = vec![];
    let mut in_use: Vec<String> = vec![];
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
        in_scope.push((kind, text(&item["resourceId"])));
        if is_unseen(item) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                found.gap();
            }
            continue;
        }
        let association = web_acl_of(world, item, &here, broken);
        let outdated_acl = match &association {
            Association::Acl(arn) => {
                in_use.push(arn.clone());
                here.item(WEB_ACL, arn).is_some_and(|acl| here.is_outdated(acl))
                    && broken != Some(Mutation::OutdatedAclsPass)
            }
            _ => false,
        };
        let outdated = here.is_outdated(item) && broken != Some(Mutation::OutdatedResourcesPass);
        if outdated || outdated_acl || claims_are_outdated(world, item, &here, broken) {
            found.gap();
        }
        match verdict(&association, case, &data, retrofit, &here, broken) {
            Some("") => {}
            Some(reason) => found.violator(item, reason),
            None => found.gap(),
        }
    }
    in_use.sort();
    in_use.dedup();
    for arn in in_use.iter().filter(|_| retrofit) {
        let Some(acl) = seen_acl(arn, &here, broken) else { continue };
        let own = is_own(acl, case, broken);
        let others = own != Said::Yes
            && customers(acl, case, broken) == Said::No
            && broken != Some(Mutation::AclsOfOthersTakenOver);
        if own == Said::Yes {
            continue;
        }
        let (strays, late) = strays(world, acl, &here, &in_scope, broken);
        if late && !others && broken != Some(Mutation::UntoldStrangersPass) {
            found.gap();
        }
        if own == Said::Untold {
            if strays != Said::No {
                found.gap();
            }
            continue;
        }
        if customers(acl, case, broken) == Said::Untold {
            found.gap();
        } else if others || strays == Said::Yes {
            found.violator(acl, "WEB_ACL_CONFIGURATION_OR_SCOPE_OF_USE");
        } else if strays == Said::Untold {
            found.gap();
        }
    }
    found
}

/// The reason for which a resource violates, an empty one if it complies; nothing where that is not
/// told.
fn verdict(
    association: &Association,
    case: &Value,
    data: &Value,
    retrofit: bool,
    here: &Held<'_>,
    broken: Option<Mutation>,
) -> Option<&'static str> {
    let arn = match association {
        Association::Unseen => return None,
        Association::None => return Some("RESOURCE_MISSING_WEB_ACL"),
        Association::Acl(arn) => arn,
    };
    let incorrect = match flag(&data["overrideCustomerWebACLAssociation"], broken) {
        true if broken == Some(Mutation::OverrideHidesIncorrect) => "",
        _ => "RESOURCE_INCORRECT_WEB_ACL",
    };
    let Some(acl) = seen_acl(arn, here, broken) else {
        // Not held, but its ARN bears a name of the policy: it may be the policy's own.
        let may_be_own =
            is_named_by(name_in(arn), case, None) || retrofit && arn.starts_with("arn:");
        return if may_be_own { None } else { Some(incorrect) };
    };
    let own = is_own(acl, case, broken);
    let taken_over = if retrofit { customers(acl, case, broken) } else { Said::No };
    if own == Said::No && taken_over == Said::No {
        return Some(incorrect);
    }
    // What a customer's web ACL does not tell nobody has put there.
    let retrofitted = told_flag(acl, "RetrofittedByFirewallManager", broken);
    let untouched = own != Said::Yes && retrofitted == Said::No;
    let carries = carried(held::body(acl), data, untouched, broken);
    // Nobody knows whose it is.
    let doubt = own == Said::Untold || own == Said::No && taken_over != Said::Yes;
    match carries {
        _ if doubt => None,
        Said::Yes => Some(""),
        Said::No => Some("WEB_ACL_MISSING_RULE_GROUP"),
        Said::Untold => None,
    }
}

/// One of the three kinds, in whatever letters as other types are (row 50). Where the body does not
/// tell, the ARN does.
pub fn balancer_kind(item: &Value) -> &str {
    let said = text(&held::body(item)["type"]);
    let kinds = ["application", "network", "gateway"];
    match kinds.into_iter().find(|kind| kind.eq_ignore_ascii_case(said)) {
        Some(kind) => kind,
        None if text(&item["resourceId"]).contains(":loadbalancer/app/") => "application",
        None => "",
    }
}

/// Made by the account itself, whether Firewall Manager has put rule groups into it or not.
fn customers(acl: &Value, case: &Value, broken: Option<Mutation>) -> Said {
    let retrofitted = match told_flag(acl, "RetrofittedByFirewallManager", broken) {
        _ if broken == Some(Mutation::RetrofittedFlagIgnored) => Said::No,
        said => said,
    };
    match told_flag(acl, "ManagedByFirewallManager", broken) {
        _ if is_own(acl, case, broken) == Said::Yes => Said::No,
        Said::No => Said::Yes,
        Said::Yes => retrofitted,
        Said::Untold if retrofitted == Said::Yes => Said::Yes,
        Said::Untold => Said::Untold,
    }
}

/// Whether a web ACL is also on resources that are out of scope, and whether that may be otherwise by
/// now: each that it is on may have changed since.
fn strays(
    world: &World<'_>,
    acl: &Value,
    here: &Held<'_>,
    in_scope: &[(&str, &str)],
    broken: Option<Mutation>,
) -> (Said, bool) {
    if broken == Some(Mutation::StrangersIgnored) {
        return (Said::No, false);
    }
    let arn = text(&acl["resourceId"]);
    let own_arn = text(super::any_case(held::body(acl), "ARN"));
    let mut untold = !acl["relationships"].is_array();
    let mut late = false;
    for item in ABOUT.into_iter().flat_map(|kind| here.of_type(kind)) {
        let (kind, id) = (text(&item["resourceType"]), text(&item["resourceId"]));
        // Row 16: the resource's own attribute decides, relationships where it says nothing.
        let on_it = match attribute_of(item).filter(|_| !is_unseen(item)) {
            Some(said) if broken != Some(Mutation::StrangersByRelationship) => {
                said == arn || said == own_arn && !said.is_empty()
            }
            _ => names(acl, kind, id),
        };
        if in_scope.contains(&(kind, id)) {
            continue;
        }
        let policy = &world.case["policy"];
        if on_it && listed_types(policy).contains(&kind) && tags_leave_open(policy, here, item) {
            untold = true;
        } else if on_it && here.is_outdated(item) {
            late = true;
        } else if on_it {
            return (Said::Yes, false);
        }
        // One that was not on it may be by now.
        untold |= here.is_outdated(item)
            && (kind != BALANCER
                || balancer_kind(item) == "application"
                || balancer_kind(item).is_empty() && !id.contains(":loadbalancer/"));
    }
    for related in list(&acl["relationships"]) {
        let (kind, id) = (text(&related["resourceType"]), text(&related["resourceId"]));
        if ABOUT.contains(&kind) {
            // What is named and not held is gone, if its type is known.
            let gone = here.item(kind, id).is_none() && !in_scope.contains(&(kind, id));
            if gone && broken == Some(Mutation::GoneResourcesAreStrangers) {
                return (Said::Yes, false);
            }
            untold |= gone
                && !here.knows(world, kind)
                && broken != Some(Mutation::UnrecordedResourcesAreGone);
        } else if !in_scope.contains(&(kind, id)) {
            return (Said::Yes, false);
        }
    }
    if late {
        return (Said::Yes, true);
    }
    let untold = untold && broken != Some(Mutation::UntoldStrangersPass);
    (if untold { Said::Untold } else { Said::No }, false)
}
