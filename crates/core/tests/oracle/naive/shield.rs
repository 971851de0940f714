//! SHIELD_ADVANCED, naively: missing protections and web ACLs, automatic responses that are not as
//! wanted (semantics §5.3, §10 rows 1, 4, 17, 18, 31, §11 rows 38 and 44).

use serde_json::Value;

use super::acl::{Association, claims_are_outdated, web_acl_of};
use super::age::is_stale_elsewhere;
use super::held::{self, Held};
use super::item::{captured_ms, is_unseen};
use super::known::require;
use super::scope::{listed_types, tags_in_scope};
use super::waf::balancer_kind;
use super::{Found, Mutation, World, any_case, text};

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const CLASSIC: &str = "AWS::ElasticLoadBalancing::LoadBalancer";
const ADDRESS: &str = "AWS::EC2::EIP";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
const WEB_ACL: &str = "AWS::WAFv2::WebACL";
const GLOBAL: &str = "AWS::Shield::Protection";
const REGIONAL: &str = "AWS::ShieldRegional::Protection";

const NO_PROTECTION: &str = "RESOURCE_MISSING_SHIELD_PROTECTION";
const NO_PROTECTION_OR_ACL: &str = "RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION";

pub fn judge(world: &World<'_>, broken: Option<Mutation>) -> Found {
    let (case, policy) = (world.case, &world.case["policy"]);
    let here = held::of_account(world, text(&case["region"]), broken);
    let everywhere = everywhere(world, broken);
    let mut found = Found::default();
    let listed = listed_types(policy);

    // What the verdicts read, and whether all of it is seen.
    let mut needed = listed.clone();
    if listed.iter().any(|kind| [BALANCER, DISTRIBUTION].contains(kind)) {
        needed.push(WEB_ACL);
    }
    require(&mut found, world, &here, &needed);
    let mut known = protections_known(world, &listed, &everywhere, broken);
    if !known {
        found.gap();
    }
    let (protections, outdated) = protections(&here, &everywhere, broken);
    if broken == Some(Mutation::UnknownProtectionsCountedMissing) {
        known = true;
    } else if broken != Some(Mutation::UnseenProtectionsIgnored) {
        known &= !protections.iter().any(|protection| is_mute(protection, broken));
    }

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
        let protection = protection_of(item, case, &protections, broken);
        let layer_7 = [BALANCER, DISTRIBUTION].contains(&kind);
        let outdated_protection = match protection {
            Some(protection) => {
                let id = (text(&protection["resourceType"]), text(&protection["resourceId"]));
                let held =
                    |there: &&Held<'_>| there.live.iter().any(|one| std::ptr::eq(*one, protection));
                let teller = everywhere.iter().find(held);
                outdated.iter().any(|one| std::ptr::eq(*one, protection))
                    && broken != Some(Mutation::OutdatedProtectionsPass)
                    || teller.is_some_and(|there| {
                        let (kind, id) = id;
                        // What is missed of it is missed, wherever it is held (rows 37, 39, 40).
                        there.has_hole_about(world, kind, id)
                            || is_stale_elsewhere(world, &here, there)
                    })
            }
            None => {
                !outdated.is_empty()
                    && broken != Some(Mutation::OutdatedProtectionsProtectNothingElse)
            }
        };
        let outdated_itself =
            here.is_outdated(item) && broken != Some(Mutation::OutdatedResourcesPass);
        if outdated_protection
            || outdated_itself
            || (layer_7 && claims_are_outdated(world, item, &here, broken))
        {
            found.gap();
        }
        let reason = if layer_7 && broken != Some(Mutation::ShieldNeedsNoWebAcl) {
            let acl = web_acl_of(world, item, &here, broken);
            match (acl, protection) {
                (Association::None, _) => Some(NO_PROTECTION_OR_ACL),
                (_, None) if known => Some(NO_PROTECTION),
                (_, None) => {
                    found.gap();
                    None
                }
                (acl, Some(protection)) => {
                    let as_wanted = response_as_wanted(protection, policy, broken);
                    if as_wanted == Some(false) {
                        Some(NO_PROTECTION_OR_ACL)
                    } else {
                        if as_wanted.is_none() || matches!(acl, Association::Unseen) {
                            found.gap();
                        }
                        None
                    }
                }
            }
        } else if protection.is_none() && !known {
            found.gap();
            None
        } else if let (Some(protection), Some(Mutation::ResponseAskedOfAllTypes)) =
            (protection, broken)
        {
            let amiss = response_as_wanted(protection, policy, broken) == Some(false);
            amiss.then_some(NO_PROTECTION_OR_ACL)
        } else {
            protection.is_none().then_some(NO_PROTECTION)
        };
        if let Some(mut reason) = reason {
            if broken == Some(Mutation::OneReasonForShield) {
                reason = NO_PROTECTION;
            }
            found.violator(item, reason);
        }
    }
    found
}

