//! Generated cases: a small organization, one account's delivery, the administrator's delivery
//! with the audit group, lists and a policy, all as the JSON that users have.

use serde_json::{Map, Value, json};

use crate::boundary;
use crate::naive;
use crate::random::Random;

pub const ADMIN: &str = "111111111111";
pub const MEMBER: &str = "222222222222";
pub const OTHER: &str = "033333333333";
const AUDIT_GROUP: &str = "sg-0aad17";
const CUSTOM_APPS: &str = "aaaaaaaa-0000-4000-8000-00000000000a";
const CUSTOM_PROTOCOLS: &str = "bbbbbbbb-0000-4000-8000-00000000000b";
const ABSENT_LIST: &str = "cccccccc-0000-4000-8000-00000000000c";
const SECURITY_TYPES: [&str; 3] =
    ["AWS::EC2::SecurityGroup", "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"];
const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const STAGE: &str = "AWS::ApiGateway::Stage";
const DISTRIBUTION: &str = "AWS::CloudFront::Distribution";
const WEB_ACL: &str = "AWS::WAFv2::WebACL";

const IPV4: &[&str] = &[
    "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "10.0.0.0/7", "10.0.0.0/8", "10.0.0.0/9", "10.128.0.0/9",
    "10.0.0.0/16", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "11.0.0.0/8", "172.16.0.0/11",
    "172.16.0.0/12", "172.31.0.0/16", "172.32.0.0/16", "192.168.0.0/15", "192.168.0.0/16",
    "192.168.7.0/24", "192.169.0.0/16", "100.64.0.0/10", "100.127.0.0/16", "100.128.0.0/16",
    "169.254.0.0/16", "127.0.0.0/8", "198.18.0.0/15", "203.0.113.0/24", "8.8.8.8/32",
    "52.94.0.0/22", "224.0.0.0/4",
];
const IPV6: &[&str] = &[
    "::/0", "::/0", "fc00::/7", "fc00::/6", "fd00::/8", "fd00:1::/48", "fe80::/10", "fec0::/10",
    "::1/128", "2600::/12", "2001:db8::/32", "2a05:d018::/36", "2a05:d018:1::/48", "fe00::/7",
];
const PORTS: &[i64] =
    &[0, 1, 21, 22, 22, 23, 79, 80, 80, 81, 442, 443, 443, 444, 1433, 3389, 8080, 65534, 65535];
const TAG_VALUES: &[&str] = &["prod", "test", "", "*"];

/// How many single changes are tried for one that turns the outcome.
const TWIN_TRIES_MAX: usize = 12;

/// Ids of the AWS-managed lists.
pub struct DefaultLists {
    pub allowed_apps: String,
    pub denied_apps: String,
    pub protocols: String,
}

/// One case. Odd ones are their predecessor with one field changed.
pub fn case(seed: u64, number: u64, defaults: &DefaultLists) -> Value {
    let case = fresh(&mut Random::of_case(seed, number / 2), defaults);
    if number % 2 == 0 {
        return case;
    }
    // A change that turns nothing is kept too, but those that do are looked for: they are at the
    // boundary of a rule.
    let random = &mut Random::of_case(!seed, number);
    let before = naive::judge(&case, None);
    let mut changed = case.clone();
    for _ in 0..1 + random.below(TWIN_TRIES_MAX) {
        changed = case.clone();
        boundary::change_one(&mut changed, random);
        if naive::judge(&changed, None) != before {
            break;
        }
    }
    changed
}

fn fresh(random: &mut Random, defaults: &DefaultLists) -> Value {
    let organization = organization(random);
    let account = match random.below(100) {
        0..84 => MEMBER,
        84..96 => ADMIN,
        96..99 => OTHER,
        _ => "999999999999",
    };
    let mut case = json!({
        "organization": organization,
        "administrator": ADMIN,
        "account": account,
        "lists": lists(random, defaults),
    });
    if random.chance(70) { audit_case(&mut case, random, defaults) } else { waf_case(&mut case, random) }
    scope(&mut case["policy"], random);
    case
}

