//! Not told is not none (semantics §11 row 38): whatever member of an item is hidden, no account that
//! was not COMPLIANT becomes COMPLIANT, and what a verdict read is missed.

use serde_json::{Value, json};

use crate::inventory::{ShardBuilder, read_item};
use crate::policy::{self, Identity, Policy, PolicyFile};

use super::world::{ACCOUNT, ADMIN, account, gaps, held, shard_id};
use super::{AccountFacts, Evidence, Judgement, Reference, References, Status, references};

const ALB: &str = "arn:aws:elasticloadbalancing:us-east-1:111111111111:loadbalancer/app/web/1";
const ACL: &str =
    "arn:aws:wafv2:us-east-1:111111111111:regional/webacl/FMManagedWebACLV2-p-1600000000000/1";

fn item(kind: &str, id: &str, configuration: &Value) -> Value {
    json!({"relationships": [], "configuration": configuration, "supplementaryConfiguration": {},
        "tags": {}, "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-02-03T04:05:06.789Z",
        "configurationStateId": 1_770_091_506_789_u64, "awsAccountId": ACCOUNT,
        "configurationItemStatus": "OK", "resourceType": kind, "resourceId": id,
        "awsRegion": "us-east-1"})
}

fn recorder() -> Value {
    let body = json!({"Recording": true, "RecordingGroup": {"AllSupported": true}});
    item("AWS::Config::ConfigurationRecorder", "default", &body)
}

fn group(id: &str, protocol: &str) -> Value {
    let rule = json!({"ipProtocol": protocol, "fromPort": 22, "toPort": 22, "ipv4Ranges":
        [{"cidrIp": "10.0.0.0/8"}], "ipv6Ranges": [], "ipRanges": ["10.0.0.0/8"],
        "prefixListIds": [], "userIdGroupPairs": []});
    let body = json!({"groupId": id, "groupName": format!("name {id}"), "ownerId": ACCOUNT,
        "vpcId": "vpc-1", "ipPermissions": [rule], "ipPermissionsEgress": [], "tags": []});
    item("AWS::EC2::SecurityGroup", id, &body)
}

fn groups(ids: &[&str]) -> Vec<Value> {
    ids.iter().map(|id| json!({"groupId": id, "groupName": "x"})).collect()
}

fn interface(id: &str, carried: &[&str]) -> Value {
    let body = json!({"networkInterfaceId": id, "groups": groups(carried), "vpcId": "vpc-1",
        "ownerId": ACCOUNT, "status": "in-use"});
    item("AWS::EC2::NetworkInterface", id, &body)
}

fn instance(id: &str, state: &str, first: &[&str], second: &[&str]) -> Value {
    let listed = |at: u8, carried| {
        json!({"networkInterfaceId": format!("eni-{id}-{at}"), "groups": groups(carried),
            "attachment": {"deviceIndex": at}})
    };
    let body = json!({"state": {"name": state}, "vpcId": "vpc-1", "securityGroups": groups(first),
        "networkInterfaces": [listed(0, first), listed(1, second)]});
    item("AWS::EC2::Instance", id, &body)
}

fn balancer(attributes: &Value) -> Value {
    let body = json!({"type": "application", "loadBalancerArn": ALB, "securityGroups": []});
    let mut item = item("AWS::ElasticLoadBalancingV2::LoadBalancer", ALB, &body);
    item["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": attributes});
    item
}

fn acl(related: &[&str]) -> Value {
    let body = json!({"ARN": ACL, "Id": "1", "Name": "FMManagedWebACLV2-p-1600000000000",
        "DefaultAction": {"Allow": {}}, "Rules": [], "ManagedByFirewallManager": true,
        "RetrofittedByFirewallManager": false, "PreProcessFirewallManagerRuleGroups": [],
        "PostProcessFirewallManagerRuleGroups": []});
    let mut item = item("AWS::WAFv2::WebACL", ACL, &body);
    let related = related.iter().map(|id| {
        json!({"resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer", "resourceId": id,
            "name": "Is associated with "})
    });
    item["relationships"] = related.collect();
    item
}

/// The primary group of the administrator's, or a replica of it, with this rule and these tags.
fn common_group(id: &str, name: &str, owner: &str, protocol: &str, pairs: &Value) -> Value {
    let mut item = group(id, protocol);
    item["configuration"]["groupName"] = json!(name);
    item["configuration"]["ownerId"] = json!(owner);
    item["configuration"]["ipPermissions"][0]["userIdGroupPairs"] = pairs.clone();
    item["tags"] = json!({"team": "security"});
    item
}

