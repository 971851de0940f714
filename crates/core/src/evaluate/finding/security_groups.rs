//! What is found of security groups and of what carries them.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::ident::AccountId;

use super::reason::{Reasoned, ViolationReason};

mod direction;
mod remedy;
mod replicas;

pub use direction::Direction;
pub use remedy::{Mismatch, NarrowPeer, NarrowRule, NearMiss, RuleAction, RuleRemedy};
pub use replicas::{
    GroupPlace, GroupStep, MissingReplica, REPLICA_DIFFERENCES_MAX, ReplicaDifference,
};

/// What is wrong with a security group, or with what carries one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum SecurityGroupFinding {
    /// A rule of a security group.
    SecurityGroupRule {
        /// The group.
        group: Box<str>,
        /// `ingress` or `egress`.
        direction: Direction,
        /// The offending rule: protocol, ports and one peer, as text.
        rule: Box<str>,
        /// What it was held against: the option, list or audit rule.
        against: Box<str>,
        /// Audit rules that it meets in part, the nearest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        near_misses: Vec<NearMiss>,
        /// What would end the violation, the default one first; none where no remedy is safe.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remedies: Vec<RuleRemedy>,
        /// The group only bears a name like Firewall Manager's own (semantics §11 row 57).
        #[serde(default, skip_serializing_if = "is_false")]
        lookalike: bool,
    },
    /// A network interface or instance carries violating groups.
    AttachedGroups {
        /// Interface by interface: its id and the violating groups on it. For an interface itself
        /// there is one.
        interfaces: Vec<(Box<str>, Vec<Box<str>>)>,
        /// Each of those groups with what of it breaks the policy, ascending by id (semantics §11 row
        /// 51).
        #[serde(default)]
        groups: Vec<AttachedGroup>,
    },
    /// Nothing uses a security group.
    UnusedGroup {
        /// The group.
        group: Box<str>,
        /// Since when it is as it is, milliseconds since the epoch: its capture time.
        since_ms: i64,
        /// It only bears a name like Firewall Manager's own.
        #[serde(default, skip_serializing_if = "is_false")]
        lookalike: bool,
    },
    /// A security group has the same rules as another of its VPC.
    RedundantGroup {
        /// The group.
        group: Box<str>,
        /// The one that is to stay.
        keeper: Box<str>,
        /// It only bears a name like Firewall Manager's own.
        #[serde(default, skip_serializing_if = "is_false")]
        lookalike: bool,
    },
    /// A resource lacks replicas of primary groups, or carries groups that an exclusive policy does not
    /// allow.
    MissingGroups {
        /// Interfaces of it, or itself, each with what is wrong there: never empty.
        places: Vec<GroupPlace>,
    },
    /// A replica is not as its primary group is.
    EditedReplica {
        /// The replica.
        group: Box<str>,
        /// The primary group.
        primary: Box<str>,
        /// In what they differ: never empty, and at most [`REPLICA_DIFFERENCES_MAX`].
        differences: Vec<ReplicaDifference>,
        /// How many more differences there are.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: u64,
    },
}

impl SecurityGroupFinding {
    /// The finding with the reason that AWS gives for it.
    pub(in crate::evaluate) fn reasoned(self) -> Reasoned<SecurityGroupFinding> {
        let reason = match &self {
            SecurityGroupFinding::SecurityGroupRule { .. }
            | SecurityGroupFinding::AttachedGroups { .. } => {
                ViolationReason::ResourceViolatesAuditSecurityGroup
            }
            SecurityGroupFinding::UnusedGroup { .. } => ViolationReason::SecurityGroupUnused,
            SecurityGroupFinding::RedundantGroup { .. } => ViolationReason::SecurityGroupRedundant,
            SecurityGroupFinding::MissingGroups { .. } => {
                ViolationReason::ResourceMissingSecurityGroup
            }
            SecurityGroupFinding::EditedReplica { .. } => {
                ViolationReason::FmsCreatedSecurityGroupEdited
            }
        };
        Reasoned { reason, finding: self }
    }