fn organization(random: &mut Random) -> Value {
    let status = |random: &mut Random| match random.below(40) {
        0 => "SUSPENDED",
        1 | 2 => "PENDING_CLOSURE",
        3 if random.chance(30) => "CLOSED",
        _ => "ACTIVE",
    };
    let parents = ["r-root", "ou-root-aaaaaaaa", "ou-root-bbbbbbbb", "ou-root-cccccccc", "ou-root-dddddddd"];
    json!({
        "Organization": {"Id": "o-exampleorg", "ManagementAccountId": "000000000001"},
        "Roots": [{"Id": "r-root"}],
        "OrganizationalUnits": [
            {"Id": "ou-root-cccccccc", "Name": "deepest", "ParentId": "ou-root-bbbbbbbb"},
            {"Id": "ou-root-aaaaaaaa", "Name": "top", "ParentId": "r-root"},
            {"Id": "ou-root-bbbbbbbb", "Name": "inner", "ParentId": "ou-root-aaaaaaaa"},
            {"Id": "ou-root-dddddddd", "Name": "beside", "ParentId": "r-root"},
        ],
        "Accounts": [
            {"Id": "000000000001", "Name": "management", "Status": "ACTIVE", "ParentId": "r-root"},
            {"Id": ADMIN, "Name": "security", "Status": "ACTIVE", "ParentId": random.pick(&parents)},
            {"Id": MEMBER, "Name": "member", "Status": status(random), "ParentId": random.pick(&parents)},
            {"Id": OTHER, "Name": "other", "Status": status(random), "ParentId": random.pick(&parents)},
        ],
    })
}

/// Account maps and tags.
fn scope(policy: &mut Value, random: &mut Random) {
    for key in ["IncludeMap", "ExcludeMap"] {
        if !random.chance(10) {
            if random.chance(10) {
                policy[key] = json!({});
            }
            continue;
        }
        let mut map = Map::new();
        if random.chance(60) {
            let accounts = [ADMIN, MEMBER, OTHER];
            map.insert("ACCOUNT".to_owned(), json!([random.pick(&accounts)]));
        }
        if map.is_empty() || random.chance(40) {
            let units = ["ou-root-aaaaaaaa", "ou-root-bbbbbbbb", "ou-root-cccccccc", "ou-root-dddddddd"];
            map.insert("ORG_UNIT".to_owned(), json!([random.pick(&units)]));
        }
        policy[key] = Value::Object(map);
    }
    policy["ExcludeResourceTags"] = json!(random.chance(35));
    if !random.chance(30) {
        return;
    }
    let mut tags = vec![];
    for key in ["env", "team"].iter().take(1 + random.below(2)) {
        tags.push(match random.chance(20) {
            true => json!({"Key": key}),
            false => json!({"Key": key, "Value": random.pick(TAG_VALUES)}),
        });
    }
    policy["ResourceTags"] = Value::Array(tags);
    match random.below(3) {
        0 => {}
        1 => policy["ResourceTagLogicalOperator"] = json!("AND"),
        _ => policy["ResourceTagLogicalOperator"] = json!("OR"),
    }
}

fn lists(random: &mut Random, defaults: &DefaultLists) -> Value {
    let mut apps = vec![
        json!({"ListId": defaults.allowed_apps, "AppsList": [
            {"AppName": "http", "Protocol": "TCP", "Port": 80}, {"AppName": "https", "Protocol": "TCP", "Port": 443}]}),
        json!({"ListId": defaults.denied_apps, "AppsList": [
            {"AppName": "ssh", "Protocol": "tcp", "Port": 22}, {"AppName": "telnet", "Protocol": "tcp", "Port": 23},
            {"AppName": "rdp", "Protocol": "tcp", "Port": 3389}, {"AppName": "smb", "Protocol": "tcp", "Port": 445},
            {"AppName": "mysql", "Protocol": "tcp", "Port": 3306}, {"AppName": "mssql", "Protocol": "tcp", "Port": 1433},
            {"AppName": "postgres", "Protocol": "tcp", "Port": 5432}, {"AppName": "oracle", "Protocol": "tcp", "Port": 1521},
            {"AppName": "mongodb", "Protocol": "tcp", "Port": 27017}, {"AppName": "redis", "Protocol": "tcp", "Port": 6379}]}),
    ];
    let mut protocols =
        vec![json!({"ListId": defaults.protocols, "ProtocolsList": ["TCP", "UDP"]})];
    let mut own = vec![];
    let from = random.below(PORTS.len());
    for at in 0..1 + random.below(4) {
        let protocol = random.pick(&["tcp", "tcp", "UDP", "6", "17"]);
        let port = PORTS[(from + at) % PORTS.len()];
        own.push(json!({"AppName": format!("app{at}"), "Protocol": protocol, "Port": port}));
    }
    apps.push(json!({"ListId": CUSTOM_APPS, "ListName": "own", "AppsList": own}));
    let mut own = vec![];
    for protocol in ["tcp", "17", "ICMP", "58", "icmpv6", "50"] {
        if random.chance(45) {
            own.push(protocol);
        }
    }
    if own.is_empty() {
        own.push("tcp");
    }
    own.truncate(5);
    protocols.push(json!({"ListId": CUSTOM_PROTOCOLS, "ListName": "own", "ProtocolsList": own}));
    json!({"apps": apps, "protocols": protocols})
}