fn primary(pairs: &Value) -> Value {
    common_group("sg-p", "primary", ADMIN, "tcp", pairs)
}

fn replica(protocol: &str) -> Value {
    let name = "FMManagedSecurityGroup01234567-89ab-cdef-0123-456789abcdef-sg-p";
    common_group("sg-r", name, ACCOUNT, protocol, &json!([]))
}

fn peering() -> Value {
    let side =
        |vpc: &str, owner: &str| json!({"vpcId": vpc, "ownerId": owner, "region": "us-east-1"});
    let body = json!({"vpcPeeringConnectionId": "pcx-1", "status": {"code": "active"},
        "accepterVpcInfo": side("vpc-1", ACCOUNT), "requesterVpcInfo": side("vpc-9", ADMIN)});
    item("AWS::EC2::VPCPeeringConnection", "pcx-1", &body)
}

fn vpc(owner: &str) -> Value {
    item("AWS::EC2::VPC", "vpc-1", &json!({"vpcId": "vpc-1", "ownerId": owner}))
}

fn protection(more: &Value) -> Value {
    let mut body = json!({"Id": "p", "Name": "p", "ResourceArn": ALB});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    item("AWS::ShieldRegional::Protection", "p", &body)
}

fn policy_of(kind: &str, types: &[&str], data: &Value, tags: &Value) -> Policy {
    policy_with(kind, types, data, tags, &Value::Null)
}

fn policy_with(kind: &str, types: &[&str], data: &Value, tags: &Value, option: &Value) -> Policy {
    let mut data = data.clone();
    data["type"] = json!(kind);
    let text = json!({"PolicyName": "p", "ResourceType": "ResourceTypeList",
        "ResourceTypeList": types, "ResourceTags": tags, "ExcludeResourceTags": false,
        "RemediationEnabled": false, "SecurityServicePolicyData":
            {"Type": kind, "ManagedServiceData": data.to_string(), "PolicyOption": option}});
    let file = PolicyFile::parse(text.to_string().as_bytes()).unwrap();
    let identity = Identity {
        id: "01234567-89ab-cdef-0123-456789abcdef".try_into().unwrap(),
        owner: account(ADMIN),
        region: "us-east-1".try_into().unwrap(),
        revision: 1,
        former_names: Vec::new(),
    };
    policy::parse(&file.policy, identity).unwrap()
}

const GROUP: &str = "AWS::EC2::SecurityGroup";
const SUBNET: &str = "AWS::EC2::Subnet";
const INSTANCE: &str = "AWS::EC2::Instance";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";

fn usage(unused: bool, unique: bool) -> Policy {
    let data =
        json!({"deleteUnusedSecurityGroups": unused, "coalesceRedundantSecurityGroups": unique});
    policy_of("SECURITY_GROUPS_USAGE_AUDIT", &[GROUP], &data, &json!([]))
}

fn content(types: &[&str], tags: &Value) -> Policy {
    let data = json!({"preManagedOptions": [{"denyProtocolAllValue": true},
        {"auditSgDirection": {"type": "ALL"}}]});
    policy_of("SECURITY_GROUPS_CONTENT_AUDIT", types, &data, tags)
}

fn common(types: &[&str], switches: &[&str]) -> Policy {
    let mut data = json!({"securityGroups": [{"id": "sg-p"}]});
    for switch in switches {
        data[switch] = json!(true);
    }
    policy_of("SECURITY_GROUPS_COMMON", types, &data, &json!([]))
}

