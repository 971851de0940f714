//! Worlds of common groups: primary groups of the administrator, their replicas, most of them nearly
//! right, and what should have them on it.

use serde_json::{Value, json};

use super::audit::{group, in_words, permission};
use super::items::{Ids, captured, delivery, histories, item, not_recorded, push, recorder};
use super::shared::{attach_twice, part};
use super::usage::rewrite;
use super::{ADMIN, OTHER, policy};
use crate::boundary;
use crate::random::Random;

const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const INSTANCE: &str = "AWS::EC2::Instance";
const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const CLASSIC: &str = "AWS::ElasticLoadBalancing::LoadBalancer";
/// What a policy may be about.
const TYPES: [&str; 4] = [INSTANCE, INTERFACE, BALANCER, CLASSIC];
const REGION: &str = "eu-west-1";
/// The policy's own id, and another's.
pub const POLICY: &str = "0dd0dd00-0000-4000-8000-000000000001";
const ANOTHER: &str = "0dd0dd00-0000-4000-8000-000000000002";
const PRIMARIES: [&str; 2] = ["sg-0aa01", "sg-0aa02"];

/// A group of the account's, as far as what carries groups has to know it.
struct Made {
    id: String,
    vpc: String,
    /// It serves for one of the primary groups, or looks as if.
    serves: bool,
}

pub(super) fn common_case(case: &mut Value, random: &mut Random) {
    case["region"] = json!(REGION);
    let mut types: Vec<&str> = TYPES.iter().copied().filter(|_| random.chance(35)).collect();
    if types.is_empty() {
        types = vec![random.pick(&TYPES)];
    }
    let named = &PRIMARIES[..1 + random.below(2)];
    let ids: Vec<Value> = named.iter().map(|id| json!({ "id": id })).collect();
    let mut data = json!({"type": "SECURITY_GROUPS_COMMON", "securityGroups": ids,
        "revertManualSecurityGroupChanges": random.chance(50),
        "exclusiveResourceSecurityGroupManagement": random.chance(30),
        "applyToAllEC2InstanceENIs": random.chance(50), "includeSharedVPC": random.chance(50)});
    in_words(case, &mut data, random);
    case["policy"] = policy("common", "SECURITY_GROUPS_COMMON", &data, &types);

    let account = case["account"].as_str().expect("an account").to_owned();
    let mut ids = Ids(0);
    let mut items = vec![];
    // Load balancers and their groups stay in one VPC, whatever is edited.
    let balancers = types.iter().any(|kind| kind.contains("LoadBalanc"));
    let [one, two] = if balancers { ["vpc-0b1", "vpc-0b2"] } else { ["vpc-01", "vpc-02"] };
    let mut vpcs = vec![one.to_owned()];
    if random.chance(35) {
        let owner = if random.chance(50) && !balancers { OTHER } else { &account };
        let body = json!({"vpcId": two, "cidrBlock": "10.2.0.0/16", "ownerId": owner, "tags": []});
        items.push(item(random, &account, REGION, "AWS::EC2::VPC", two, body));
        vpcs.push(two.to_owned());
    }
    let home = if account == ADMIN && random.chance(70) { one } else { "vpc-0ad" };
    let mut admin_items = primaries(random, named, home);
    let made = groups(random, &account, &admin_items, named, &vpcs, &mut ids, &mut items);
    carriers(random, (&account, home), &made, &vpcs, &mut ids, &mut items);
    if random.chance(6) {
        let at = random.below(items.len());
        items[at] = not_recorded(&items[at]);
    }
    match random.below(40) {
        0 => drop(admin_items.pop()),
        1 => admin_items[0] = not_recorded(&admin_items[0]),
        _ => {}
    }
    if account == ADMIN {
        items.extend(admin_items.iter().cloned());
    }
    histories(random, &mut items);
    recorder(
        random,
        &account,
        REGION,
        &mut items,
        &[GROUP, INTERFACE, INSTANCE, BALANCER, CLASSIC],
    );
    case["delivery"] = delivery(random, &account, REGION, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": admin_items,
        "configSnapshotId": "adadadad-0000-4000-8000-000000000000"});
    if random.chance(20) {
        part(case, random);
    }
    if *super::DOUBTS && random.chance(4) {
        attach_twice(case, random);
    }
}