/// What is held of each Region of the account.
fn everywhere<'a>(world: &'a World<'_>, broken: Option<Mutation>) -> Vec<Held<'a>> {
    let account = text(&world.case["account"]);
    let mut regions = vec!["us-east-1", text(&world.case["region"])];
    let states = world.told.states.iter().filter(|state| state.account == account);
    regions.extend(states.map(|state| state.region.as_str()));
    let wholes = world.told.wholes.iter().filter(|whole| whole.account == account);
    regions.extend(wholes.map(|whole| whole.region.as_str()));
    // What could not be read in another may be a protection there (row 39).
    let holes = world
        .told
        .holes
        .iter()
        .filter(|hole| hole.account.as_deref().is_none_or(|of| of == account));
    regions.extend(holes.flat_map(|hole| hole.regions.iter().map(String::as_str)));
    regions.sort_unstable();
    regions.dedup();
    regions.into_iter().map(|region| held::of(world, account, region, broken)).collect()
}

/// Whether the protections that the listed types need are all told (semantics §11 row 44): regional
/// ones in any Region that records them, global ones for distributions.
fn protections_known(
    world: &World<'_>,
    listed: &[&str],
    everywhere: &[Held<'_>],
    broken: Option<Mutation>,
) -> bool {
    let home = |here: &&Held<'_>| here.region == "us-east-1";
    let own = |here: &&Held<'_>| here.region == text(&world.case["region"]);
    let knows = |here: &Held<'_>, kind: &str| here.knows(world, kind);
    let global = everywhere.iter().find(home).is_some_and(|here| knows(here, GLOBAL));
    let regional = match broken {
        Some(Mutation::RegionalProtectionsOfThisRegionAlone) => {
            everywhere.iter().find(own).is_some_and(|here| knows(here, REGIONAL))
        }
        _ => everywhere.iter().any(|here| knows(here, REGIONAL)),
    };
    // Something untold may be a protection: a regional one anywhere, a global one at home.
    let told = |kind: &str| {
        let mut may_be = everywhere.iter().filter(|here| kind == REGIONAL || home(here));
        may_be.all(|here| !here.has_hole(world, kind))
            || broken == Some(Mutation::HolesOfReadTypesPass)
    };
    listed.iter().all(|kind| match *kind {
        DISTRIBUTION => {
            (global && told(GLOBAL)) || broken == Some(Mutation::GlobalProtectionsNotNeeded)
        }
        _ if broken == Some(Mutation::GlobalProtectionsNeededByAll) => regional && global,
        _ => regional && told(REGIONAL),
    })
}

/// Every protection of the account, in whatever Region it is recorded (row 4), and those of them
/// that may have changed since.
fn protections<'a>(
    here: &Held<'a>,
    everywhere: &[Held<'a>],
    broken: Option<Mutation>,
) -> (Vec<&'a Value>, Vec<&'a Value>) {
    let (mut all, mut outdated) = (vec![], vec![]);
    for there in everywhere {
        if there.region != here.region && broken == Some(Mutation::ProtectionsElsewhereIgnored) {
            continue;
        }
        for kind in [GLOBAL, REGIONAL] {
            all.extend(there.of_type(kind));
            outdated.extend(there.of_type(kind).filter(|item| there.is_outdated(item)));
        }
    }
    (all, outdated)
}

/// Whether a protection does not tell what it protects: it may be anything.
fn is_mute(protection: &Value, broken: Option<Mutation>) -> bool {
    let untold = any_case(held::body(protection), "ResourceArn").is_null();
    is_unseen(protection) || (untold && broken != Some(Mutation::UntoldArnsProtectNothing))
}

/// The protection that names the resource. Of two the one recorded later, then the one of the
/// smaller Region, type and id.
fn protection_of<'a>(
    item: &Value,
    case: &Value,
    protections: &[&'a Value],
    broken: Option<Mutation>,
) -> Option<&'a Value> {
    let (region, account) = (text(&case["region"]), text(&case["account"]));
    let id = text(&item["resourceId"]);
    let arn = match text(&item["resourceType"]) {
        CLASSIC => format!("arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{id}"),
        ADDRESS => format!("arn:aws:ec2:{region}:{account}:eip-allocation/{id}"),
        DISTRIBUTION => format!("arn:aws:cloudfront::{account}:distribution/{id}"),
        _ => id.to_owned(),
    };
    let mut best: Option<&Value> = None;
    for protection in protections {
        if text(any_case(held::body(protection), "ResourceArn")) != arn {
            continue;
        }
        let rank = |p: &Value| {
            let region =
                if p["awsRegion"] == "global" { "us-east-1" } else { text(&p["awsRegion"]) };
            (region.to_owned(), p["resourceType"].to_string(), p["resourceId"].to_string())
        };
        let better = best.is_none_or(|best| {
            let (new, old) = (captured_ms(protection), captured_ms(best));
            if broken == Some(Mutation::OlderProtectionDecides) {
                new < old || (new == old && rank(protection) < rank(best))
            } else {
                new > old || (new == old && rank(protection) < rank(best))
            }
        });
        if better {
            best = Some(protection);
        }
    }
    best
}