fn list_reference(random: &mut Random, custom: &str, default: &str) -> Value {
    let custom = if random.chance(7) { ABSENT_LIST } else { custom };
    match random.below(4) {
        0 => json!({"customListIds": [custom], "defaultListId": default}),
        1 => json!({"customListIds": [], "defaultListId": default, "defaultListVersion": null}),
        2 => json!({"defaultListId": default, "defaultListVersion": "1"}),
        _ => json!({"customListIds": [custom], "defaultListId": null, "defaultListVersion": null}),
    }
}

fn policy(name: &str, kind: &str, data: &Value, types: &[&str]) -> Value {
    let mut policy = json!({
        "PolicyName": name,
        "SecurityServicePolicyData": {"Type": kind, "ManagedServiceData": data.to_string()},
        "RemediationEnabled": false,
        "ExcludeResourceTags": false,
    });
    if let [one] = types {
        policy["ResourceType"] = json!(one);
    } else {
        policy["ResourceType"] = json!("ResourceTypeList");
        policy["ResourceTypeList"] = json!(types);
    }
    policy
}

// Content audit

fn audit_case(case: &mut Value, random: &mut Random, defaults: &DefaultLists) {
    let region = "eu-west-1";
    case["region"] = json!(region);
    let mut types: Vec<&str> = SECURITY_TYPES.iter().copied().filter(|_| random.chance(55)).collect();
    if types.is_empty() {
        types.push(SECURITY_TYPES[0]);
    }
    let custom = random.chance(45);
    let with_audit_group = custom || random.chance(35);
    let mut data = json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT"});
    if with_audit_group {
        data["securityGroups"] = json!([{"id": AUDIT_GROUP}]);
        data["securityGroupAction"] = json!({"type": random.pick(&["ALLOW", "DENY"])});
    }
    if !custom {
        data["preManagedOptions"] = managed_options(random, defaults);
    } else if random.chance(30) {
        data["preManagedOptions"] = Value::Null;
    }
    case["policy"] = policy("audit", "SECURITY_GROUPS_CONTENT_AUDIT", &data, &types);

    let mut ids = Ids(0);
    let (audit, near) = audit_group(random);
    let mut account_items = security_items(random, case, &near, &mut ids);
    let mut admin_items = vec![];
    match random.below(100) {
        0..2 => {}
        2 => admin_items.push(not_recorded(&audit)),
        _ => admin_items.push(audit),
    }
    let account = case["account"].as_str().unwrap_or_default().to_owned();
    if account == ADMIN {
        account_items.extend(admin_items.iter().cloned());
    }
    recorder(random, &account, region, &mut account_items, &SECURITY_TYPES);
    case["delivery"] = delivery(random, &account, region, account_items);
    if account != ADMIN {
        case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": admin_items});
    }
}

