//! `SHIELD_ADVANCED`: each resource in scope is protected, web ones also carry a web ACL, and the
//! automatic response is as configured (semantics §5.3, §9 row 38, §10 rows 1, 4, 17, 18, §11 row 44). No item
//! tells whether an account is subscribed, so nothing is said of that (§10 row 31).

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::{Region, ResourceType};
use crate::inventory::{Body, Item, Protection};
use crate::policy::Policy;
use crate::policy::shield_advanced::{ShieldAdvanced, WantedResponse};

use super::account::{AccountFacts, protections};
use super::coverage::{missed, not_recording, not_seen, open_gaps};
use super::elsewhere::protection_doubt;
use super::evaluator::Evaluator;
use super::listener::Told;
use super::web_acls::{Acls, Found, SEVERAL, is_protectable, several_acls_gap, unseen_acl_gap};
use super::{
    Changed, DependentService, Evidence, Footprint, Gap, Judgement, ShieldFinding, Verdict,
    outdated, selected, unseen, unseen_gap,
};

/// Types a SHIELD_ADVANCED policy can be about, ascending.
const PROTECTED: [ResourceType; 4] = [
    ResourceType::CLOUDFRONT_DISTRIBUTION,
    ResourceType::EIP,
    ResourceType::CLASSIC_LOAD_BALANCER,
    ResourceType::LOAD_BALANCER,
];

impl Evaluator for ShieldAdvanced {
    fn reads(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        self.judged_with()
    }

    /// Types that a verdict reads in the shard (semantics §10 row 1): what is listed, and web ACLs where
    /// there can be one. Protections are read in whichever Region records them; see [`Kind::unknown`]. Classic web
    /// ACLs are not read: a resource's own attribute tells that it has one.
    fn needed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut needed: BTreeSet<_> = policy.resource_types().iter().cloned().collect();
        if policy.resource_types().iter().any(has_web_acl) {
            needed.insert(ResourceType::WAFV2_WEB_ACL);
        }
        needed
    }

    /// What a resource is judged with: its protection and its web ACL.
    fn judged_with(&self) -> BTreeSet<ResourceType> {
        AccountFacts::PROTECTIONS.into_iter().chain([ResourceType::WAFV2_WEB_ACL]).collect()
    }

    /// What a change of a resource can do: any protection may be that of any resource, and any web ACL
    /// may be on it.
    fn footprint(&self, _policy: &Policy, changed: &Changed) -> Footprint {
        let concerns_others = self.judged_with().contains(&changed.key.resource_type);
        if concerns_others { Footprint::Shard } else { Footprint::Resource }
    }

    /// Whether a resource shows the same: of a protection its capture time decides, too.
    fn shows_same(&self, before: &Item, after: &Item) -> bool {
        match AccountFacts::PROTECTIONS.contains(&before.key.resource_type) {
            true => before == after,
            false => before.body == after.body,
        }
    }

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let shard = evidence.shard;
        let judge =
            Judge { rule: self, acls: Acls::of(shard), protections: Protections::of(evidence) };
        for resource_type in &PROTECTED {
            for item in selected(policy, shard, resource_type) {
                if is_protectable(item) {
                    judgement.record(item, judge.resource(item));
                    judgement.doubt(item, judge.outdated(item));
                    judgement.tell(item, |told| judge.tell(item, told));
                }
            }
        }
        // Of a shard that was never heard of that is said once and is all there is to say.
        if !shard.is_unheard_of() {
            let listed = |kind: &&Kind| {
                PROTECTED.iter().any(|resource_type| {
                    policy.scope.lists(resource_type) && Kind::of(resource_type) == **kind
                })
            };
            let kinds = [Kind::Regional, Kind::Global];
            judgement
                .gaps
                .extend(kinds.iter().filter(listed).filter_map(|kind| kind.unknown(evidence)));
        }
    }
}

/// Application-layer resources; the others have no web ACL and no automatic response.
fn has_web_acl(resource_type: &ResourceType) -> bool {
    [ResourceType::CLOUDFRONT_DISTRIBUTION, ResourceType::LOAD_BALANCER].contains(resource_type)
}

