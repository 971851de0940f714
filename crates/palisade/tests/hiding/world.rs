//! One account's files in several ways of telling the same: a small estate that complies with every
//! policy, and changes to it that each break one.

use serde_json::{Value, json};

use super::support::{audit, custom_audit, group, interface, item};

const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const RECORDER: &str = "AWS::Config::ConfigurationRecorder";
const RULE_GROUP: &str = "AWSManagedRulesCommonRuleSet";

/// The state number of a minute past 06:00, as snapshots' names tell it.
fn at(minute: u64) -> u64 {
    12_800_000 + minute * 60_000
}

/// The policies: each of the types that are judged.
pub fn policies() -> Vec<Value> {
    let group = "AWS::EC2::SecurityGroup";
    let types = [group, "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"];
    let policy = |name: &str, kind: &str, data: &Value| {
        json!({"PolicyName": name, "ResourceType": kind,
            "ExcludeResourceTags": false, "RemediationEnabled": false,
            "SecurityServicePolicyData": {"Type": data["type"], "ManagedServiceData": data.to_string()}})
    };
    let shield = json!({"type": "SHIELD_ADVANCED"});
    let mut tagged = audit(
        "narrower where tagged",
        &types[..1],
        &json!([{"minIpv4CidrPrefixLenPerSgRule": 20}]),
    );
    tagged["ResourceTags"] = json!([{"Key": "env", "Value": "prod"}]);
    let mut denied = custom_audit("nothing of the audit group", "sg-audit");
    let data = denied["SecurityServicePolicyData"]["ManagedServiceData"].as_str().unwrap();
    denied["SecurityServicePolicyData"]["ManagedServiceData"] =
        json!(data.replace("ALLOW", "DENY"));
    vec![
        audit(
            "narrow",
            &types,
            &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}, {"denyProtocolAllValue": true}]),
        ),
        tagged,
        denied,
        policy(
            "usage",
            group,
            &json!({"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": true,
                "coalesceRedundantSecurityGroups": true}),
        ),
        policy(
            "web",
            BALANCER,
            &json!({"type": "WAFV2", "postProcessRuleGroups": [],
                "preProcessRuleGroups": [{"ruleGroupArn": null, "overrideAction": {"type": "NONE"},
                    "managedRuleGroupIdentifier": {"vendorName": "AWS",
                        "managedRuleGroupName": RULE_GROUP, "version": null},
                    "ruleGroupType": "ManagedRuleGroup", "excludeRules": []}],
                "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false}),
        ),
        policy("shield", BALANCER, &shield),
        policy("shield of distributions", "AWS::CloudFront::Distribution", &shield),
    ]
}

/// The audit group, and the administrator's snapshot that holds it.
pub fn audit_group(admin: &str) -> Value {
    group(admin, "sg-audit", at(1), "192.0.2.0/24", 22)
}

fn balancer_arn(account: &str) -> String {
    format!("arn:aws:elasticloadbalancing:us-east-1:{account}:loadbalancer/app/a/0123")
}

fn acl_arn(account: &str) -> String {
    let name = "FMManagedWebACLV2-web-1793500000000";
    format!("arn:aws:wafv2:us-east-1:{account}:regional/webacl/{name}/0000")
}

pub fn recorder(account: &str) -> Value {
    let group = json!({"AllSupported": true, "IncludeGlobalResourceTypes": true});
    let body = json!({"Recording": true, "RecordingGroup": group});
    item(account, RECORDER, "default", at(1), &body)
}

pub fn is_recorder(item: &Value) -> bool {
    item["resourceType"] == RECORDER
}

/// What the account holds, its recorder apart.
fn estate(account: &str) -> Vec<Value> {
    let mut prod = group(account, "sg-1", at(5), "10.1.2.0/24", 443);
    prod["tags"] = json!({"env": "prod"});
    let mut dev = group(account, "sg-2", at(5), "10.2.0.0/18", 443);
    dev["tags"] = json!({"env": "dev"});
    let mut more = group(account, "sg-3", at(5), "10.3.4.0/24", 8443);
    more["tags"] = json!({"env": "prod"});
    let mut first = interface(account, "eni-1", at(5), &["sg-1"]);
    first["configuration"]["ownerId"] = json!(account);
    first["configuration"]["attachment"] = json!({"instanceId": "i-1", "deviceIndex": 0});
    let second = interface(account, "eni-2", at(5), &["sg-2"]);
    let instance = json!({"instanceId": "i-1", "state": {"name": "running"}, "vpcId": "vpc-1",
        "securityGroups": [{"groupId": "sg-1", "groupName": "x"}],
        "networkInterfaces": [{"networkInterfaceId": "eni-1",
            "groups": [{"groupId": "sg-1", "groupName": "x"}], "attachment": {"deviceIndex": 0}}]});
    let other = json!({"instanceId": "i-2", "state": {"name": "running"}, "vpcId": "vpc-1",
        "securityGroups": [{"groupId": "sg-3", "groupName": "x"}], "networkInterfaces": []});
    let mut items = vec![prod, dev, more, first, second];
    items.push(item(account, "AWS::EC2::Instance", "i-1", at(5), &instance));
    items.push(item(account, "AWS::EC2::Instance", "i-2", at(5), &other));
    items.extend(web(account));
    items
}

