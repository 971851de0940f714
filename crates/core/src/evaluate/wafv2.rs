//! `WAFV2`: each resource in scope carries the policy's web ACL, and that carries the policy's
//! rule groups (semantics §5.1, §10 rows 1, 4, 16, 18, §11 rows 33, 34, 52).

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::ResourceType;
use crate::inventory::{Body, Item, Shard, WafAssociation, WebAcl, WebAclRuleGroup};
use crate::policy::Policy;
use crate::policy::wafv2::Wafv2;

use super::coverage::not_recording;
use super::evaluator::Evaluator;
use super::listener::Told;
use super::rule_groups::{Comparison, compare, list};
use super::selection::{Membership, membership};
use super::web_acl_name::{self, OwnNames};
use super::web_acls::{
    Acls, Found, SEVERAL, association, is_protectable, kind_gap, several_acls_gap, unseen_acl_gap,
};
use super::{
    Changed, DependentService, Evidence, Footprint, Gap, Judgement, Verdict, WafFinding, outdated,
    selected, unseen,
};

/// Types a WAFV2 policy can be about, ascending.
const PROTECTED: [ResourceType; 3] = [
    ResourceType::API_GATEWAY_STAGE,
    ResourceType::CLOUDFRONT_DISTRIBUTION,
    ResourceType::LOAD_BALANCER,
];

impl Evaluator for Wafv2 {
    /// Types whose items a judgement reads.
    fn reads(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        PROTECTED.into_iter().chain([ResourceType::WAFV2_WEB_ACL]).collect()
    }

    /// Types that a verdict reads: what is listed, and the web ACLs (semantics §10 row 1).
    fn needed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut needed: BTreeSet<_> = policy.resource_types().iter().cloned().collect();
        needed.insert(ResourceType::WAFV2_WEB_ACL);
        needed
    }

    /// A web ACL that is to be retrofitted is judged by what it is on, listed or not.
    fn must_not_be_missed(&self, policy: &Policy) -> BTreeSet<ResourceType> {
        let mut types = self.needed(policy);
        if self.retrofit {
            types.extend(PROTECTED);
        }
        types
    }

    /// What a change of a resource can do: a web ACL answers for all that it is on, and one that is to
    /// be retrofitted for what it is on out of scope.
    fn footprint(&self, policy: &Policy, changed: &Changed) -> Footprint {
        let resource_type = &changed.key.resource_type;
        if self.retrofit || *resource_type == ResourceType::WAFV2_WEB_ACL {
            return Footprint::Shard;
        }
        if policy.scope.lists(resource_type) { Footprint::Resource } else { Footprint::Nothing }
    }

    fn shows_same(&self, before: &Item, after: &Item) -> bool {
        before.body == after.body
    }

    fn judged_with(&self) -> BTreeSet<ResourceType> {
        [ResourceType::WAFV2_WEB_ACL].into()
    }

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let in_scope: Vec<_> = PROTECTED
            .iter()
            .flat_map(|resource_type| selected(policy, evidence.shard, resource_type))
            .filter(|item| is_protectable(item))
            .collect();
        let acls = Acls::of(evidence.shard);
        let judge = Judge { policy, rule: self, acls: &acls, names: OwnNames::of(policy) };
        for item in &in_scope {
            judgement.record(item, judge.resource(item));
            judgement.doubt(item, judge.outdated(item));
            judgement.tell(item, |told| judge.tell(item, told));
        }
        if self.retrofit {
            judge.retrofits(evidence.shard, &in_scope, judgement);
        }
    }
}

struct Judge<'a> {
    policy: &'a Policy,
    rule: &'a Wafv2,
    acls: &'a Acls<'a>,
    names: OwnNames<'a>,
}

impl<'a> Judge<'a> {
    fn resource(&self, item: &'a Item) -> Verdict {
        let Some(found) = self.acls.found(item) else {
            return unseen(item);
        };
        match found {
            Found::None => {
                let wanted = web_acl_name::pattern(&self.policy.name);
                Verdict::violate(WafFinding::missing(wanted))
            }
            Found::Unseen => Verdict::Undecided(unseen_acl_gap(item)),
            Found::Several => Verdict::Undecided(several_acls_gap(item)),
            Found::Acl(id, acl) => self.associated(item, id, acl),
        }
    }