fn waf() -> Policy {
    let data = json!({"preProcessRuleGroups": [], "postProcessRuleGroups": [], "defaultAction":
        {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false});
    policy_of("WAFV2", &[BALANCER], &data, &json!([]))
}

fn shield(status: &str) -> Policy {
    let action = if status == "ENABLED" { json!("BLOCK") } else { Value::Null };
    let data = json!({"automaticResponseConfiguration":
        {"automaticResponseStatus": status, "automaticResponseAction": action}});
    policy_of("SHIELD_ADVANCED", &[BALANCER], &data, &json!([]))
}

fn subnet() -> Value {
    let body = json!({"subnetId": "subnet-1", "vpcId": "vpc-1", "availabilityZone": "us-east-1a",
        "ownerId": ACCOUNT, "state": "available", "tags": []});
    item(SUBNET, "subnet-1", &body)
}

fn network_acl(ssh: &str) -> Value {
    let entry = |number: u32, protocol: &str, action: &str, egress: bool| {
        let mut entry = json!({"ruleNumber": number, "protocol": protocol, "ruleAction": action,
            "egress": egress, "cidrBlock": "0.0.0.0/0"});
        if protocol != "-1" {
            entry["portRange"] = json!({"from": 22, "to": 22});
        }
        entry
    };
    let body = json!({"networkAclId": "acl-1", "vpcId": "vpc-1", "isDefault": false, "ownerId": ACCOUNT,
        "entries": [entry(100, "6", ssh, false), entry(200, "-1", "allow", false),
            entry(32_767, "-1", "deny", false), entry(32_767, "-1", "deny", true)],
        "associations": [{"networkAclAssociationId": "aclassoc-1", "networkAclId": "acl-1",
            "subnetId": "subnet-1"}], "tags": []});
    item("AWS::EC2::NetworkAcl", "acl-1", &body)
}

fn no_ssh(tags: &Value) -> Policy {
    let entry = json!({"Protocol": "tcp", "PortRange": {"From": 22, "To": 22}, "RuleAction": "deny",
        "Egress": false, "CidrBlock": "0.0.0.0/0"});
    let set = json!({"FirstEntries": [entry], "ForceRemediateForFirstEntries": false,
        "ForceRemediateForLastEntries": false});
    let option = json!({"NetworkAclCommonPolicy": {"NetworkAclEntrySet": set}});
    policy_with("NETWORK_ACL_COMMON", &[SUBNET], &json!({}), tags, &option)
}

fn association(group: &str, priority: u16) -> Value {
    let body = json!({"Id": "as-1", "FirewallRuleGroupId": group, "VpcId": "vpc-1",
        "Priority": priority, "Status": "COMPLETE", "Name": "mine", "MutationProtection": "DISABLED"});
    item("AWS::Route53Resolver::FirewallRuleGroupAssociation", "as-1", &body)
}

fn classic_acl(name: &str, group: &str, on: &[&str]) -> Value {
    let on: Vec<Value> = on.iter().map(|arn| json!({"resourceARN": arn})).collect();
    let body = json!({"webACLId": "acl-1", "name": name, "metricName": "m", "defaultAction":
        {"type": "ALLOW"}, "rulesList": [{"ruleId": group, "priority": 1, "type": "GROUP",
        "overrideAction": {"type": "NONE"}, "excludedRules": []}], "associationList": on});
    item("AWS::WAFRegional::WebACL", "acl-1", &body)
}

fn classic() -> Policy {
    let data = json!({"ruleGroups": [{"id": "g-1", "overrideAction": {"type": "NONE"}}],
        "defaultAction": {"type": "ALLOW"}});
    policy_of("WAF", &[BALANCER], &data, &json!([]))
}

fn on_classic() -> Value {
    balancer(&json!([{"key": "waf.web_acl_id", "value": "acl-1"}]))
}

fn dns() -> Policy {
    let data = json!({"preProcessRuleGroups": [{"ruleGroupId": "rg-a", "priority": 1}]});
    policy_of("DNS_FIREWALL", &["AWS::EC2::VPC"], &data, &json!([]))
}

fn table(id: &str, routes: &Value, subnets: &[&str]) -> Value {
    let on =
        |subnet: &&str| json!({"main": false, "routeTableAssociationId": "a", "subnetId": subnet});
    let body = json!({"routeTableId": id, "vpcId": "vpc-1", "ownerId": ACCOUNT, "routes": routes,
        "associations": subnets.iter().map(on).collect::<Vec<_>>()});
    item("AWS::EC2::RouteTable", id, &body)
}

fn route(destination: &str, gateway: &str) -> Value {
    json!({"destinationCidrBlock": destination, "gatewayId": gateway, "state": "active"})
}

/// A VPC whose subnet goes to the internet by `to`, with a firewall of the policy's own that filters by
/// the rule group.
fn firewalled(to: &str, group: &str) -> Vec<Value> {
    let mut firewall_subnet = subnet();
    firewall_subnet["resourceId"] = json!("subnet-f");
    let mut subnet = subnet();
    subnet["configuration"]["cidrBlock"] = json!("10.0.1.0/24");
    let gateway = json!({"internetGatewayId": "igw-1", "ownerId": ACCOUNT,
        "attachments": [{"vpcId": "vpc-1", "state": "available"}]});
    let mut entrance = table("rtb-i", &json!([route("10.0.1.0/24", "vpce-1")]), &["x"]);
    entrance["configuration"]["associations"] = json!([{"main": false, "gatewayId": "igw-1"}]);
    let endpoint = json!({"vpcEndpointId": "vpce-1", "vpcEndpointType": "GatewayLoadBalancer",
        "vpcId": "vpc-1", "state": "available", "subnetIds": ["subnet-f"]});
    let name = "FMManagedNetworkFirewallp01234567-89ab-cdef-0123-456789abcdefvpc-1";
    let firewall = json!({"firewall": {"firewallName": name, "firewallArn": "arn:f",
        "firewallPolicyArn": "arn:fp", "vpcId": "vpc-1", "subnetMappings": [{"subnetId": "subnet-f"}]}});
    let filters = json!({"firewallPolicy": {"statelessDefaultActions": ["aws:forward_to_sfe"],
            "statelessFragmentDefaultActions": ["aws:forward_to_sfe"],
            "statefulRuleGroupReferences": [{"resourceArn": group}]},
        "firewallPolicyResponse": {"firewallPolicyArn": "arn:fp", "firewallPolicyName": "fp"}});
    vec![
        vpc(ACCOUNT),
        subnet,
        firewall_subnet,
        item("AWS::EC2::InternetGateway", "igw-1", &gateway),
        table(
            "rtb-1",
            &json!([route("10.0.0.0/16", "local"), route("0.0.0.0/0", to)]),
            &["subnet-1"],
        ),
        table("rtb-f", &json!([route("0.0.0.0/0", "igw-1")]), &["subnet-f"]),
        entrance,
        item("AWS::EC2::VPCEndpoint", "vpce-1", &endpoint),
        item("AWS::NetworkFirewall::Firewall", "f", &firewall),
        item("AWS::NetworkFirewall::FirewallPolicy", "fp", &filters),
    ]
}

fn firewall_in_each() -> Policy {
    let data = json!({"networkFirewallStatelessDefaultActions": ["aws:forward_to_sfe"],
        "networkFirewallStatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
        "networkFirewallStatefulRuleGroupReferences": [{"resourceARN": "arn:g"}],
        "networkFirewallOrchestrationConfig": {"routeManagementAction": "MONITOR",
            "routeManagementTargetTypes": ["InternetGateway"]}});
    policy_of("NETWORK_FIREWALL", &["AWS::EC2::VPC"], &data, &json!([]))
}

/// What is found of the items; `None` when one of them cannot be read: it would stand as unseen.
fn judge(policy: &Policy, items: &[Value]) -> Option<Judgement> {
    let mut builder = ShardBuilder::new(shard_id());
    for item in items {
        builder.observe(read_item(item.to_string().as_bytes()).ok()?, None);
    }
    let shard = builder.seal();
    let facts = AccountFacts::of([&shard]);
    // What the policy names is among the items.
    let named = references(policy).into_iter().filter_map(|reference| {
        let Reference::Item { resource_type, id, .. } = &reference else { return None };
        let item = shard.item(resource_type, id.as_str())?.clone();
        Some((reference, held(item)))
    });
    let (references, evaluated_ms): (References, _) = (named.collect(), 2_000_000_000_000);
    let (shard, references, account) = (&shard, &references, &facts);
    let evidence = Evidence { shard, references, account, evaluated_ms, stale_after_ms: None };
    Some(super::judge(policy, &evidence))
}

/// Pointers to the members of objects, at whatever depth. Entries of a map of tags are no members: it
/// tells that all others are not there.
fn members(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                if pointer != "/tags" {
                    members(inner, &pointer, found);
                }
                found.push(pointer);
            }
        }
        Value::Array(list) => {
            for (place, inner) in list.iter().enumerate() {
                members(inner, &format!("{at}/{place}"), found);
            }
        }
        _ => {}
    }
}

