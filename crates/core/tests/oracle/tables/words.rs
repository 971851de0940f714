//! Reads the words of the tables into cases and outcomes.

use serde_json::{Map, Value, json};

use super::{ACCOUNT, ADMIN, OWN_LIST};
use crate::naive::Outcome;

pub(super) fn rows(table: &str) -> Vec<[&str; 3]> {
    let mut rows = vec![];
    for line in table.lines().filter(|line| line.contains('|')) {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        rows.push(cells.try_into().unwrap_or_else(|_| panic!("three cells: {line}")));
    }
    rows
}

pub(super) fn compliant() -> Outcome {
    Outcome { in_scope: true, status: Some("COMPLIANT"), ..Outcome::default() }
}

pub(super) fn noncompliant(violators: &[(&str, &str, &str)]) -> Outcome {
    let owned = |(kind, id, reason): &(&str, &str, &str)| {
        ((*kind).to_owned(), (*id).to_owned(), (*reason).to_owned())
    };
    let violators = violators.iter().map(owned).collect();
    Outcome { in_scope: true, status: Some("NON_COMPLIANT"), violators, ..Outcome::default() }
}

pub(super) fn undecided(service: &str) -> Outcome {
    Outcome { in_scope: true, issues: [service.to_owned()].into(), ..Outcome::default() }
}

pub(super) fn unit(name: &str) -> String {
    match name {
        "r-root" => name.to_owned(),
        name => format!("ou-root-0000{:0>4}", name.trim_start_matches("ou-")),
    }
}

pub(super) fn empty_case() -> Value {
    let accounts = [ADMIN, ACCOUNT]
        .map(|id| json!({"Id": id, "Name": id, "Status": "ACTIVE", "ParentId": "r-root"}));
    json!({
        "organization": {
            "Organization": {"Id": "o-exampleorg", "ManagementAccountId": ADMIN},
            "Roots": [{"Id": "r-root"}],
            "OrganizationalUnits": [
                {"Id": unit("ou-1"), "Name": "one", "ParentId": "r-root"},
                {"Id": unit("ou-1a"), "Name": "inside", "ParentId": unit("ou-1")},
                {"Id": unit("ou-2"), "Name": "two", "ParentId": "r-root"},
            ],
            "Accounts": accounts,
        },
        "administrator": ADMIN, "account": ACCOUNT, "region": "eu-west-1", "lists": {},
        "delivery": {"fileVersion": "1.0", "configSnapshotId": "dededede-0000-4000-8000-000000000000",
            "configurationItems": [item("AWS::EC2::VPC", "vpc-1", json!({"vpcId": "vpc-1"}), json!({}))]},
        "administratorDelivery": {"fileVersion": "1.0", "configSnapshotId": "adadadad-0000-4000-8000-000000000000",
            "configurationItems": []},
    })
}

/// Recorders in each Region record everything.
pub(super) fn record(case: &mut Value) {
    let body =
        json!({"Name": "default", "Recording": true, "RecordingGroup": {"AllSupported": true}});
    let recorder = item("AWS::Config::ConfigurationRecorder", "default", body, json!({}));
    if let Some(items) = case["delivery"]["configurationItems"].as_array_mut() {
        items.push(recorder.clone());
    }
    for other in case["elsewhere"].as_array_mut().into_iter().flatten() {
        let mut recorder = recorder.clone();
        recorder["awsRegion"] = other["region"].clone();
        let items = other["delivery"]["configurationItems"].as_array_mut();
        items.expect("built as a list").push(recorder);
    }
}

pub(super) fn policy(name: &str, kind: &str, data: &Value, resource_type: &str) -> Value {
    json!({
        "PolicyName": name, "ResourceType": resource_type,
        "SecurityServicePolicyData": {"Type": kind, "ManagedServiceData": data.to_string()},
        "ExcludeResourceTags": false, "RemediationEnabled": false,
    })
}