fn managed_options(random: &mut Random, defaults: &DefaultLists) -> Value {
    let mut options = vec![];
    let mut add = |key: &str, value: Value| options.push(json!({ key: value }));
    let one = random.chance(45).then(|| random.below(7));
    let chosen = |random: &mut Random, at: usize| match one {
        Some(only) => only == at,
        None => random.chance(30),
    };
    if chosen(random, 0) {
        add("denyProtocolAllValue", json!(random.chance(90)));
    }
    if chosen(random, 1) {
        add("allowedProtocolsLists", list_reference(random, CUSTOM_PROTOCOLS, &defaults.protocols));
    }
    if chosen(random, 2) {
        let most = [1, 2, 80, 443, 65534, 65535, 65536];
        add("allowedPortCountPerSgRule", json!(most[random.below(most.len())]));
    }
    if chosen(random, 3) {
        let least = [1, 8, 9, 16, 24, 32];
        add("minIpv4CidrPrefixLenPerSgRule", json!(least[random.below(least.len())]));
    }
    if chosen(random, 4) {
        let least = [1, 7, 8, 36, 48, 128];
        add("minIpv6CidrPrefixLenPerSgRule", json!(least[random.below(least.len())]));
    }
    // The two lists of apps exclude each other.
    if chosen(random, 5) {
        add("allowedPublicAccessAppLists", list_reference(random, CUSTOM_APPS, &defaults.allowed_apps));
    } else if chosen(random, 6) {
        add("deniedPublicAccessAppLists", list_reference(random, CUSTOM_APPS, &defaults.denied_apps));
    }
    if options.is_empty() || random.chance(40) {
        let direction = random.pick(&["ALL", "INGRESS", "EGRESS"]);
        options.push(json!({"auditSgDirection": {"type": direction}}));
    }
    if random.chance(15) {
        // As GetPolicy prints them: every element with every key.
        for option in &mut options {
            for key in [
                "auditSgDirection", "denyProtocolAllValue", "allowedProtocolsLists",
                "allowedPortCountPerSgRule", "minIpv4CidrPrefixLenPerSgRule",
                "minIpv6CidrPrefixLenPerSgRule", "deniedPublicAccessAppLists",
                "allowedPublicAccessAppLists",
            ] {
                if option[key].is_null() {
                    option[key] = Value::Null;
                }
            }
        }
    }
    Value::Array(options)
}

/// Numbers resources, so that ids are short and unique.
struct Ids(usize);

impl Ids {
    fn next(&mut self, prefix: &str) -> String {
        self.0 += 1;
        format!("{prefix}-{:05x}", self.0)
    }
}

/// The audit group, and permissions near to what it says.
fn audit_group(random: &mut Random) -> (Value, Vec<Value>) {
    let mut near = vec![];
    let mut sides = [vec![], vec![]];
    for (side, most) in sides.iter_mut().zip([4, 3]) {
        for _ in 0..random.below(most) {
            let whole = permission(random);
            match halves(&whole) {
                Some(halves) if random.chance(30) => side.extend(halves),
                _ => side.push(whole.clone()),
            }
            near.push(whole);
        }
    }
    (group(random, AUDIT_GROUP, ADMIN, "audit", &sides[0], &sides[1]), near)
}

/// A range of ports in two adjacent permissions.
fn halves(permission: &Value) -> Option<[Value; 2]> {
    let (from, to) = (permission["fromPort"].as_i64()?, permission["toPort"].as_i64()?);
    if from >= to || !["tcp", "udp", "6", "17"].iter().any(|name| permission["ipProtocol"] == *name) {
        return None;
    }
    let mut halves = [permission.clone(), permission.clone()];
    halves[0]["toPort"] = json!(from + (to - from) / 2);
    halves[1]["fromPort"] = json!(from + (to - from) / 2 + 1);
    Some(halves)
}

fn permission(random: &mut Random) -> Value {
    let protocol = random.pick(&[
        "tcp", "tcp", "tcp", "tcp", "udp", "6", "17", "icmp", "icmpv6", "1", "58", "-1", "50",
    ]);
    let mut permission = json!({
        "ipProtocol": protocol, "ipv4Ranges": [], "ipv6Ranges": [], "ipRanges": [],
        "prefixListIds": [], "userIdGroupPairs": [],
    });
    boundary::set_ports(&mut permission, random, PORTS);
    let old_layout = random.chance(15);
    loop {
        let peer = match random.below(100) {
            0..70 => {
                let cidr = random.pick(IPV4);
                if !old_layout {
                    push(&mut permission, "ipv4Ranges", json!({"cidrIp": cidr}));
                }
                push(&mut permission, "ipRanges", json!(cidr));
                70
            }
            70..85 if !old_layout => {
                push(&mut permission, "ipv6Ranges", json!({"cidrIpv6": random.pick(IPV6)}));
                85
            }
            85..92 => {
                let id = random.pick(&["pl-0a", "pl-0b", "pl-0c"]);
                push(&mut permission, "prefixListIds", json!({"prefixListId": id}));
                92
            }
            92..100 => {
                let id = random.pick(&["sg-00001", "sg-00002", "sg-0ffff"]);
                let user = random.pick(&[MEMBER, MEMBER, "amazon-elb"]);
                push(&mut permission, "userIdGroupPairs", json!({"groupId": id, "userId": user}));
                100
            }
            _ => continue,
        };
        if peer > 0 && random.chance(70) {
            break;
        }
    }
    if old_layout {
        let permission = permission.as_object_mut().expect("built as one");
        permission.remove("ipv4Ranges");
        permission.remove("ipv6Ranges");
    }
    permission
}