fn without(item: &Value, pointer: &str) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let mut item = item.clone();
    item.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name);
    item
}

/// Each member of each item hidden in turn, the recorder's aside: its pointer, and what is found then.
fn hidings(policy: &Policy, items: &[Value]) -> Vec<(String, Judgement)> {
    let mut found = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if *item == recorder() {
            continue;
        }
        let mut pointers = Vec::new();
        members(item, "", &mut pointers);
        for pointer in pointers {
            let mut hidden = items.to_vec();
            hidden[at] = without(item, &pointer);
            if let Some(judgement) = judge(policy, &hidden) {
                found.push((format!("{} {pointer}", item["resourceId"]), judgement));
            }
        }
    }
    found
}

/// What is told by leaving it out: nothing can tell that it was hidden.
const CLAIMS_OF_ABSENCE: &[&str] = &[
    // A whole protection without automatic response has no such member (recorded items).
    "\"p\" /configuration/ApplicationLayerAutomaticResponseConfig",
];

#[test]
fn whatever_is_hidden_nothing_that_violates_complies() {
    let prod = json!([{"Key": "env", "Value": "prod"}]);
    let tagged = |mut item: Value| {
        item["tags"] = json!({"env": "prod"});
        item["configuration"]["tags"] = json!([{"key": "env", "value": "prod"}]);
        item
    };
    let waf_key = "waf.web_acl_id";
    let bare = || balancer(&json!([{"key": waf_key, "value": ""}]));
    let on_acl = || balancer(&json!([{"key": waf_key, "value": ACL}]));
    let response = json!({"ApplicationLayerAutomaticResponseConfig": {"Status": "ENABLED", "Action": {"Block": {}}}});
    let worlds: Vec<(&str, Policy, Vec<Value>)> = vec![
        ("unused", usage(true, false), vec![group("sg-1", "tcp")]),
        (
            "used by what is terminated",
            usage(true, false),
            vec![group("sg-1", "tcp"), instance("i-1", "terminated", &["sg-1"], &[])],
        ),
        (
            "redundant",
            usage(false, true),
            vec![group("sg-1", "tcp"), group("sg-2", "tcp"), interface("eni-1", &["sg-1"])],
        ),
        ("open", content(&[GROUP], &json!([])), vec![group("sg-1", "-1")]),
        ("open and tagged", content(&[GROUP], &prod), vec![tagged(group("sg-1", "-1"))]),
        (
            "carried by a second interface",
            content(&[INSTANCE], &json!([])),
            vec![
                group("sg-1", "tcp"),
                group("sg-2", "-1"),
                instance("i-1", "running", &["sg-1"], &["sg-2"]),
            ],
        ),
        (
            "carried by an interface",
            content(&["AWS::EC2::NetworkInterface"], &json!([])),
            vec![group("sg-1", "-1"), interface("eni-1", &["sg-1"])],
        ),
        (
            "without a replica",
            common(&[INTERFACE], &[]),
            vec![primary(&json!([])), group("sg-1", "tcp"), interface("eni-1", &["sg-1"])],
        ),
        (
            "with another group",
            common(&[BALANCER], &["exclusiveResourceSecurityGroupManagement"]),
            vec![primary(&json!([])), replica("tcp"), group("sg-1", "tcp"), {
                let mut balancer = balancer(&json!([]));
                balancer["configuration"]["securityGroups"] = json!(["sg-r", "sg-1"]);
                balancer
            }],
        ),
        (
            "on the primary interface alone",
            common(&[INSTANCE], &["applyToAllEC2InstanceENIs"]),
            vec![
                primary(&json!([])),
                replica("tcp"),
                group("sg-1", "tcp"),
                instance("i-1", "running", &["sg-r"], &["sg-1"]),
                vpc(ACCOUNT),
            ],
        ),
        (
            "edited",
            common(&[INTERFACE], &["revertManualSecurityGroupChanges"]),
            vec![primary(&json!([])), replica("udp")],
        ),
        (
            "tagged",
            common(&[INTERFACE], &["revertManualSecurityGroupChanges", "enableTagDistribution"]),
            vec![primary(&json!([])), {
                let mut replica = replica("tcp");
                replica["tags"] = json!({"team": "web"});
                replica
            }],
        ),
        (
            "without a reference",
            common(&[INTERFACE], &["enableSecurityGroupReferencesDistribution"]),
            vec![
                primary(&json!([{"groupId": "sg-9", "userId": ADMIN}])),
                replica("tcp"),
                peering(),
            ],
        ),
        ("bare", waf(), vec![bare(), acl(&[])]),
        ("bare by relationships", waf(), vec![balancer(&json!([])), acl(&[])]),
        ("unprotected", shield("IGNORED"), vec![on_acl(), acl(&[ALB])]),
        ("protected and bare", shield("IGNORED"), vec![bare(), acl(&[]), protection(&json!({}))]),
        ("response on", shield("DISABLED"), vec![on_acl(), acl(&[ALB]), protection(&response)]),
        ("response off", shield("ENABLED"), vec![on_acl(), acl(&[ALB]), protection(&json!({}))]),
    ];
    let firewalls = [
        ("bare under classic", classic(), vec![bare(), classic_acl("mine", "g-1", &[])]),
        ("another classic one", classic(), vec![on_classic(), classic_acl("mine", "g-1", &[])]),
        (
            "a classic one lacks the group",
            classic(),
            vec![on_classic(), classic_acl("FMManagedWebACL1", "g-2", &[])],
        ),
        (
            "a classic one lists it",
            classic(),
            vec![balancer(&json!([])), classic_acl("mine", "g-1", &[ALB])],
        ),
        ("unfiltered", dns(), vec![vpc(ACCOUNT), association("rg-b", 101)]),
        ("at another priority", dns(), vec![vpc(ACCOUNT), association("rg-a", 101)]),
        ("behind another group", dns(), vec![vpc(ACCOUNT), association("rg-b", 1)]),
    ];
    let acls = [
        ("an entry is missing", no_ssh(&json!([])), vec![subnet(), network_acl("allow")]),
        (
            "an entry is missing and the subnet is tagged",
            no_ssh(&prod),
            vec![tagged(subnet()), network_acl("allow")],
        ),
    ];
    let without_firewall = || {
        let mut items = firewalled("igw-1", "arn:g");
        items.retain(|item| item["resourceType"] != "AWS::NetworkFirewall::Firewall");
        items
    };
    let networks = [
        ("without a firewall", firewall_in_each(), without_firewall()),
        ("past the firewall", firewall_in_each(), firewalled("igw-1", "arn:g")),
        ("filtering by another group", firewall_in_each(), firewalled("vpce-1", "arn:h")),
    ];
    for (name, policy, mut items) in worlds.into_iter().chain(acls).chain(firewalls).chain(networks)
    {
        items.push(recorder());
        let judgement = judge(&policy, &items).unwrap();
        assert_eq!(judgement.status(), Some(Status::NonCompliant), "{name}");
        let all = hidings(&policy, &items);
        assert!(all.len() > 10, "{name}");
        for (hidden, judgement) in all {
            let is_claim = CLAIMS_OF_ABSENCE.contains(&hidden.as_str());
            let complies = judgement.status() == Some(Status::Compliant);
            assert!(is_claim || !complies, "{name} without {hidden}");
        }
    }
}

