//! What is found of DNS Firewall rule groups on VPCs, and what would end it, as data: nothing here is
//! executed (semantics §3.6, §5.9).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ident::PolicyId;

use super::reason::{Reasoned, ViolationReason};

/// A rule group that is not associated with a VPC as the policy wants it, and why.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum DnsFinding {
    /// It is not associated, and nothing stands in the way.
    DnsRuleGroupMissing {
        /// The rule group.
        group: Box<str>,
        /// Where it is wanted.
        priority: i32,
    },
    /// Its association is there, but not complete.
    DnsRuleGroupUnfinished {
        /// The rule group.
        group: Box<str>,
        /// Where it is wanted, and is.
        priority: i32,
        /// The association.
        association: Box<str>,
        /// `Status`
        status: Box<str>,
    },
    /// The policy's own association has it at another priority.
    DnsRuleGroupMisplaced {
        /// The rule group.
        group: Box<str>,
        /// Where it is wanted.
        priority: i32,
        /// The association.
        association: Box<str>,
        /// Where it is.
        at: i32,
    },
    /// Somebody else's association has it at another priority: a VPC has a rule group once.
    DnsDuplicateRuleGroup {
        /// The rule group.
        group: Box<str>,
        /// Where it is wanted.
        priority: i32,
        /// The association.
        association: Box<str>,
        /// Where it is.
        at: i32,
    },
    /// Another rule group has its priority.
    DnsPriorityConflict {
        /// The rule group.
        group: Box<str>,
        /// Where it is wanted.
        priority: i32,
        /// The association there.
        association: Box<str>,
        /// The rule group there, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holder: Option<Box<str>>,
        /// The policy for which Firewall Manager made that association.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        policy: Option<PolicyId>,
        /// Priorities that are taken on the VPC, ascending; at most
        /// [`UNAVAILABLE_PRIORITIES_MAX`].
        unavailable: Vec<i32>,
    },
    /// The VPC has as many rule groups as AWS lets it have by default.
    DnsRuleGroupLimit {
        /// The rule group.
        group: Box<str>,
        /// Where it is wanted.
        priority: i32,
        /// How many the VPC has.
        associated: u64,
    },
}

/// Priorities that are told of one VPC.
pub const UNAVAILABLE_PRIORITIES_MAX: usize = 100;

/// One way to end a violation. Of a violation's remedies the first is the one to try first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DnsRemedy {
    /// What to do, in order; never empty.
    pub steps: Vec<DnsStep>,
    /// Whether it is what remediation would do: it leaves other people's associations alone.
    pub is_default: bool,
}

/// One step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DnsStep {
    /// Associate a rule group with the VPC.
    Associate {
        /// Which.
        group: Box<str>,
        /// Where.
        priority: i32,
    },
    /// Give an association another priority.
    Move {
        /// Which.
        association: Box<str>,
        /// Where to; `None`: to one that is free.
        to: Option<i32>,
    },
    /// Choose another priority for the rule group in the policy.
    ChangePolicy {
        /// Of which rule group.
        group: Box<str>,
    },
    /// Take any other rule group off the VPC, or have the account's quota raised.
    MakeRoom,
}

impl DnsFinding {
    /// The finding with the reason that AWS gives for it.
    pub(in crate::evaluate) fn reasoned(self) -> Reasoned<DnsFinding> {
        Reasoned { reason: ViolationReason::ResourceMissingDnsFirewall, finding: self }
    }

    /// What would end it. None where there is nothing to do but to wait.
    pub fn remedies(&self) -> Vec<DnsRemedy> {
        let associate = |group: &str, priority: &i32| {
            let (group, priority) = (group.into(), *priority);
            DnsStep::Associate { group, priority }
        };
        let moved = |association: &str, to: Option<i32>| {
            let association = association.into();
            DnsStep::Move { association, to }
        };
        let default = |step| vec![DnsRemedy { steps: vec![step], is_default: true }];
        let by_others = |steps| DnsRemedy { steps, is_default: false };
        match self {
            DnsFinding::DnsRuleGroupMissing { group, priority } => {
                default(associate(group, priority))
            }
            DnsFinding::DnsRuleGroupUnfinished { group, priority, status, .. } => {
                match status.eq_ignore_ascii_case("DELETING") {
                    true => default(associate(group, priority)),
                    false => Vec::new(),
                }
            }
            DnsFinding::DnsRuleGroupMisplaced { association, priority, .. } => {
                default(moved(association, Some(*priority)))
            }
            DnsFinding::DnsDuplicateRuleGroup { association, priority, .. } => {
                vec![by_others(vec![moved(association, Some(*priority))])]
            }
            DnsFinding::DnsPriorityConflict { group, priority, association, .. } => vec![
                by_others(vec![moved(association, None), associate(group, priority)]),
                by_others(vec![DnsStep::ChangePolicy { group: group.clone() }]),
            ],
            DnsFinding::DnsRuleGroupLimit { group, priority, .. } => {
                vec![by_others(vec![DnsStep::MakeRoom, associate(group, priority)])]
            }
        }
    }

    /// What would end it, a sentence a remedy.
    pub fn ends_by(&self) -> Vec<String> {
        let told = |remedy: &DnsRemedy| {
            let steps: Vec<String> = remedy.steps.iter().map(DnsStep::to_string).collect();
            steps.join(", then ")
        };
        self.remedies().iter().map(told).collect()
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        let found = self.found();
        match self.remedies().first() {
            None => found,
            Some(remedy) => {
                let steps: Vec<String> = remedy.steps.iter().map(DnsStep::to_string).collect();
                format!("{found}; to end it: {}", steps.join(", then "))
            }
        }
    }

