//! One field changed, at a place where a rule turns.

mod networks;

use serde_json::{Value, json};

use crate::address::Range;
use crate::policy_edits;
use crate::random::Random;

/// Where a value can be changed.
pub struct Places(Vec<(String, String)>);

impl Places {
    pub fn of(value: &Value) -> Places {
        let mut paths = vec![];
        collect(value, "", String::new(), &mut paths);
        Places(paths)
    }
}

/// Changes one field somewhere in a value; leaves it alone when nothing can be changed.
pub fn change_one(value: &mut Value, random: &mut Random) {
    let places = Places::of(value);
    change_at_one(value, &places, random);
}

/// The same, where the places are known already.
pub fn change_at_one(value: &mut Value, Places(paths): &Places, random: &mut Random) {
    for _ in 0..60 {
        if paths.is_empty() {
            return;
        }
        let (pointer, key) = &paths[random.below(paths.len())];
        let Some(target) = value.pointer_mut(pointer) else { continue };
        let before = target.clone();
        edit(target, key, random);
        if *target != before {
            return;
        }
    }
}

/// The body of an item, from text or JSON.
pub fn body_of(item: &Value) -> Value {
    match &item["configuration"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    }
}

/// Gives a permission ports that fit its protocol.
pub fn set_ports(permission: &mut Value, random: &mut Random, ports: &[i64]) {
    let (from, to) = match permission["ipProtocol"].as_str() {
        Some("tcp" | "udp" | "6" | "17") => {
            let from = ports[random.below(ports.len())];
            let to = if random.chance(50) { from } else { ports[random.below(ports.len())] };
            (json!(from.min(to)), json!(from.max(to)))
        }
        Some("icmp" | "icmpv6" | "1" | "58") => match random.below(3) {
            0 => (json!(-1), json!(-1)),
            1 => (json!(8), json!(-1)),
            _ => (json!(3), json!(random.below(3))),
        },
        _ if random.chance(50) => return,
        _ => (Value::Null, Value::Null),
    };
    permission["fromPort"] = from;
    permission["toPort"] = to;
}

/// Every place that `edit` knows, with the key it stands under.
fn collect(value: &Value, key: &str, pointer: String, paths: &mut Vec<(String, String)>) {
    if KNOWN.contains(&key) || networks::KNOWN.contains(&key) {
        paths.push((pointer.clone(), key.to_owned()));
    }
    match value {
        Value::Object(map) => {
            // AWS's own lists, which have no name here, are nobody's to change.
            if map.contains_key("ListId") && !map.contains_key("ListName") {
                return;
            }
            if map.contains_key("ipProtocol") {
                paths.push((pointer.clone(), "permission".to_owned()));
                paths.push((pointer.clone(), "permission".to_owned()));
            }
            if map.contains_key("resourceType") && map.contains_key("configurationStateId") {
                paths.push((pointer.clone(), "item".to_owned()));
            }
            for (key, inner) in map {
                let step = key.replace('~', "~0").replace('/', "~1");
                // The groups of an instance must go on agreeing with its interfaces.
                let of_instance = key == "securityGroups" && !is_list_of_texts(inner);
                if key == "networkInterfaces" || of_instance {
                    continue;
                }
                collect(inner, key, format!("{pointer}/{step}"), paths);
            }
        }
        Value::Array(elements) => {
            for (at, inner) in elements.iter().enumerate() {
                collect(inner, key, format!("{pointer}/{at}"), paths);
            }
        }
        _ => {}
    }
}

/// As load balancers tell their groups.
fn is_list_of_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(Value::is_string))
}

