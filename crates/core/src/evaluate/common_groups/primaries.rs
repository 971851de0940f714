//! The primary groups of a policy, as the administrator's inventory holds them.

use std::collections::BTreeSet;

use crate::evaluate::security_groups::administrators_group;
use crate::evaluate::{DependentService, Evidence, Fact, Gap};
use crate::ident::ResourceId;
use crate::inventory::{Body, Item, SecurityGroup};
use crate::policy::Policy;
use crate::policy::common_groups::CommonGroups;

/// All primary groups, in the policy's order.
pub(super) struct Primaries<'a>(pub Vec<Primary<'a>>);

/// One of them.
pub(super) struct Primary<'a> {
    pub id: &'a ResourceId,
    pub item: &'a Item,
    pub group: &'a SecurityGroup,
}

impl<'a> Primaries<'a> {
    /// While any is missing, or deleted, there is no result: each such has its gap, one of which is
    /// returned (semantics §10 row 27). So has one that is not the administrator's own.
    pub fn find(
        policy: &Policy,
        rule: &'a CommonGroups,
        evidence: &Evidence<'a>,
        gaps: &mut BTreeSet<Gap>,
    ) -> Result<Primaries<'a>, Gap> {
        let mut found = Vec::new();
        let mut missing = None;
        for id in &rule.primaries {
            let fact = evidence.references.get(&administrators_group(policy, id));
            match fact {
                Some(Fact::Item(item, _)) if let Some(group) = own_group(item, policy) => {
                    found.push(Primary { id, item, group });
                }
                _ => {
                    let (owner, region) = (&policy.owner, &policy.region);
                    let text = format!(
                        "Primary security group {id} of account {owner} in Region {region} could \
                         not be found."
                    );
                    let gap = Gap::new(DependentService::Vpc, &text);
                    gaps.insert(gap.clone());
                    missing.get_or_insert(gap);
                }
            }
        }
        match missing {
            Some(gap) => Err(gap),
            None => Ok(Primaries(found)),
        }
    }
}

fn own_group<'a>(item: &'a Item, policy: &Policy) -> Option<&'a SecurityGroup> {
    match &item.body {
        Body::SecurityGroup(group) => {
            group.owner.as_ref().is_none_or(|owner| *owner == policy.owner).then_some(group)
        }
        _ => None,
    }
}

impl Primary<'_> {
    /// That a later state of it tells nothing: what replicas are held against may have changed.
    pub fn outdated(&self, policy: &Policy) -> Option<Gap> {
        self.item.unseen_since.as_ref().map(|_| unrecorded(policy, "latest rules", self.id))
    }

    /// That some of its rules may not be told.
    pub fn untold_rules(&self, policy: &Policy) -> Option<Gap> {
        self.group.has_untold_rules().then(|| unrecorded(policy, "rules", self.id))
    }

    /// That its tags are not told.
    pub fn untold_tags(&self, policy: &Policy) -> Gap {
        unrecorded(policy, "tags", self.id)
    }
}

/// That something of a primary group was not recorded. It is another account's: the gap says whose.
fn unrecorded(policy: &Policy, what: &str, id: &ResourceId) -> Gap {
    let (owner, region) = (&policy.owner, &policy.region);
    let text = format!(
        "The {what} of primary security group {id} of account {owner} in Region {region} were not \
         recorded."
    );
    Gap::new(DependentService::Config, &text)
}
