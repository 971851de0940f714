//! Recorded answers of AWS, which nobody here wrote (`../shared/real-data`, or the folder that `PALISADE_REAL_DATA`
//! names): each becomes an item that the reader of deliveries understands to the last field.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use palisade_aws::{Client, Credentials, Keys, Secret, Settings, Surroundings, Target};
use palisade_core::inventory::{Body, read_item};
use serde_json::Value;
use tokio_rustls::rustls::RootCertStore;

use super::*;
use crate::ask::Ask;
use crate::item::{Described, Seen};

/// Nobody asks anything here.
#[derive(Debug)]
struct Still;

impl Surroundings for Still {
    fn wall_ms(&self) -> i64 {
        0
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(async {})
    }

    fn random(&self) -> u64 {
        0
    }
}

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-west-1";

fn ask() -> Ask {
    let secret = Secret::new("s");
    let keys = Keys { access_key_id: "A".into(), secret, session_token: None, expires_ms: None };
    let credentials = Credentials::fixed(keys);
    let target = Target { account: ACCOUNT.into(), region: REGION.into(), credentials };
    let client = Client::new(Settings::default(), RootCertStore::empty(), Arc::new(Still));
    Ask::new(client.unwrap(), target, false)
}

/// A recorder's moments are objects: as texts, as APIs answer them.
fn plain(value: Value) -> Value {
    match value {
        Value::Object(members) if members.contains_key("__class__") => {
            "2026-01-01T00:00:00Z".into()
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
        Value::Array(all) => Value::Array(all.into_iter().map(plain).collect()),
        other => other,
    }
}

type Read = fn(&Value, &Ask) -> Result<Vec<Described>, String>;

/// Of each recorded call: its list, the type that it is of, and what reads a member of the list.
fn calls() -> Vec<(&'static str, &'static str, ResourceType, Read)> {
    fn one(described: Result<Described, String>) -> Result<Vec<Described>, String> {
        described.map(|one| vec![one])
    }
    macro_rules! ec2 {
        ($call:literal, $list:literal, $type:ident, $id:literal, $tags:literal) => {
            ($call, $list, ResourceType::$type, |answer, ask| {
                one(ec2::described(answer, ask, $id, "x", $tags))
            })
        };
    }
    vec![
        ec2!("ec2.DescribeVpcs", "Vpcs", VPC, "VpcId", "Tags"),
        ec2!("ec2.DescribeSubnets", "Subnets", SUBNET, "SubnetId", "Tags"),
        ec2!("ec2.DescribeNetworkAcls", "NetworkAcls", NETWORK_ACL, "NetworkAclId", "Tags"),
        ec2!(
            "ec2.DescribeNetworkInterfaces",
            "NetworkInterfaces",
            NETWORK_INTERFACE,
            "NetworkInterfaceId",
            "TagSet"
        ),
        (
            "ec2.DescribeSecurityGroups",
            "SecurityGroups",
            ResourceType::SECURITY_GROUP,
            |answer, ask| one(security_groups::group(answer, ask)),
        ),
        ("ec2.DescribeInstances", "Reservations", ResourceType::INSTANCE, |answer, ask| {
            ec2::of_reservation(answer, ask)
        }),
        (
            "elasticloadbalancing.DescribeLoadBalancers",
            "LoadBalancers",
            ResourceType::LOAD_BALANCER,
            |answer, _| one(load_balancers::balancer(answer)),
        ),
        (
            "elasticloadbalancing.DescribeLoadBalancers",
            "LoadBalancerDescriptions",
            ResourceType::CLASSIC_LOAD_BALANCER,
            |answer, ask| one(load_balancers::classic_balancer(answer, ask)),
        ),
        (
            "shield.ListProtections",
            "Protections",
            ResourceType::SHIELD_REGIONAL_PROTECTION,
            |answer, _| {
                one(shield::protection(answer)
                    .map(|(_, one)| Described { is_global: false, ..one }))
            },
        ),
        ("wafv2.GetWebACL", "", ResourceType::WAFV2_WEB_ACL, |answer, _| {
            one(wafv2::web_acl(answer))
        }),
        ("apigateway.GetStages", "item", ResourceType::API_GATEWAY_STAGE, |answer, ask| {
            one(api_gateway::stage(answer, "api1", ask))
        }),
        (
            "cloudfront.ListDistributions",
            "DistributionList/Items",
            ResourceType::CLOUDFRONT_DISTRIBUTION,
            |answer, _| one(cloudfront::distribution(answer)),
        ),
    ]
}

fn files(folder: &PathBuf, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// The members of a list in an answer; the answer itself where there is no list.
fn listed(answer: &Value, list: &str) -> Vec<Value> {
    if list.is_empty() {
        return answer.get("WebACL").map(|_| answer.clone()).into_iter().collect();
    }
    let found = list.split('/').try_fold(answer, |value, name| value.get(name));
    found.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Whether each rule of a group tells every kind of other end.
fn tells_all(group: &Value) -> bool {
    let directions = ["IpPermissions", "IpPermissionsEgress"];
    directions.iter().all(|direction| {
        group[*direction].as_array().is_some_and(|rules| {
            rules.iter().all(|rule| {
                let lists = ["IpRanges", "Ipv6Ranges", "PrefixListIds", "UserIdGroupPairs"];
                lists.iter().all(|list| rule.get(*list).is_some())
            })
        })
    })
}

#[test]
fn recorded_answers_become_items_that_are_read_to_the_last_field() {
    let Some(folder) = palisade_testkit::outside_data("PALISADE_REAL_DATA", "real-data") else {
        return;
    };
    let mut paths = Vec::new();
    files(&folder.join("aws-api"), &mut paths);
    let (ask, mut counts, mut whole) = (ask(), BTreeMap::new(), 0);
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read(&path).unwrap();
        let Ok(recorded) = serde_json::from_slice::<Value>(&text) else { continue };
        let answer = plain(recorded["data"].clone());
        for (call, list, kind, read) in calls() {
            if !name.contains(&format!("__{call}_")) {
                continue;
            }
            for member in listed(&answer, list) {
                let described = match read(&member, &ask) {
                    Ok(described) => described,
                    // CloudFront always writes it; some recordings were cut down.
                    Err(why) => {
                        assert_eq!(why, "a distribution has no `WebACLId`", "{name}");
                        continue;
                    }
                };
                for described in described {
                    let seen =
                        Seen { account: ACCOUNT, region: REGION, at: "2026-01-01T00:00:00.000Z" };
                    let mut described = described;
                    described.related.get_or_insert_default();
                    let judged_by = ["groups", "ipPermissions", "securityGroups", "entries"];
                    let body = &described.configuration;
                    let is_cut = judged_by.iter().all(|name| body.get(*name).is_none());
                    let item = described.item(kind.as_str(), seen).to_string();
                    let read = read_item(item.as_bytes())
                        .unwrap_or_else(|why| panic!("{name}: {why}\n{item}"));
                    // Some recordings were cut down to what their tests needed.
                    let is_unseen = read.item.body == Body::Unseen;
                    assert!(!is_unseen || is_cut, "{name}: {item}");
                    if let Body::SecurityGroup(group) = &read.item.body {
                        // Recordings from before IPv6 tell nothing of it, and that is what is read.
                        let is_whole = tells_all(&member);
                        assert_eq!(group.untold == Default::default(), is_whole, "{name}: {item}");
                        whole += usize::from(is_whole);
                    }
                    *counts.entry(kind.clone()).or_insert(0_usize) += 1;
                }
            }
        }
    }
    assert!(whole > 10, "{whole} groups tell every kind of other end");
    for (_, _, kind, _) in calls() {
        assert!(counts.contains_key(&kind), "no answer of {kind} is recorded: {counts:?}");
    }
}