/// The administrator's groups that the policy names.
fn primaries(random: &mut Random, named: &[&str], home: &str) -> Vec<Value> {
    let mut made = vec![];
    for id in named {
        let mut sides = [vec![], vec![]];
        for side in &mut sides {
            for _ in 0..random.below(3) {
                let mut permission = permission(random);
                permission["userIdGroupPairs"] = json!([]);
                side.push(permission);
            }
        }
        let mut primary = group(random, id, ADMIN, "primary", &sides[0], &sides[1]);
        in_vpc(&mut primary, home);
        made.push(primary);
    }
    made
}

fn in_vpc(group: &mut Value, vpc: &str) {
    let mut body = boundary::body_of(group);
    body["vpcId"] = json!(vpc);
    group["configuration"] = body;
}

/// Replicas of each primary group in each VPC, or nearly; and groups of the account's own.
fn groups(
    random: &mut Random,
    account: &str,
    primaries: &[Value],
    named: &[&str],
    vpcs: &[String],
    ids: &mut Ids,
    items: &mut Vec<Value>,
) -> Vec<Made> {
    let mut made = vec![];
    for vpc in vpcs {
        for (primary, of) in primaries.iter().zip(named) {
            let body = boundary::body_of(primary);
            let mut sides = [&body["ipPermissions"], &body["ipPermissionsEgress"]]
                .map(|side| side.as_array().cloned().unwrap_or_default());
            if random.chance(25) {
                let side = &mut sides[random.below(2)];
                match random.below(3) {
                    0 => drop(side.pop()),
                    1 => side.push(permission(random)),
                    _ => {
                        let at = random.below(side.len().max(1));
                        if let Some(permission) = side.get_mut(at) {
                            boundary::change_one(permission, random);
                        }
                    }
                }
            }
            sides.iter_mut().for_each(|side| rewrite(side, random));
            let name = match random.below(14) {
                0 => format!("FMManagedSecurityGroup{ANOTHER}-{of}"),
                1 => format!("FMManagedSecurityGroup{POLICY}-sg-0aa09"),
                2 => format!("FMManagedSecurityGroup{POLICY}"),
                3 => format!("xFMManagedSecurityGroup{POLICY}-{of}"),
                4 | 5 => format!("FMManagedSecurityGroup{POLICY}-{of}-{vpc}"),
                _ => format!("FMManagedSecurityGroup{POLICY}-{of}"),
            };
            let id = ids.next("sg");
            let mut replica = group(random, &id, account, &name, &sides[0], &sides[1]);
            in_vpc(&mut replica, vpc);
            match random.below(30) {
                0 => replica["configuration"]["ownerId"] = json!(OTHER),
                1 => captured(&mut replica, 1),
                2 => replica = not_recorded(&replica),
                3 => {
                    let body = replica["configuration"].as_object_mut().expect("built as one");
                    body.remove(random.pick(&["groupName", "ipPermissions", "ownerId"]));
                }
                _ => {}
            }
            items.push(replica);
            made.push(Made { id, vpc: vpc.clone(), serves: true });
        }
        if random.chance(50) {
            let id = ids.next("sg");
            let mut own = group(random, &id, account, "web", &[], &[]);
            in_vpc(&mut own, vpc);
            items.push(own);
            made.push(Made { id, vpc: vpc.clone(), serves: false });
        }
        if account == ADMIN {
            made.extend(named.iter().map(|id| Made {
                id: (*id).to_owned(),
                vpc: vpc.clone(),
                serves: true,
            }));
        }
    }
    made
}

