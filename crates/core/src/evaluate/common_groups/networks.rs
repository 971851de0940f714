//! The VPCs of a shard: whose they are, in which a group serves besides its own, and which are peered.

use std::collections::BTreeSet;

use crate::evaluate::coverage::not_seen;
use crate::evaluate::{DependentService, Gap, outdated, unseen_gap};
use crate::ident::{AccountId, ResourceType};
use crate::inventory::{Body, Item, PeeringConnection, PeeringSide, Shard};

/// What the shard tells of its networks.
pub(super) struct Networks<'a> {
    shard: &'a Shard,
    /// VPCs that belong to other accounts.
    anothers: BTreeSet<&'a str>,
    /// Groups that serve in further VPCs than their own, or may.
    associated: BTreeSet<&'a str>,
}

impl<'a> Networks<'a> {
    pub fn of(shard: &'a Shard) -> Networks<'a> {
        let account = &shard.id.account;
        let is_anothers =
            |owner: &Option<AccountId>| owner.as_ref().is_some_and(|it| it != account);
        let mut anothers = BTreeSet::new();
        for item in shard.of_type(&ResourceType::VPC) {
            if let Body::Vpc(vpc) = &item.body
                && is_anothers(&vpc.owner)
            {
                anothers.insert(item.key.id.as_str());
            }
        }
        for item in shard.of_type(&ResourceType::SUBNET) {
            if let Body::Subnet(subnet) = &item.body
                && is_anothers(&subnet.owner)
            {
                anothers.extend(subnet.vpc.as_deref());
            }
        }
        let associations = shard.of_type(&ResourceType::SECURITY_GROUP_VPC_ASSOCIATION);
        let associated = associations.filter_map(|item| match &item.body {
            Body::GroupAssociation(association) => Some(&*association.group),
            _ => None,
        });
        Networks { shard, anothers, associated: associated.collect() }
    }

    /// Whether a VPC is shown to be another account's; one that was not told is not.
    pub fn is_anothers(&self, vpc: Option<&str>) -> bool {
        vpc.is_some_and(|vpc| self.anothers.contains(vpc))
    }

    /// Whether what does not tell its VPC may be in another account's: some VPC is shown to be one.
    pub fn shows_anothers(&self) -> bool {
        !self.anothers.is_empty()
    }

    /// Whether a group may be on resources in other VPCs than its own.
    pub fn is_associated(&self, group: &str) -> bool {
        self.associated.contains(group)
    }

    /// Whether an active peering joins a VPC with one of an account in the Region; a gap where that
    /// cannot be told.
    pub fn is_peered(&self, vpc: &str, with: &str) -> Result<bool, Gap> {
        let peerings = &ResourceType::VPC_PEERING_CONNECTION;
        let mut untold = not_seen(self.shard, peerings);
        for item in self.shard.of_type(peerings) {
            match joins(item, vpc, with) {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(gap) => untold = Some(gap),
            }
        }
        match untold {
            Some(gap) => Err(gap),
            None => Ok(false),
        }
    }
}

fn joins(item: &Item, vpc: &str, with: &str) -> Result<bool, Gap> {
    let Body::PeeringConnection(peering) = &item.body else { return Err(unseen_gap(item)) };
    let PeeringConnection { accepter, requester, active } = peering;
    let ends = [(accepter, requester), (requester, accepter)];
    let told = ends.map(|(near, far)| is_end(near, vpc, far, with));
    let is_between = match told {
        _ if told.contains(&Some(true)) => Some(true),
        [Some(false), Some(false)] => Some(false),
        _ => None,
    };
    match (is_between, active, outdated(item)) {
        // What a peering joins does not change.
        (Some(false), _, _) => Ok(false),
        (_, _, Some(gap)) => Err(gap),
        (_, Some(false), None) => Ok(false),
        (Some(true), Some(true), None) => Ok(true),
        (None, Some(true), None) | (_, None, None) => {
            let text = format!("The VPCs or the state of {} were not recorded.", item.key.id);
            Err(Gap::new(DependentService::Config, &text))
        }
    }
}

/// Whether the near end is the VPC and the far one the account's, in one Region, for groups of another
/// cannot be referenced; `None` where it is not told.
fn is_end(near: &PeeringSide, vpc: &str, far: &PeeringSide, with: &str) -> Option<bool> {
    let is_near = near.vpc.as_deref().map(|near| near == vpc);
    let is_far = far.owner.as_ref().map(|owner| owner.as_str() == with);
    let is_elsewhere = near.region.is_some() && far.region.is_some() && near.region != far.region;
    if is_elsewhere || is_near == Some(false) || is_far == Some(false) {
        return Some(false);
    }
    (is_near.is_some() && is_far.is_some()).then_some(true)
}