/// The names of members that `edit` knows how to change.
const KNOWN: &[&str] = &[
    "cidrIp",
    "cidrIpv6",
    "ipRanges",
    "Cidr",
    "ipPermissions",
    "ipPermissionsEgress",
    "groupName",
    "ownerId",
    "tags",
    "Status",
    "ParentId",
    "type",
    "webAclArn",
    "webACLId",
    "value",
    "ManagedByFirewallManager",
    "Name",
    "Recording",
    "recording",
    "AllSupported",
    "ResourceTypes",
    "resourceTypes",
    "ManagedServiceData",
    "ManagedServiceData",
    "ManagedServiceData",
    "ManagedServiceData",
    "ExcludeResourceTags",
    "ResourceTagLogicalOperator",
    "ResourceTypeList",
    "IncludeMap",
    "ExcludeMap",
    "PreProcessFirewallManagerRuleGroups",
    "PostProcessFirewallManagerRuleGroups",
    "OverrideAction",
    "ResourceTags",
    "Port",
    "Protocol",
    "ProtocolsList",
    "prefixListId",
    "relationships",
    "configSnapshotId",
    "RetrofittedByFirewallManager",
    "ResourceArn",
    "Action",
    "ApplicationLayerAutomaticResponseConfig",
    "vpcId",
    "groups",
    "groupId",
    "name",
    "evaluatedMs",
    "staleAfterMs",
    "Results",
    "NextToken",
    "nextToken",
    "unprocessedResourceKeys",
    "RecordingScope",
    "recordingScope",
    "Priority",
    "Version",
    "ExcludedRules",
    "RuleActionOverrides",
    "ManagedRuleGroupConfigs",
    "commonPolicies",
    "fmsPolicies",
    "otherPolicies",
    "formerNames",
    "assumeRecorded",
    "Entries",
    "resourceType",
    "configurationItemCaptureTime",
    "FirewallRuleGroupId",
    "priority",
    "ruleId",
    "overrideAction",
    "rulesList",
    "associationList",
    "VpcId",
    "requesterManaged",
    "securityGroups",
];

/// Types of load balancers.
const BALANCERS: [&str; 3] = ["application", "network", "gateway"];

/// The policy whose replicas the cases of common groups hold.
const COMMON: &str = crate::world::COMMON_POLICY;

