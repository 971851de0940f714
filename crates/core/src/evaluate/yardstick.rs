//! What the rules of groups are held against in a content audit: the audit groups, the managed
//! options, or both (semantics §5.5, §10 rows 9, 10, 27, §11 row 35).

use std::collections::BTreeSet;

use crate::ident::ResourceId;
use crate::inventory::{Body, Item, SecurityGroup};
use crate::policy::Policy;
use crate::policy::content_audit::{AuditAction, AuditGroups, ContentAudit};

use super::audit_lists::AuditLists;
use super::finding::{NearMiss, RuleRemedy};
use super::managed_options::Options;
use super::narrowing::{left_of, remedies};
use super::opening::{Opening, Peer, any_opening, openings};
use super::prefix_lists::{Answer, PrefixLists};
use super::security_groups::administrators_group;
use super::{DependentService, Direction, Evidence, Fact, Gap, References};

/// Audit rules told of one opening that comes near to them; of more the nearest.
pub(super) const NEAR_MISSES_MAX: usize = 10;

/// What openings are held against.
#[derive(Debug)]
pub(super) struct Yardstick<'a> {
    lists: PrefixLists<'a>,
    audit: Option<AuditRules<'a>>,
    options: Option<Options<'a>>,
}

/// The rules of the audit groups, each with its group, ascending.
#[derive(Debug)]
struct AuditRules<'a> {
    action: AuditAction,
    groups: Vec<(&'a ResourceId, Vec<Opening<'a>>)>,
    /// Whether any of them has a prefix list for its peer.
    names_lists: bool,
}

impl<'a> Yardstick<'a> {
    /// While an audit group or list is missing there is no result: each has its gap, and an empty
    /// yardstick finds no fault (semantics §10 row 27, which wins over the skipping of one option
    /// that §6.1 recommends).
    pub fn find(
        policy: &Policy,
        audit: &'a ContentAudit,
        evidence: &Evidence<'a>,
        gaps: &mut BTreeSet<Gap>,
    ) -> Yardstick<'a> {
        let lists = PrefixLists::of(evidence.shard);
        let audit_rules = audit
            .audit
            .as_ref()
            .map(|groups| audit_rules(policy, groups, evidence.references, lists, gaps));
        let options = audit.managed.as_ref().map(|asked| {
            let lists = AuditLists::find(policy, asked, evidence.references, gaps)?;
            Some(Options::new(asked, lists))
        });
        let (audit, options) = match (audit_rules, options) {
            (Some(None), _) | (_, Some(None)) => (None, None),
            (audit, options) => (audit.flatten(), options.flatten()),
        };
        Yardstick { lists, audit, options }
    }

    /// Everything that a group opens, as this holds it: prefix lists with their entries.
    pub fn openings(&self, group: &'a SecurityGroup) -> Vec<Opening<'a>> {
        let mut openings = openings(group);
        openings.iter_mut().for_each(|opening| *opening = opening.resolved(self.lists));
        openings
    }

    /// Whether rules of a direction matter. Where something to hold them against was not found, none
    /// are held against anything.
    pub fn looks_at(&self, direction: Direction) -> bool {
        match &self.options {
            Some(options) => options.audits(direction),
            None => self.audit.is_some(),
        }
    }

    /// Whether nothing that a group opens breaks this, where that can be told without reports: most
    /// groups break nothing. With managed options it is not told, since they also say what of an
    /// opening may have changed.
    pub fn passes(&self, group: &SecurityGroup) -> bool {
        if self.options.is_some() {
            return false;
        }
        let Some(rules) = &self.audit else { return true };
        // What names a list is looked at whole.
        let names_list = |opening: &Opening<'_>| matches!(opening.peer, Peer::PrefixList(_));
        !any_opening(group, |opening| names_list(&opening) || rules.breaks(&opening) != Answer::No)
    }
}

