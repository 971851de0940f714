//! Changes of the resources of a shard, as they come one by one.

use palisade_core::evaluate::Changed;
use palisade_core::ident::{ResourceId, ResourceType};
use palisade_core::inventory::{
    Body, InstanceInterface, Item, ItemKey, Permission, RecordingGroup, Shard, UnseenState,
    WafAssociation,
};

use crate::random::Random;

/// Changes some resources of a shard, and says which. What tells how complete the shard is stays,
/// recorders apart.
pub fn change(shard: &Shard, random: &mut Random) -> (Shard, Vec<Changed>) {
    let mut after = shard.clone();
    for _ in 0..[1, 1, 1, 2, 3][random.below(5)] {
        change_one(&mut after, random);
    }
    let changed = difference(shard, &after);
    (after, changed)
}

fn difference(before: &Shard, after: &Shard) -> Vec<Changed> {
    let keys = |shard: &Shard| -> Vec<ItemKey> {
        shard.items.values().flat_map(|items| items.values()).map(|item| item.key.clone()).collect()
    };
    let mut all = keys(before);
    all.extend(keys(after));
    all.sort();
    all.dedup();
    all.into_iter()
        .map(|key| Changed {
            before: before.item(&key.resource_type, key.id.as_str()).cloned(),
            after: after.item(&key.resource_type, key.id.as_str()).cloned(),
            key,
        })
        .filter(|changed| changed.before != changed.after)
        .collect()
}

fn change_one(shard: &mut Shard, random: &mut Random) {
    let items: Vec<&Item> = shard.items.values().flat_map(|items| items.values()).collect();
    if items.is_empty() {
        return;
    }
    let mut item = items[random.below(items.len())].clone();
    // Recorders are one of few and concern all: less often.
    if item.key.resource_type == ResourceType::CONFIGURATION_RECORDER && random.chance(70) {
        item = items[random.below(items.len())].clone();
    }
    let key = item.key.clone();
    match random.below(12) {
        0 => {
            shard.items.get_mut(&key.resource_type).unwrap().remove(&key.id);
            return;
        }
        1 => item.key.id = ResourceId::try_from(format!("{}9", key.id).as_str()).unwrap(),
        2 | 3 => change_tags(&mut item, random),
        4 => item.version.captured_ms += 1,
        5 if item.unseen_since.is_some() => item.unseen_since = None,
        5 | 6 if item.body != Body::Unseen => see_later(&mut item, random),
        7 => {
            item.body = Body::Unseen;
            item.unseen_since = None;
        }
        8 => {
            let alike: Vec<&Item> = shard.of_type(&key.resource_type).collect();
            item.body = alike[random.below(alike.len())].body.clone();
            if item.body == Body::Unseen {
                item.unseen_since = None;
            }
        }
        _ => change_body(&mut item, shard, random),
    }
    let of_type = shard.items.entry(key.resource_type).or_default();
    of_type.insert(item.key.id.clone(), item);
}

fn change_tags(item: &mut Item, random: &mut Random) {
    let key = random.pick(&["env", "team", "Env"]);
    if random.chance(30) {
        item.tags.as_mut().map(|tags| tags.remove(key));
    } else {
        item.tags
            .get_or_insert_default()
            .insert(key.into(), random.pick(&["prod", "test", "", "*"]).into());
    }
}

/// A later state without a body, which tells tags or does not.
fn see_later(item: &mut Item, random: &mut Random) {
    let mut version = item.version.clone();
    version.captured_ms += [0, 1, 3_600_000][random.below(3)];
    version.state = version.state.map(|state| state + 1);
    if random.chance(20) {
        // States of one version contradict each other.
        version = item.version.clone();
    }
    let mut later = UnseenState { version, name: None, arn: None, tags: Default::default() };
    if random.chance(50) {
        let mut tagged = item.clone();
        change_tags(&mut tagged, random);
        later.tags = tagged.tags;
    }
    item.unseen_since = Some(Box::new(later));
}