fn edit(target: &mut Value, key: &str, random: &mut Random) {
    match key {
        "permission" => edit_permission(target, random),
        "item" => {
            let kind = target["resourceType"].as_str().unwrap_or_default().to_owned();
            let id = target["resourceId"].as_str().unwrap_or_default();
            let kept = ["AWS::EC2::VPC", "AWS::EC2::PrefixList", "AWS::WAFv2::WebACL"];
            let balancer = id.contains("/net/") || id.contains("/gwy/");
            let recorder = kind.starts_with("AWS::Config::");
            if random.chance(25) && !kept.contains(&kind.as_str()) && !balancer && !recorder {
                *target = crate::world::not_recorded(target);
            }
        }
        "cidrIp" | "cidrIpv6" | "Cidr" => edit_cidr(target, random),
        "ipRanges" if target.is_string() => edit_cidr(target, random),
        "ipPermissions" | "ipPermissionsEgress" | "relationships" | "ProtocolsList"
            if target.is_array() =>
        {
            let elements = target.as_array_mut().expect("checked");
            let least = usize::from(key == "ProtocolsList");
            if elements.len() > least {
                elements.remove(random.below(elements.len()));
            }
        }
        "PreProcessFirewallManagerRuleGroups" | "PostProcessFirewallManagerRuleGroups"
            if target.is_array() =>
        {
            let groups = target.as_array_mut().expect("checked");
            match random.below(3) {
                0 => drop(groups.pop()),
                1 => groups.reverse(),
                _ => *target = Value::Null,
            }
        }
        "OverrideAction" => {
            let count = target["Count"].is_object();
            *target = if count { json!({"None": {}}) } else { json!({"Count": {}}) };
        }
        "groupName" if target.as_str().is_some_and(|name| name.contains(COMMON)) => {
            let name = target.as_str().unwrap_or_default();
            *target = json!(match random.below(5) {
                0 => name.replace("sg-0aa01", "sg-0aa02"),
                1 => format!("{name}-vpc-01"),
                2 => format!("x{name}"),
                3 => name.replace("0001-", "0002-"),
                _ => format!("{name}0"),
            });
        }
        "groupName" => choose(target, random, &["web", "default", "FMManagedSecurityGroup0-sg-0b"]),
        "ownerId" => {
            choose(target, random, &[crate::world::MEMBER, "444444444444", crate::world::ADMIN]);
        }
        "tags" if target.is_object() => {
            let key = random.pick(&["env", "team"]);
            match random.below(3) {
                0 => drop(target.as_object_mut().expect("checked").remove(key)),
                _ => target[key] = json!(random.pick(&["prod", "test", "", "*"])),
            }
        }
        "Status" if *target == "ENABLED" => *target = json!("DISABLED"),
        "Status" if *target == "DISABLED" => *target = json!("ENABLED"),
        "ResourceArn" => *target = json!(format!("{}0", target.as_str().unwrap_or_default())),
        "Action" if target.is_object() => {
            let block = target["Block"].is_object();
            *target = match random.below(3) {
                0 => Value::Null,
                _ if block => json!({"Count": {}}),
                _ => json!({"Block": {}}),
            };
        }
        "ApplicationLayerAutomaticResponseConfig" => *target = Value::Null,
        "vpcId" if target.as_str().is_some_and(|vpc| vpc.starts_with("vpc-0b")) => {}
        "vpcId" => choose(target, random, &["vpc-01", "vpc-02"]),
        "groups" | "securityGroups" => {
            if let Some(elements) = target.as_array_mut().filter(|e| !e.is_empty()) {
                elements.remove(random.below(elements.len()));
            }
        }
        "groupId" => choose(target, random, &["sg-00001", "sg-00002", "sg-00003"]),
        "name" if *target == "terminated" => *target = json!("running"),
        "name" if *target == "running" => *target = json!("terminated"),
        "ExcludedRules"
        | "RuleActionOverrides"
        | "ManagedRuleGroupConfigs"
        | "commonPolicies"
        | "fmsPolicies"
        | "otherPolicies"
        | "formerNames"
        | "unprocessedResourceKeys" => {
            if let Some(elements) = target.as_array_mut().filter(|e| !e.is_empty()) {
                elements.remove(random.below(elements.len()));
            }
        }
        "Results" => edit_row(target, random),
        "NextToken" | "nextToken" if target.is_string() => *target = Value::Null,
        "RecordingScope" | "recordingScope" => choose(target, random, &["INTERNAL", "PAID"]),
        "priority" if target.is_number() => {
            *target = json!(target.as_i64().unwrap_or(0) + 50 - 100 * random.below(2) as i64);
        }
        "ruleId" if target.as_str().is_some_and(|id| id.starts_with("6a0b")) => {
            choose(target, random, &["6a0b0000-0000-4000-8000-00000000000a", "none"])
        }
        "overrideAction" if target["type"].is_string() => {
            *target = json!({"type": random.pick(&["NONE", "COUNT"])});
        }
        "rulesList" | "associationList" if target.is_array() => {
            let elements = target.as_array_mut().expect("checked");
            if !elements.is_empty() {
                elements.remove(random.below(elements.len()));
            }
        }
        "FirewallRuleGroupId" => choose(target, random, &["rslvr-frg-0a", "rslvr-frg-0b"]),
        "VpcId" => choose(target, random, &["vpc-01", "vpc-02"]),
        "Status" if *target == "COMPLETE" => *target = json!("UPDATING"),
        "Status" if *target == "UPDATING" => *target = json!("COMPLETE"),
        "Priority" if target.as_i64().is_some_and(|at| at > 3) => {
            let step = if random.chance(50) { 1 } else { -1 };
            *target = json!(target.as_i64().unwrap_or(0) + step);
        }
        "Priority" if target.is_number() => *target = json!(random.below(3)),
        "Version" => choose(target, random, &["Version_1.0", "Version_2.0"]),
        "assumeRecorded" => *target = json!(*target != true),
        "Entries" if target.is_array() => match random.below(3) {
            0 => *target = Value::Null,
            _ => drop(target.as_array_mut().expect("checked").pop()),
        },
        "resourceType" => {
            let kind = target.as_str().unwrap_or_default().to_ascii_lowercase();
            *target = json!(kind);
        }
        "evaluatedMs" | "staleAfterMs" => {
            let step = if random.chance(50) { 1 } else { -1 };
            let by = [1, 60_000, 86_400_000][random.below(3)];
            *target = json!(target.as_i64().unwrap_or(0) + step * by);
        }
        "configurationItemCaptureTime" => {
            let moments = ["2026-02-03T04:05:06.006Z", "2026-02-03T04:05:06.007Z"];
            choose(target, random, &moments);
        }
        "Status" => choose(target, random, &["ACTIVE", "SUSPENDED", "PENDING_CLOSURE", "CLOSED"]),
        // Only moves to the root keep the tree a tree.
        "ParentId" if random.chance(50) => choose(target, random, &["r-root"]),
        "type" if target.as_str().is_some_and(|kind| BALANCERS.contains(&kind)) => {
            choose(target, random, &BALANCERS);
        }
        "webAclArn" | "webACLId" => {
            choose(target, random, &["", "6c2c3f5e-0000-4000-8000-0000000000aa"])
        }
        "name" if target.as_str().is_some_and(|name| name.starts_with("FMManagedWebACL")) => {
            choose(target, random, &["FMManagedWebACL7", "FMManaged", "mine"]);
        }
        "value" if target.as_str().is_some_and(|v| v.starts_with("arn:") || v.is_empty()) => {
            choose(target, random, &["", "6c2c3f5e-0000-4000-8000-0000000000aa"]);
        }
        "AllSupported" if *target == true => *target = json!(false),
        "ManagedByFirewallManager"
        | "RetrofittedByFirewallManager"
        | "Recording"
        | "recording"
        | "requesterManaged"
        | "ExcludeResourceTags" => {
            if let Some(value) = target.as_bool() {
                *target = json!(!value);
            }
        }
        "Name" if target.as_str().is_some_and(|n| n.starts_with("FMManaged")) => {
            let name = target.as_str().expect("checked");
            let edited = match random.below(3) {
                0 => format!("{name}x"),
                1 => format!("x{name}"),
                _ => name.replace("V2", "v2"),
            };
            *target = json!(edited);
        }
        "ResourceTypes" | "resourceTypes" | "ResourceTypeList" => {
            if let Some(elements) = target.as_array_mut().filter(|e| e.len() > 1) {
                elements.remove(random.below(elements.len()));
            }
        }
        "ResourceTagLogicalOperator" => choose(target, random, &["AND", "OR"]),
        "ResourceTags" => {
            if let Some(elements) = target.as_array_mut() {
                elements.pop();
            }
        }
        "IncludeMap" | "ExcludeMap" => *target = json!({}),
        "Port" => {
            if let Some(port) = target.as_i64() {
                let port = if random.chance(50) { port + 1 } else { port - 1 };
                *target = json!(port.clamp(0, 65535));
            }
        }
        "Protocol"
            if ["tcp", "udp", "6", "17"]
                .iter()
                .any(|one| target.as_str().is_some_and(|said| said.eq_ignore_ascii_case(one))) =>
        {
            choose(target, random, &["tcp", "udp", "6"]);
        }
        "prefixListId" => choose(target, random, &["pl-0a", "pl-0b"]),
        "configSnapshotId" => *target = Value::Null,
        "ManagedServiceData" => {
            let mut data: Value =
                serde_json::from_str(target.as_str().unwrap_or("{}")).unwrap_or_default();
            policy_edits::change(&mut data, random);
            *target = json!(data.to_string());
        }
        _ => networks::edit(target, key, random),
    }
}

