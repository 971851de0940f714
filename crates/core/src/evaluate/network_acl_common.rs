//! `NETWORK_ACL_COMMON`: the network ACL on each subnet begins and ends, in each direction, with the
//! policy's entries (semantics §5.11, §4.7, §10 rows 1, 25, 28, §11 rows 38, 53, 64).
//!
//! Readings where the text leaves two: a network ACL on a subnet is the one whose own body lists the
//! subnet; where several do, the subnet complies with none of them for certain, and violates where all
//! violate. An entry that is missing moves across nothing, so that it is in no conflict. What an
//! earlier version of the policy wanted is left in a managed network ACL alone: in another the same
//! entry is a custom one. Where earlier versions are not known, a managed network ACL whose custom
//! entries are numbered as custom ones are (5000 to 32000) has nothing left of them; others are a gap.

use std::collections::{BTreeMap, BTreeSet};

use crate::ident::ResourceType;
use crate::inventory::{AclAssociation, Body, Item, NetworkAcl, Shard, Subnet};
use crate::policy::Policy;
use crate::policy::network_acl_common::{Former, NetworkAclCommon};

use super::acl_order::{Order, orders};
use super::coverage::not_seen;
use super::evaluator::Evaluator;
use super::judgement::fits;
use super::listener::Told;
use super::security_groups::is_own;
use super::selection::{Holder, holder};
use super::{
    AclRemedy, AclStep, DependentService, EntryFault, EntryPart, Evidence, Gap, Judgement,
    NetworkAclFinding, Obstacle, PlacedEntry, Verdict, outdated, selected, unseen, unseen_gap,
};

/// The tag of network ACLs that Firewall Manager made and manages (semantics §5.11, §7.2).
const MANAGED: (&str, &str) = ("FMManaged", "true");

impl Evaluator for NetworkAclCommon {
    /// Types that a verdict reads (semantics §1.5, §10 row 1).
    fn needed(&self, _policy: &Policy) -> BTreeSet<ResourceType> {
        [ResourceType::SUBNET, ResourceType::NETWORK_ACL].into()
    }

    /// Whether a resource shows the same: tags also tell which subnets an older policy holds, and
    /// which network ACLs are managed.
    fn shows_same(&self, before: &Item, after: &Item) -> bool {
        before.body == after.body
            && before.latest_tags() == after.latest_tags()
            && before.unseen_since.as_ref().map(|later| later.tags.is_some())
                == after.unseen_since.as_ref().map(|later| later.tags.is_some())
    }

    /// Judges what is in scope.
    fn judge(&self, policy: &Policy, evidence: &Evidence<'_>, judgement: &mut Judgement) {
        let shard = evidence.shard;
        let judge = Judge { rule: self, policy, shard, acls: Acls::of(self, shard) };
        for item in selected(policy, shard, &ResourceType::SUBNET) {
            if !is_own(item, &shard.id.account) {
                continue;
            }
            match holder(policy, &shard.id.account, item) {
                Holder::Own => {}
                Holder::Elder(_) => continue,
                Holder::Undecided(gap) => {
                    judgement.doubt(item, [gap]);
                    continue;
                }
            }
            judgement.doubt(item, judge.acls.outdated(item));
            judgement.tell(item, |told| judge.tell(item, told));
            judgement.record(item, judge.subnet(item));
        }
    }
}

/// A network ACL as the item and its body tell it.
#[derive(Clone, Copy)]
struct Held<'a> {
    item: &'a Item,
    acl: &'a NetworkAcl,
}

/// The network ACLs of a shard.
struct Acls<'a> {
    /// By subnet those that list it, ascending by id, each with the association.
    by_subnet: BTreeMap<&'a str, Vec<(Held<'a>, &'a AclAssociation)>>,
    /// Why a subnet that none lists may be on one that is held: it does not tell its subnets.
    untold: Option<Gap>,
    /// By VPC the managed one that is as the policy wants it, the smallest id of several.
    compliant: BTreeMap<&'a str, &'a Item>,
}

impl<'a> Acls<'a> {
    fn of(rule: &NetworkAclCommon, shard: &'a Shard) -> Acls<'a> {
        let mut acls =
            Acls { by_subnet: BTreeMap::new(), untold: None, compliant: BTreeMap::new() };
        for item in shard.of_type(&ResourceType::NETWORK_ACL) {
            let Body::NetworkAcl(acl) = &item.body else {
                acls.untold = acls.untold.take().or_else(|| Some(unseen_gap(item)));
                continue;
            };
            let held = Held { item, acl };
            match &acl.associations {
                Some(associations) => {
                    for association in associations {
                        let on = acls.by_subnet.entry(&association.subnet).or_default();
                        // One that lists a subnet twice is still one.
                        if on.last().is_none_or(|(last, _)| last.item.key.id != item.key.id) {
                            on.push((held, association));
                        }
                    }
                }
                None => {
                    let gap = || untold_gap(item, "subnets");
                    acls.untold = acls.untold.take().or_else(|| Some(gap()));
                }
            }
            if let (Some(vpc), Some(entries)) = (acl.vpc.as_deref(), &acl.entries) {
                let nothing = Former::default();
                let former = rule.former.as_ref().unwrap_or(&nothing);
                let is_whole = || {
                    let as_wanted = |order: &Order<'_>| {
                        order.faults().is_empty() && order.leftovers(former).next().is_none()
                    };
                    orders(rule, entries).iter().all(as_wanted)
                };
                if is_managed(item) && item.unseen_since.is_none() && is_whole() {
                    acls.compliant.entry(vpc).or_insert(item);
                }
            }
        }
        acls
    }