fn change_body(item: &mut Item, shard: &Shard, random: &mut Random) {
    let acl = web_acl(shard, random);
    match &mut item.body {
        Body::SecurityGroup(group) => match random.below(6) {
            0 => drop(group.ingress.pop()),
            5 => group.ingress.extend(group.ingress.last().cloned().map(open_to_offices)),
            1 => drop(group.egress.pop()),
            2 => std::mem::swap(&mut group.ingress, &mut group.egress),
            3 => {
                group.group_name =
                    random.pick(&["web", "default", "FMManagedSecurityGroup0"]).into()
            }
            _ => group.vpc = Some(random.pick(&["vpc-01", "vpc-02"]).into()),
        },
        Body::NetworkInterface(interface) => match random.below(4) {
            0 => interface.requester_managed = Some(!interface.is_managed()),
            _ => change_groups(&mut interface.groups, shard, random),
        },
        Body::Instance(instance) => match random.below(4) {
            0 => instance.state = Some(random.pick(&["running", "stopped", "terminated"]).into()),
            1 => change_groups(&mut instance.groups, shard, random),
            2 => drop(instance.interfaces.as_mut().and_then(Vec::pop)),
            _ => {
                let mut groups = vec![];
                change_groups(&mut groups, shard, random);
                let (id, groups) = ("eni-9".into(), Some(groups));
                let entry = InstanceInterface { id, groups, device_index: Some(3) };
                instance.interfaces.get_or_insert_default().push(entry);
            }
        },
        Body::PrefixList(list) => match &mut list.ipv4 {
            Some(entries) if !entries.is_empty() && random.chance(70) => drop(entries.pop()),
            told => *told = None,
        },
        Body::LoadBalancer(balancer) => match random.below(4) {
            0 => balancer.kind = Some(random.pick(&["application", "network"]).into()),
            1 => change_groups(balancer.groups.get_or_insert_default(), shard, random),
            _ => balancer.web_acl = acl,
        },
        Body::ClassicLoadBalancer(balancer) => {
            change_groups(balancer.groups.get_or_insert_default(), shard, random)
        }
        Body::ApiStage(target) | Body::Distribution(target) => target.web_acl = acl,
        Body::WebAcl(acl) => match random.below(4) {
            0 => acl.managed_by_fms = acl.managed_by_fms.map(|managed| !managed),
            1 => acl.retrofitted = acl.retrofitted.map(|retrofitted| !retrofitted),
            2 => drop(acl.associated.as_mut().and_then(Vec::pop)),
            _ => acl.pre_process = None,
        },
        Body::Protection(protection) => match random.below(3) {
            0 => protection.automatic_response = None,
            _ => protection.resource_arn = format!("{}0", protection.resource_arn).into(),
        },
        Body::Recorder(recorder) => match random.below(2) {
            0 => recorder.recording = !recorder.recording,
            _ => recorder.group = RecordingGroup::Only(vec![ResourceType::SECURITY_GROUP]),
        },
        Body::GroupAssociation(association) => {
            association.serves = Some(association.serving().is_none())
        }
        Body::Subnet(subnet) => subnet.owner = None,
        Body::RouteTable(table) => drop(table.routes.as_mut().and_then(Vec::pop)),
        Body::InternetGateway(gateway) => gateway.vpcs = None,
        Body::VpcEndpoint(endpoint) => endpoint.state = None,
        Body::NetworkFirewall(firewall) => drop(firewall.subnets.as_mut().and_then(Vec::pop)),
        Body::FirewallPolicy(policy) => policy.rules.stateful_groups = None,
        Body::Vpc(vpc) => vpc.owner = None,
        Body::DnsAssociation(association) => association.status = None,
        Body::ClassicAcl(acl) => acl.rules = None,
        Body::PeeringConnection(peering) => peering.active = peering.active.map(|is| !is),
        Body::NetworkAcl(acl) => match random.below(3) {
            0 => drop(acl.associations.as_mut().and_then(Vec::pop)),
            1 => acl.entries = None,
            _ => drop(acl.entries.as_mut().and_then(Vec::pop)),
        },
        Body::Deleted | Body::Unseen | Body::OlderLayout | Body::Unwanted => {}
    }
}

/// The same for a prefix list alone.
fn open_to_offices(mut permission: Permission) -> Permission {
    (permission.ipv4, permission.ipv6, permission.groups) = Default::default();
    permission.prefix_lists = vec!["pl-0a".into()];
    permission
}

/// Puts a group on or takes one off; some are not held.
fn change_groups(groups: &mut Vec<Box<str>>, shard: &Shard, random: &mut Random) {
    if !groups.is_empty() && random.chance(40) {
        groups.remove(random.below(groups.len()));
        return;
    }
    let held: Vec<&str> =
        shard.of_type(&ResourceType::SECURITY_GROUP).map(|item| item.key.id.as_str()).collect();
    let put = match held.is_empty() || random.chance(5) {
        true => "sg-nowhere",
        false => held[random.below(held.len())],
    };
    groups.push(put.into());
    groups.sort();
    groups.dedup();
}

fn web_acl(shard: &Shard, random: &mut Random) -> WafAssociation {
    let acls: Vec<&str> =
        shard.of_type(&ResourceType::WAFV2_WEB_ACL).map(|item| item.key.id.as_str()).collect();
    match random.below(4) {
        0 => WafAssociation::Unsaid,
        1 => WafAssociation::Bare,
        _ if acls.is_empty() => WafAssociation::Acl("6c2c3f5e-0000-4000-8000-0000000000aa".into()),
        _ => WafAssociation::Acl(acls[random.below(acls.len())].into()),
    }
}