/// Changes a row of a query's answer, or leaves out one of its members.
fn edit_row(results: &mut Value, random: &mut Random) {
    let Some(rows) = results.as_array_mut().filter(|rows| !rows.is_empty()) else { return };
    let at = random.below(rows.len());
    let text = rows[at].as_str().unwrap_or_default();
    let Ok(mut row) = serde_json::from_str::<Value>(text) else { return };
    match random.below(3) {
        0 => {
            let member = random.pick(&["tags", "relationships", "supplementaryConfiguration"]);
            row.as_object_mut().map(|row| row.remove(member));
        }
        _ => change_one(&mut row, random),
    }
    rows[at] = json!(row.to_string());
}

pub fn choose(target: &mut Value, random: &mut Random, from: &[&str]) {
    *target = json!(random.pick(from));
}

fn edit_permission(permission: &mut Value, random: &mut Random) {
    let before = permission.clone();
    let ports = matches!(permission["ipProtocol"].as_str(), Some("tcp" | "udp" | "6" | "17"));
    match random.below(6) {
        0 | 1 if ports => {
            let key = random.pick(&["fromPort", "toPort"]);
            let step = if random.chance(50) { 1 } else { -1 };
            permission[key] = json!(permission[key].as_i64().unwrap_or(0) + step);
        }
        2 if ports => {
            permission["ipProtocol"] = json!(random.pick(&["tcp", "udp", "6", "17"]));
        }
        3 if ports => {
            permission["fromPort"] = json!(0);
            permission["toPort"] = json!(65535);
        }
        3 => {
            permission["ipProtocol"] = match permission["ipProtocol"].as_str() {
                Some("icmp") => json!("icmpv6"),
                Some("icmpv6") => json!("1"),
                Some("1") => json!("58"),
                Some("58") => json!("icmp"),
                Some("50") => json!("51"),
                _ => return,
            };
        }
        4 if !ports && permission["fromPort"].is_number() => {
            let type_and_code = [(-1, -1), (8, -1), (8, 0), (3, 1), (3, -1)];
            let (from, to) = type_and_code[random.below(type_and_code.len())];
            permission["fromPort"] = json!(from);
            permission["toPort"] = json!(to);
        }
        5 => {
            permission["ipProtocol"] = json!("-1");
            permission["fromPort"] = Value::Null;
            permission["toPort"] = Value::Null;
        }
        _ => {}
    }
    let legal = match (permission["fromPort"].as_i64(), permission["toPort"].as_i64()) {
        (Some(from), Some(to)) if ports => 0 <= from && from <= to && to <= 65535,
        _ => true,
    };
    if !legal {
        *permission = before;
    }
}

/// One bit longer or shorter, or the neighbouring block.
fn edit_cidr(target: &mut Value, random: &mut Random) {
    // Some are told badly.
    let Some(range) = target.as_str().and_then(Range::read) else { return };
    let bits = if range.family == 4 { 32 } else { 128 };
    let size = range.last - range.first;
    let (first, length) = match random.below(4) {
        0 if range.length > 0 => (range.first, range.length - 1),
        1 if range.length < bits => (range.first, range.length + 1),
        2 if range.length > 0 => (range.first ^ (size + 1), range.length),
        3 if range.length > 0 && range.length < bits => {
            (range.first ^ (size + 1), range.length + 1)
        }
        _ => return,
    };
    let size = if bits - length >= 128 { u128::MAX } else { (1u128 << (bits - length)) - 1 };
    let first = first & !size;
    let address = match u32::try_from(first) {
        Ok(first) if bits == 32 => std::net::Ipv4Addr::from(first).to_string(),
        _ => std::net::Ipv6Addr::from(first).to_string(),
    };
    *target = json!(format!("{address}/{length}"));
}
