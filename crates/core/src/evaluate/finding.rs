//! Evidence of violations, as data and as text, for people and for the wire. One file a family, as
//! `ResourceViolation` of the model has families: its variants, the reasons that AWS gives for them,
//! their words, and beside them what would end the violation.

mod dns;
mod firewalls;
mod network_acls;
mod reason;
mod security_groups;
mod shield;
mod third_party;
mod waf;

use serde::{Deserialize, Serialize};

pub use dns::{DnsFinding, DnsRemedy, DnsStep, UNAVAILABLE_PRIORITIES_MAX};
pub(super) use firewalls::first;
pub use firewalls::{
    ExpectedRoute, FirewallFinding, FirewallPath, ROUTES_MAX, RouteRemedy, RouteStep, RoutedSubnet,
};
pub use network_acls::{
    AclRemedy, AclStep, CONFLICTS_MAX, EntryFault, EntryFaultReason, EntryPart, NetworkAclFinding,
    Obstacle, PlacedEntry,
};
pub(super) use reason::Reasoned;
pub use reason::ViolationReason;
pub use security_groups::{
    ATTACHED_RULES_MAX, AttachedGroup, BrokenRule, Direction, GroupPlace, GroupStep, Mismatch,
    MissingReplica, NarrowPeer, NarrowRule, NearMiss, REPLICA_DIFFERENCES_MAX, ReplicaDifference,
    RuleAction, RuleRemedy, SecurityGroupFinding,
};
pub use shield::ShieldFinding;
pub use third_party::ThirdPartyFinding;
pub use waf::{OUT_OF_SCOPE_RESOURCES_MAX, RULE_GROUP_DIFFERENCES_MAX, WafFinding};

/// One way in which a resource breaks a policy.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// `ViolationReason`
    pub reason: ViolationReason,
    /// What was found and what it was held against.
    pub finding: Finding,
}

impl<F: Into<Finding>> From<Reasoned<F>> for Violation {
    fn from(Reasoned { reason, finding }: Reasoned<F>) -> Violation {
        Violation { reason, finding: finding.into() }
    }
}

macro_rules! families {
    ($($(#[$doc:meta])+ $family:ident($finding:ident);)+) => {
        /// Evidence of one violation, as data: rendered for people by [`Finding::summary`].
        ///
        /// The stored form does not name the family: `kind` is one of the variants of one family, and
        /// no two families share one.
        #[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
        #[serde(untagged, expecting = "a finding of a known kind with all its members")]
        pub enum Finding {
            $($(#[$doc])+ $family($finding)),+
        }

        impl Finding {
            /// The evidence in one sentence.
            pub fn summary(&self) -> String {
                match self {
                    $(Finding::$family(finding) => finding.summary()),+
                }
            }

            /// What would end the violation, each in a sentence without its full stop, the default one
            /// first; where steps belong together, one sentence tells them in order. Empty where no
            /// remedy is safe.
            pub fn ends_by(&self) -> Vec<String> {
                match self {
                    $(Finding::$family(finding) => finding.ends_by()),+
                }
            }
        }

        $(impl From<$finding> for Finding {
            fn from(finding: $finding) -> Finding {
                Finding::$family(finding)
            }
        })+
    };
}

families! {
    /// DNS Firewall rule groups on VPCs.
    Dns(DnsFinding);
    /// Network Firewall in VPCs.
    Firewalls(FirewallFinding);
    /// Network ACLs on subnets.
    NetworkAcls(NetworkAclFinding);
    /// Audits of security groups, and what carries such groups.
    SecurityGroups(SecurityGroupFinding);
    /// Shield Advanced protections.
    Shield(ShieldFinding);
    /// Firewalls of other vendors in VPCs.
    ThirdParty(ThirdPartyFinding);
    /// Web ACLs.
    Waf(WafFinding);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One violation a line, as ledgers hold them: every kind, with and without what may be left out.
    const STORED: &str = include_str!("finding/stored.jsonl");

    #[test]
    fn what_ledgers_hold_is_read_and_written_as_it_was() {
        for line in STORED.lines() {
            let read: Violation = serde_json::from_str(line).unwrap();
            assert_eq!(serde_json::to_string(&read).unwrap(), line);
        }
    }

    #[test]
    fn what_was_kept_before_rules_were_told_is_read() {
        let kept = r#"{"kind":"AttachedGroups","interfaces":[["eni-1",["sg-1"]]]}"#;
        let finding: Finding = serde_json::from_str(kept).unwrap();
        assert_eq!(finding.summary(), "violating security groups sg-1 on eni-1");
    }

    #[test]
    fn an_unknown_kind_and_a_missing_member_are_refused() {
        for damaged in [r#"{"kind":"Unheard"}"#, r#"{"kind":"RedundantGroup","group":"sg-1"}"#] {
            let refused = serde_json::from_str::<Finding>(damaged).unwrap_err();
            assert_eq!(refused.to_string(), "a finding of a known kind with all its members");
        }
    }
}