    fn on(&self, subnet: &Item) -> &[(Held<'a>, &'a AclAssociation)] {
        self.by_subnet.get(subnet.key.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// That what a subnet is judged by may have changed since.
    fn outdated(&self, subnet: &Item) -> impl Iterator<Item = Gap> {
        self.on(subnet).iter().filter_map(|(held, _)| outdated(held.item))
    }
}

/// Whether Firewall Manager manages a network ACL. Where its tags are not told, nobody else's is
/// altered: it counts as not managed, which decides remedies alone.
fn is_managed(item: &Item) -> bool {
    is_managed_told(item).unwrap_or_default()
}

/// The same; `None` where its tags are not told.
fn is_managed_told(item: &Item) -> Option<bool> {
    let (key, value) = MANAGED;
    item.latest_tags().map(|tags| tags.get(key).is_some_and(|held| **held == *value))
}

/// That a network ACL does not tell its `what`.
fn untold_gap(item: &Item, what: &str) -> Gap {
    let text = format!("The {what} of network ACL {} were not recorded.", item.key.id);
    Gap::new(DependentService::Config, &text)
}

struct Judge<'a> {
    rule: &'a NetworkAclCommon,
    policy: &'a Policy,
    shard: &'a Shard,
    acls: Acls<'a>,
}

impl<'a> Judge<'a> {
    /// Claims what holds whatever the facts not seen are, and nothing else.
    fn subnet(&self, item: &'a Item) -> Verdict {
        let Body::Subnet(subnet) = &item.body else { return unseen(item) };
        match self.acls.on(item) {
            [] => Verdict::Undecided(self.acl_not_held(item)),
            [(held, association)] => self.by(subnet, *held, association),
            several => {
                let mut verdicts =
                    several.iter().map(|(held, association)| self.by(subnet, *held, association));
                let first = verdicts.next().filter(is_violation);
                match first.filter(|_| verdicts.all(|verdict| is_violation(&verdict))) {
                    Some(violation) => violation,
                    None => Verdict::Undecided(contested_gap(item, several)),
                }
            }
        }
    }

    /// What a subnet is held against: the entries of the network ACLs that list it.
    fn tell(&self, item: &Item, told: &mut Told) {
        let Body::Subnet(subnet) = &item.body else { return };
        if self.acls.on(item).is_empty() {
            told.holds(
                "network ACL",
                "one that begins and ends with the policy's entries",
                "not recorded",
                None,
            );
        }
        for (held, association) in self.acls.on(item) {
            told.reads(held.item);
            let what = format!("network ACL {}", held.item.key.id);
            let Some(entries) = &held.acl.entries else {
                told.holds(what, "the policy's entries", "not recorded", None);
                continue;
            };
            let verdict = self.by(subnet, *held, association);
            let found = match &verdict {
                Verdict::Violate(first, _) => first.finding.summary(),
                Verdict::Comply => "as wanted".to_owned(),
                Verdict::Undecided(gap) => gap.text.to_string(),
            };
            let count = entries.len();
            let wanted = format!(
                "{} first and {} last entries of the policy around its own {count}",
                self.rule.first.len(),
                self.rule.last.len()
            );
            told.holds(what, wanted, found, fits(&verdict));
        }
    }

    /// Why the network ACL on a subnet is not known.
    fn acl_not_held(&self, subnet: &Item) -> Gap {
        let of_type = not_seen(self.shard, &ResourceType::NETWORK_ACL);
        of_type.or_else(|| self.acls.untold.clone()).unwrap_or_else(|| {
            let text = format!(
                "The network ACL on {} {} was not recorded.",
                subnet.key.resource_type, subnet.key.id
            );
            Gap::new(DependentService::Config, &text)
        })
    }

