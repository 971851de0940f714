//! Which accounts are shown in a VPC, and whether all of them tell what uses groups there
//! (semantics §11 rows 38 and 41).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::held::{self, Held};
use super::network::{INTERFACE, ids_of, interfaces};
use super::{Mutation, World, any_case, text};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const ASSOCIATION: &str = "AWS::EC2::SecurityGroupVpcAssociation";
/// What is in a VPC.
const INHABITANTS: [&str; 4] = [GROUP, INTERFACE, "AWS::EC2::VPC", "AWS::EC2::Subnet"];

/// The VPCs in which another account is shown whose interfaces are not all told.
pub fn untold_vpcs(
    world: &World<'_>,
    here: &Held<'_>,
    others: &[Held<'_>],
    broken: Option<Mutation>,
) -> BTreeSet<String> {
    let mut inhabitants: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let shards = || [here].into_iter().chain(others);
    for shard in shards() {
        for kind in INHABITANTS {
            for item in shard.of_type(kind) {
                let body = held::body(item);
                let mut shown = vec![shard.account.as_str()];
                shown.extend(Some(text(&body["ownerId"])).filter(|owner| !owner.is_empty()));
                for id in ids_of(&body["groups"]) {
                    shown.extend(shards().filter(|one| one.item(GROUP, &id).is_some()).map(
                        |one| {
                            let owner =
                                text(&held::body(one.item(GROUP, &id).expect("held"))["ownerId"]);
                            if owner.is_empty() { one.account.as_str() } else { owner }
                        },
                    ));
                }
                let all = inhabitants.entry(text(&body["vpcId"]).to_owned()).or_default();
                all.extend(shown.into_iter().map(str::to_owned));
            }
        }
    }
    inhabitants.remove("");
    inhabitants.retain(|vpc, accounts| {
        let mut others = accounts.iter().filter(|account| **account != here.account);
        others.any(|account| !tells_interfaces(world, account, vpc, broken))
    });
    match broken {
        Some(Mutation::SharersNeedNotBeKnown) => BTreeSet::new(),
        _ => inhabitants.into_keys().collect(),
    }
}

/// Whether an account tells all of its interfaces in a VPC, with their groups.
fn tells_interfaces(world: &World<'_>, account: &str, vpc: &str, broken: Option<Mutation>) -> bool {
    let there = held::of(world, account, text(&world.case["region"]), broken);
    let in_vpc = |interface: &super::network::Carrier<'_>| {
        let of = text(&held::body(interface.item)["vpcId"]);
        of.is_empty() || of == vpc
    };
    there.knows(world, INTERFACE)
        && interfaces(&there, &[], broken)
            .iter()
            .filter(|interface| in_vpc(interface))
            .all(|interface| !interface.untold && !interface.outdated)
}

/// The groups that are associated with VPCs beside their own.
pub fn associated(shard: &Held<'_>) -> Vec<String> {
    let is_on = |item: &&Value| {
        let state = text(any_case(held::body(item), "State"));
        !["disassociated", "association-failed"].contains(&state)
    };
    let group = |item: &Value| text(any_case(held::body(item), "GroupId")).to_owned();
    shard.of_type(ASSOCIATION).filter(is_on).map(group).collect()
}