fn push(value: &mut Value, key: &str, element: Value) {
    value[key].as_array_mut().expect("built as a list").push(element);
}

fn group(
    random: &mut Random,
    id: &str,
    account: &str,
    name: &str,
    ingress: &[Value],
    egress: &[Value],
) -> Value {
    let body = json!({
        "groupId": id, "groupName": name, "description": "of \"the\" sample", "ownerId": account,
        "vpcId": "vpc-01", "ipPermissions": ingress, "ipPermissionsEgress": egress, "tags": [],
    });
    item(random, account, "eu-west-1", "AWS::EC2::SecurityGroup", id, body)
}

/// A delivered configuration item.
fn item(random: &mut Random, account: &str, region: &str, kind: &str, id: &str, mut body: Value) -> Value {
    let state = 1_770_000_000_000 + random.below(1_000_000_000) as i64;
    let captured = "2026-02-03T04:05:06.007Z";
    let mut tags = Map::new();
    for key in ["env", "team", "Env"] {
        if random.chance(35) {
            tags.insert(key.to_owned(), json!(random.pick(TAG_VALUES)));
        }
    }
    let pairs: Vec<Value> = tags.iter().map(|(k, v)| json!({"key": k, "value": v})).collect();
    if body["tags"].is_array() {
        body["tags"] = json!(pairs);
    }
    if body["tagSet"].is_array() {
        body["tagSet"] = json!(pairs);
    }
    let listed = body["tags"].is_array() || body["tagSet"].is_array();
    let mut item = json!({
        "relatedEvents": [], "relationships": [], "supplementaryConfiguration": {},
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": captured,
        "configurationStateId": state, "awsAccountId": account,
        "configurationItemStatus": random.pick(&["OK", "ResourceDiscovered"]),
        "resourceType": kind, "resourceId": id, "awsRegion": region,
        "availabilityZone": "Not Applicable", "configurationStateMd5Hash": "",
    });
    if !(listed && random.chance(10)) {
        item["tags"] = Value::Object(tags);
    }
    item["configuration"] = if random.chance(4) { json!(body.to_string()) } else { body };
    item
}

/// The same resource as a recorder shows it that does not record its type.
pub fn not_recorded(item: &Value) -> Value {
    let mut item = item.clone();
    item["configurationItemStatus"] = json!("ResourceNotRecorded");
    item["configuration"] = Value::Null;
    item["supplementaryConfiguration"] = json!({});
    item["relationships"] = json!([]);
    item["tags"] = json!({});
    item
}

/// The same resource, gone at a later or earlier state.
fn deleted(item: &Value, later: i64) -> Value {
    let mut item = not_recorded(item);
    item["configurationItemStatus"] = json!("ResourceDeleted");
    item["configurationStateId"] = json!(item["configurationStateId"].as_i64().expect("a state") + later);
    item
}

