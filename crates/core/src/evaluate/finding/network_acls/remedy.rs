//! What would end a violation of the entries of a network ACL, as data: nothing here is executed
//! (semantics §3.7, §5.11).

use serde::{Deserialize, Serialize};

use super::placed::PlacedEntry;

/// One way to end a violation. Of a violation's remedies the first is the default one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AclRemedy {
    /// What to do, in order; never empty.
    pub steps: Vec<AclStep>,
    /// Whether it is what remediation would do.
    pub is_default: bool,
    /// Why remediation would not do it by itself; `None`: the policy lets it (`FMSCanRemediate`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obstacle: Option<Obstacle>,
}

/// Why remediation would not do something by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Obstacle {
    /// `RemediationEnabled` is false.
    Off,
    /// An entry must move across custom ones that do the opposite, and the policy does not force it.
    Conflict,
    /// No rule number is free where an entry must be.
    NoRoom,
}

/// One step.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase", rename_all = "camelCase")]
pub enum AclStep {
    /// Make a network ACL of the policy's first entries (numbered 1, 2, …), the custom ones of
    /// another in their order (5000, 5100, …) and the policy's last ones (…, 32766).
    CreateAcl {
        /// Where, when told.
        vpc: Option<Box<str>>,
        /// Of which the custom entries are copied.
        like: Box<str>,
    },
    /// Put another network ACL on the subnet.
    ReplaceAssociation {
        /// The association there is, when told.
        association: Option<Box<str>>,
        /// The network ACL; `None`: the one made in the step before.
        acl: Option<Box<str>>,
    },
    /// Add entries.
    CreateEntries {
        /// To which network ACL.
        acl: Box<str>,
        /// Those, with free numbers where there are some.
        entries: Vec<PlacedEntry>,
    },
    /// Take out entries that are in the wrong place, after they were added in the right one.
    DeleteEntries {
        /// Of which network ACL.
        acl: Box<str>,
        /// Those.
        entries: Vec<PlacedEntry>,
    },
}

impl Obstacle {
    /// In words that go on a sentence.
    pub fn summary(self) -> &'static str {
        match self {
            Obstacle::Off => "remediation is off",
            Obstacle::Conflict => {
                "an entry must move across custom entries that do the opposite, which the policy does not force"
            }
            Obstacle::NoRoom => "no rule number is free where an entry must be",
        }
    }
}

impl AclStep {
    /// What is to be done, in one sentence without its full stop.
    pub fn summary(&self) -> String {
        let told = |entries: &[PlacedEntry]| {
            let told = entries.iter().map(|placed| match placed.number {
                Some(number) => format!("rule {number} `{}`", placed.entry),
                None => format!("`{}`", placed.entry),
            });
            told.collect::<Vec<_>>().join(", ")
        };
        match self {
            AclStep::CreateAcl { vpc, like } => {
                let place = vpc.as_ref().map(|vpc| format!(" in {vpc}")).unwrap_or_default();
                format!(
                    "create a network ACL{place} with the policy's first entries from rule 1 on, the custom entries of {like} from rule 5000 on and the policy's last entries up to rule 32766"
                )
            }
            AclStep::ReplaceAssociation { acl: Some(acl), .. } => {
                format!(
                    "associate the subnet with network ACL {acl}, whose custom entries count then"
                )
            }
            AclStep::ReplaceAssociation { acl: None, .. } => {
                "associate the subnet with the network ACL that was created".to_owned()
            }
            AclStep::CreateEntries { acl, entries } => format!("add to {acl}: {}", told(entries)),
            AclStep::DeleteEntries { acl, entries } => {
                format!("delete from {acl}: {}", told(entries))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::evaluate::EntryPart;
    use crate::inventory::{AclEntry, AclTraffic};

    use super::*;

    #[test]
    fn a_step_says_what_to_do() {
        let entry = AclEntry {
            egress: false,
            allow: false,
            traffic: AclTraffic::All,
            cidr: "::/0".parse().unwrap(),
        };
        let placed = |number| PlacedEntry { entry: entry.clone(), number, part: EntryPart::First };
        let (acl, entries) = ("acl-1".into(), vec![placed(Some(1)), placed(None)]);
        for (step, text) in [
            (
                AclStep::CreateAcl { vpc: Some("vpc-1".into()), like: "acl-1".into() },
                "create a network ACL in vpc-1 with the policy's first entries from rule 1 on, the \
                 custom entries of acl-1 from rule 5000 on and the policy's last entries up to rule \
                 32766",
            ),
            (
                AclStep::ReplaceAssociation { association: None, acl: Some("acl-2".into()) },
                "associate the subnet with network ACL acl-2, whose custom entries count then",
            ),
            (
                AclStep::ReplaceAssociation { association: None, acl: None },
                "associate the subnet with the network ACL that was created",
            ),
            (
                AclStep::CreateEntries { acl, entries },
                "add to acl-1: rule 1 `deny all traffic from ::/0`, `deny all traffic from ::/0`",
            ),
            (
                AclStep::DeleteEntries { acl: "acl-1".into(), entries: vec![placed(Some(7))] },
                "delete from acl-1: rule 7 `deny all traffic from ::/0`",
            ),
        ] {
            assert_eq!(step.summary(), text);
        }
    }
}
