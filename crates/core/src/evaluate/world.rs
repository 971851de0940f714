//! Small worlds for tests: shards, items and policies in few words.

use ipnet::IpNet;

use crate::ident::{AccountId, Region, ResourceType, ShardId};
use crate::inventory::{
    Body, Instance, InstanceInterface, Item, ItemKey, NetworkInterface, Permission, Recorder,
    RecordingGroup, SecurityGroup, Shard, Tags, UnseenState, Version,
};
use crate::lists::protocol_number;
use crate::policy::{Policy, Rule};
use crate::scope::Scope;

use super::{
    AccountFacts, Direction, Evidence, Fact, Freshness, Gap, Judgement, References, Violator, judge,
};

/// The account of every shard here.
pub const ACCOUNT: &str = "111111111111";
/// The administrator that owns every policy here.
pub const ADMIN: &str = "999999999999";

pub fn account(text: &str) -> AccountId {
    text.try_into().unwrap()
}

pub fn shard_id() -> ShardId {
    ShardId { account: account(ACCOUNT), region: Region::home_of_global() }
}

/// An item of the shard.
pub fn body(resource_type: ResourceType, id: &str, body: Body) -> Item {
    let shard = shard_id();
    Item {
        key: ItemKey {
            account: shard.account,
            region: shard.region,
            resource_type,
            id: id.try_into().unwrap(),
        },
        version: Version { state: Some(1), captured_ms: 1 },
        name: None,
        arn: None,
        tags: Some(Tags::new()),
        body,
        unseen_since: None,
        told_beside: None,
    }
}

/// The item, of which a later state without a body was seen.
pub fn outdated(mut item: Item) -> Item {
    let version = Version { state: Some(2), captured_ms: 2 };
    let unseen = UnseenState { version, name: None, arn: None, tags: None };
    item.unseen_since = Some(Box::new(unseen));
    item
}

/// A shard of which a whole snapshot was accepted. Without a recorder of its own it gets one that
/// records everything, so that every type is known.
pub fn world(items: impl IntoIterator<Item = Item>) -> Shard {
    let mut shard = Shard::empty(shard_id());
    shard.snapshot_accepted = true;
    let mut items: Vec<Item> = items.into_iter().collect();
    let recorder = ResourceType::CONFIGURATION_RECORDER;
    if items.iter().all(|item| item.key.resource_type != recorder) {
        let group = RecordingGroup::All;
        let all = Recorder { recording: true, group, internal: false };
        items.push(body(recorder, "default", Body::Recorder(all)));
    }
    for item in items {
        let resource_type = item.key.resource_type.clone();
        shard.held_types.insert(resource_type.clone());
        shard.items.entry(resource_type).or_default().insert(item.key.id.clone(), item);
    }
    shard
}

/// A policy named `web` of [`ADMIN`] about types separated by blanks.
pub fn policy(resource_types: &str, rule: Rule) -> Policy {
    Policy {
        id: "01234567-89ab-cdef-0123-456789abcdef".try_into().unwrap(),
        name: "web".into(),
        former_names: Vec::new(),
        rival_names: Vec::new(),
        elders: Vec::new(),
        owner: account(ADMIN),
        region: Region::home_of_global(),
        revision: 1,
        remediation_enabled: false,
        scope: Scope {
            resource_types: resource_types
                .split_whitespace()
                .map(|text| text.try_into().unwrap())
                .collect(),
            ..Scope::default()
        },
        rule,
    }
}

/// A fact of a shard that tells all there is, whenever it is asked.
pub fn held(item: Item) -> Fact {
    Fact::Item(item, Freshness { newest_ms: Some(i64::MAX), ..Freshness::default() })
}

pub fn judged(policy: &Policy, shard: &Shard, references: &References) -> Judgement {
    let account = AccountFacts::default();
    let account = &account;
    judge(policy, &Evidence { shard, references, account, evaluated_ms: 0, stale_after_ms: None })
}

/// Judged without references, at a moment, with what other shards of the account hold.
pub fn judged_at(
    policy: &Policy,
    shard: &Shard,
    account: &AccountFacts,
    evaluated_ms: i64,
) -> Judgement {
    let references = &References::new();
    judge(policy, &Evidence { shard, references, account, evaluated_ms, stale_after_ms: None })
}