#[test]
fn what_a_verdict_read_is_missed_when_it_is_hidden() {
    let prod = json!([{"Key": "env", "Value": "prod"}]);
    let on_acl = || balancer(&json!([{"key": "waf.web_acl_id", "value": ACL}]));
    let used = vec![group("sg-1", "tcp"), interface("eni-1", &["sg-1"])];
    let carrying = vec![group("sg-1", "tcp"), instance("i-1", "running", &["sg-1"], &["sg-1"])];
    // item and member | policy | items
    let worlds: Vec<(&[&str], Policy, Vec<Value>)> = vec![
        (
            &[
                "\"sg-1\" /configuration/vpcId",
                "\"sg-1\" /configuration/ipPermissions",
                "\"sg-1\" /configuration/ipPermissionsEgress",
                "\"eni-1\" /configuration/groups",
            ],
            usage(true, true),
            used.clone(),
        ),
        (
            &[
                "\"sg-1\" /configuration/ipPermissions",
                "\"sg-1\" /configuration/ipPermissionsEgress",
                "\"sg-1\" /configuration/ipPermissions/0/ipv6Ranges",
                "\"sg-1\" /configuration/ipPermissions/0/prefixListIds",
                "\"sg-1\" /configuration/ipPermissions/0/userIdGroupPairs",
            ],
            content(&[GROUP], &json!([])),
            vec![group("sg-1", "tcp")],
        ),
        (
            &["\"sg-1\" /tags"],
            content(&[GROUP], &prod),
            vec![{
                let mut item = group("sg-1", "tcp");
                item["configuration"].as_object_mut().unwrap().remove("tags");
                item
            }],
        ),
        (
            &[
                "\"i-1\" /configuration/networkInterfaces",
                "\"i-1\" /configuration/networkInterfaces/1/groups",
            ],
            content(&[INSTANCE], &json!([])),
            carrying,
        ),
        (
            &[
                "\"sg-r\" /configuration/groupName",
                "\"sg-r\" /configuration/vpcId",
                "\"sg-r\" /configuration/ipPermissions",
                "\"sg-p\" /configuration/ipPermissionsEgress",
                "\"sg-r\" /tags",
                "\"eni-1\" /configuration/groups",
                "\"eni-1\" /configuration/vpcId",
            ],
            common(&[INTERFACE], &["revertManualSecurityGroupChanges", "enableTagDistribution"]),
            vec![
                primary(&json!([])),
                {
                    let mut replica = replica("tcp");
                    replica["configuration"].as_object_mut().unwrap().remove("tags");
                    replica
                },
                interface("eni-1", &["sg-r"]),
            ],
        ),
        (
            &[
                "/configuration/ManagedByFirewallManager",
                "/configuration/PreProcessFirewallManagerRuleGroups",
            ],
            waf(),
            vec![on_acl(), acl(&[])],
        ),
        (&["/relationships"], waf(), vec![balancer(&json!([])), acl(&[ALB])]),
        (
            &["/configuration/entries", "/configuration/associations"],
            no_ssh(&json!([])),
            vec![subnet(), network_acl("deny")],
        ),
        (
            &[
                "/configuration/FirewallRuleGroupId",
                "/configuration/VpcId",
                "/configuration/Priority",
                "/configuration/Status",
            ],
            dns(),
            vec![vpc(ACCOUNT), association("rg-a", 1)],
        ),
        (
            &[
                "/configuration/rulesList",
                "/configuration/rulesList/0/ruleId",
                "/configuration/rulesList/0/type",
                "/configuration/rulesList/0/overrideAction",
                "/supplementaryConfiguration/LoadBalancerAttributes",
            ],
            classic(),
            vec![on_classic(), {
                let mut acl = classic_acl("FMManagedWebACL1", "g-1", &[]);
                acl["configuration"]["associationList"] = Value::Null;
                acl
            }],
        ),
        (
            &["/configuration/associationList"],
            classic(),
            vec![balancer(&json!([])), classic_acl("FMManagedWebACL1", "g-1", &[ALB])],
        ),
        (
            &[
                "\"subnet-1\" /configuration/vpcId",
                "\"subnet-1\" /configuration/availabilityZone",
                "\"subnet-1\" /configuration/cidrBlock",
                "\"igw-1\" /configuration/attachments",
                "\"rtb-1\" /configuration/routes",
                "\"rtb-1\" /configuration/associations",
                "\"rtb-1\" /configuration/routes/1/gatewayId",
                "\"rtb-1\" /configuration/routes/1/state",
                "\"rtb-i\" /configuration/routes",
                "\"vpce-1\" /configuration/vpcEndpointType",
                "\"vpce-1\" /configuration/subnetIds",
                "\"vpce-1\" /configuration/state",
                "\"f\" /configuration/firewall/firewallName",
                "\"f\" /configuration/firewall/vpcId",
                "\"f\" /configuration/firewall/firewallPolicyArn",
                "\"f\" /configuration/firewall/subnetMappings",
                "\"fp\" /configuration/firewallPolicy/statelessDefaultActions",
                "\"fp\" /configuration/firewallPolicy/statelessFragmentDefaultActions",
                "\"fp\" /configuration/firewallPolicy/statefulRuleGroupReferences",
                "\"fp\" /configuration/firewallPolicyResponse/firewallPolicyArn",
            ],
            firewall_in_each(),
            firewalled("vpce-1", "arn:g"),
        ),
    ];
    for (members, policy, mut items) in worlds {
        items.push(recorder());
        let judgement = judge(&policy, &items).unwrap();
        assert_eq!(
            judgement.status(),
            Some(Status::Compliant),
            "{members:?} {:?}",
            gaps(&judgement)
        );
        let all = hidings(&policy, &items);
        for member in members {
            let hidden = all.iter().filter(|(hidden, _)| hidden.ends_with(member));
            let statuses: Vec<_> = hidden.map(|(_, judgement)| judgement.status()).collect();
            let missed = statuses.iter().any(|status| *status != Some(Status::Compliant));
            assert!(missed, "{member}: {statuses:?}");
        }
    }
}