    /// What is there, without what would end it.
    pub(in crate::evaluate) fn found(&self) -> String {
        match self {
            DnsFinding::DnsRuleGroupMissing { group, priority } => {
                format!("rule group {group} is not associated; wanted at priority {priority}")
            }
            DnsFinding::DnsRuleGroupUnfinished { group, priority, association, status } => format!(
                "rule group {group} is at priority {priority}, but its association {association} \
                 is {status} and not COMPLETE"
            ),
            DnsFinding::DnsRuleGroupMisplaced { group, priority, association, at } => format!(
                "rule group {group} is at priority {at} by the policy's own association \
                 {association}; wanted at priority {priority}"
            ),
            DnsFinding::DnsDuplicateRuleGroup { group, priority, association, at } => format!(
                "rule group {group} is associated already, at priority {at} by {association}, which \
                 is not the policy's; wanted at priority {priority}"
            ),
            DnsFinding::DnsPriorityConflict {
                group,
                priority,
                association,
                holder,
                policy,
                ..
            } => {
                let holder = match holder {
                    Some(holder) => format!("rule group {holder}"),
                    None => "another rule group".to_owned(),
                };
                let of = policy.as_ref().map(|id| format!(" of policy {id}")).unwrap_or_default();
                format!(
                    "rule group {group} is not associated; its priority {priority} is taken by \
                     {holder} ({association}{of})"
                )
            }
            DnsFinding::DnsRuleGroupLimit { group, priority, associated } => format!(
                "rule group {group} is not associated; wanted at priority {priority}, but the VPC has \
                 {associated} rule groups, no fewer than AWS allows by default"
            ),
        }
    }
}

impl fmt::Display for DnsStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DnsStep::Associate { group, priority } => {
                write!(f, "associate {group} at priority {priority}")
            }
            DnsStep::Move { association, to: Some(to) } => {
                write!(f, "give {association} priority {to}")
            }
            DnsStep::Move { association, to: None } => {
                write!(f, "give {association} a priority that is free")
            }
            DnsStep::ChangePolicy { group } => {
                write!(f, "choose another priority for {group} in the policy")
            }
            DnsStep::MakeRoom => {
                f.write_str("take another rule group off the VPC or have the quota raised")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<DnsFinding> {
        let (group, association): (Box<str>, Box<str>) = ("rg-a".into(), "as-1".into());
        let unfinished = |status: &str| DnsFinding::DnsRuleGroupUnfinished {
            group: group.clone(),
            priority: 1,
            association: association.clone(),
            status: status.into(),
        };
        let conflict =
            |holder: Option<&str>, policy: Option<&str>| DnsFinding::DnsPriorityConflict {
                group: group.clone(),
                priority: 1,
                association: association.clone(),
                holder: holder.map(Into::into),
                policy: policy.map(|id| id.try_into().unwrap()),
                unavailable: vec![1],
            };
        let id = "01234567-89ab-cdef-0123-456789abcdef";
        vec![
            DnsFinding::DnsRuleGroupMissing { group: group.clone(), priority: 1 },
            unfinished("UPDATING"),
            unfinished("DELETING"),
            DnsFinding::DnsRuleGroupMisplaced {
                group: group.clone(),
                priority: 1,
                association: association.clone(),
                at: 7,
            },
            DnsFinding::DnsDuplicateRuleGroup {
                group: group.clone(),
                priority: 1,
                association: association.clone(),
                at: 7,
            },
            conflict(Some("rg-b"), Some(id)),
            conflict(None, None),
            DnsFinding::DnsRuleGroupLimit { group, priority: 1, associated: 5 },
        ]
    }

    #[test]
    fn a_summary_says_what_is_there_and_what_would_end_it() {
        let told: Vec<String> = all().iter().map(DnsFinding::summary).collect();
        assert_eq!(
            told,
            [
                "rule group rg-a is not associated; wanted at priority 1; to end it: associate rg-a at \
                 priority 1",
                "rule group rg-a is at priority 1, but its association as-1 is UPDATING and not \
                 COMPLETE",
                "rule group rg-a is at priority 1, but its association as-1 is DELETING and not \
                 COMPLETE; to end it: associate rg-a at priority 1",
                "rule group rg-a is at priority 7 by the policy's own association as-1; wanted at \
                 priority 1; to end it: give as-1 priority 1",
                "rule group rg-a is associated already, at priority 7 by as-1, which is not the \
                 policy's; wanted at priority 1; to end it: give as-1 priority 1",
                "rule group rg-a is not associated; its priority 1 is taken by rule group rg-b (as-1 of \
                 policy 01234567-89ab-cdef-0123-456789abcdef); to end it: give as-1 a priority that \
                 is free, then associate rg-a at priority 1",
                "rule group rg-a is not associated; its priority 1 is taken by another rule group \
                 (as-1); to end it: give as-1 a priority that is free, then associate rg-a at \
                 priority 1",
                "rule group rg-a is not associated; wanted at priority 1, but the VPC has 5 rule \
                 groups, no fewer than AWS allows by default; to end it: take another rule group off \
                 the VPC or have the quota raised, then associate rg-a at priority 1",
            ]
        );
    }

    #[test]
    fn remediation_would_do_what_touches_nothing_of_others() {
        let defaults = |finding: &DnsFinding| -> Vec<bool> {
            finding.remedies().iter().map(|remedy| remedy.is_default).collect()
        };
        let told: Vec<Vec<bool>> = all().iter().map(defaults).collect();
        let wanted: [&[bool]; 8] =
            [&[true], &[], &[true], &[true], &[false], &[false, false], &[false, false], &[false]];
        assert_eq!(told, wanted);
        let conflict = &all()[5].remedies()[1];
        assert_eq!(conflict.steps[0].to_string(), "choose another priority for rg-a in the policy");
    }
}