    /// What would end it, a sentence a remedy.
    pub fn ends_by(&self) -> Vec<String> {
        match self {
            SecurityGroupFinding::SecurityGroupRule { group, rule, remedies, .. } => remedies
                .iter()
                .map(|remedy| match &remedy.action {
                    RuleAction::Remove => format!("remove rule `{rule}` of {group}"),
                    RuleAction::Modify(narrow) => {
                        format!("replace rule `{rule}` of {group} by `{}`", narrow.rule)
                    }
                })
                .collect(),
            SecurityGroupFinding::AttachedGroups { interfaces, .. } => {
                let groups: BTreeSet<&str> = interfaces
                    .iter()
                    .flat_map(|(_, groups)| groups)
                    .map(|group| &**group)
                    .collect();
                let groups = groups.into_iter().collect::<Vec<_>>().join(", ");
                vec![
                    format!("end the violations of {groups}"),
                    format!("detach {groups} from the resource"),
                ]
            }
            SecurityGroupFinding::UnusedGroup { group, .. } => {
                vec![format!("delete {group}"), format!("attach {group} to what is to use it")]
            }
            SecurityGroupFinding::RedundantGroup { group, keeper, .. } => vec![format!(
                "replace {group} by {keeper} where it is attached, then delete {group}"
            )],
            SecurityGroupFinding::MissingGroups { .. } => {
                let steps: Vec<String> = self.steps().iter().map(GroupStep::to_string).collect();
                vec![steps.join(", then ")]
            }
            SecurityGroupFinding::EditedReplica { group, .. } => {
                let steps: Vec<String> = self.steps().iter().map(GroupStep::to_string).collect();
                vec![format!("{group}: {}", steps.join(", "))]
            }
        }
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        match self {
            SecurityGroupFinding::SecurityGroupRule {
                group,
                direction,
                rule,
                against,
                lookalike,
                ..
            } => {
                let direction = direction.word();
                let by_name = by_name(*lookalike);
                format!("{direction} rule `{rule}` of {group}: {against}{by_name}")
            }
            SecurityGroupFinding::AttachedGroups { interfaces, groups } => {
                attached(interfaces, groups)
            }
            SecurityGroupFinding::UnusedGroup { group, since_ms, lookalike } => format!(
                "no network interface, instance or load balancer uses {group}, unchanged since {}{}",
                moment(*since_ms),
                by_name(*lookalike)
            ),
            SecurityGroupFinding::RedundantGroup { group, keeper, lookalike } => {
                let by_name = by_name(*lookalike);
                format!(
                    "{group} has the same rules as {keeper} of its VPC, which is to stay{by_name}"
                )
            }
            SecurityGroupFinding::MissingGroups { places } => replicas::at_places(places),
            SecurityGroupFinding::EditedReplica { group, primary, differences, more } => {
                replicas::edited(group, primary, differences, *more)
            }
        }
    }

    /// What would end a violation of a policy of common groups, in order; of other policies nothing is
    /// said here.
    pub fn steps(&self) -> Vec<GroupStep> {
        match self {
            SecurityGroupFinding::MissingGroups { places } => replicas::steps_at(places),
            SecurityGroupFinding::EditedReplica { differences, .. } => {
                differences.iter().cloned().map(GroupStep::Edit).collect()
            }
            SecurityGroupFinding::SecurityGroupRule { .. }
            | SecurityGroupFinding::AttachedGroups { .. }
            | SecurityGroupFinding::UnusedGroup { .. }
            | SecurityGroupFinding::RedundantGroup { .. } => Vec::new(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A violating group on an interface or instance.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachedGroup {
    /// Its id.
    pub group: Box<str>,
    /// Whose it is, when it is another account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<AccountId>,
    /// It only bears a name like Firewall Manager's own (semantics §11 row 57).
    #[serde(default, skip_serializing_if = "is_false")]
    pub lookalike: bool,
    /// Rules of it that break the policy, in the order of reports: never empty, and at most
    /// [`ATTACHED_RULES_MAX`].
    pub rules: Vec<BrokenRule>,
    /// Whether there are more of them.
    #[serde(default, skip_serializing_if = "is_false")]
    pub more: bool,
}

/// A rule of a group that breaks the policy, as told of what carries the group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BrokenRule {
    /// `ingress` or `egress`.
    pub direction: Direction,
    /// Protocol, ports and one peer, as text.
    pub rule: Box<str>,
    /// What it was held against: the option, list or audit rule.
    pub against: Box<str>,
}

/// Rules of one group that are told of each resource that carries it: the group itself, where it is
/// judged, tells [`crate::evaluate::VIOLATIONS_MAX`].
pub const ATTACHED_RULES_MAX: usize = 5;

/// What is said of a group that looks like one of Firewall Manager's (semantics §11 row 57).
fn by_name(lookalike: bool) -> &'static str {
    if lookalike {
        " (the group only bears a name like Firewall Manager's own: it carries the id of no common \
         security group policy that is or was known)"
    } else {
        ""
    }
}

impl AttachedGroup {
    /// The group, with its owner where that is another account.
    pub fn name(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{} of account {owner}", self.group),
            None => self.group.to_string(),
        }
    }

    /// The rules of the group that break the policy, each in one sentence.
    pub fn rules(&self) -> impl Iterator<Item = String> {
        self.rules.iter().map(|broken| {
            let (direction, name) = (broken.direction.word(), self.name());
            let by_name = by_name(self.lookalike);
            format!("{direction} rule `{}` of {name}: {}{by_name}", broken.rule, broken.against)
        })
    }
}

/// A moment in UTC, as ISO 8601 has it.
fn moment(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => at.to_string(),
        Err(_) => format!("{ms} ms after 1970"),
    }
}