/// A content audit of groups from words: options, a direction, and the audit group's rules behind
/// `ALLOW` or `DENY`.
pub(super) fn audit_case(words: &str) -> Value {
    let mut case = empty_case();
    let mut data = json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT"});
    let mut options = vec![];
    let mut words: Vec<&str> = words.split_whitespace().collect();
    if let Some(at) = words.iter().position(|word| *word == "direction") {
        options.push(json!({"auditSgDirection": {"type": words[at + 1]}}));
        words.drain(at..at + 2);
    }
    if let Some(at) = words.iter().position(|word| matches!(*word, "ALLOW" | "DENY")) {
        let rules = words.split_off(at);
        data["securityGroups"] = json!([{"id": "sg-audit"}]);
        data["securityGroupAction"] = json!({"type": rules[0]});
        let group = group("sg-audit", "audit", ADMIN, &rules[1..].join(" "));
        case["administratorDelivery"]["configurationItems"] = json!([group]);
    }
    let reference = json!({"customListIds": [OWN_LIST]});
    let apps =
        |list: &str| {
            let apps: Vec<Value> = list.split('+').map(|app| {
            let (protocol, port) = app.split_once('/').unwrap();
            json!({"AppName": app, "Protocol": protocol, "Port": port.parse::<u16>().unwrap()})
        }).collect();
            json!({"apps": [{"ListId": OWN_LIST, "ListName": "own", "AppsList": apps}]})
        };
    match words.as_slice() {
        [] => {}
        ["noall"] => options.push(json!({"denyProtocolAllValue": true})),
        ["ports", most] => {
            options.push(json!({"allowedPortCountPerSgRule": most.parse::<u32>().unwrap()}))
        }
        ["min4", least] => {
            options.push(json!({"minIpv4CidrPrefixLenPerSgRule": least.parse::<u8>().unwrap()}))
        }
        ["min6", least] => {
            options.push(json!({"minIpv6CidrPrefixLenPerSgRule": least.parse::<u8>().unwrap()}))
        }
        ["protocols", list] => {
            options.push(json!({"allowedProtocolsLists": reference}));
            let names: Vec<&str> = list.split('+').collect();
            case["lists"] = json!({"protocols": [{"ListId": OWN_LIST, "ListName": "own", "ProtocolsList": names}]});
        }
        ["public", list] => {
            options.push(json!({"allowedPublicAccessAppLists": reference}));
            case["lists"] = apps(list);
        }
        ["nopublic", list] => {
            options.push(json!({"deniedPublicAccessAppLists": reference}));
            case["lists"] = apps(list);
        }
        other => panic!("`{other:?}` is no option"),
    }
    if !options.is_empty() {
        data["preManagedOptions"] = json!(options);
    }
    case["policy"] =
        policy("audit", "SECURITY_GROUPS_CONTENT_AUDIT", &data, "AWS::EC2::SecurityGroup");
    case
}