    /// What a resource is judged by that may have changed since: its web ACL, or whether it has one.
    fn outdated(&self, item: &'a Item) -> Option<Gap> {
        let found = self.acls.found(item)?;
        let claim = self.acls.outdated(item, &found);
        match found {
            Found::Acl(_, Some(acl)) => outdated(acl),
            Found::Acl(_, None) | Found::None | Found::Unseen | Found::Several => claim,
        }
    }

    fn associated(&self, item: &Item, id: &str, acl_item: Option<&Item>) -> Verdict {
        let acl = acl_item.and_then(|item| match &item.body {
            Body::WebAcl(acl) => Some((item, acl)),
            _ => None,
        });
        let Some((acl_item, acl)) = acl else {
            return self.not_held(item, id);
        };
        match self.maker(acl_item, acl) {
            Maker::Policy => self.carries_groups(item, id, acl, false),
            Maker::Customer if self.rule.retrofit => {
                self.carries_groups(item, id, acl, acl.retrofitted == Some(false))
            }
            Maker::Customer | Maker::Other => self.incorrect(id),
            Maker::Untold => {
                let text = format!(
                    "Whether Firewall Manager manages web ACL {id} of {} was not recorded.",
                    item.key.id
                );
                Verdict::Undecided(Gap::new(DependentService::Config, &text))
            }
        }
    }

    /// Of a web ACL that is not held, its ARN tells the name; anything that cannot be the policy's
    /// own is another one.
    fn not_held(&self, item: &Item, id: &str) -> Verdict {
        let might_do = match web_acl_name::of_arn(id) {
            Some(name) => self.names.has(name) || self.rule.retrofit,
            // A bare id is a classic web ACL (formats §9).
            None => false,
        };
        if !might_do {
            return self.incorrect(id);
        }
        let text = format!("Web ACL {id} of {} was not recorded.", item.key.id);
        Verdict::Undecided(Gap::new(DependentService::Config, &text))
    }

    fn incorrect(&self, id: &str) -> Verdict {
        let wanted = web_acl_name::pattern(&self.policy.name);
        Verdict::violate(WafFinding::incorrect(id, wanted))
    }

    /// The policy's own is managed by Firewall Manager and has a name of the policy's pattern
    /// (semantics §10 row 16); one that is managed and has not is another one, whoever manages it
    /// (§11 row 52).
    fn maker(&self, item: &Item, acl: &WebAcl) -> Maker {
        let is_ours = self.names.has(name(item, acl));
        match (acl.managed_by_fms, acl.retrofitted) {
            (Some(true), _) if is_ours => Maker::Policy,
            (None, _) if is_ours => Maker::Untold,
            (Some(false), _) | (_, Some(true)) => Maker::Customer,
            (Some(true), Some(false)) => Maker::Other,
            // Without retrofitting a web ACL whose name does not fit is another one in any case.
            (Some(true), None) | (None, _) if !is_ours && !self.rule.retrofit => Maker::Other,
            (Some(true), None) | (None, _) => Maker::Untold,
        }
    }

    /// The policy's first and last groups, those and no others, in their order and unaltered
    /// (semantics §11 row 33). What the item does not tell is not claimed to be as wanted, unless the
    /// web ACL was never touched: then it has none.
    fn carries_groups(&self, item: &Item, id: &str, acl: &WebAcl, untouched: bool) -> Verdict {
        let mut comparison = Comparison::default();
        let sides = [
            ("first", &self.rule.first, &acl.pre_process),
            ("last", &self.rule.last, &acl.post_process),
        ];
        for (side, wanted, found) in sides {
            match found {
                Some(found) => compare(side, found, wanted, &mut comparison),
                None if untouched => compare(side, &[], wanted, &mut comparison),
                None => comparison.is_untold = true,
            }
        }
        if !comparison.differences.is_empty() {
            let wanted =
                format!("first {}; last {}", list(&self.rule.first), list(&self.rule.last));
            let found = WafFinding::without_groups(id, wanted, comparison.differences);
            return Verdict::violate(found);
        }
        if comparison.is_untold {
            let text =
                format!("The rule groups of web ACL {id} of {} were not recorded.", item.key.id);
            return Verdict::Undecided(Gap::new(DependentService::Config, &text));
        }
        Verdict::Comply
    }