fn web(account: &str) -> Vec<Value> {
    let (arn, acl) = (balancer_arn(account), acl_arn(account));
    let body = json!({"loadBalancerArn": arn, "type": "application", "scheme": "internal", "vpcId": "vpc-1"});
    let mut balancer = item(account, BALANCER, &arn, at(5), &body);
    balancer["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": [
        {"key": "waf.enabled", "value": "true"}, {"key": "waf.web_acl_id", "value": acl}]});
    let name = acl.split('/').nth(2).unwrap().to_owned();
    let body = json!({"ARN": acl, "Name": name, "ManagedByFirewallManager": true,
        "RetrofittedByFirewallManager": false, "DefaultAction": {"Allow": {}}, "Rules": [],
        "PreProcessFirewallManagerRuleGroups": [{"Name": "PRE", "Priority": 0,
            "FirewallManagerStatement": {"ManagedRuleGroupStatement":
                {"VendorName": "AWS", "Name": RULE_GROUP}},
            "OverrideAction": {"None": {}}}],
        "PostProcessFirewallManagerRuleGroups": []});
    let mut web_acl = item(account, "AWS::WAFv2::WebACL", &acl, at(5), &body);
    web_acl["relationships"] =
        json!([{"resourceType": BALANCER, "resourceId": arn, "name": "Is associated with "}]);
    let body = json!({"Id": "p-1", "ResourceArn": arn});
    let protection = item(account, "AWS::ShieldRegional::Protection", "p-1", at(5), &body);
    let edge = format!("arn:aws:cloudfront::{account}:distribution/E1");
    let front = json!({"arn": edge, "distributionConfig": {"enabled": true,
        "webACLId": format!("arn:aws:wafv2:us-east-1:{account}:global/webacl/x/1")}});
    let front = item(account, "AWS::CloudFront::Distribution", "E1", at(5), &front);
    let body = json!({"Id": "p-2", "ResourceArn": edge});
    let guarded = item(account, "AWS::Shield::Protection", "p-2", at(5), &body);
    let global = [front, guarded].map(|mut item| {
        item["awsRegion"] = json!("global");
        item
    });
    let mut items = vec![balancer, web_acl, protection];
    items.extend(global);
    items
}

/// A change of the estate: members of its items have other values.
pub struct Change(pub Vec<Part>);

/// One member of one item.
pub struct Part {
    /// What the item's id ends in, or holds.
    id: &'static str,
    /// A JSON pointer into the item.
    pub at: &'static str,
    value: Value,
}

impl Part {
    pub fn is_of(&self, item: &Value) -> bool {
        let id = item["resourceId"].as_str().unwrap_or_default();
        id == self.id || (self.id.contains('/') && id.contains(self.id))
    }

    pub fn apply(&self, item: &mut Value) {
        *item.pointer_mut(self.at).unwrap() = self.value.clone();
    }
}

fn change(id: &'static str, at: &'static str, value: Value) -> Change {
    Change(vec![Part { id, at, value }])
}

/// Changes that make an account break some policy, or that show another truth which counts.
pub fn changes() -> Vec<Change> {
    let (ingress, none) = ("/configuration/ipPermissions", json!([]));
    let rule = |cidr: &str, port: u64| {
        json!([{"ipProtocol": "tcp", "fromPort": port, "toPort": port, "userIdGroupPairs": [],
            "ipv4Ranges": [{"cidrIp": cidr}], "ipv6Ranges": [], "ipRanges": [cidr], "prefixListIds": []}])
    };
    let groups = "/configuration/PreProcessFirewallManagerRuleGroups";
    // Another web ACL on the load balancer is told by both.
    let associated = |acl: &str| {
        let attribute = "/supplementaryConfiguration/LoadBalancerAttributes/1/value";
        Change(vec![
            Part { id: "loadbalancer/app/", at: attribute, value: json!(acl) },
            Part { id: "webacl/", at: "/relationships", value: json!([]) },
        ])
    };
    let elsewhere = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/other/1";
    let nothing = json!({"AllSupported": false, "ResourceTypes": ["AWS::EC2::VPC"]});
    vec![
        change("sg-1", ingress, rule("0.0.0.0/0", 22)),
        change("sg-1", "/configuration/ipPermissionsEgress", rule("0.0.0.0/0", 22)),
        change("sg-3", "/configuration/ipPermissions/0/ipProtocol", json!("-1")),
        change("sg-2", ingress, rule("192.0.2.0/25", 22)),
        change("sg-2", "/tags", json!({"env": "prod"})),
        change("sg-3", ingress, rule("10.1.2.0/24", 443)),
        change("eni-2", "/configuration/groups", none.clone()),
        change("i-2", "/configuration/state/name", json!("terminated")),
        change("i-2", "/configuration/securityGroups", none.clone()),
        associated(""),
        associated("arn:aws:wafv2:us-east-1:1:regional/webacl/other/1"),
        change("webacl/", "/configuration/ManagedByFirewallManager", json!(false)),
        change("webacl/", groups, none),
        change(
            "webacl/",
            "/configuration/PreProcessFirewallManagerRuleGroups/0/OverrideAction",
            json!({"Count": {}}),
        ),
        change("p-1", "/configuration/ResourceArn", json!(elsewhere)),
        change("E1", "/configuration/distributionConfig/webACLId", json!("")),
        change("p-2", "/configuration/ResourceArn", json!("arn:aws:cloudfront::1:distribution/E9")),
        change("default", "/configuration/Recording", json!(false)),
        change("default", "/configuration/RecordingGroup", nothing),
    ]
}