/// Interfaces, instances and load balancers that list groups of their VPC.
fn carriers(
    random: &mut Random,
    (account, home): (&str, &str),
    made: &[Made],
    vpcs: &[String],
    ids: &mut Ids,
    items: &mut Vec<Value>,
) {
    let right = [70, 92, 97][random.below(3)];
    let others = [3, 30][random.below(2)];
    let some = |random: &mut Random, vpc: &str| -> Vec<Value> {
        let of_vpc = made.iter().filter(|one| one.vpc == vpc);
        let mut some: Vec<Value> = of_vpc
            .filter(|one| random.chance(if one.serves { right } else { others }))
            .map(|one| json!({"groupId": one.id, "groupName": "a group"}))
            .collect();
        if random.chance(3) {
            some.push(json!({"groupId": "sg-0abc00", "groupName": "shared"}));
        }
        some
    };
    for _ in 0..random.below(3) {
        let (id, vpc) = (ids.next("eni"), &vpcs[random.below(vpcs.len())]);
        let mut body = json!({"networkInterfaceId": id, "groups": some(random, vpc), "vpcId": vpc,
            "subnetId": "subnet-01", "status": "in-use", "interfaceType": "interface",
            "requesterManaged": random.chance(15), "ownerId": account, "tagSet": []});
        match random.below(30) {
            0 => body["ownerId"] = json!(OTHER),
            1 | 2 => {
                let members = ["requesterManaged", "groups", "vpcId", "ownerId"];
                body.as_object_mut().expect("built as one").remove(random.pick(&members));
            }
            _ => {}
        }
        items.push(item(random, account, REGION, INTERFACE, &id, body));
    }
    for _ in 0..random.below(3) {
        let (id, vpc) = (ids.next("i"), &vpcs[random.below(vpcs.len())]);
        let gone = random.chance(8);
        let mut entries = vec![];
        for at in 0..if gone { 0 } else { 1 + random.below(2) } {
            let (eni, groups) = (ids.next("eni"), some(random, vpc));
            entries.push(json!({"networkInterfaceId": eni, "groups": groups,
                "attachment": {"deviceIndex": at}}));
            if random.chance(70) {
                let body = json!({"networkInterfaceId": eni, "groups": groups, "vpcId": vpc,
                    "subnetId": "subnet-01", "status": "in-use", "interfaceType": "interface",
                    "requesterManaged": false, "ownerId": account, "tagSet": [],
                    "attachment": {"instanceId": id, "deviceIndex": at}});
                items.push(item(random, account, REGION, INTERFACE, &eni, body));
            }
        }
        let first = entries.first().map_or(json!([]), |entry| entry["groups"].clone());
        if random.chance(30) {
            entries.reverse();
        }
        let mut body = json!({"instanceId": id, "vpcId": vpc, "subnetId": "subnet-01",
            "state": {"name": if gone { "terminated" } else { "running" }},
            "securityGroups": first, "networkInterfaces": entries, "tags": []});
        if random.chance(4) {
            let members = ["vpcId", "securityGroups", "networkInterfaces", "state"];
            body.as_object_mut().expect("built as one").remove(random.pick(&members));
        }
        items.push(item(random, account, REGION, INSTANCE, &id, body));
    }
    for kind in [BALANCER, BALANCER, CLASSIC, CLASSIC] {
        if !random.chance(35) {
            continue;
        }
        let vpc = &vpcs[random.below(vpcs.len())];
        let mut listed: Vec<Value> =
            some(random, vpc).iter().map(|group| group["groupId"].clone()).collect();
        listed.retain(|id| vpc == home || !PRIMARIES.iter().any(|primary| id == primary));
        let (id, mut body) = match kind {
            BALANCER => {
                let (short, of) =
                    [("app", "application"), ("app", "application"), ("net", "network")]
                        [random.below(3)];
                let name = ids.next("lb");
                let id = format!(
                    "arn:aws:elasticloadbalancing:{REGION}:{account}:loadbalancer/{short}/{name}/1"
                );
                let body = json!({"loadBalancerArn": id, "type": of, "vpcId": vpc, "securityGroups": listed});
                (id, body)
            }
            _ => (ids.next("clb"), json!({"vpcid": vpc, "securityGroups": listed})),
        };
        if random.chance(4) {
            let members = ["securityGroups", "type"];
            body.as_object_mut().expect("built as one").remove(random.pick(&members));
        }
        let mut made = item(random, account, REGION, kind, &id, body);
        if random.chance(10) {
            captured(&mut made, 1);
        }
        items.push(made);
    }
    if random.chance(10)
        && let Some(at) = items.iter().position(|item| item["resourceType"] == INTERFACE)
        && items[at]["configuration"]["groups"].is_array()
    {
        push(&mut items[at]["configuration"], "groups", json!({"groupId": "sg-0ffff"}));
    }
}