    /// What a resource is held against: the web ACL on it, and that one's rule groups.
    fn tell(&self, item: &'a Item, told: &mut Told) {
        let wanted = web_acl_name::pattern(&self.policy.name);
        let (found, held) = match self.acls.found(item) {
            None | Some(Found::Unseen) => {
                return told.holds("web ACL", wanted, "not recorded", None);
            }
            Some(Found::Several) => return told.holds("web ACL", wanted, SEVERAL, None),
            Some(Found::None) => return told.holds("web ACL", wanted, "none", Some(false)),
            Some(Found::Acl(id, held)) => (id, held),
        };
        let Some(held) = held else { return told.holds("web ACL", wanted, found, None) };
        told.reads(held);
        let Body::WebAcl(acl) = &held.body else {
            return told.holds("web ACL", wanted, found, None);
        };
        let fits = match self.maker(held, acl) {
            Maker::Policy => Some(true),
            Maker::Customer => Some(self.rule.retrofit),
            Maker::Other => Some(false),
            Maker::Untold => None,
        };
        told.holds("web ACL", wanted, found, fits);
        if fits == Some(false) {
            return;
        }
        for (side, wanted, found) in [
            ("first", &self.rule.first, &acl.pre_process),
            ("last", &self.rule.last, &acl.post_process),
        ] {
            let mut comparison = Comparison::default();
            let groups = found.as_deref();
            groups.iter().for_each(|found| compare(side, found, wanted, &mut comparison));
            let is_told = groups.is_some() && !comparison.is_untold;
            let fits = (is_told || !comparison.differences.is_empty())
                .then_some(comparison.differences.is_empty());
            let found = match groups {
                None => "not recorded".to_owned(),
                Some([]) => "none".to_owned(),
                Some(groups) => {
                    let id = |group: &WebAclRuleGroup| {
                        group
                            .id
                            .as_ref()
                            .map_or_else(|| "one that is not told".to_owned(), ToString::to_string)
                    };
                    let mut text = groups.iter().map(id).collect::<Vec<_>>().join(", ");
                    comparison
                        .differences
                        .iter()
                        .for_each(|one| text.push_str(&format!("; {one}")));
                    text
                }
            };
            told.holds(format!("{side} rule groups"), list(wanted), found, fits);
        }
    }

    /// With RETROFIT_EXISTING, web ACLs in use that cannot be taken over break the policy
    /// themselves: those that Firewall Manager made for another policy, and those that are also on
    /// resources out of scope (semantics §5.1 test 4).
    fn retrofits(&self, shard: &Shard, in_scope: &[&'a Item], judgement: &mut Judgement) {
        let mut in_use: BTreeMap<&str, &Item> = BTreeMap::new();
        for item in in_scope {
            if let Some(Found::Acl(_, Some(acl))) = self.acls.found(item) {
                in_use.insert(acl.key.id.as_str(), acl);
            }
        }
        let in_scope: BTreeSet<_> =
            in_scope.iter().map(|item| (&item.key.resource_type, item.key.id.as_str())).collect();
        for item in in_use.into_values() {
            let Body::WebAcl(acl) = &item.body else { continue };
            let arn = item.key.id.as_str();
            let verdict = match self.maker(item, acl) {
                // What is not told of its maker is told as a gap of the resources that it is on.
                Maker::Policy | Maker::Untold => continue,
                Maker::Customer => {
                    let Strangers { strangers, untold, late } =
                        strangers(self.policy, item, acl, shard, &in_scope);
                    judgement.doubt(item, late);
                    if strangers.is_empty() {
                        judgement.doubt(item, untold);
                        continue;
                    }
                    Verdict::violate(WafFinding::out_of_scope_use(arn, strangers))
                }
                Maker::Other => Verdict::violate(WafFinding::not_free(arn)),
            };
            judgement.record(item, verdict);
        }
    }
}

/// Resources out of scope that a web ACL is on.
struct Strangers<'a> {
    strangers: Vec<&'a str>,
    /// That each of them may be off it by now.
    late: Option<Gap>,
    /// Why there may be others.
    untold: Option<Gap>,
}

