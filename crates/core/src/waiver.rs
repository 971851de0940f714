//! A waiver: violators of a policy that somebody accepts for a time. It changes no judgement; readers of
//! Palisade's own show what it covers apart, and AWS's operations do not know of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ident::{AccountId, OuId, PolicyId, ResourceId, ResourceType, WaiverId};
use crate::organization::Organization;

/// How long a waiver may last, milliseconds: 365 days.
pub const WAIVER_LASTS_MS_MAX: i64 = 365 * 24 * 60 * 60 * 1_000;

/// What is accepted, of whom, why and how long.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Waiver {
    /// Its id.
    pub id: WaiverId,
    /// The policy whose violators it covers.
    pub policy: PolicyId,
    /// Accounts; with no units either, every account.
    pub accounts: BTreeSet<AccountId>,
    /// Organizational units, with all below them.
    pub units: BTreeSet<OuId>,
    /// Resources of this type; `None` is any.
    pub resource_type: Option<ResourceType>,
    /// Resources whose id fits: `*` stands for any characters, also for none.
    pub resource: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// Who answers for it.
    pub owner: Box<str>,
    /// Where it was agreed.
    pub ticket: Option<Box<str>>,
    /// The first moment, milliseconds since the epoch.
    pub from_ms: i64,
    /// Until then, itself excluded; at most [`WAIVER_LASTS_MS_MAX`] after `from_ms`.
    pub until_ms: i64,
    /// When somebody ended it before.
    pub ended_ms: Option<i64>,
    /// When it was made, milliseconds since the epoch.
    pub created_ms: i64,
}

/// Whether a waiver covers anything at a moment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum WaiverState {
    /// Its time has not come.
    Planned,
    /// It does, if something fits it.
    InForce,
    /// Its time is over, or somebody ended it.
    Ended,
}

impl Waiver {
    /// How it stands at a moment.
    pub fn state(&self, at_ms: i64) -> WaiverState {
        if self.ended_ms.is_some_and(|ended_ms| ended_ms <= at_ms) || self.until_ms <= at_ms {
            WaiverState::Ended
        } else if at_ms < self.from_ms {
            WaiverState::Planned
        } else {
            WaiverState::InForce
        }
    }

    /// Whether it is about an account of the organization.
    pub fn has_account(&self, organization: &Organization, account: &AccountId) -> bool {
        let Some(held) = organization.accounts.get(account) else { return false };
        let everyone = self.accounts.is_empty() && self.units.is_empty();
        everyone
            || self.accounts.contains(account)
            || organization.units_above(&held.parent).any(|unit| self.units.contains(unit))
    }

    /// Whether a resource fits it.
    pub fn has_resource(&self, resource_type: &ResourceType, id: &ResourceId) -> bool {
        self.resource_type.as_ref().is_none_or(|wanted| wanted == resource_type)
            && fits(&self.resource, id.as_str())
    }

    /// Whether it covers whatever its policy finds in its accounts: every resource, or every one of a type.
    pub fn is_of_every_resource(&self) -> bool {
        self.resource.bytes().all(|byte| byte == b'*')
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters. Takes time by the length of both
/// multiplied, at most.
pub fn fits(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place leaves the most for what follows.
        let Some(at) = left.find(part) else { return false };
        left = left.get(at.saturating_add(part.len())..).unwrap_or_default();
    }
    left.len() >= end.len() && left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        let table = "
            sg-1       sg-1        yes
            sg-1       sg-12       no
            sg-*       sg-1        yes
            sg-*       sg-         yes
            sg-*       eni-1       no
            *-legacy   a-legacy    yes
            *-legacy   a-legacy-2  no
            *          anything    yes
            **         anything    yes
            a*b*c      a-b-b-c     yes
            a*b*c      a-c-b       no
            a*a        a           no
            a*a        aa          yes
            arn:*:w-*  arn:x:w-1   yes";
        for row in table.lines().filter(|row| !row.trim().is_empty()) {
            let words: Vec<&str> = row.split_whitespace().collect();
            let [pattern, text, wanted] = words[..] else { panic!("{row}") };
            assert_eq!(fits(pattern, text), wanted == "yes", "{row}");
        }
    }

    #[test]
    fn a_waiver_is_in_force_from_its_first_moment_to_the_one_before_its_end() {
        let mut waiver = Waiver {
            id: "w".try_into().unwrap(),
            policy: "p".try_into().unwrap(),
            accounts: BTreeSet::new(),
            units: BTreeSet::new(),
            resource_type: None,
            resource: "*".into(),
            reason: "r".into(),
            owner: "o".into(),
            ticket: None,
            from_ms: 10,
            until_ms: 20,
            ended_ms: None,
            created_ms: 0,
        };
        for (at, state) in [
            (9, WaiverState::Planned),
            (10, WaiverState::InForce),
            (19, WaiverState::InForce),
            (20, WaiverState::Ended),
        ] {
            assert_eq!(waiver.state(at), state, "{at}");
        }
        waiver.ended_ms = Some(15);
        assert_eq!(waiver.state(14), WaiverState::InForce);
        assert_eq!(waiver.state(15), WaiverState::Ended);
        assert!(waiver.is_of_every_resource());
    }
}