/// The kind of protection that a resource needs: a regional one, which any Region may record, or for
/// a distribution a global one, which lives in us-east-1. One of the other kind counts when it is
/// held, and is not missed when it is not (semantics §11 row 44).
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Regional,
    Global,
}

impl Kind {
    fn of(resource_type: &ResourceType) -> Kind {
        match *resource_type == ResourceType::CLOUDFRONT_DISTRIBUTION {
            true => Kind::Global,
            false => Kind::Regional,
        }
    }

    /// That protections of the kind are not known, or that some were missed: one that is not held may
    /// exist.
    fn unknown(self, evidence: &Evidence<'_>) -> Option<Gap> {
        let (shard, account) = (evidence.shard, evidence.account);
        let is_home = shard.id.region.as_str() == Region::HOME_OF_GLOBAL;
        let (kind, is_read_here, known_elsewhere) = match self {
            Kind::Regional => {
                (ResourceType::SHIELD_REGIONAL_PROTECTION, true, account.knows_regional_protections)
            }
            Kind::Global => {
                (ResourceType::SHIELD_PROTECTION, is_home, account.knows_global_protections)
            }
        };
        let missed_here = open_gaps(shard, &kind).next().filter(|_| is_read_here);
        let elsewhere = || account.missed_of(&kind).next().map(|open| missed(&kind, open));
        if let Some(gap) = missed_here.or_else(elsewhere) {
            return Some(gap);
        }
        let is_known = known_elsewhere || (is_read_here && shard.sees_all(&kind));
        (!is_known).then(|| not_seen(shard, &kind).unwrap_or_else(|| not_recording(&kind)))
    }
}

/// The account's protections, by what they protect.
struct Protections<'a> {
    /// By ARN of the resource, from its service on: partitions are not told apart.
    by_arn: BTreeMap<&'a str, (&'a Item, &'a Protection)>,
    /// Why a regional one that is not held may exist.
    blind: Option<Gap>,
    /// Why a global one may.
    blind_global: Option<Gap>,
    /// That one which is held may protect something else by now.
    outdated: Option<Gap>,
    evidence: Evidence<'a>,
}

impl<'a> Protections<'a> {
    fn of(evidence: &Evidence<'a>) -> Protections<'a> {
        let shard = evidence.shard;
        let elsewhere = evidence.account.protections.iter();
        let elsewhere = elsewhere.filter(|item| item.key.region != shard.id.region);
        let (mut unread, mut stale) = (None, None);
        let mut by_arn: BTreeMap<&str, (&Item, &Protection)> = BTreeMap::new();
        for item in protections(shard).chain(elsewhere) {
            let Body::Protection(protection) = &item.body else {
                unread = unread.or_else(|| Some(unseen_gap(item)));
                continue;
            };
            stale = stale.or_else(|| outdated(item));
            let Some(arn) = after_partition(&protection.resource_arn) else { continue };
            let found = by_arn.entry(arn).or_insert((item, protection));
            if is_newer(item, found.0) {
                *found = (item, protection);
            }
        }
        let blind = |kind: Kind| kind.unknown(evidence).or_else(|| unread.clone());
        let (blind, blind_global) = (blind(Kind::Regional), blind(Kind::Global));
        Protections { by_arn, blind, blind_global, outdated: stale, evidence: *evidence }
    }

    /// That whether a resource is protected rests on what may have changed since.
    fn outdated(&self, item: &Item) -> Option<Gap> {
        match self.of_resource(item) {
            Protected::By(protection, _) => {
                outdated(protection).or_else(|| protection_doubt(protection, &self.evidence))
            }
            Protected::Not | Protected::Unseen(_) => self.outdated.clone(),
        }
    }

    fn of_resource(&self, item: &Item) -> Protected<'_> {
        let blind = match Kind::of(&item.key.resource_type) {
            Kind::Regional => &self.blind,
            Kind::Global => &self.blind_global,
        };
        match (self.by_arn.get(&*resource_arn(item)), blind) {
            (Some((item, protection)), _) => Protected::By(item, protection),
            (None, None) => Protected::Not,
            (None, Some(gap)) => Protected::Unseen(gap),
        }
    }
}