/// What a resource that is held says of itself decides, and relationships where it says nothing
/// (semantics §10 row 16); what they name of the types that policies are about and is not held is
/// gone, if the type is known (§11 row 36).
fn strangers<'a>(
    policy: &Policy,
    item: &'a Item,
    acl: &'a WebAcl,
    shard: &'a Shard,
    in_scope: &BTreeSet<(&ResourceType, &str)>,
) -> Strangers<'a> {
    let associated = acl.associated.as_deref().unwrap_or_default();
    let named = |kind: &ResourceType, id: &str| {
        associated.iter().any(|(named, other)| named == kind && **other == *id)
    };
    let is_on = |resource: &&Item| match association(resource) {
        Some(WafAssociation::Bare) => false,
        Some(WafAssociation::Acl(own)) => **own == *item.key.id.as_str() || *own == acl.arn,
        Some(WafAssociation::Unsaid) | None => {
            named(&resource.key.resource_type, resource.key.id.as_str())
        }
    };
    let out_of_scope = |resource: &&Item| {
        !in_scope.contains(&(&resource.key.resource_type, resource.key.id.as_str()))
    };
    let out_of_scope =
        || PROTECTED.iter().flat_map(|kind| shard.of_type(kind)).filter(out_of_scope);
    // Of one whose tags are not told it is not known that it is out of scope (semantics §11 row 38).
    let is_known_out = |resource: &&Item| {
        !policy.scope.lists(&resource.key.resource_type)
            || membership(policy, resource) != Membership::Undecided
    };
    let held = || out_of_scope().filter(is_on).filter(is_known_out);
    let others = associated.iter().filter(|(kind, _)| !PROTECTED.contains(kind));
    let strangers = held()
        .map(|resource| resource.key.id.as_str())
        .chain(others.clone().map(|(_, id)| &**id))
        .collect();
    let untold = || {
        let text = format!("The resources that web ACL {} is on were not recorded.", item.key.id);
        Gap::new(DependentService::Config, &text)
    };
    let is_lost = |(kind, id): &&(ResourceType, Box<str>)| {
        PROTECTED.contains(kind) && shard.item(kind, id).is_none() && !shard.knows(kind)
    };
    let untold = match &acl.associated {
        None => Some(untold()),
        Some(associated) => associated.iter().find(is_lost).map(|(kind, _)| not_recording(kind)),
    };
    // One that was not on it may be by now, if it is of a kind that can be on one.
    let can_be_on = |resource: &&Item| is_protectable(resource) || kind_gap(resource).is_some();
    let untold = untold.or_else(|| out_of_scope().filter(can_be_on).find_map(outdated));
    let is_certain =
        others.clone().next().is_some() || held().any(|resource| outdated(resource).is_none());
    let late = held().find_map(outdated).filter(|_| !is_certain);
    Strangers { strangers, untold, late }
}

/// Who made a web ACL.
enum Maker {
    /// Firewall Manager, for this policy.
    Policy,
    /// The account itself, whether Firewall Manager has added groups to it or not.
    Customer,
    /// Firewall Manager for another policy, or another service that manages web ACLs.
    Other,
    /// The item does not tell enough to say.
    Untold,
}

fn name<'a>(item: &'a Item, acl: &'a WebAcl) -> &'a str {
    if !acl.name.is_empty() {
        return &acl.name;
    }
    item.name.as_deref().or_else(|| web_acl_name::of_arn(item.key.id.as_str())).unwrap_or_default()
}

#[cfg(test)]
mod tests;