/// A security group with rules separated by `;`, each `in|out PROTOCOL PORTS PEER…`, such as
/// `in tcp 22-25 10.0.0.0/8 pl-1; in icmp 8/-1 ::/0; out -1 * sg-2`. Ports are `*` when absent.
pub fn group(id: &str, rules: &str) -> Item {
    let mut group = SecurityGroup { group_name: "mine".into(), ..SecurityGroup::default() };
    for rule in rules.split(';').map(str::trim).filter(|rule| !rule.is_empty()) {
        let (direction, permission) = permission(rule);
        match direction {
            Direction::Ingress => group.ingress.push(permission),
            Direction::Egress => group.egress.push(permission),
        }
    }
    body(ResourceType::SECURITY_GROUP, id, Body::SecurityGroup(group))
}

pub fn permission(rule: &str) -> (Direction, Permission) {
    let mut words = rule.split_whitespace();
    let direction = match words.next() {
        Some("in") => Direction::Ingress,
        Some("out") => Direction::Egress,
        other => panic!("{other:?} in `{rule}` is no direction"),
    };
    let protocol = match words.next().unwrap() {
        "-1" => None,
        name => Some(protocol_number(name).unwrap()),
    };
    let ports = words.next().unwrap();
    let (from, to) = match ports.split_once(['/', ':']).or_else(|| ports.split_once('-')) {
        Some((from, to)) => (from, to),
        None => (ports, ports),
    };
    let mut permission = Permission {
        protocol,
        from_port: from.parse().ok(),
        to_port: to.parse().ok(),
        ..Permission::default()
    };
    for peer in words {
        if peer.starts_with("pl-") {
            permission.prefix_lists.push(peer.into());
        } else if peer.starts_with("sg-") {
            permission.groups.push((None, peer.into()));
        } else {
            match peer.parse().unwrap() {
                IpNet::V4(range) => permission.ipv4.push(range),
                IpNet::V6(range) => permission.ipv6.push(range),
            }
        }
    }
    (direction, permission)
}

/// A network interface with these groups.
pub fn interface(id: &str, groups: &[&str]) -> Item {
    let groups = groups.iter().map(|id| (*id).into()).collect();
    let interface = NetworkInterface { groups, ..NetworkInterface::default() };
    body(ResourceType::NETWORK_INTERFACE, id, Body::NetworkInterface(interface))
}

/// A running instance with its own groups and those of its interfaces.
pub fn instance(id: &str, groups: &[&str], interfaces: &[(&str, &[&str])]) -> Item {
    let boxed = |ids: &[&str]| ids.iter().map(|id| (*id).into()).collect();
    let interfaces = interfaces.iter().map(|(id, groups)| InstanceInterface {
        id: (*id).into(),
        groups: Some(boxed(groups)),
        device_index: None,
    });
    let instance = Instance {
        state: Some("running".into()),
        groups: boxed(groups),
        interfaces: Some(interfaces.collect()),
        ..Instance::default()
    };
    body(ResourceType::INSTANCE, id, Body::Instance(instance))
}

/// Tags as `key=value` words.
pub fn tagged(mut item: Item, tags: &str) -> Item {
    for tag in tags.split_whitespace() {
        let (key, value) = tag.split_once('=').unwrap();
        item.tags.get_or_insert_default().insert(key.into(), value.into());
    }
    item
}

/// Violators as `id REASON`, in the judgement's order.
pub fn violators(judgement: &Judgement) -> Vec<String> {
    let text = |violator: &Violator| {
        let reason = serde_json::to_value(violator.violations[0].reason).unwrap();
        format!("{} {}", violator.id, reason.as_str().unwrap())
    };
    judgement.violators.iter().map(text).collect()
}

/// Gaps as `SERVICE text`, in order.
pub fn gaps(judgement: &Judgement) -> Vec<String> {
    let text = |gap: &Gap| {
        let service = serde_json::to_value(gap.service).unwrap();
        format!("{} {}", service.as_str().unwrap(), gap.text)
    };
    judgement.gaps.iter().map(text).collect()
}
