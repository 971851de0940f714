//! Replicas held against their primary groups.

use std::collections::BTreeSet;

use crate::evaluate::judgement::fits;
use crate::evaluate::opening::{Opening, Peer, Ports, openings};
use crate::evaluate::security_groups::{is_own, replica_of, unnamed_gap, untold_rules_gap};
use crate::evaluate::{
    DependentService, Direction, Gap, Judgement, REPLICA_DIFFERENCES_MAX, ReplicaDifference,
    SecurityGroupFinding, Verdict, unseen_gap,
};
use crate::ident::ResourceType;
use crate::inventory::{Body, Item, SecurityGroup, Shard, Tags};
use crate::policy::Policy;
use crate::policy::common_groups::CommonGroups;

use super::networks::Networks;
use super::primaries::{Primaries, Primary};

/// Keys with this prefix are AWS's own: nobody can copy them.
const SYSTEM_TAG_PREFIX: &str = "aws:";

/// Judges every replica of the shard, whether anything carries it or not.
pub(super) fn judge(
    rule: &CommonGroups,
    policy: &Policy,
    shard: &Shard,
    primaries: &Primaries<'_>,
    networks: &Networks<'_>,
    judgement: &mut Judgement,
) {
    let originals: Vec<Original<'_>> = primaries.0.iter().map(Original::of).collect();
    for item in shard.of_type(&ResourceType::SECURITY_GROUP) {
        let Body::SecurityGroup(group) = &item.body else {
            // Its name may tell that it is no replica.
            let is_replica = |name| replica_of(name, None, &policy.id, &rule.primaries).is_some();
            if item.name.as_deref().is_none_or(is_replica) {
                judgement.doubt(item, [unseen_gap(item)]);
            }
            continue;
        };
        let vpc = group.vpc.as_deref();
        let is_out = !rule.shared_vpcs && networks.is_anothers(vpc);
        if is_out || !is_own(item, &shard.id.account) {
            continue;
        }
        if group.group_name.is_empty() {
            judgement.doubt(item, [unnamed_gap(item)]);
            continue;
        }
        let told = vpc.filter(|vpc| !vpc.is_empty());
        let of = replica_of(&group.group_name, told, &policy.id, &rule.primaries);
        let Some(original) = of.and_then(|at| originals.get(at)) else { continue };
        judgement.doubt(item, original.primary.outdated(policy));
        let comparison = Comparison { rule, policy, original, item, group, networks };
        let mut gaps = BTreeSet::new();
        let verdict = comparison.verdict(&mut gaps);
        judgement.doubt(item, gaps);
        judgement.tell(item, |told| {
            let wanted = format!("as primary group {}", original.primary.id);
            let found = match &verdict {
                Verdict::Comply => "as wanted".to_owned(),
                Verdict::Violate(first, _) => first.finding.summary(),
                Verdict::Undecided(gap) => gap.text.to_string(),
            };
            told.holds("replica", wanted, found, fits(&verdict));
            told.reads(original.primary.item);
        });
        judgement.record(item, verdict);
    }
}

/// A primary group with what it opens.
struct Original<'a> {
    primary: &'a Primary<'a>,
    rules: Rules<'a>,
}

impl<'a> Original<'a> {
    fn of(primary: &'a Primary<'a>) -> Original<'a> {
        let rules = Rules::of(primary.group, |id| id == primary.id.as_str());
        Original { primary, rules }
    }
}

/// What a group opens, references apart: order, grouping and descriptions of rules do not count.
struct Rules<'a> {
    plain: BTreeSet<Opening<'a>>,
    references: Vec<(Opening<'a>, Reference<'a>)>,
}

/// A rule whose peer is a group. A group is told by its id, which AWS gives once, whether its account
/// stands beside or not.
type Reference<'a> = (Direction, Option<u8>, Ports, Referenced<'a>);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Referenced<'a> {
    Itself,
    Group(&'a str),
}

impl<'a> Rules<'a> {
    fn of(group: &'a SecurityGroup, is_itself: impl Fn(&str) -> bool) -> Rules<'a> {
        let mut rules = Rules { plain: BTreeSet::new(), references: Vec::new() };
        for opening in openings(group) {
            let Peer::Group(_, id) = opening.peer else {
                rules.plain.insert(opening);
                continue;
            };
            let to = if is_itself(id) { Referenced::Itself } else { Referenced::Group(id) };
            let reference = (opening.direction, opening.protocol, opening.ports, to);
            rules.references.push((opening, reference));
        }
        rules
    }

    fn refers(&self, reference: &Reference<'_>) -> bool {
        self.references.iter().any(|(_, own)| own == reference)
    }
}

struct Comparison<'a> {
    rule: &'a CommonGroups,
    policy: &'a Policy,
    original: &'a Original<'a>,
    item: &'a Item,
    group: &'a SecurityGroup,
    networks: &'a Networks<'a>,
}