fn attached(interfaces: &[(Box<str>, Vec<Box<str>>)], told: &[AttachedGroup]) -> String {
    let mut text = String::from("violating security groups");
    for (at, (interface, groups)) in interfaces.iter().enumerate() {
        let join = if at == 0 { "" } else { ";" };
        // Writing to a String cannot fail.
        let _ = write!(text, "{join} {} on {interface}", groups.join(", "));
    }
    for group in told {
        for rule in group.rules() {
            let _ = write!(text, "; {rule}");
        }
        if group.more {
            let _ = write!(text, "; and more rules of {}", group.name());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_says_what_was_found_and_what_it_was_held_against() {
        let rule = SecurityGroupFinding::SecurityGroupRule {
            group: "sg-1".into(),
            direction: Direction::Ingress,
            rule: "tcp 22 from 0.0.0.0/0".into(),
            against: "no rule of audit group sg-a allows it".into(),
            near_misses: Vec::new(),
            remedies: Vec::new(),
            lookalike: false,
        };
        assert_eq!(
            rule.summary(),
            "ingress rule `tcp 22 from 0.0.0.0/0` of sg-1: no rule of audit group sg-a allows it"
        );
        let interfaces = vec![
            ("eni-1".into(), vec!["sg-1".into(), "sg-2".into()]),
            ("eni-2".into(), vec!["sg-1".into()]),
        ];
        assert_eq!(
            SecurityGroupFinding::AttachedGroups {
                interfaces: interfaces.clone(),
                groups: Vec::new()
            }
            .summary(),
            "violating security groups sg-1, sg-2 on eni-1; sg-1 on eni-2",
            "as it was kept before rules were told"
        );
        let broken = BrokenRule {
            direction: Direction::Egress,
            rule: "tcp 22 to ::/0".into(),
            against: "wrong".into(),
        };
        let told = |group: &str, owner: Option<&str>, lookalike, more| AttachedGroup {
            group: group.into(),
            owner: owner.map(|owner| owner.try_into().unwrap()),
            lookalike,
            rules: vec![broken.clone()],
            more,
        };
        let groups =
            vec![told("sg-1", Some("222222222222"), false, true), told("sg-2", None, true, false)];
        assert_eq!(
            SecurityGroupFinding::AttachedGroups { interfaces, groups }.summary(),
            format!(
                "violating security groups sg-1, sg-2 on eni-1; sg-1 on eni-2; egress rule `tcp 22 \
                 to ::/0` of sg-1 of account 222222222222: wrong; and more rules of sg-1 of account \
                 222222222222; egress rule `tcp 22 to ::/0` of sg-2: wrong{}",
                by_name(true)
            )
        );
        let unused = |since_ms| {
            SecurityGroupFinding::UnusedGroup { group: "sg-1".into(), since_ms, lookalike: false }
                .summary()
        };
        assert_eq!(
            unused(1_600_000_000_000),
            "no network interface, instance or load balancer uses sg-1, unchanged since \
             2020-09-13T12:26:40Z"
        );
        assert!(unused(i64::MAX).ends_with("unchanged since 9223372036854775807 ms after 1970"));
        let (group, keeper) = ("sg-2".into(), "sg-1".into());
        let redundant = SecurityGroupFinding::RedundantGroup { group, keeper, lookalike: false };
        assert_eq!(
            redundant.summary(),
            "sg-2 has the same rules as sg-1 of its VPC, which is to stay"
        );
    }
}
