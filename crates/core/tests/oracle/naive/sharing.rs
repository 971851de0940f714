//! Which accounts are shown in a VPC, and whether all of them tell what uses groups there
//! (semantics §11 rows 38 and 41).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::age::is_stale_elsewhere;
use super::held::{self, Held};
use super::item::is_unseen;
use super::network::{INSTANCE, INTERFACE, ids_of, instances, interfaces, is_terminated};
use super::{Mutation, World, any_case, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
pub const ASSOCIATION: &str = "AWS::EC2::SecurityGroupVpcAssociation";
/// The VPCs in which another account is shown whose interfaces are not all told. An item shows in
/// its VPC who tells of it and who owns it, where these are two; and who tells of it, where that is
/// another account and a group of this one is on it.
pub fn untold_vpcs(
    world: &World<'_>,
    here: &Held<'_>,
    others: &[Held<'_>],
    broken: Option<Mutation>,
) -> BTreeSet<String> {
    let mut inhabitants: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut show = |vpc: &str, account: &str| {
        inhabitants.entry(vpc.to_owned()).or_default().insert(account.to_owned());
    };
    let is_ours = |id: &str| {
        let owner = here.item(GROUP, id).map(|group| text(&held::body(group)["ownerId"]));
        owner.is_some_and(|owner| owner.is_empty() || owner == here.account)
    };
    for shard in [here].into_iter().chain(others) {
        let shown = [GROUP, INTERFACE].into_iter().flat_map(|kind| shard.of_type(kind));
        for item in shown.filter(|item| !is_unseen(item)) {
            let body = held::body(item);
            let (vpc, owner) = (text(&body["vpcId"]), text(&body["ownerId"]));
            if !owner.is_empty() && owner != shard.account {
                show(vpc, owner);
                show(vpc, &shard.account);
            }
            if ids_of(&body["groups"]).iter().any(|id| is_ours(id)) {
                show(vpc, &shard.account);
            }
        }
        for instance in instances(shard, broken).iter().filter(|one| !is_terminated(one.item)) {
            if instance.groups.iter().any(|id| is_ours(id)) {
                show(text(&held::body(instance.item)["vpcId"]), &shard.account);
            }
        }
        for item in shard.of_type(ASSOCIATION) {
            let said = |member: &str| text(any_case(held::body(item), member));
            // One that is over shows no more than that it was (row 41).
            if is_ours(said("GroupId")) && is_on(item) {
                show(said("VpcId"), &shard.account);
            }
        }
    }
    inhabitants.remove("");
    inhabitants.retain(|vpc, accounts| {
        let mut others = accounts.iter().filter(|account| **account != here.account);
        others.any(|account| !tells_interfaces(world, here, account, vpc, broken))
    });
    match broken {
        Some(Mutation::SharersNeedNotBeKnown) => BTreeSet::new(),
        _ => inhabitants.into_keys().collect(),
    }
}

/// Whether an account tells all of its interfaces in a VPC, with their groups, and hides none of the
/// other things that it has and that groups may be on (row 38).
fn tells_interfaces(
    world: &World<'_>,
    here: &Held<'_>,
    account: &str,
    vpc: &str,
    broken: Option<Mutation>,
) -> bool {
    let there = held::of(world, account, text(&world.case["region"]), broken);
    let in_vpc = |interface: &super::network::Carrier<'_>| {
        let of = text(&held::body(interface.item)["vpcId"]);
        of.is_empty() || of == vpc
    };
    there.knows(world, INTERFACE)
        && !is_stale_elsewhere(world, here, &there)
        && [INSTANCE, ASSOCIATION].iter().all(|kind| !there.of_type(kind).any(is_unseen))
        && interfaces(&there, &[], broken)
            .iter()
            .filter(|interface| in_vpc(interface))
            .all(|interface| !interface.untold && !interface.outdated)
}

/// A group that is associated with a VPC beside its own, or was.
pub struct Association {
    /// Nothing where it is not told.
    pub group: Option<String>,
    pub id: String,
    pub is_on: bool,
    /// It may have changed since.
    pub outdated: bool,
}

pub fn associations(shard: &Held<'_>) -> Vec<Association> {
    let one = |item| Association {
        group: any_case(held::body(item), "GroupId").as_str().map(str::to_owned),
        id: text(&item["resourceId"]).to_owned(),
        is_on: is_on(item),
        outdated: shard.is_outdated(item),
    };
    shard.of_type(ASSOCIATION).map(one).collect()
}

fn is_on(association: &Value) -> bool {
    let state = text(any_case(held::body(association), "State"));
    !["disassociated", "association-failed"].contains(&state)
}