impl Yardstick<'_> {
    /// What it asks of each rule of a group, in words.
    pub fn summary(&self) -> String {
        let audit = self.audit.as_ref().map(|rules| {
            let ids: Vec<&str> = rules.groups.iter().map(|(id, _)| id.as_str()).collect();
            match rules.action {
                AuditAction::Allow => format!("within the rules of audit group {}", ids.join(", ")),
                AuditAction::Deny => format!("outside the rules of audit group {}", ids.join(", ")),
            }
        });
        let options =
            self.options.as_ref().map(|_| "within the policy's managed options".to_owned());
        let both: Vec<String> = options.into_iter().chain(audit).collect();
        match both.is_empty() {
            true => "what the policy names, which was not found".to_owned(),
            false => both.join(", "),
        }
    }

    /// What an opening breaks, if anything for certain. With managed options, they say which
    /// directions are looked at, and the audit groups override them: ALLOW clears, DENY condemns.
    pub fn broken_by(&self, opening: &Opening<'_>) -> Option<String> {
        self.hold(opening).broken
    }

    /// What stands in the way of telling whether an opening breaks this, or may have changed since.
    pub fn gaps(&self, opening: &Opening<'_>) -> BTreeSet<Gap> {
        let names_lists = self.audit.as_ref().is_some_and(|rules| rules.names_lists);
        if !names_lists && !matches!(opening.peer, Peer::PrefixList(_)) {
            return BTreeSet::new();
        }
        self.hold(opening).gaps
    }

    /// Holds one opening against all there is.
    fn hold(&self, opening: &Opening<'_>) -> Held {
        let rules = self.audit.as_ref();
        let Some(options) = &self.options else {
            return rules.map(|rules| rules.hold(opening)).unwrap_or_default();
        };
        if !options.audits(opening.direction) {
            return Held::default();
        }
        let overriding = rules.map(|rules| (rules.action, rules.hold(opening)));
        let broken = options.broken(opening);
        let broken = (!broken.is_empty()).then(|| broken.join("; "));
        let is_unknown = options.is_unknown(opening);
        let gaps = options.gaps(opening).into_iter().collect();
        let mut held = Held { broken, gaps, is_undecided: is_unknown };
        match overriding {
            None => held,
            Some((AuditAction::Deny, denied)) if denied.broken.is_some() => denied,
            Some((AuditAction::Deny, denied)) => {
                held.gaps.extend(denied.gaps);
                held
            }
            // Nothing is broken that could be cleared.
            Some((AuditAction::Allow, _)) if held.broken.is_none() && !is_unknown => held,
            Some((AuditAction::Allow, allowed)) => match (allowed.is_undecided, allowed.broken) {
                // Cleared, whatever the options say.
                (false, None) => Held { broken: None, ..allowed },
                (false, Some(_)) => {
                    held.gaps.extend(allowed.gaps);
                    held
                }
                (true, _) => {
                    held.gaps.extend(allowed.gaps);
                    Held { broken: None, ..held }
                }
            },
        }
    }
}

/// What holding one opening against something came to.
#[derive(Debug, Default)]
struct Held {
    /// What it breaks for certain.
    broken: Option<String>,
    /// What it was told by and may have changed since, or could not be told by.
    gaps: BTreeSet<Gap>,
    /// Whether it may break something: nothing told it.
    is_undecided: bool,
}

impl Yardstick<'_> {
    /// The audit rules that an opening which breaks this meets in part, the nearest first (semantics
    /// §3.6 `PartialMatches`): those that it overlaps and goes beyond and, where audit rules allow,
    /// those that would hold it but for one respect. At most [`NEAR_MISSES_MAX`].
    pub fn near_misses(&self, opening: &Opening<'_>) -> Vec<NearMiss> {
        let Some(rules) = &self.audit else { return Vec::new() };
        let mut near: Vec<_> = rules
            .all()
            .filter_map(|(group, rule)| {
                let reasons = opening.mismatches(rule);
                let is_near = opening.overlaps(rule).is_yes()
                    || (rules.action == AuditAction::Allow && reasons.len() == 1);
                (is_near && !reasons.is_empty()).then_some((group, rule, reasons))
            })
            .collect();
        near.sort_by_key(|(_, _, reasons)| reasons.len());
        near.truncate(NEAR_MISSES_MAX);
        near.into_iter()
            .map(|(group, rule, reasons)| NearMiss {
                group: group.as_str().into(),
                rule: rule.to_string().into(),
                reasons,
            })
            .collect()
    }

    /// What would end the violation of an opening which breaks this, the default one first: the one
    /// narrower rule that passes, if there is just one, and removal (semantics §5.5). Nothing where
    /// the violation itself rests on an assumption: then no remedy is safe (semantics §3.7).
    pub fn remedies(&self, opening: &Opening<'_>) -> Vec<RuleRemedy> {
        if self.is_assumed(opening) {
            return Vec::new();
        }
        let mut narrower = self.narrower(opening);
        narrower.retain(|narrower| {
            let held = self.hold(narrower);
            held.broken.is_none() && !held.is_undecided
        });
        remedies(narrower)
    }

    /// Narrower openings that may pass.
    fn narrower<'o>(&self, opening: &Opening<'o>) -> Vec<Opening<'o>> {
        let mut found = Vec::new();
        let mut left = vec![*opening];
        if let Some(rules) = &self.audit {
            match rules.action {
                AuditAction::Allow => {
                    found.extend(rules.all().filter_map(|(_, rule)| opening.common(rule)));
                }
                AuditAction::Deny => {
                    let denied = rules.all().map(|(_, rule)| rule);
                    left = left_of(opening, denied).unwrap_or_default();
                }
            }
        }
        match &self.options {
            Some(options) => {
                found.extend(left.iter().flat_map(|left| options.narrower(left)));
            }
            None => found.extend(left.into_iter().filter(|left| left != opening)),
        }
        found
    }

    /// Whether an opening breaks this only by what is assumed of a prefix list's entries.
    fn is_assumed(&self, opening: &Opening<'_>) -> bool {
        let Some(options) = &self.options else { return false };
        let denied = self.audit.as_ref().is_some_and(|rules| {
            rules.action == AuditAction::Deny && rules.breaks(opening).is_yes()
        });
        !denied && options.is_assumed(opening)
    }
}

