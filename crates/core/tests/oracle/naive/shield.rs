//! SHIELD_ADVANCED, naively: missing protections and web ACLs, automatic responses that are not as
//! wanted (semantics §5.3, §10 rows 1, 4, 17, 18, 31).

use serde_json::Value;

use super::held::{self, Held};
use super::waf::{Association, balancer_kind, claims_are_outdated, web_acl_of};
use super::{Found, Mutation, list, listed_types, tags_in_scope, text};

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const CLASSIC: &str = "AWS::ElasticLoadBalancing::LoadBalancer";
const ADDRESS: &str = "AWS::EC2::EIP";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
const WEB_ACL: &str = "AWS::WAFv2::WebACL";
const GLOBAL: &str = "AWS::Shield::Protection";
const REGIONAL: &str = "AWS::ShieldRegional::Protection";

const NO_PROTECTION: &str = "RESOURCE_MISSING_SHIELD_PROTECTION";
const NO_PROTECTION_OR_ACL: &str = "RESOURCE_MISSING_WEB_ACL_OR_SHIELD_PROTECTION";

pub fn judge(case: &Value, broken: Option<Mutation>) -> Found {
    let policy = &case["policy"];
    let region = text(&case["region"]);
    let here = held::of_account(case, region, broken);
    let mut found = Found::default();
    let listed = listed_types(policy);

    // What the verdicts read, and whether all of it is seen.
    let mut known = here.knows(REGIONAL);
    let at_home = held::of_account(case, "us-east-1", broken);
    known &= at_home.knows(GLOBAL) || broken == Some(Mutation::GlobalProtectionsNotNeeded);
    let mut all_known = known;
    for kind in &listed {
        all_known &= here.knows(kind);
        if [BALANCER, DISTRIBUTION].contains(kind) {
            all_known &= here.knows(WEB_ACL);
        }
    }
    if !all_known {
        unseen(&mut found);
    }
    let (protections, outdated) = protections(case, &here, broken);
    if broken == Some(Mutation::UnknownProtectionsCountedMissing) {
        known = true;
    } else if broken != Some(Mutation::UnseenProtectionsIgnored) {
        known &= !protections.iter().any(|protection| held::is_unseen(protection));
    }

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
        if held::is_unseen(item) {
            if broken != Some(Mutation::NotRecordedCountedCompliant) {
                unseen(&mut found);
            }
            continue;
        }
        let protection = protection_of(item, case, &protections, broken);
        let layer_7 = [BALANCER, DISTRIBUTION].contains(&kind);
        let outdated_protection = match protection {
            Some(protection) => {
                outdated.iter().any(|one| std::ptr::eq(*one, protection))
                    && broken != Some(Mutation::OutdatedProtectionsPass)
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
            || (layer_7 && claims_are_outdated(item, &body, &here, broken))
        {
            unseen(&mut found);
        }
        let reason = if layer_7 && broken != Some(Mutation::ShieldNeedsNoWebAcl) {
            let acl = web_acl_of(item, &body, &here, broken);
            match (acl, protection) {
                (Association::None, _) => Some(NO_PROTECTION_OR_ACL),
                (_, None) if known => Some(NO_PROTECTION),
                (_, None) => {
                    unseen(&mut found);
                    None
                }
                (acl, Some(protection)) => {
                    let as_wanted = response_as_wanted(protection, policy, broken);
                    if as_wanted == Some(false) {
                        Some(NO_PROTECTION_OR_ACL)
                    } else {
                        if as_wanted.is_none() || matches!(acl, Association::Unseen) {
                            unseen(&mut found);
                        }
                        None
                    }
                }
            }
        } else if protection.is_none() && !known {
            unseen(&mut found);
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
            let id = text(&item["resourceId"]);
            found.violators.insert((kind.to_owned(), id.to_owned(), reason.to_owned()));
        }
    }
    found
}

fn unseen(found: &mut Found) {
    found.issues.insert("AWSCONFIG".to_owned());
    found.undecided = true;
}

/// Every protection of the account, in whatever Region it is recorded (row 4), and those of them
/// that may have changed since.
fn protections<'a>(
    case: &'a Value,
    here: &Held<'a>,
    broken: Option<Mutation>,
) -> (Vec<&'a Value>, Vec<&'a Value>) {
    let mut regions = vec!["us-east-1"];
    let others = list(&case["elsewhere"]).iter().map(|other| &other["delivery"]);
    for file in others.chain([&case["delivery"], &case["earlier"]]) {
        regions
            .extend(list(&file["configurationItems"]).iter().map(|item| text(&item["awsRegion"])));
    }
    regions.sort_unstable();
    regions.dedup();
    let mut all: Vec<&Value> = here.live.clone();
    let mut outdated: Vec<&Value> =
        here.live.iter().copied().filter(|item| here.is_outdated(item)).collect();
    for region in regions {
        let elsewhere = region != text(&case["region"]) && region != "global";
        if elsewhere && broken != Some(Mutation::ProtectionsElsewhereIgnored) {
            let there = held::of_account(case, region, broken);
            outdated.extend(there.live.iter().filter(|item| there.is_outdated(item)));
            all.extend(there.live);
        }
    }
    let is_protection = |item: &&Value| [GLOBAL, REGIONAL].contains(&text(&item["resourceType"]));
    all.retain(is_protection);
    outdated.retain(is_protection);
    (all, outdated)
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
        if text(&held::body(protection)["ResourceArn"]) != arn {
            continue;
        }
        let rank = |p: &Value| {
            let region =
                if p["awsRegion"] == "global" { "us-east-1" } else { text(&p["awsRegion"]) };
            (region.to_owned(), p["resourceType"].to_string(), p["resourceId"].to_string())
        };
        let better = best.is_none_or(|best| {
            let (new, old) = (held::captured_ms(protection), held::captured_ms(best));
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
    let there = match &body["ApplicationLayerAutomaticResponseConfig"] {
        Value::Null => &body["ApplicationLayerAutomaticResponseConfiguration"],
        told => told,
    };
    let on = there["Status"] == "ENABLED";
    match text(&wanted["automaticResponseStatus"]) {
        _ if broken == Some(Mutation::ResponseIgnored) => Some(true),
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
