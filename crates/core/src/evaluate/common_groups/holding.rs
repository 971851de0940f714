//! What is on a place, held against the primary groups.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::listener::Told;
use crate::evaluate::security_groups::{is_own, replica_of, unnamed_gap};
use crate::evaluate::{
    DependentService, Evidence, Gap, GroupPlace, MissingReplica, SecurityGroupFinding, Verdict,
    unseen_gap,
};
use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Body, Item, SecurityGroup};
use crate::policy::Policy;
use crate::policy::common_groups::CommonGroups;

use super::places::{Place, Places};
use super::primaries::Primaries;

/// The groups of an account, as the policy sees them.
pub(super) struct Holder<'a> {
    rule: &'a CommonGroups,
    policy: &'a Policy,
    evidence: &'a Evidence<'a>,
    primaries: &'a Primaries<'a>,
    /// What would serve for a primary in a VPC, by both.
    serving: BTreeMap<(usize, &'a str), &'a str>,
}

/// What a group is for a place that it is on.
enum Kind {
    /// It serves for the primary of this place in the policy.
    Serves(usize),
    /// It is none of the policy's groups, or serves elsewhere.
    Other,
    /// Nothing tells.
    Unknown(Gap),
}

/// What holding a place came to.
enum Held {
    Serves,
    Lacks(GroupPlace),
    Unknown(Gap),
}