impl Comparison<'_> {
    fn verdict(&self, gaps: &mut BTreeSet<Gap>) -> Verdict {
        let primary = self.original.primary;
        let mut differences = Vec::new();
        let mut unknown = None;
        match primary.untold_rules(self.policy) {
            Some(gap) => unknown = Some(gap),
            None => self.rules(&mut differences, &mut unknown),
        }
        if self.rule.copies_tags {
            match (primary.item.latest_tags(), self.item.latest_tags()) {
                (Some(wanted), Some(found)) => tags(wanted, found, &mut differences),
                (None, _) => unknown = unknown.or_else(|| Some(primary.untold_tags(self.policy))),
                (_, None) => unknown = unknown.or_else(|| Some(untagged_gap(self.item))),
            }
        }
        match (differences.is_empty(), unknown) {
            (true, None) => Verdict::Comply,
            (true, Some(gap)) => Verdict::Undecided(gap),
            (false, unknown) => {
                gaps.extend(unknown);
                let more = differences.len().saturating_sub(REPLICA_DIFFERENCES_MAX);
                differences.truncate(REPLICA_DIFFERENCES_MAX);
                let finding = SecurityGroupFinding::EditedReplica {
                    group: self.item.key.id.as_str().into(),
                    primary: primary.id.as_str().into(),
                    differences,
                    more: more as u64,
                };
                Verdict::violate(finding.reasoned())
            }
        }
    }

    fn rules(&self, differences: &mut Vec<ReplicaDifference>, unknown: &mut Option<Gap>) {
        let wanted = &self.original.rules;
        let primary = self.original.primary.id.as_str();
        let is_itself = |id: &str| id == self.item.key.id.as_str() || id == primary;
        let found = Rules::of(self.group, is_itself);
        let is_untold = |direction| match direction {
            Direction::Ingress => self.group.untold.ingress,
            Direction::Egress => self.group.untold.egress,
        };
        let mut miss = |opening: &Opening<'_>, unknown: &mut Option<Gap>| {
            if is_untold(opening.direction) {
                unknown.get_or_insert_with(|| untold_rules_gap(self.item));
                return;
            }
            let (direction, rule) = (opening.direction, opening.to_string().into());
            differences.push(ReplicaDifference::MissingRule { direction, rule });
        };
        if self.rule.reverts_edits {
            wanted.plain.difference(&found.plain).for_each(|opening| miss(opening, unknown));
        }
        if self.rule.copies_references {
            for (opening, reference) in &wanted.references {
                if reference.3 == Referenced::Itself || found.refers(reference) {
                    continue;
                }
                match self.is_owed(opening) {
                    Ok(true) => miss(opening, unknown),
                    Ok(false) => {}
                    Err(gap) => *unknown = unknown.take().or(Some(gap)),
                }
            }
        }
        if self.rule.reverts_edits {
            let further = found.references.iter().filter(|(_, own)| !wanted.refers(own));
            let further = further.map(|(opening, _)| opening);
            for opening in found.plain.difference(&wanted.plain).chain(further) {
                let (direction, rule) = (opening.direction, opening.to_string().into());
                differences.push(ReplicaDifference::FurtherRule { direction, rule });
            }
        }
        // What is not told may be an edit as well.
        if self.rule.reverts_edits && self.group.has_untold_rules() {
            unknown.get_or_insert_with(|| untold_rules_gap(self.item));
        }
    }

    /// Whether a reference of the primary is to be in the replica: an active peering joins the
    /// replica's VPC with the account of the referenced group.
    fn is_owed(&self, opening: &Opening<'_>) -> Result<bool, Gap> {
        let Some(vpc) = self.group.vpc.as_deref() else { return Err(nowhere_gap(self.item)) };
        let owner = match opening.peer {
            Peer::Group(Some(user), _) => user,
            _ => self.policy.owner.as_str(),
        };
        self.networks.is_peered(vpc, owner)
    }
}

fn tags(wanted: &Tags, found: &Tags, differences: &mut Vec<ReplicaDifference>) {
    let is_own = |key: &str| !key.starts_with(SYSTEM_TAG_PREFIX);
    for (key, value) in wanted.iter().filter(|(key, _)| is_own(key)) {
        if found.get(key) != Some(value) {
            let (key, value) = (key.clone(), value.clone());
            differences.push(ReplicaDifference::MissingTag { key, value });
        }
    }
    for key in found.keys().filter(|key| is_own(key) && !wanted.contains_key(*key)) {
        differences.push(ReplicaDifference::FurtherTag { key: key.clone() });
    }
}

/// That the tags of a replica are not told.
fn untagged_gap(item: &Item) -> Gap {
    let text = format!("The tags of {} {} were not recorded.", item.key.resource_type, item.key.id);
    Gap::new(DependentService::Config, &text)
}

/// That the VPC of a replica is not told, and so not what it is peered with.
fn nowhere_gap(item: &Item) -> Gap {
    let text = format!("The VPC of {} {} was not recorded.", item.key.resource_type, item.key.id);
    Gap::new(DependentService::Config, &text)
}