/// How files tell of an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Telling {
    /// A whole snapshot with the recorder's item.
    Snapshot,
    /// A whole snapshot without one.
    SnapshotAlone,
    /// The recorder's item by a message, all else by an answer to a query, of two pages.
    Query,
    /// The same by a batch answer.
    Batch,
    /// A snapshot, and the same of later by messages.
    Messages,
    /// A snapshot, and the same of later by history files.
    History,
}

pub const TELLINGS: [Telling; 6] = [
    Telling::Snapshot,
    Telling::SnapshotAlone,
    Telling::Query,
    Telling::Batch,
    Telling::Messages,
    Telling::History,
];

/// Of which a later state is told.
const AGAIN: [&str; 8] =
    ["sg-1", "sg-2", "eni-2", "i-2", "loadbalancer/app/", "webacl/", "p-1", "E1"];

/// What a file is.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    Snapshot,
    History(String),
    /// Which of the two pages are there.
    Query([bool; 2]),
    /// Ids that the answer names as left out.
    Batch(Vec<Value>),
    Message,
    /// A message that was too large: its item without all that it tells.
    Oversized,
}

#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub form: Form,
    pub items: Vec<Value>,
    /// The file is there in part.
    pub cut: bool,
}

impl File {
    fn new(form: Form, items: Vec<Value>) -> File {
        File { form, items, cut: false }
    }
}

/// The files of an account whose estate is as it should be.
pub fn files(account: &str, telling: Telling) -> Vec<File> {
    let (estate, recorder) = (estate(account), recorder(account));
    let later = |items: &[Value]| -> Vec<Value> {
        let is_told_again = |item: &&Value| {
            AGAIN.iter().any(|id| item["resourceId"].as_str().unwrap().contains(id))
        };
        let mut items: Vec<Value> = items.iter().filter(is_told_again).cloned().collect();
        for item in &mut items {
            for moment in ["configurationItemCaptureTime", "configurationStateId"] {
                item[moment] = json!(item[moment].as_u64().unwrap() + 40 * 60_000);
            }
        }
        items
    };
    let of_all = || {
        let mut all = estate.clone();
        all.push(recorder.clone());
        File::new(Form::Snapshot, all)
    };
    match telling {
        Telling::Snapshot => vec![of_all()],
        Telling::SnapshotAlone => vec![File::new(Form::Snapshot, estate)],
        Telling::Query => vec![
            File::new(Form::Message, vec![recorder]),
            File::new(Form::Query([true, true]), estate),
        ],
        Telling::Batch => {
            vec![File::new(Form::Message, vec![recorder]), File::new(Form::Batch(vec![]), estate)]
        }
        Telling::Messages => {
            let messages =
                later(&estate).into_iter().map(|item| File::new(Form::Message, vec![item]));
            [of_all()].into_iter().chain(messages).collect()
        }
        Telling::History => {
            let mut files = vec![of_all()];
            for item in later(&estate) {
                let kind = item["resourceType"].as_str().unwrap();
                let same = |file: &File| matches!(&file.form, Form::History(of) if of == kind);
                match files.iter_mut().find(|file| same(file)) {
                    Some(file) => file.items.push(item),
                    None => files.push(File::new(Form::History(kind.to_owned()), vec![item])),
                }
            }
            files
        }
    }
}

/// The same with a change, in the newest state of each item.
pub fn changed(mut files: Vec<File>, change: &Change) -> Vec<File> {
    for part in &change.0 {
        let mut items = files.iter_mut().rev().flat_map(|file| &mut file.items);
        if let Some(item) = items.find(|item| part.is_of(item)) {
            part.apply(item);
        }
    }
    files
}