fn security_items(random: &mut Random, case: &Value, near: &[Value], ids: &mut Ids) -> Vec<Value> {
    let account = case["account"].as_str().expect("an account").to_owned();
    let mut items = vec![];
    let mut groups = vec![];
    let busy = random.chance(60);
    for _ in 0..1 + random.below(if busy { 5 } else { 2 }) {
        let id = ids.next("sg");
        let name = random.pick(&[
            "web", "web", "web", "web", "default", "FMManagedSecurityGroup00000000-sg-0b", "Default",
        ]);
        let mut sides = [vec![], vec![]];
        for side in &mut sides {
            for _ in 0..random.below(3) {
                if near.is_empty() || random.chance(45) {
                    side.push(permission(random));
                } else {
                    let mut permission = near[random.below(near.len())].clone();
                    if random.chance(75) {
                        boundary::change_one(&mut permission, random);
                    }
                    side.push(permission);
                }
            }
        }
        let mut item = group(random, &id, &account, name, &sides[0], &sides[1]);
        if random.chance(6) && item["configuration"].is_object() {
            item["configuration"]["ownerId"] = json!("444444444444");
        }
        groups.push(id);
        items.push(item);
    }
    let attach = |random: &mut Random| {
        let mut own: Vec<Value> = vec![];
        if random.chance(3) {
            // Of another account that shares its VPC, say: not in this inventory.
            own.push(json!({"groupId": "sg-0abc00", "groupName": "shared"}));
        }
        for id in &groups {
            if random.chance(35) {
                own.push(json!({"groupId": id, "groupName": "web"}));
            }
        }
        Value::Array(own)
    };
    for _ in 0..random.below(3) {
        let id = ids.next("eni");
        let body = json!({
            "networkInterfaceId": id, "groups": attach(random), "vpcId": "vpc-01", "subnetId": "subnet-01",
            "status": "in-use", "interfaceType": random.pick(&["interface", "lambda", "nat_gateway"]),
            "requesterManaged": random.chance(20), "tagSet": [],
        });
        items.push(item(random, &account, "eu-west-1", "AWS::EC2::NetworkInterface", &id, body));
    }
    for _ in 0..random.below(3) {
        let id = ids.next("i");
        let running = random.chance(85);
        let (mut first, second) = (attach(random), attach(random));
        let mut interfaces = vec![];
        if running {
            for (at, groups) in [&first, &second].into_iter().enumerate().take(1 + random.below(2)) {
                let eni = ids.next("eni");
                interfaces.push(json!({
                    "networkInterfaceId": eni, "groups": groups, "attachment": {"deviceIndex": at},
                }));
                let body = json!({
                    "networkInterfaceId": eni, "groups": groups, "vpcId": "vpc-01", "subnetId": "subnet-01",
                    "status": "in-use", "interfaceType": "interface", "requesterManaged": false,
                    "attachment": {"instanceId": id, "deviceIndex": at}, "tagSet": [],
                });
                items.push(item(random, &account, "eu-west-1", "AWS::EC2::NetworkInterface", &eni, body));
            }
        } else if random.chance(60) {
            first = json!([]);
        }
        let body = json!({
            "instanceId": id, "state": {"code": 16, "name": if running { "running" } else { "terminated" }},
            "vpcId": "vpc-01", "subnetId": "subnet-01", "securityGroups": first,
            "networkInterfaces": interfaces, "tags": [],
        });
        items.push(item(random, &account, "eu-west-1", "AWS::EC2::Instance", &id, body));
    }
    if random.chance(50) {
        let entries = match random.below(3) {
            0 => json!([{"Cidr": "10.1.0.0/16"}, {"Cidr": "10.2.0.0/16", "Description": "two"}]),
            1 => json!([{"Cidr": "10.1.0.0/16"}, {"Cidr": "52.94.0.0/22"}]),
            _ => json!([{"Cidr": "192.168.0.0/24"}]),
        };
        let body = json!({"PrefixListId": "pl-0a", "PrefixListName": "offices", "AddressFamily": "IPv4",
            "Entries": entries, "Tags": []});
        items.push(item(random, &account, "eu-west-1", "AWS::EC2::PrefixList", "pl-0a", body));
    }
    histories(random, &mut items);
    items
}

/// Older states, deletions and resources that are not recorded.
fn histories(random: &mut Random, items: &mut Vec<Value>) {
    if items.is_empty() {
        return;
    }
    if random.chance(12) {
        let at = random.below(items.len());
        let mut older = items[at].clone();
        boundary::change_one(&mut older, random);
        older["resourceId"] = items[at]["resourceId"].clone();
        older["resourceType"] = items[at]["resourceType"].clone();
        let state = items[at]["configurationStateId"].as_i64().expect("a state");
        older["configurationStateId"] = json!(state - 1);
        older["configurationItemCaptureTime"] = json!("2026-02-03T04:05:06.006Z");
        items.insert(random.below(items.len() + 1), older);
    }
    if random.chance(8) {
        let at = random.below(items.len());
        let mut gone = items[at].clone();
        gone["resourceId"] = json!("sg-0dead0");
        gone["resourceType"] = json!("AWS::EC2::SecurityGroup");
        if boundary::body_of(&gone)["ipPermissions"].is_array() {
            let tombstone = deleted(&gone, 1);
            items.push(gone);
            items.insert(random.below(items.len() + 1), tombstone);
        }
    }
    if random.chance(9) {
        let at = random.below(items.len());
        let audited = ["AWS::EC2::PrefixList", WEB_ACL];
        if !audited.iter().any(|kind| items[at]["resourceType"] == *kind) {
            let states = items.iter().filter(|i| i["resourceId"] == items[at]["resourceId"]).count();
            if states == 1 {
                items[at] = not_recorded(&items[at]);
            }
        }
    }
}

