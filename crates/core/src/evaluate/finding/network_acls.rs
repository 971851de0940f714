//! What is found of network ACLs on subnets.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::reason::{Reasoned, ViolationReason};

mod placed;
mod remedy;

pub use placed::{EntryPart, PlacedEntry};
pub use remedy::{AclRemedy, AclStep, Obstacle};

/// Entries in conflict that are told of one entry.
pub const CONFLICTS_MAX: usize = 40;

/// What is wrong with the network ACL on a subnet.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all_fields = "camelCase")]
pub enum NetworkAclFinding {
    /// Entries of the policy are missing or not where they must be.
    NetworkAclEntries {
        /// The network ACL on the subnet.
        acl: Box<str>,
        /// The subnet's VPC, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vpc: Option<Box<str>>,
        /// The subnet's Availability Zone, when told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<Box<str>>,
        /// One for each entry of the policy that is amiss: inbound before outbound, first ones before
        /// last ones; never empty.
        entries: Vec<EntryFault>,
        /// What would end the violation, the default one first.
        remedies: Vec<AclRemedy>,
    },
}

/// An entry of the policy that is missing or in the wrong place: `EntryViolation` of the model.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntryFault {
    /// The entry, and which part of the policy wants it; its number where it is.
    pub expected: PlacedEntry,
    /// Its place among the entries of its direction once all are there, counted from 1.
    pub expected_order: u32,
    /// Its place now; `None`: it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_order: Option<u32>,
    /// What is at the expected place now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_expected: Option<PlacedEntry>,
    /// Custom entries that do the opposite with some of the same traffic, and that it must move
    /// across; at most [`CONFLICTS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<PlacedEntry>,
    /// It is what an earlier version of the policy wanted: it must go. [`EntryFault::expected_order`] is
    /// 0 then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_former: bool,
}

/// `EntryViolationReason` of the model.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum EntryFaultReason {
    /// `MISSING_EXPECTED_ENTRY`
    Missing,
    /// `INCORRECT_ENTRY_ORDER`
    Order,
    /// `ENTRY_CONFLICT`
    Conflict,
}

impl EntryFault {
    /// Why it is one; never empty.
    pub fn reasons(&self) -> impl Iterator<Item = EntryFaultReason> {
        let place = match self.actual_order {
            None => EntryFaultReason::Missing,
            Some(_) => EntryFaultReason::Order,
        };
        let conflict = (!self.conflicts.is_empty()).then_some(EntryFaultReason::Conflict);
        [place].into_iter().chain(conflict)
    }

    fn told(&self) -> String {
        let direction = if self.expected.entry.egress { "outbound" } else { "inbound" };
        let part = match self.expected.part {
            EntryPart::First => "first",
            EntryPart::Last => "last",
            EntryPart::Custom => "custom",
        };
        let (entry, wanted) = (&self.expected.entry, self.expected_order);
        if self.is_former {
            let number = self.expected.number.map(|number| format!(" (rule {number})"));
            return format!(
                "{part} {direction} entry `{entry}`{} is left of an earlier version of the policy",
                number.unwrap_or_default()
            );
        }
        let mut text = match (self.actual_order, self.expected.number) {
            (None, _) => format!("{part} {direction} entry `{entry}` is missing"),
            (Some(at), Some(number)) => format!(
                "{part} {direction} entry `{entry}` (rule {number}) is at place {at} instead of {wanted}"
            ),
            (Some(at), None) => {
                format!("{part} {direction} entry `{entry}` is at place {at} instead of {wanted}")
            }
        };
        if let Some(PlacedEntry { entry, number: Some(number), .. }) = self.conflicts.first() {
            let more = self.conflicts.len().saturating_sub(1);
            // Writing to a String cannot fail.
            let _ = write!(text, ", and must move across custom rule {number} `{entry}`");
            if more > 0 {
                let _ = write!(text, " and {more} more");
            }
        }
        text
    }
}

impl NetworkAclFinding {
    /// The finding with the reason that AWS gives for it.
    pub(in crate::evaluate) fn reasoned(self) -> Reasoned<NetworkAclFinding> {
        Reasoned { reason: ViolationReason::InvalidNetworkAclEntry, finding: self }
    }

    /// What would end it, a sentence a remedy.
    pub fn ends_by(&self) -> Vec<String> {
        let NetworkAclFinding::NetworkAclEntries { remedies, .. } = self;
        let told = |remedy: &AclRemedy| {
            let steps: Vec<String> = remedy.steps.iter().map(AclStep::summary).collect();
            steps.join(", then ")
        };
        remedies.iter().map(told).collect()
    }

    /// The evidence in one sentence.
    pub fn summary(&self) -> String {
        match self {
            NetworkAclFinding::NetworkAclEntries { acl, entries, .. } => {
                let told: Vec<String> = entries.iter().map(EntryFault::told).collect();
                format!("network ACL {acl}: {}", told.join("; "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::inventory::{AclEntry, AclTraffic};

    use super::*;

    #[test]
    fn a_summary_names_the_network_acl_and_each_entry_that_is_amiss() {
        let entry = |allow, egress| AclEntry {
            egress,
            allow,
            traffic: AclTraffic::Ports { protocol: 6, from: 22, to: 22 },
            cidr: "0.0.0.0/0".parse().unwrap(),
        };
        let placed = |entry, number, part| PlacedEntry { entry, number, part };
        let custom = |number| placed(entry(true, false), Some(number), EntryPart::Custom);
        let missing = EntryFault {
            expected: placed(entry(false, true), None, EntryPart::Last),
            expected_order: 2,
            actual_order: None,
            at_expected: None,
            conflicts: Vec::new(),
            is_former: false,
        };
        let misplaced = EntryFault {
            expected: placed(entry(false, false), Some(120), EntryPart::First),
            expected_order: 1,
            actual_order: Some(3),
            at_expected: Some(custom(100)),
            conflicts: vec![custom(100), custom(110)],
            is_former: false,
        };
        let left = EntryFault {
            expected: placed(entry(true, true), Some(2), EntryPart::First),
            expected_order: 0,
            actual_order: Some(1),
            at_expected: None,
            conflicts: Vec::new(),
            is_former: true,
        };
        let reasons = |fault: &EntryFault| fault.reasons().collect::<Vec<_>>();
        assert_eq!(reasons(&missing), [EntryFaultReason::Missing]);
        assert_eq!(reasons(&misplaced), [EntryFaultReason::Order, EntryFaultReason::Conflict]);
        let found = NetworkAclFinding::NetworkAclEntries {
            acl: "acl-1".into(),
            vpc: None,
            zone: None,
            entries: vec![misplaced, missing, left],
            remedies: Vec::new(),
        };
        assert_eq!(
            found.summary(),
            "network ACL acl-1: first inbound entry `deny tcp 22 from 0.0.0.0/0` (rule 120) is at \
             place 3 instead of 1, and must move across custom rule 100 `allow tcp 22 from \
             0.0.0.0/0` and 1 more; last outbound entry `deny tcp 22 to 0.0.0.0/0` is missing; \
             first outbound entry `allow tcp 22 to 0.0.0.0/0` (rule 2) is left of an earlier version of the policy"
        );
    }
}