impl<'a> Holder<'a> {
    pub fn new(
        rule: &'a CommonGroups,
        policy: &'a Policy,
        evidence: &'a Evidence<'a>,
        primaries: &'a Primaries<'a>,
    ) -> Holder<'a> {
        let mut holder = Holder { rule, policy, evidence, primaries, serving: BTreeMap::new() };
        for item in evidence.shard.of_type(&ResourceType::SECURITY_GROUP) {
            if let Body::SecurityGroup(group) = &item.body
                && is_own(item, &evidence.shard.id.account)
                && let Some(vpc) = told(group)
                && let Some(primary) = holder.primary_of(&item.key.id, group)
            {
                holder.serving.entry((primary, vpc)).or_insert(item.key.id.as_str());
            }
        }
        holder
    }

    /// The primary for which a group of the account serves: the one it is a replica of or, in the
    /// administrator's account, the one it is (semantics §10 row 19).
    fn primary_of(&self, id: &ResourceId, group: &SecurityGroup) -> Option<usize> {
        let itself = self.itself(id);
        itself.or_else(|| {
            replica_of(&group.group_name, told(group), &self.policy.id, &self.rule.primaries)
        })
    }

    fn itself(&self, id: &ResourceId) -> Option<usize> {
        let is_administrators = self.evidence.shard.id.account == self.policy.owner;
        is_administrators.then(|| self.rule.primaries.iter().position(|one| one == id)).flatten()
    }

    /// What a resource with these places is held against: each primary group, and what is on each place.
    pub fn tell(&self, places: &Places<'a>, told: &mut Told) {
        let (Places::All(all, _) | Places::OneOf(all, _)) = places;
        let primaries: Vec<&str> = self.primaries.0.iter().map(|one| one.id.as_str()).collect();
        let wanted = format!("a replica of {}", primaries.join(", "));
        for place in all {
            let (found, fits) = match self.hold(place) {
                Held::Serves => ("all of them".to_owned(), Some(true)),
                Held::Lacks(place) => {
                    let missing: Vec<&str> =
                        place.missing.iter().map(|one| &*one.primary).collect();
                    let lacks =
                        (!missing.is_empty()).then(|| format!("none of {}", missing.join(", ")));
                    let others = (!place.others.is_empty())
                        .then(|| format!("others beside: {}", place.others.join(", ")));
                    let both: Vec<String> = lacks.into_iter().chain(others).collect();
                    (both.join("; "), Some(false))
                }
                Held::Unknown(gap) => (gap.text.into(), None),
            };
            told.holds(format!("groups on {}", place.at), wanted.clone(), found, fits);
        }
    }

    /// What is found of a resource with these places; what a verdict rests on and may have changed
    /// since is added to the gaps.
    pub fn verdict(&self, places: &Places<'a>, gaps: &mut BTreeSet<Gap>) -> Verdict {
        let (all, mut unknown, unknown_which) = match places {
            Places::All(places, more) => (places, more.clone(), None),
            Places::OneOf(places, gap) => (places, None, Some(gap)),
        };
        let (mut lacking, mut serve) = (Vec::new(), false);
        for place in all {
            gaps.extend(place.outdated.clone());
            match self.hold(place) {
                Held::Serves => serve = true,
                Held::Lacks(told) => lacking.push(told),
                Held::Unknown(gap) => unknown = unknown.or(Some(gap)),
            }
        }
        if let Some(which) = unknown_which
            && !lacking.is_empty()
            && (serve || unknown.is_some())
        {
            return Verdict::Undecided(unknown.unwrap_or_else(|| which.clone()));
        }
        match (lacking.is_empty(), unknown) {
            (false, _) => {
                let finding = SecurityGroupFinding::MissingGroups { places: lacking };
                Verdict::violate(finding.reasoned())
            }
            (true, Some(gap)) => Verdict::Undecided(gap),
            (true, None) => Verdict::Comply,
        }
    }

    /// A group that nothing tells may be any replica, or another group.
    fn hold(&self, place: &Place<'a>) -> Held {
        let mut serving = BTreeSet::new();
        let mut others = Vec::new();
        let mut unknown = place.untold.clone();
        for id in &place.groups {
            match self.kind(id, place) {
                Kind::Serves(primary) => drop(serving.insert(primary)),
                Kind::Other => others.push(Box::from(*id)),
                Kind::Unknown(gap) => unknown = unknown.or(Some(gap)),
            }
        }
        let is_missing = |at: &usize| !serving.contains(at);
        let missing: Vec<usize> = (0..self.primaries.0.len()).filter(is_missing).collect();
        if !self.rule.is_exclusive {
            others.clear();
        }
        match unknown {
            Some(gap) if others.is_empty() => match missing.is_empty() && !self.rule.is_exclusive {
                true => Held::Serves,
                false => Held::Unknown(gap),
            },
            None if missing.is_empty() && others.is_empty() => Held::Serves,
            // Which of the missing ones are so for certain, nothing tells.
            Some(_) => Held::Lacks(GroupPlace { at: place.at.into(), missing: vec![], others }),
            None => {
                let missing = missing.into_iter().filter_map(|at| self.missing(at, place.vpc));
                Held::Lacks(GroupPlace { at: place.at.into(), missing: missing.collect(), others })
            }
        }
    }

    fn missing(&self, primary: usize, vpc: Option<&str>) -> Option<MissingReplica> {
        let id = self.primaries.0.get(primary)?.id;
        let serving = vpc.and_then(|vpc| self.serving.get(&(primary, vpc)));
        Some(MissingReplica {
            primary: id.as_str().into(),
            serving: serving.map(|id| Box::from(*id)),
            vpc: vpc.map(Box::from),
        })
    }

    fn kind(&self, id: &str, place: &Place<'_>) -> Kind {
        let (shard, network) = (self.evidence.shard, &self.evidence.account.network);
        let Some((item, _)) = network.group(shard, id) else {
            let text = format!("Security group {id} of {} was not recorded.", place.at);
            return Kind::Unknown(Gap::new(DependentService::Config, &text));
        };
        let Body::SecurityGroup(group) = &item.body else { return self.unseen_kind(item) };
        let owner = group.owner.as_ref().unwrap_or(&item.key.account);
        // Of another participant of a shared VPC nothing serves (semantics §11 row 65).
        if *owner != shard.id.account {
            return Kind::Other;
        }
        match self.primary_of(&item.key.id, group) {
            None if group.group_name.is_empty() => Kind::Unknown(unnamed_gap(item)),
            None => Kind::Other,
            // It serves in its own VPC alone.
            Some(primary) => match (told(group), place.vpc) {
                (Some(of_group), Some(here)) if of_group == here => Kind::Serves(primary),
                (Some(_), Some(_)) => Kind::Other,
                (None, _) | (_, None) => Kind::Unknown(nowhere_gap(item, place)),
            },
        }
    }

    /// Of a group whose configuration was not recorded its name may tell that it is none of the
    /// policy's.
    fn unseen_kind(&self, item: &Item) -> Kind {
        let is_another = item.name.as_deref().is_some_and(|name| {
            replica_of(name, None, &self.policy.id, &self.rule.primaries).is_none()
        });
        match is_another && self.itself(&item.key.id).is_none() {
            true => Kind::Other,
            false => Kind::Unknown(unseen_gap(item)),
        }
    }
}

/// The VPC of a group, where it is in one and that is told.
fn told(group: &SecurityGroup) -> Option<&str> {
    group.vpc.as_deref().filter(|vpc| !vpc.is_empty())
}

/// That it is not told whether a group is in its own VPC where it is carried.
fn nowhere_gap(group: &Item, place: &Place<'_>) -> Gap {
    let text = format!("The VPC of {} or {} was not recorded.", group.key.id, place.at);
    Gap::new(DependentService::Config, &text)
}