/// One API object may be recorded under both types: the later capture tells how it is now, of
/// equals the smaller key.
fn is_newer(item: &Item, other: &Item) -> bool {
    let (ours, theirs) = (item.version.captured_ms, other.version.captured_ms);
    ours > theirs || (ours == theirs && item.key < other.key)
}

/// The ARN that a protection of the resource names, from its service on. Classic load balancers
/// are known to AWS Config by name, addresses by allocation and distributions by id.
fn resource_arn(item: &Item) -> String {
    let (account, region, id) = (&item.key.account, &item.key.region, item.key.id.as_str());
    if let Some(arn) = after_partition(id) {
        return arn.to_owned();
    }
    if item.key.resource_type == ResourceType::EIP {
        format!("ec2:{region}:{account}:eip-allocation/{id}")
    } else if item.key.resource_type == ResourceType::CLOUDFRONT_DISTRIBUTION {
        format!("cloudfront::{account}:distribution/{id}")
    } else {
        format!("elasticloadbalancing:{region}:{account}:loadbalancer/{id}")
    }
}

fn after_partition(arn: &str) -> Option<&str> {
    Some(arn.strip_prefix("arn:")?.split_once(':')?.1)
}

/// Whether a resource is protected.
enum Protected<'a> {
    By(&'a Item, &'a Protection),
    Not,
    Unseen(&'a Gap),
}

struct Judge<'a> {
    rule: &'a ShieldAdvanced,
    acls: Acls<'a>,
    protections: Protections<'a>,
}

impl<'a> Judge<'a> {
    /// Claims what holds whatever the facts not seen are, and nothing else.
    fn resource(&self, item: &'a Item) -> Verdict {
        if item.body.is_unseen() {
            return unseen(item);
        }
        let protected = self.protections.of_resource(item);
        if !has_web_acl(&item.key.resource_type) {
            return match protected {
                Protected::By(..) => Verdict::Comply,
                Protected::Not => unprotected(None),
                Protected::Unseen(gap) => Verdict::Undecided(gap.clone()),
            };
        }
        let Some(acl) = self.acls.found(item) else {
            return unseen(item);
        };
        match (protected, acl) {
            (protected, Found::None) => bare(&protected),
            (Protected::Not, acl) => unprotected(id_of(&acl)),
            (Protected::Unseen(gap), _) => Verdict::Undecided(gap.clone()),
            (Protected::By(protection, body), acl) => self.response(item, protection, body, &acl),
        }
    }

    /// What a resource is judged by that may have changed since.
    fn outdated(&self, item: &'a Item) -> impl Iterator<Item = Gap> {
        let acl = self.acls.found(item).and_then(|found| self.acls.outdated(item, &found));
        let protection = (!item.body.is_unseen()).then(|| self.protections.outdated(item));
        protection.flatten().into_iter().chain(acl)
    }

    /// What a resource is held against: its protection, and of application-layer ones the web ACL and
    /// the automatic response.
    fn tell(&self, item: &'a Item, told: &mut Told) {
        let protected = self.protections.of_resource(item);
        let (found, fits) = match &protected {
            Protected::By(protection, _) => (protection.key.id.as_str(), Some(true)),
            Protected::Not => ("none", Some(false)),
            Protected::Unseen(_) => ("not recorded", None),
        };
        told.holds("Shield protection", "one that names the resource", found, fits);
        if !has_web_acl(&item.key.resource_type) {
            if let Protected::By(protection, _) = &protected {
                told.reads(protection);
            }
            return;
        }
        let (found, fits) = match self.acls.found(item) {
            Some(Found::Acl(id, acl)) => {
                acl.iter().for_each(|acl| told.reads(acl));
                (id, Some(true))
            }
            Some(Found::None) => ("none", Some(false)),
            Some(Found::Several) => (SEVERAL, None),
            Some(Found::Unseen) | None => ("not recorded", None),
        };
        told.holds("web ACL", "any", found, fits);
        let Protected::By(protection, body) = &protected else { return };
        told.reads(protection);
        let wanted = match self.rule.automatic_response {
            WantedResponse::Ignored => return,
            WantedResponse::Disabled => "off",
            WantedResponse::Enabled { block: true } => "BLOCK",
            WantedResponse::Enabled { block: false } => "COUNT",
        };
        let (found, fits) = match amiss(self.rule.automatic_response, body) {
            Response::AsWanted => (wanted.to_owned(), Some(true)),
            Response::Amiss(amiss) => (amiss, Some(false)),
            Response::Untold => ("not recorded".to_owned(), None),
        };
        told.holds("automatic response", wanted, found, fits);
    }

