//! Which members of a configuration verdicts read, and what each of them says whatever way it is written
//! (formats §9; semantics §11 rows 67 and 69).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::usage::normalised;
use super::{Mutation, any_case, held, list, text};

/// Members that are read of each type, by their path.
const READ: &[(&str, &[&str])] = &[
    (
        "AWS::EC2::SecurityGroup",
        &["groupName", "ownerId", "vpcId", "ipPermissions", "ipPermissionsEgress"],
    ),
    (
        "AWS::EC2::NetworkInterface",
        &["groups", "vpcId", "ownerId", "requesterManaged", "attachment"],
    ),
    ("AWS::EC2::Instance", &["state", "vpcId", "securityGroups", "networkInterfaces"]),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", &["type", "vpcId", "securityGroups"]),
    ("AWS::ElasticLoadBalancing::LoadBalancer", &["vpcid", "securityGroups"]),
    ("AWS::ApiGateway::Stage", &["webAclArn"]),
    ("AWS::CloudFront::Distribution", &["distributionConfig"]),
    (
        "AWS::WAFv2::WebACL",
        &[
            "Name",
            "ManagedByFirewallManager",
            "RetrofittedByFirewallManager",
            "PreProcessFirewallManagerRuleGroups",
            "PostProcessFirewallManagerRuleGroups",
        ],
    ),
    ("AWS::WAF::WebACL", &["name", "rulesList"]),
    ("AWS::WAFRegional::WebACL", &["name", "rulesList", "associationList"]),
    ("AWS::Shield::Protection", PROTECTION),
    ("AWS::ShieldRegional::Protection", PROTECTION),
    ("AWS::EC2::VPC", &["ownerId"]),
    ("AWS::EC2::Subnet", &["vpcId", "ownerId", "availabilityZone"]),
    ("AWS::EC2::NetworkAcl", &["associations", "entries"]),
    ("AWS::EC2::RouteTable", &["vpcId", "associations", "routes"]),
    ("AWS::EC2::VPCEndpoint", &["vpcEndpointType", "subnetIds"]),
    ("AWS::NetworkFirewall::Firewall", &["firewall"]),
    ("AWS::NetworkFirewall::FirewallPolicy", &["firewallPolicy", "firewallPolicyResponse"]),
    (
        "AWS::Route53Resolver::FirewallRuleGroupAssociation",
        &["VpcId", "FirewallRuleGroupId", "Priority", "Status"],
    ),
    ("AWS::EC2::PrefixList", &["Entries"]),
    ("AWS::EC2::SecurityGroupVpcAssociation", &["GroupId", "VpcId", "State"]),
    (super::item::RECORDER, &["Recording", "RecordingGroup", "RecordingScope"]),
];

const PROTECTION: &[&str] = &["ResourceArn", RESPONSES[0], RESPONSES[1]];
const RESPONSES: [&str; 2] =
    ["ApplicationLayerAutomaticResponseConfig", "ApplicationLayerAutomaticResponseConfiguration"];

/// Members inside of those that nothing reads.
const UNREAD: &[&str] = &[
    "description",
    "groupname",
    "tags",
    "deleteprotection",
    "subnetchangeprotection",
    "firewallpolicychangeprotection",
    "numberofassociations",
    "enabled",
    "aliases",
    "networkaclassociationid",
];

/// The members of a configuration that are read of a type.
pub fn members(kind: &str) -> &'static [&'static str] {
    READ.iter().find(|(of, _)| *of == kind).map_or(&[], |(_, members)| members)
}

/// What an item's configuration says, by member; nothing of what it does not tell.
pub fn facts(item: &Value, broken: Option<Mutation>) -> BTreeMap<String, Value> {
    let (kind, body) = (text(&item["resourceType"]), held::body(item));
    let mut facts = BTreeMap::new();
    for member in members(kind) {
        let told = any_case(body, member);
        if told.is_null() || *told == "" {
            continue;
        }
        facts.insert((*member).to_owned(), told.clone());
    }
    if kind == "AWS::EC2::SecurityGroup" {
        let told = super::rules::rules(item, broken);
        let words = normalised(item, broken);
        let of = |way: &str| -> Value {
            words.iter().filter(|word| word.starts_with(way)).cloned().collect()
        };
        for (member, untold, way) in [
            ("ipPermissions", told.untold_ingress, "in "),
            ("ipPermissionsEgress", told.untold_egress, "out "),
        ] {
            facts.remove(member);
            if !untold {
                facts.insert(member.to_owned(), of(way));
            }
        }
    }
    if members(kind).contains(&RESPONSES[0]) {
        // A whole item leaves out what is off.
        let told = RESPONSES.iter().find_map(|member| facts.remove(*member));
        let whole = ["Id", "ProtectionId", "Name"].iter().any(|id| !any_case(body, id).is_null());
        match told {
            Some(told) => drop(facts.insert("response".to_owned(), told)),
            None if whole => {
                drop(facts.insert("response".to_owned(), json!({"Status": "DISABLED"})))
            }
            None => {}
        }
    }
    if kind == "AWS::ElasticLoadBalancingV2::LoadBalancer"
        && let Some(arn) = super::acl::attribute_of(item)
    {
        facts.insert("waf.web_acl_id".to_owned(), json!(arn));
    }
    facts
}

/// Whether two values tell the same member differently: of objects each by itself.
pub fn differ(one: &Value, other: &Value) -> bool {
    if let (Value::Object(one), Value::Object(others)) = (one, other) {
        return one.iter().any(|(key, one)| {
            let read = !UNREAD.contains(&&*key.to_ascii_lowercase());
            let told = others.iter().find(|(other, _)| other.eq_ignore_ascii_case(key));
            read && told
                .is_some_and(|(_, other)| !one.is_null() && !other.is_null() && differ(one, other))
        });
    }
    if let (Value::Array(ones), Value::Array(others)) = (one, other) {
        return ones.iter().any(|one| others.iter().all(|other| differs_as_element(one, other)))
            || others.iter().any(|other| ones.iter().all(|one| differs_as_element(other, one)));
    }
    plain(one) != plain(other)
}

/// Elements are the same where what both tell of them is.
fn differs_as_element(one: &Value, other: &Value) -> bool {
    let id = |value: &Value| value["groupId"].as_str().map_or(value.clone(), |id| json!(id));
    let is_group = |value: &Value| value["groupId"].is_string() || value.is_string();
    if is_group(one) && is_group(other) {
        return id(one) != id(other);
    }
    differ(one, other)
}

/// Scalars by what they say: numbers and switches in texts, letters of words.
fn plain(value: &Value) -> String {
    match value {
        Value::String(said) => match said.parse::<f64>() {
            Ok(number) => number.to_string(),
            Err(_) => said.clone(),
        },
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    }
}

/// The tags that an item tells.
pub fn tags(item: &Value) -> Option<&Map<String, Value>> {
    item["tags"].as_object()
}

/// Whether two elements of a list bear one number, as far as they tell it.
pub fn share_a_number(all: &Value, number: &dyn Fn(&Value) -> Option<String>) -> bool {
    let mut told: Vec<String> = list(all).iter().filter_map(number).collect();
    told.sort();
    told.windows(2).any(|two| two[0] == two[1])
}