fn recorder(random: &mut Random, account: &str, region: &str, items: &mut Vec<Value>, types: &[&str]) {
    if !random.chance(50) {
        return;
    }
    let mut listed: Vec<&str> = types.to_vec();
    listed.push("AWS::EC2::VPC");
    if random.chance(45) {
        listed.remove(random.below(listed.len()));
    }
    let mut excluded = vec!["AWS::IAM::Role"];
    if random.chance(45) {
        excluded.push(types[random.below(types.len())]);
    }
    let group = match random.below(4) {
        0 => json!({"AllSupported": true, "IncludeGlobalResourceTypes": true, "ResourceTypes": []}),
        1 => json!({"AllSupported": false, "ResourceTypes": listed}),
        2 => json!({"allSupported": false, "resourceTypes": listed}),
        _ => json!({"AllSupported": false, "ResourceTypes": [],
            "ExclusionByResourceTypes": {"ResourceTypes": excluded},
            "RecordingStrategy": {"UseOnly": "EXCLUSION_BY_RESOURCE_TYPES"}}),
    };
    let lower = group["allSupported"].is_boolean();
    let on = random.chance(88);
    let body = if lower {
        json!({"name": "default", "recordingGroup": group, "recording": on})
    } else {
        json!({"Name": "default", "RecordingGroup": group, "Recording": on})
    };
    items.push(item(random, account, region, "AWS::Config::ConfigurationRecorder", "default", body));
}

fn delivery(random: &mut Random, account: &str, region: &str, mut items: Vec<Value>) -> Value {
    // Something regional is always there, so that the file tells whose snapshot it is.
    let body = json!({"vpcId": "vpc-01", "cidrBlock": "10.0.0.0/16"});
    let vpc = item(random, account, region, "AWS::EC2::VPC", "vpc-01", body);
    items.insert(0, vpc);
    // A few states in another Region, which are none of this shard's business.
    if random.chance(10) {
        let mut elsewhere = items[random.below(items.len())].clone();
        elsewhere["awsRegion"] = json!("ap-south-1");
        items.push(elsewhere);
    }
    if random.chance(88) {
        json!({"fileVersion": "1.0", "configSnapshotId": "dededede-0000-4000-8000-000000000000", "configurationItems": items})
    } else {
        json!({"fileVersion": "1.0", "configurationItems": items})
    }
}

// WAFV2