    /// A protected resource that has, or may have, a web ACL.
    fn response(
        &self,
        item: &Item,
        protection: &Item,
        body: &Protection,
        acl: &Found<'_>,
    ) -> Verdict {
        match amiss(self.rule.automatic_response, body) {
            Response::Amiss(amiss) => {
                let protection = Some(protection.key.id.as_str());
                Verdict::violate(ShieldFinding::amiss(protection, id_of(acl), &amiss))
            }
            Response::Untold => undecided(&format!(
                "The automatic response action of the Shield protection of {} was not recorded.",
                item.key.id
            )),
            Response::AsWanted => match acl {
                Found::Unseen => Verdict::Undecided(unseen_acl_gap(item)),
                Found::Several => Verdict::Undecided(several_acls_gap(item)),
                Found::Acl(..) | Found::None => Verdict::Comply,
            },
        }
    }
}

/// How a protection's automatic response stands to the wanted one.
enum Response {
    AsWanted,
    Amiss(String),
    /// Whether it is on, or with which action, is not told.
    Untold,
}

/// A protection that tells no automatic response has none: it is off.
fn amiss(wanted: WantedResponse, protection: &Protection) -> Response {
    let word = |block: bool| if block { "BLOCK" } else { "COUNT" };
    let told = protection.automatic_response.as_ref();
    let is_on = told.map_or(Some(false), |response| response.enabled);
    match (wanted, is_on) {
        (WantedResponse::Ignored, _) | (WantedResponse::Disabled, Some(false)) => {
            Response::AsWanted
        }
        (WantedResponse::Disabled | WantedResponse::Enabled { .. }, None) => Response::Untold,
        (WantedResponse::Disabled, Some(true)) => {
            Response::Amiss("automatic response is on, wanted: off".to_owned())
        }
        (WantedResponse::Enabled { block }, Some(false)) => {
            Response::Amiss(format!("automatic response is off, wanted: {}", word(block)))
        }
        (WantedResponse::Enabled { block }, Some(true)) => match told.and_then(|told| told.block) {
            None => Response::Untold,
            Some(action) if action == block => Response::AsWanted,
            Some(action) => Response::Amiss(format!(
                "automatic response is {}, wanted: {}",
                word(action),
                word(block)
            )),
        },
    }
}

fn id_of<'a>(acl: &Found<'a>) -> Option<&'a str> {
    match acl {
        Found::Acl(id, _) => Some(id),
        Found::None | Found::Unseen | Found::Several => None,
    }
}

/// No protection; if there can be a web ACL, there may be one (semantics §10 row 17).
fn unprotected(web_acl: Option<&str>) -> Verdict {
    Verdict::violate(ShieldFinding::unprotected(web_acl))
}

/// No web ACL, protected or not (semantics §10 row 17).
fn bare(protected: &Protected<'_>) -> Verdict {
    let (protection, amiss) = match protected {
        Protected::By(item, _) => (Some(item.key.id.as_str()), "no web ACL"),
        Protected::Not => (None, "no Shield protection and no web ACL"),
        Protected::Unseen(_) => (None, "no web ACL"),
    };
    Verdict::violate(ShieldFinding::amiss(protection, None, amiss))
}

fn undecided(text: &str) -> Verdict {
    Verdict::Undecided(Gap::new(DependentService::Config, text))
}

#[cfg(test)]
mod tests;