    fn by(&self, subnet: &Subnet, held: Held<'_>, association: &AclAssociation) -> Verdict {
        let Some(entries) = &held.acl.entries else {
            return Verdict::Undecided(untold_gap(held.item, "entries"));
        };
        let orders = orders(self.rule, entries);
        let mut faults: Vec<EntryFault> = orders.iter().flat_map(|order| order.faults()).collect();
        match self.left(held, &orders) {
            Ok(left) => faults.extend(left),
            Err(gap) if faults.is_empty() => return Verdict::Undecided(gap),
            Err(_) => {}
        }
        if faults.is_empty() {
            return Verdict::Comply;
        }
        let vpc = subnet.vpc.as_deref().or(held.acl.vpc.as_deref());
        let additions = || orders.iter().flat_map(|order| order.additions()).collect();
        let remedies = match is_managed(held.item) {
            true => vec![self.mended(held, &faults, additions())],
            false => self.replaced(held, vpc, association, &faults),
        };
        Verdict::violate(
            NetworkAclFinding::NetworkAclEntries {
                acl: held.item.key.id.as_str().into(),
                vpc: vpc.map(Into::into),
                zone: subnet.zone.clone(),
                entries: faults,
                remedies,
            }
            .reasoned(),
        )
    }

    /// What of earlier versions of the policy is left in a network ACL that Firewall Manager manages.
    fn left(&self, held: Held<'_>, orders: &[Order<'_>; 2]) -> Result<Vec<EntryFault>, Gap> {
        let managed = is_managed_told(held.item);
        if managed == Some(false) {
            return Ok(Vec::new());
        }
        let Some(former) = &self.rule.former else {
            if !orders.iter().any(Order::has_customs_numbered_as_own) {
                return Ok(Vec::new());
            }
            let text = format!(
                "Whether entries of network ACL {} are left of an earlier version of the policy is not known.",
                held.item.key.id
            );
            return Err(Gap::new(DependentService::Vpc, &text));
        };
        let left: Vec<EntryFault> = orders.iter().flat_map(|one| one.leftovers(former)).collect();
        match managed {
            None if !left.is_empty() => Err(untold_gap(held.item, "tags")),
            _ => Ok(left),
        }
    }

    /// Of a managed network ACL: entries are added where they must be, then those in the wrong place
    /// taken out.
    fn mended(
        &self,
        held: Held<'_>,
        faults: &[EntryFault],
        additions: Vec<PlacedEntry>,
    ) -> AclRemedy {
        let acl: Box<str> = held.item.key.id.as_str().into();
        let misplaced = faults.iter().filter(|fault| fault.actual_order.is_some());
        let misplaced: Vec<PlacedEntry> = misplaced.map(|fault| fault.expected.clone()).collect();
        let no_room = additions.iter().any(|placed| placed.number.is_none());
        let mut steps = Vec::new();
        if !additions.is_empty() {
            steps.push(AclStep::CreateEntries { acl: acl.clone(), entries: additions });
        }
        if !misplaced.is_empty() {
            steps.push(AclStep::DeleteEntries { acl, entries: misplaced });
        }
        let obstacle = self.obstacle(faults).or_else(|| no_room.then_some(Obstacle::NoRoom));
        AclRemedy { steps, is_default: true, obstacle }
    }

    /// Of another network ACL: a managed one takes its place, one that is there or a new one.
    fn replaced(
        &self,
        held: Held<'_>,
        vpc: Option<&str>,
        association: &AclAssociation,
        faults: &[EntryFault],
    ) -> Vec<AclRemedy> {
        let obstacle = self.obstacle(faults);
        let by = |acl: Option<&Item>| AclStep::ReplaceAssociation {
            association: association.id.clone(),
            acl: acl.map(|item| item.key.id.as_str().into()),
        };
        let at_hand = vpc.and_then(|vpc| self.acls.compliant.get(vpc)).map(|item| AclRemedy {
            steps: vec![by(Some(item))],
            is_default: true,
            obstacle,
        });
        let like = held.item.key.id.as_str().into();
        let made = AclRemedy {
            steps: vec![AclStep::CreateAcl { vpc: vpc.map(Into::into), like }, by(None)],
            is_default: at_hand.is_none(),
            obstacle,
        };
        at_hand.into_iter().chain([made]).collect()
    }

    /// Why remediation would leave it (semantics §3.7): it is off, or there are conflicts that the
    /// policy does not force for that end of the list.
    fn obstacle(&self, faults: &[EntryFault]) -> Option<Obstacle> {
        if !self.policy.remediation_enabled {
            return Some(Obstacle::Off);
        }
        let is_forced = |part: EntryPart| match part {
            EntryPart::First => self.rule.force_first,
            EntryPart::Last => self.rule.force_last,
            EntryPart::Custom => false,
        };
        let mut in_conflict = faults.iter().filter(|fault| !fault.conflicts.is_empty());
        in_conflict.any(|fault| !is_forced(fault.expected.part)).then_some(Obstacle::Conflict)
    }
}

fn is_violation(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Violate(..))
}

/// That several network ACLs list a subnet, of which one alone can be on it.
fn contested_gap(subnet: &Item, several: &[(Held<'_>, &AclAssociation)]) -> Gap {
    let ids: Vec<&str> = several.iter().map(|(held, _)| held.item.key.id.as_str()).collect();
    let text = format!(
        "Which network ACL is on {} {} is not certain: {} list it.",
        subnet.key.resource_type,
        subnet.key.id,
        ids.join(", ")
    );
    Gap::new(DependentService::Config, &text)
}

#[cfg(test)]
mod tests;