fn waf_case(case: &mut Value, random: &mut Random) {
    let global = random.chance(20);
    let region = if global { "us-east-1" } else { "eu-west-1" };
    let home = if global { "global" } else { region };
    case["region"] = json!(region);
    let types: &[&str] = match (global, random.below(4)) {
        (true, _) => &[DISTRIBUTION],
        (_, 0) => &[STAGE],
        (_, 1) => &[BALANCER, STAGE],
        _ => &[BALANCER],
    };
    let data = json!({
        "type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
        "defaultAction": {"type": "ALLOW"},
        "overrideCustomerWebACLAssociation": random.chance(40), "loggingConfiguration": null,
    });
    let name = random.pick(&["edge", "edge-two", "edge-7"]);
    case["policy"] = policy(name, "WAFV2", &data, types);
    let account = case["account"].as_str().expect("an account").to_owned();
    let (scope, place) = if global { ("global", "us-east-1") } else { ("regional", region) };

    let mut acls = vec![];
    let mut items = vec![];
    for at in 0..random.below(3) {
        let own_name = format!("FMManagedWebACLV2-{name}-177000000000{at}");
        let acl_name = match random.below(8) {
            0 => format!("FMManagedWebACLV2-{name}-two-177000000000{at}"),
            1 => format!("FMManagedWebACLV2-{name}-"),
            2 => "customer".to_owned(),
            3 => format!("FMManagedWebACLV2-edge-177000000000{at}"),
            _ => own_name,
        };
        let arn = format!("arn:aws:wafv2:{place}:{account}:{scope}/webacl/{acl_name}/0000000{at}");
        let body = json!({
            "ARN": arn, "Id": format!("0000000{at}"), "Name": acl_name, "Capacity": 1,
            "DefaultAction": {"Allow": {}}, "Rules": [], "ManagedByFirewallManager": random.chance(80),
            "RetrofittedByFirewallManager": false,
        });
        items.push(item(random, &account, home, WEB_ACL, &arn, body));
        acls.push(arn);
    }
    let stranger = format!("arn:aws:wafv2:{place}:{account}:{scope}/webacl/elsewhere/99");
    let mut ids = Ids(0);
    for _ in 0..random.below(4) {
        let attribute = match random.below(12) {
            0 => Some("6c2c3f5e-0000-4000-8000-0000000000aa".to_owned()),
            1 if random.chance(30) => Some(stranger.replace("elsewhere", &format!("FMManagedWebACLV2-{name}-1770000000009"))),
            1 => Some(stranger.clone()),
            2 | 3 => Some(String::new()),
            4 | 5 => None,
            _ if acls.is_empty() => None,
            _ => Some(acls[random.below(acls.len())].clone()),
        };
        let kind = if global { DISTRIBUTION } else { random.pick(&[BALANCER, BALANCER, STAGE]) };
        let mut made = match kind {
            DISTRIBUTION => {
                let id = ids.next("E");
                let mut config = json!({"enabled": true, "aliases": {"quantity": 0}});
                if let Some(attribute) = &attribute {
                    config["webACLId"] = json!(attribute);
                }
                let body = json!({"arn": format!("arn:aws:cloudfront::{account}:distribution/{id}"), "distributionConfig": config});
                item(random, &account, home, kind, &id, body)
            }
            BALANCER => {
                let type_name = random.pick(&["application", "application", "application", "network", "gateway"]);
                let short = match type_name { "application" => "app", "network" => "net", _ => "gwy" };
                let id = format!(
                    "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/{short}/{}/1", ids.next("lb")
                );
                let body = json!({"loadBalancerArn": id, "type": type_name, "scheme": "internal",
                    "vpcId": "vpc-01", "securityGroups": []});
                let mut made = item(random, &account, home, kind, &id, body);
                let mut attributes = vec![json!({"key": "deletion_protection.enabled", "value": "false"})];
                if let Some(attribute) = &attribute {
                    attributes.push(json!({"key": "waf.web_acl_id", "value": attribute}));
                    attributes.push(json!({"key": "waf.enabled", "value": (!attribute.is_empty()).to_string()}));
                }
                made["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": attributes});
                made
            }
            _ => {
                let id = format!("arn:aws:apigateway:{region}::/restapis/{}/stages/live", ids.next("api"));
                let mut body = json!({"stageName": "live", "createdDate": "Feb 21, 2022 6:37:48 PM"});
                if let Some(attribute) = &attribute {
                    body["webAclArn"] = json!(attribute);
                } else if random.chance(50) {
                    body["webAclArn"] = Value::Null;
                }
                item(random, &account, home, kind, &id, body)
            }
        };
        if !acls.is_empty() && random.chance(35) {
            let at = random.below(acls.len());
            let relation = json!({"resourceId": made["resourceId"], "resourceName": null,
                "resourceType": kind, "name": "Is associated with "});
            let acl = items.iter_mut().find(|i| i["resourceId"] == acls[at]).expect("made above");
            push(acl, "relationships", relation);
        }
        if random.chance(4) && !made["resourceId"].as_str().expect("an id").contains("/net/")
            && !made["resourceId"].as_str().expect("an id").contains("/gwy/")
        {
            made = not_recorded(&made);
        }
        items.push(made);
    }
    if random.chance(25) {
        let at = random.below(items.len() + 1);
        if let Some(other) = items.get(at).cloned() {
            if other["resourceType"] != WEB_ACL {
                let tombstone = deleted(&other, if random.chance(50) { 5 } else { -5 });
                items.push(tombstone);
            }
        }
    }
    recorder(random, &account, region, &mut items, &[BALANCER, STAGE, WEB_ACL, DISTRIBUTION]);
    case["delivery"] = delivery(random, &account, region, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}
