//! Worlds of Network Firewall: VPCs with public and other subnets, firewalls of the policy and of others,
//! firewall policies nearly as wanted.

use serde_json::{Value, json};

use super::items::{Ids, captured, delivery, histories, item, not_recorded, recorder};
use super::{ADMIN, OTHER, policy};
use crate::random::Random;

const VPC: &str = "AWS::EC2::VPC";
const SUBNET: &str = "AWS::EC2::Subnet";
const TABLE: &str = "AWS::EC2::RouteTable";
const FIREWALL: &str = "AWS::NetworkFirewall::Firewall";
const FIREWALL_POLICY: &str = "AWS::NetworkFirewall::FirewallPolicy";
const REGION: &str = "eu-west-1";
const ZONES: [&str; 3] = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const ACTIONS: [&str; 3] = ["aws:pass", "aws:drop", "aws:forward_to_sfe"];

pub(super) fn firewall_case(case: &mut Value, random: &mut Random) {
    case["region"] = json!(REGION);
    let account = case["account"].as_str().expect("an account").to_owned();
    let config = config(random);
    let zones: Vec<&str> = ZONES.iter().copied().filter(|_| random.chance(50)).collect();
    let listed: Vec<Value> = zones
        .iter()
        .map(|zone| json!({"availabilityZoneName": zone, "allowedIPV4CidrList": []}))
        .collect();
    let custom = json!({"endpointLocation": {"availabilityZoneConfigList": listed}});
    let central = random.chance(35) && !listed.is_empty();
    let mut data = config.clone();
    data["type"] = json!("NETWORK_FIREWALL");
    if central {
        data = json!({"type": "NETWORK_FIREWALL", "awsNetworkFirewallConfig": config,
            "firewallDeploymentModel": {"centralizedFirewallDeploymentModel": {
                "centralizedFirewallOrchestrationConfig": {
                    "inspectionVpcIds": [{"resourceId": "vpc-01", "accountId": account}],
                    "firewallCreationConfig": custom, "allowedIPV4CidrList": []}}}});
    } else {
        let mut orchestration = json!({"singleFirewallEndpointPerVPC": false,
            "allowedIPV4CidrList": null, "routeManagementAction": "OFF"});
        if random.chance(45) && !listed.is_empty() {
            orchestration["firewallCreationConfig"] = custom;
        }
        data["networkFirewallOrchestrationConfig"] = orchestration;
    }
    case["policy"] = policy("nfw", "NETWORK_FIREWALL", &data, &[VPC]);
    if central {
        case["policy"]["SecurityServicePolicyData"]["PolicyOption"] =
            json!({"NetworkFirewallPolicy": {"FirewallDeploymentModel": "CENTRALIZED"}});
    }
    let mut items = vec![];
    let mut ids = Ids(0);
    let mut vpcs = vec!["vpc-01".to_owned()];
    if random.chance(40) {
        let owner = if random.chance(25) { OTHER } else { &account };
        let body =
            json!({"vpcId": "vpc-02", "cidrBlock": "10.2.0.0/16", "ownerId": owner, "tags": []});
        items.push(item(random, &account, REGION, VPC, "vpc-02", body));
        vpcs.push("vpc-02".to_owned());
    }
    for vpc in &vpcs {
        network(random, (&account, vpc), &config, &mut ids, &mut items);
    }
    if random.chance(6) {
        let at = random.below(items.len());
        items[at] = not_recorded(&items[at]);
    }
    histories(random, &mut items);
    let types = [
        VPC,
        SUBNET,
        TABLE,
        FIREWALL,
        FIREWALL_POLICY,
        "AWS::EC2::InternetGateway",
        "AWS::NetworkFirewall::RuleGroup",
        "AWS::EC2::VPCEndpoint",
    ];
    recorder(random, &account, REGION, &mut items, &types);
    case["delivery"] = delivery(random, &account, REGION, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}

fn group(kind: &str, name: &str) -> String {
    format!("arn:aws:network-firewall:{REGION}:{ADMIN}:{kind}-rulegroup/{name}")
}

/// Rules and options as policies write them.
pub(super) fn config(random: &mut Random) -> Value {
    let mut stateless = vec![];
    for (at, name) in ["a", "b"].iter().enumerate().take(random.below(3)) {
        stateless.push(json!({"resourceARN": group("stateless", name), "priority": 100 + at}));
    }
    let strict = random.chance(50);
    let mut stateful = vec![];
    for (at, name) in ["c", "d"].iter().enumerate().take(random.below(3)) {
        let mut one = json!({"resourceARN": group("stateful", name)});
        if strict {
            one["priority"] = json!(100 + at);
        }
        stateful.push(one);
    }
    let mut made = json!({
        "networkFirewallStatelessRuleGroupReferences": stateless,
        "networkFirewallStatelessDefaultActions": [random.pick(&ACTIONS)],
        "networkFirewallStatelessFragmentDefaultActions": [random.pick(&ACTIONS)],
        "networkFirewallStatelessCustomActions": [],
        "networkFirewallStatefulRuleGroupReferences": stateful,
    });
    if strict {
        made["networkFirewallStatefulEngineOptions"] = json!({"ruleOrder": "STRICT_ORDER"});
        made["networkFirewallStatefulDefaultActions"] = json!(["aws:drop_strict"]);
    }
    made
}

/// A firewall policy of an account, as wanted or one thing off.
pub(super) fn firewall_policy(
    random: &mut Random,
    account: &str,
    id: &str,
    config: &Value,
    ids: &mut Ids,
) -> Value {
    let references = |key: &str| -> Vec<Value> {
        let all = config[key].as_array().into_iter().flatten();
        all.map(|one| {
            let mut held = json!({"resourceArn": one["resourceARN"]});
            if !one["priority"].is_null() {
                held["priority"] = one["priority"].clone();
            }
            held
        })
        .collect()
    };
    let mut stateless = references("networkFirewallStatelessRuleGroupReferences");
    let mut stateful = references("networkFirewallStatefulRuleGroupReferences");
    if random.chance(30) {
        stateful.push(json!({"resourceArn": group("stateful", "own"), "priority": 7}));
    }
    if random.chance(20) {
        stateless.push(json!({"resourceArn": group("stateless", "own"), "priority": 7}));
    }
    let mut policy = json!({
        "statelessRuleGroupReferences": stateless, "statefulRuleGroupReferences": stateful,
        "statelessDefaultActions": config["networkFirewallStatelessDefaultActions"],
        "statelessFragmentDefaultActions": config["networkFirewallStatelessFragmentDefaultActions"],
    });
    let options = &config["networkFirewallStatefulEngineOptions"];
    if !options.is_null() {
        policy["statefulEngineOptions"] = options.clone();
        policy["statefulDefaultActions"] = config["networkFirewallStatefulDefaultActions"].clone();
    }
    if random.chance(35) {
        let sides = ["statelessRuleGroupReferences", "statefulRuleGroupReferences"];
        let side = random.pick(&sides);
        match random.below(6) {
            0 | 1 => drop(policy[side].as_array_mut().map(Vec::pop)),
            2 => policy["statelessDefaultActions"] = json!([random.pick(&ACTIONS)]),
            3 => policy["statelessFragmentDefaultActions"] = json!([random.pick(&ACTIONS), "own"]),
            4 => {
                let members = [side, "statelessDefaultActions", "statefulEngineOptions"];
                policy.as_object_mut().expect("built as one").remove(random.pick(&members));
            }
            _ => {
                if let Some(one) = policy[side].as_array_mut().and_then(|all| all.first_mut()) {
                    one["priority"] = json!(101);
                }
            }
        }
    }
    let arn = format!("arn:aws:network-firewall:{REGION}:{account}:firewall-policy/{id}");
    let body = json!({"firewallPolicyArn": arn, "firewallPolicy": policy,
        "firewallPolicyResponse": {"firewallPolicyArn": arn, "firewallPolicyName": id}});
    let id = ids.next("fwpolicy");
    let mut made = item(random, account, REGION, FIREWALL_POLICY, &id, body);
    if random.chance(15) {
        captured(&mut made, 1);
    }
    made
}

/// Subnets, route tables, and firewalls of one VPC.
fn network(
    random: &mut Random,
    (account, vpc): (&str, &str),
    config: &Value,
    ids: &mut Ids,
    items: &mut Vec<Value>,
) {
    let igw = format!("igw-{}", &vpc[4..]);
    let local =
        json!({"destinationCidrBlock": "10.0.0.0/8", "gatewayId": "local", "state": "active"});
    let mut out = json!({"destinationCidrBlock": "0.0.0.0/0", "gatewayId": igw, "state": "active"});
    match random.below(12) {
        0 => {
            out = json!({"destinationIpv6CidrBlock": "::/0", "gatewayId": igw, "state": "active"});
        }
        1 => {
            out = json!({"destinationPrefixListId": "pl-0a", "gatewayId": igw, "state": "active"});
        }
        _ => {}
    }
    if random.chance(12) {
        // To an endpoint: of the firewall's, of something else's, or one that is not held.
        let name = ["vpce-00005", "vpce-0other", "vpce-0none"][random.below(3)];
        let member = random.pick(&["gatewayId", "gatewayId", "vpcEndpointId"]);
        out = json!({"destinationCidrBlock": "0.0.0.0/0", member: name, "state": "active"});
        let kind = random.pick(&["GatewayLoadBalancer", "Gateway"]);
        let body = json!({"vpcEndpointType": kind, "vpcId": vpc, "subnetIds": ["subnet-0other"],
            "state": "available", "tags": []});
        if name == "vpce-0other" {
            items.push(item(random, account, REGION, "AWS::EC2::VPCEndpoint", name, body));
        }
    }
    let nat =
        json!({"destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "nat-01", "state": "active"});
    let mut associations = [vec![], vec![], vec![]];
    associations[random.below(2)].push(json!({"main": true}));
    if random.chance(5) {
        // One that is not held.
        associations[random.below(2)].push(json!({"main": false, "subnetId": "subnet-0none"}));
    }
    let mut subnets = vec![];
    for _ in 0..1 + random.below(3) {
        let id = ids.next("subnet");
        let zone = random.pick(&ZONES);
        subnets.push((id.clone(), zone));
        if random.chance(75) {
            associations[random.below(2)].push(json!({"main": false, "subnetId": id}));
        }
        let mut body = json!({"subnetId": id, "vpcId": vpc, "availabilityZone": zone,
            "cidrBlock": "10.0.1.0/24", "ownerId": account, "tags": []});
        if random.chance(4) {
            let members = ["vpcId", "availabilityZone", "ownerId"];
            body.as_object_mut().expect("built as one").remove(random.pick(&members));
        }
        items.push(item(random, account, REGION, SUBNET, &id, body));
    }
    // The firewall's own subnets, in the zones of others or in all.
    let mut mappings = vec![];
    for zone in ZONES {
        let wanted = subnets.iter().any(|(_, of)| *of == zone);
        if !random.chance(if wanted { 85 } else { 40 }) {
            continue;
        }
        let id = ids.next("subnet-fw");
        mappings.push(json!({"subnetId": id}));
        associations[2].push(json!({"main": false, "subnetId": id}));
        let body = json!({"subnetId": id, "vpcId": vpc, "availabilityZone": zone,
            "cidrBlock": "10.0.9.0/28", "ownerId": account, "tags": []});
        if !random.chance(4) {
            items.push(item(random, account, REGION, SUBNET, &id, body));
        }
        if !random.chance(5) {
            let kind = if random.chance(96) { "GatewayLoadBalancer" } else { "Interface" };
            let (vpce, body) = (
                ids.next("vpce"),
                json!({"vpcEndpointType": kind, "vpcId": vpc,
                "subnetIds": [id], "state": "available", "tags": []}),
            );
            items.push(item(random, account, REGION, "AWS::EC2::VPCEndpoint", &vpce, body));
        }
    }
    for (of, routes) in
        associations.iter().zip([vec![&local, &out], vec![&local, &nat], vec![&local]])
    {
        let id = ids.next("rtb");
        let mut body = json!({"routeTableId": id, "vpcId": vpc, "routes": routes, "associations": of,
            "ownerId": account, "tags": []});
        if random.chance(4) {
            let members = ["routes", "associations", "vpcId"];
            body.as_object_mut().expect("built as one").remove(random.pick(&members));
        }
        items.push(item(random, account, REGION, TABLE, &id, body));
    }
    let own = format!("FMManagedNetworkFirewallnfw{}{vpc}", super::COMMON_POLICY);
    for at in 0..[0, 1, 1, 1, 1, 2][random.below(6)] {
        let name = match (at, random.below(10)) {
            (0, 0..8) => own.clone(),
            (_, 8) => own.replace("0001vpc", "0002vpc"),
            (_, 9) => format!("{own}x"),
            _ => "customer".to_owned(),
        };
        let policy = format!("FMManagedNetworkFirewallPolicy{vpc}{at}");
        let arn = format!("arn:aws:network-firewall:{REGION}:{account}:firewall/{name}");
        let policy_arn =
            format!("arn:aws:network-firewall:{REGION}:{account}:firewall-policy/{policy}");
        let mut firewall = json!({"firewallName": name, "firewallArn": arn, "vpcId": vpc,
            "firewallPolicyArn": policy_arn, "subnetMappings": mappings});
        if random.chance(4) {
            let members = ["vpcId", "subnetMappings", "firewallPolicyArn", "firewallName"];
            firewall.as_object_mut().expect("built as one").remove(random.pick(&members));
        }
        let id = format!("f1f1f1f1-0000-4000-8000-{:012}", ids.0 + 1);
        ids.0 += 1;
        items.push(item(random, account, REGION, FIREWALL, &id, json!({ "firewall": firewall })));
        if !random.chance(4) {
            items.push(firewall_policy(random, account, &policy, config, ids));
        }
    }
}
