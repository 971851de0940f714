//! What is wrong under a policy of common groups, as data and in words, and what would end it: nothing
//! here is executed (semantics §5.4).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::direction::Direction;

/// An interface or load balancer that does not carry the groups that a policy asks for, and no others.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupPlace {
    /// Which.
    pub at: Box<str>,
    /// Primary groups of which nothing serves on it, in the policy's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<MissingReplica>,
    /// Groups on it that an exclusive policy does not allow, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Box<str>>,
}

/// A primary group of which nothing serves at a place.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingReplica {
    /// The primary group.
    pub primary: Box<str>,
    /// What is there to be attached: its replica of the VPC, or in its own VPC the primary itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serving: Option<Box<str>>,
    /// The VPC, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vpc: Option<Box<str>>,
}

/// One respect in which a replica is not as its primary group is.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all_fields = "camelCase")]
pub enum ReplicaDifference {
    /// A rule of the primary that the replica has not.
    MissingRule {
        /// `ingress` or `egress`.
        direction: Direction,
        /// Protocol, ports and one peer, as text.
        rule: Box<str>,
    },
    /// A rule of the replica that the primary has not.
    FurtherRule {
        /// `ingress` or `egress`.
        direction: Direction,
        /// Protocol, ports and one peer, as text.
        rule: Box<str>,
    },
    /// A tag of the primary that the replica has not, or with another value.
    MissingTag {
        /// Its key.
        key: Box<str>,
        /// The primary's value.
        value: Box<str>,
    },
    /// A tag of the replica whose key the primary has not.
    FurtherTag {
        /// Its key.
        key: Box<str>,
    },
}

/// Differences that are told of one replica; of more their number.
pub const REPLICA_DIFFERENCES_MAX: usize = 20;

/// A step towards ending a violation of a policy of common groups.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GroupStep {
    /// Make the replica of a primary group, in the VPC where that was told.
    Create {
        /// The primary group.
        primary: Box<str>,
        /// The VPC.
        vpc: Option<Box<str>>,
    },
    /// Put a group on an interface or load balancer.
    Attach {
        /// The group; `None` is the one that was made in the step before.
        group: Option<Box<str>>,
        /// The interface or load balancer.
        to: Box<str>,
    },
    /// Take a group off.
    Detach {
        /// The group.
        group: Box<str>,
        /// The interface or load balancer.
        from: Box<str>,
    },
    /// End one difference of a replica.
    Edit(ReplicaDifference),
}

/// What would end a violation, in order: nothing is detached before what is missing is there, for an
/// interface always has a group.
pub(super) fn steps_at(places: &[GroupPlace]) -> Vec<GroupStep> {
    let mut steps = Vec::new();
    for GroupPlace { at, missing, others } in places {
        for MissingReplica { primary, serving, vpc } in missing {
            if serving.is_none() {
                steps.push(GroupStep::Create { primary: primary.clone(), vpc: vpc.clone() });
            }
            steps.push(GroupStep::Attach { group: serving.clone(), to: at.clone() });
        }
        steps.extend(others.iter().cloned().map(|group| {
            let from = at.clone();
            GroupStep::Detach { group, from }
        }));
    }
    steps
}

pub(super) fn at_places(places: &[GroupPlace]) -> String {
    let told = places.iter().map(|place| {
        let missing: Vec<&str> = place.missing.iter().map(|one| &*one.primary).collect();
        let lacks = match missing.is_empty() {
            true => None,
            false => Some(format!("has no replica of primary group {}", missing.join(", "))),
        };
        let others = match place.others.is_empty() {
            true => None,
            false => {
                let others = place.others.join(", ");
                Some(format!("carries {others} beside the policy's groups"))
            }
        };
        let both: Vec<String> = lacks.into_iter().chain(others).collect();
        format!("{} {}", place.at, both.join(" and "))
    });
    let told: Vec<String> = told.collect();
    let steps: Vec<String> = steps_at(places).iter().map(GroupStep::to_string).collect();
    format!("{}; to end it: {}", told.join("; "), steps.join(", "))
}

pub(super) fn edited(
    group: &str,
    primary: &str,
    differences: &[ReplicaDifference],
    more: u64,
) -> String {
    let told: Vec<String> = differences.iter().map(ReplicaDifference::to_string).collect();
    let more = match more {
        0 => String::new(),
        more => format!("; and {more} more"),
    };
    format!("replica {group} differs from primary group {primary}: {}{more}", told.join("; "))
}

impl fmt::Display for ReplicaDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplicaDifference::MissingRule { direction, rule } => {
                write!(f, "{} rule `{rule}` is missing", direction.word())
            }
            ReplicaDifference::FurtherRule { direction, rule } => {
                write!(f, "{} rule `{rule}` is not the primary's", direction.word())
            }
            ReplicaDifference::MissingTag { key, value } => {
                write!(f, "tag `{key}` is not `{value}`")
            }
            ReplicaDifference::FurtherTag { key } => write!(f, "tag `{key}` is not the primary's"),
        }
    }
}

impl fmt::Display for GroupStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupStep::Create { primary, vpc: None } => {
                write!(f, "create the replica of {primary}")
            }
            GroupStep::Create { primary, vpc: Some(vpc) } => {
                write!(f, "create the replica of {primary} in {vpc}")
            }
            GroupStep::Attach { group: None, to } => write!(f, "attach it to {to}"),
            GroupStep::Attach { group: Some(group), to } => write!(f, "attach {group} to {to}"),
            GroupStep::Detach { group, from } => write!(f, "detach {group} from {from}"),
            GroupStep::Edit(ReplicaDifference::MissingRule { direction, rule }) => {
                write!(f, "add {} rule `{rule}`", direction.word())
            }
            GroupStep::Edit(ReplicaDifference::FurtherRule { direction, rule }) => {
                write!(f, "remove {} rule `{rule}`", direction.word())
            }
            GroupStep::Edit(ReplicaDifference::MissingTag { key, value }) => {
                write!(f, "set tag `{key}` to `{value}`")
            }
            GroupStep::Edit(ReplicaDifference::FurtherTag { key }) => {
                write!(f, "remove tag `{key}`")
            }
        }
    }
}