/// A group from `in|out protocol [ports|type/code] peer[+peer]`, commas between rules.
pub(super) fn group(id: &str, name: &str, owner: &str, rules: &str) -> Value {
    let mut sides = [vec![], vec![]];
    for rule in rules.split(',').map(str::trim).filter(|rule| !rule.is_empty()) {
        let words: Vec<&str> = rule.split_whitespace().collect();
        let (ports, peers) = match words.as_slice() {
            [_, _, peers] => (None, peers),
            [_, _, ports, peers] => (Some(ports), peers),
            other => panic!("`{other:?}` is no rule"),
        };
        let mut permission = Map::new();
        permission.insert("ipProtocol".to_owned(), json!(words[1]));
        if let Some(ports) = ports {
            let number = |text: &str| json!(text.parse::<i32>().unwrap());
            let (from, to) = match ports.split_once('/') {
                Some(pair) => pair,
                None => ports.split_once('-').unwrap_or((ports, ports)),
            };
            permission.insert("fromPort".to_owned(), number(from));
            permission.insert("toPort".to_owned(), number(to));
        }
        for key in ["ipv4Ranges", "ipv6Ranges", "ipRanges", "prefixListIds", "userIdGroupPairs"] {
            permission.insert(key.to_owned(), json!([]));
        }
        for peer in peers.split('+') {
            let (key, element) = match peer {
                list if list.starts_with("pl-") => ("prefixListIds", json!({"prefixListId": list})),
                group if group.starts_with("sg-") => {
                    ("userIdGroupPairs", json!({"groupId": group, "userId": owner}))
                }
                cidr if cidr.contains(':') => ("ipv6Ranges", json!({"cidrIpv6": cidr})),
                cidr => {
                    permission["ipRanges"].as_array_mut().unwrap().push(json!(cidr));
                    ("ipv4Ranges", json!({"cidrIp": cidr}))
                }
            };
            permission[key].as_array_mut().unwrap().push(element);
        }
        sides[usize::from(words[0] == "out")].push(Value::Object(permission));
    }
    let body = json!({"groupId": id, "groupName": name, "ownerId": owner, "vpcId": "vpc-1",
        "ipPermissions": sides[0], "ipPermissionsEgress": sides[1]});
    let mut made = item("AWS::EC2::SecurityGroup", id, body, json!({}));
    if owner == ADMIN {
        made["awsAccountId"] = json!(ADMIN);
    }
    made
}

/// A resource from its words, see `RESOURCES`.
pub(super) fn resource(words: &str) -> Value {
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut parts = words[0].split('#');
    let named = parts.next().unwrap();
    let tags: Map<String, Value> = parts
        .filter_map(|tag| tag.split_once('='))
        .map(|(k, v)| (k.to_owned(), json!(v)))
        .collect();
    let groups = |ids: &[&str]| -> Value { ids.iter().map(|id| json!({"groupId": id})).collect() };
    let mut made = if named.starts_with("eni-") {
        let body = json!({"networkInterfaceId": named, "groups": groups(&words[1..])});
        item("AWS::EC2::NetworkInterface", named, body, json!({}))
    } else if named.starts_with("i-") {
        let (first, rest) = words[2..].split_at(1);
        let interfaces = json!([
            {"networkInterfaceId": "eni-91", "groups": groups(first), "attachment": {"deviceIndex": 0}},
            {"networkInterfaceId": "eni-92", "groups": groups(rest), "attachment": {"deviceIndex": 1}},
        ]);
        let body = json!({"instanceId": named, "state": {"name": words[1]},
            "securityGroups": groups(first), "networkInterfaces": interfaces});
        item("AWS::EC2::Instance", named, body, json!({}))
    } else {
        let (named, owner) = named.split_once('@').unwrap_or((named, ACCOUNT));
        let (id, name) = named.split_once('=').unwrap_or((named, "web"));
        let rules = if words[1] == "bad" { "in tcp 22 0.0.0.0/0" } else { "in tcp 23 0.0.0.0/0" };
        let mut made = group(id, name, owner, rules);
        let status = match words[1] {
            "unseen" => "ResourceNotRecorded",
            "gone" => "ResourceDeleted",
            _ => "OK",
        };
        made["configurationItemStatus"] = json!(status);
        if status != "OK" {
            made["configuration"] = Value::Null;
        }
        made
    };
    made["tags"] = Value::Object(tags);
    made
}

pub(super) fn item(kind: &str, id: &str, body: Value, tags: Value) -> Value {
    json!({
        "relatedEvents": [], "relationships": [], "configuration": body, "supplementaryConfiguration": {},
        "tags": tags, "configurationItemVersion": "1.3",
        "configurationItemCaptureTime": "2026-02-03T04:05:06.007Z", "configurationStateId": 1_770_091_506_007_i64,
        "awsAccountId": ACCOUNT, "configurationItemStatus": "OK", "resourceType": kind, "resourceId": id,
        "awsRegion": "eu-west-1",
    })
}