impl AuditRules<'_> {
    fn all(&self) -> impl Iterator<Item = (&ResourceId, &Opening<'_>)> {
        self.groups.iter().flat_map(|(group, rules)| rules.iter().map(|rule| (*group, rule)))
    }

    /// Whether an opening breaks the rules, and how. Under ALLOW each entry of a prefix list may lie
    /// inside another audit rule (semantics §11 row 35).
    fn hold(&self, opening: &Opening<'_>) -> Held {
        let answer = self.breaks(opening);
        let broken = match (answer, self.action) {
            (Answer::No | Answer::Unknown, _) => None,
            (Answer::Yes, AuditAction::Allow) => {
                Some(format!("no rule of audit group {} allows it", self.names()))
            }
            (Answer::Yes, AuditAction::Deny) => {
                let denied = self.first(|rule| opening.overlaps(rule));
                denied.map(|(group, rule)| format!("denied by `{rule}` of audit group {group}"))
            }
        };
        let is_undecided = answer == Answer::Unknown;
        let gaps = if is_undecided {
            BTreeSet::from_iter(self.unknown(opening))
        } else {
            BTreeSet::from_iter(match opening.peer {
                Peer::PrefixList(list) if self.reads_entries(opening) => list.outdated(),
                _ => None,
            })
        };
        Held { broken, gaps, is_undecided }
    }

    fn breaks(&self, opening: &Opening<'_>) -> Answer {
        match self.action {
            AuditAction::Allow => match self.allows(opening) {
                Answer::Yes => Answer::No,
                Answer::Unknown => Answer::Unknown,
                Answer::No => Answer::Yes,
            },
            AuditAction::Deny => Answer::any(self.rules().map(|rule| opening.overlaps(rule))),
        }
    }

    /// Without an audit rule of its direction nothing is allowed, whatever a list's entries
    /// (semantics §10 row 9).
    fn allows(&self, opening: &Opening<'_>) -> Answer {
        if !self.rules().any(|rule| rule.direction == opening.direction) {
            return Answer::No;
        }
        let inside =
            |opening: &Opening<'_>| Answer::any(self.rules().map(|rule| opening.lies_inside(rule)));
        match (inside(opening), opening.by_entries()) {
            (Answer::Yes, _) => Answer::Yes,
            (_, Some(entries)) => Answer::all(entries.map(|entry| inside(&entry))),
            // Of a list without known entries: unknown where a rule of its protocol and ports may hold
            // them, and not allowed where none is.
            (answer, None) => answer,
        }
    }

    /// Whether an answer rests on the entries of an opening's prefix list. Under ALLOW it does not where no
    /// rule could hold them, nor where one names the same list.
    fn reads_entries(&self, opening: &Opening<'_>) -> bool {
        let mut of_its_direction =
            self.rules().filter(|rule| rule.direction == opening.direction).peekable();
        match self.action {
            AuditAction::Deny => true,
            AuditAction::Allow => {
                let is_same_list = |rule: &Opening<'_>| match (opening.peer, rule.peer) {
                    (Peer::PrefixList(own), Peer::PrefixList(other)) => own.id == other.id,
                    _ => false,
                };
                let holds =
                    |rule: &Opening<'_>| is_same_list(rule) && opening.lies_inside(rule).is_yes();
                of_its_direction.peek().is_some() && !of_its_direction.any(holds)
            }
        }
    }

    /// Whose entries would have to be known: the opening's own list's, or those of the audit rules
    /// that may hold it.
    fn unknown(&self, opening: &Opening<'_>) -> Option<Gap> {
        if let Peer::PrefixList(list) = opening.peer
            && list.entries().is_none()
        {
            return Some(list.unknown_gap());
        }
        let whole = [*opening];
        let parts: Vec<Opening<'_>> =
            opening.by_entries().map_or_else(|| whole.to_vec(), Iterator::collect);
        parts.iter().find_map(|part| {
            let unknown = |rule: &&Opening<'_>| match self.action {
                AuditAction::Allow => part.lies_inside(rule) == Answer::Unknown,
                AuditAction::Deny => part.overlaps(rule) == Answer::Unknown,
            };
            self.rules().filter(unknown).find_map(|rule| match rule.peer {
                Peer::PrefixList(list) => Some(list.unknown_gap()),
                _ => None,
            })
        })
    }

    fn rules(&self) -> impl Iterator<Item = &Opening<'_>> {
        self.groups.iter().flat_map(|(_, rules)| rules)
    }

    fn first(
        &self,
        matches: impl Fn(&Opening<'_>) -> Answer,
    ) -> Option<(&ResourceId, &Opening<'_>)> {
        self.groups.iter().find_map(|(group, rules)| {
            rules.iter().find(|rule| matches(rule).is_yes()).map(|rule| (*group, rule))
        })
    }

    fn names(&self) -> String {
        let names: Vec<_> = self.groups.iter().map(|(group, _)| group.as_str()).collect();
        names.join(", ")
    }
}