/// Whether the automatic response is as the policy wants it; nothing where the item does not tell.
fn response_as_wanted(
    protection: &Value,
    policy: &Value,
    broken: Option<Mutation>,
) -> Option<bool> {
    let data = super::service_data(policy);
    let wanted = &data["automaticResponseConfiguration"];
    let body = held::body(protection);
    let there = match any_case(body, "ApplicationLayerAutomaticResponseConfig") {
        Value::Null => any_case(body, "ApplicationLayerAutomaticResponseConfiguration"),
        told => told,
    };
    // A whole item leaves out what is off, and tells its id or name (formats §9): one that tells
    // neither was selected from, and what is not there was not told (row 38).
    // So was a row of a query without its name.
    let tells = |one: &&str| !any_case(body, one).is_null();
    let whole = tells(&"Name")
        || protection["of a query"] != true && ["Id", "ProtectionId"].iter().any(tells);
    let status = any_case(there, "Status");
    let untold = if there.is_null() { !whole } else { status.is_null() };
    let on = text(status).eq_ignore_ascii_case("ENABLED");
    match text(&wanted["automaticResponseStatus"]) {
        _ if broken == Some(Mutation::ResponseIgnored) => Some(true),
        "ENABLED" | "DISABLED" if untold => None,
        "ENABLED" => {
            if !on {
                return Some(false);
            }
            let action = &there["Action"];
            let told = action["Block"].is_object() || action["Count"].is_object();
            if !told && broken != Some(Mutation::UntoldActionPasses) {
                return None;
            }
            let block = wanted["automaticResponseAction"] == "BLOCK";
            let same = !told || action["Block"].is_object() == block;
            Some(same || broken == Some(Mutation::ResponseActionIgnored))
        }
        "DISABLED" => Some(!on || broken == Some(Mutation::DisabledNeverLooksAtResponse)),
        _ => Some(!on || broken != Some(Mutation::IgnoredWantsResponseOff)),
    }
}
