//! What the rules of groups are held against in a content audit: the audit groups, the managed
//! options, or both (semantics §5.5, §10 rows 9, 10, 27).

use std::collections::BTreeSet;

use crate::ident::{ResourceId, ResourceType};
use crate::inventory::{Body, Item, SecurityGroup};
use crate::policy::Policy;
use crate::policy::content_audit::{AuditAction, AuditGroups, ContentAudit};

use super::audit_lists::AuditLists;
use super::managed_options::Options;
use super::narrowing::{left_of, remedies};
use super::opening::{Opening, any_opening, openings};
use super::remedy::{NearMiss, RuleRemedy};
use super::{DependentService, Evidence, Fact, Gap, Reference, References};

/// Audit rules told of one opening that comes near to them; of more the nearest.
pub(super) const NEAR_MISSES_MAX: usize = 10;

/// What openings are held against.
#[derive(Debug, Default)]
pub(super) struct Yardstick<'a> {
    audit: Option<AuditRules<'a>>,
    options: Option<Options<'a>>,
}

/// The rules of the audit groups, each with its group, ascending.
#[derive(Debug)]
struct AuditRules<'a> {
    action: AuditAction,
    groups: Vec<(&'a ResourceId, Vec<Opening<'a>>)>,
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
        let audit_rules = audit
            .audit
            .as_ref()
            .map(|groups| audit_rules(policy, groups, evidence.references, gaps));
        let options = audit.managed.as_ref().map(|asked| {
            let lists = AuditLists::find(policy, asked, evidence.references, gaps)?;
            Some(Options::new(asked, lists, evidence.shard))
        });
        match (audit_rules, options) {
            (Some(None), _) | (_, Some(None)) => Yardstick::default(),
            (audit, options) => Yardstick { audit: audit.flatten(), options: options.flatten() },
        }
    }

    /// What an opening breaks, if anything. With managed options, they say which directions are
    /// looked at, and the audit groups override them: ALLOW clears, DENY condemns.
    pub fn broken_by(&self, opening: &Opening<'_>) -> Option<String> {
        let Some(options) = &self.options else {
            return self.audit.as_ref().and_then(|rules| rules.broken_by(opening));
        };
        if !options.audits(opening.direction) {
            return None;
        }
        if let Some(rules) = &self.audit {
            match rules.action {
                AuditAction::Allow if rules.broken_by(opening).is_none() => return None,
                AuditAction::Allow => {}
                AuditAction::Deny => {
                    if let denied @ Some(_) = rules.broken_by(opening) {
                        return denied;
                    }
                }
            }
        }
        let broken = options.broken(opening);
        (!broken.is_empty()).then(|| broken.join("; "))
    }

    /// Whether nothing that a group opens breaks this, where that can be told without reports: most
    /// groups break nothing. With managed options it is not told, since they also say what of an
    /// opening may have changed.
    pub fn passes(&self, group: &SecurityGroup) -> bool {
        if self.options.is_some() {
            return false;
        }
        let Some(rules) = &self.audit else { return true };
        !any_opening(group, |opening| rules.is_broken_by(&opening))
    }

    /// That an opening is judged by a configuration that may have changed since.
    pub fn outdated(&self, opening: &Opening<'_>) -> Option<Gap> {
        self.options.as_ref()?.outdated(opening)
    }
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
                let is_near = opening.overlaps(rule)
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
        narrower.retain(|narrower| self.broken_by(narrower).is_none());
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
            rules.action == AuditAction::Deny && rules.broken_by(opening).is_some()
        });
        !denied && options.is_assumed(opening)
    }
}

impl AuditRules<'_> {
    fn all(&self) -> impl Iterator<Item = (&ResourceId, &Opening<'_>)> {
        self.groups.iter().flat_map(|(group, rules)| rules.iter().map(|rule| (*group, rule)))
    }

    fn is_broken_by(&self, opening: &Opening<'_>) -> bool {
        let mut rules = self.groups.iter().flat_map(|(_, rules)| rules);
        match self.action {
            AuditAction::Allow => !rules.any(|rule| opening.lies_inside(rule)),
            AuditAction::Deny => rules.any(|rule| opening.overlaps(rule)),
        }
    }

    /// As [`AuditRules::is_broken_by`], and how.
    fn broken_by(&self, opening: &Opening<'_>) -> Option<String> {
        match self.action {
            AuditAction::Allow => self
                .first(|rule| opening.lies_inside(rule))
                .is_none()
                .then(|| format!("no rule of audit group {} allows it", self.names())),
            AuditAction::Deny => self
                .first(|rule| opening.overlaps(rule))
                .map(|(group, rule)| format!("denied by `{rule}` of audit group {group}")),
        }
    }

    fn first(&self, matches: impl Fn(&Opening<'_>) -> bool) -> Option<(&ResourceId, &Opening<'_>)> {
        self.groups.iter().find_map(|(group, rules)| {
            rules.iter().find(|rule| matches(rule)).map(|rule| (*group, rule))
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
    gaps: &mut BTreeSet<Gap>,
) -> Option<AuditRules<'a>> {
    let mut groups = Vec::new();
    for id in &named.ids {
        match references.get(&audit_group(policy, id)) {
            Some(Fact::Item(Item { body: Body::SecurityGroup(group), unseen_since, .. })) => {
                groups.push((id, openings(group)));
                if unseen_since.is_some() {
                    gaps.insert(outdated_audit_group(policy, id));
                }
            }
            _ => {
                let (owner, region) = (&policy.owner, &policy.region);
                let text = format!(
                    "Audit security group {id} of account {owner} in Region {region} could not be found."
                );
                gaps.insert(Gap::new(DependentService::Vpc, &text));
            }
        }
    }
    (groups.len() == named.ids.len()).then_some(AuditRules { action: named.action, groups })
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

/// The reference to an audit group of the policy's administrator.
pub(super) fn audit_group(policy: &Policy, id: &ResourceId) -> Reference {
    Reference::Item {
        account: policy.owner.clone(),
        region: policy.region.clone(),
        resource_type: ResourceType::SECURITY_GROUP,
        id: id.clone(),
    }
}