/// The rules of all audit groups; `None`, with a gap for each that is missing, unless all are
/// there.
fn audit_rules<'a>(
    policy: &Policy,
    named: &'a AuditGroups,
    references: &'a References,
    lists: PrefixLists<'a>,
    gaps: &mut BTreeSet<Gap>,
) -> Option<AuditRules<'a>> {
    let mut groups = Vec::new();
    for id in &named.ids {
        let named = references.get(&administrators_group(policy, id));
        if let Some(Fact::Item(Item { body: Body::SecurityGroup(_), unseen_since, .. }, _)) = named
            && unseen_since.is_some()
        {
            gaps.insert(outdated_audit_group(policy, id));
        }
        match named {
            Some(Fact::Item(Item { body: Body::SecurityGroup(group), .. }, _))
                if !group.has_untold_rules() =>
            {
                let rules = openings(group).into_iter().map(|rule| rule.resolved(lists));
                let rules: Vec<Opening<'a>> = rules.collect();
                gaps.extend(rules.iter().filter_map(|rule| match rule.peer {
                    Peer::PrefixList(list) => list.outdated(),
                    _ => None,
                }));
                groups.push((id, rules));
            }
            _ => {
                let (owner, region) = (&policy.owner, &policy.region);
                let group =
                    format!("udit security group {id} of account {owner} in Region {region}");
                let text = match named {
                    Some(Fact::Item(Item { body: Body::SecurityGroup(_), .. }, _)) => {
                        format!("The rules of a{group} were not recorded.")
                    }
                    _ => format!("A{group} could not be found."),
                };
                gaps.insert(Gap::new(DependentService::Vpc, &text));
            }
        }
    }
    let is_list = |rule: &Opening<'_>| matches!(rule.peer, Peer::PrefixList(_));
    let names_lists = groups.iter().any(|(_, rules)| rules.iter().any(is_list));
    let rules = AuditRules { action: named.action, groups, names_lists };
    (rules.groups.len() == named.ids.len()).then_some(rules)
}

/// The group is another account's: the gap says whose.
fn outdated_audit_group(policy: &Policy, id: &ResourceId) -> Gap {
    let (owner, region) = (&policy.owner, &policy.region);
    let text = format!(
        "The latest configuration of audit security group {id} of account {owner} in Region \
         {region} was not recorded."
    );
    Gap::new(DependentService::Config, &text)
}
