//! A small world told by every kind of container that AWS Config's data comes in (formats §1, §6,
//! §7), with all that makes order matter: older and newer states, deletions, a snapshot that shows
//! something gone, a summary before or after the message itself, equal versions of other content.

use serde_json::{Value, json};

use super::support::{account, audit, custom_audit, group, history, interface, item, snapshot};

/// Accounts of the world's organization; of the last nothing is ever delivered.
pub const ACCOUNTS: u64 = 9;

/// The state number of a minute past 06:00, as snapshots' names tell it.
fn at(minute: u64) -> u64 {
    12_800_000 + minute * 60_000
}

fn of_region(region: &str, mut item: Value) -> Value {
    item["awsRegion"] = json!(region);
    item
}

fn deleted(account: &str, kind: &str, id: &str, state: u64) -> Value {
    let mut item = item(account, kind, id, state, &Value::Null);
    item["configurationItemStatus"] = json!("ResourceDeleted");
    item
}

fn recorder(account: &str, state: u64, recording: bool) -> Value {
    let body = json!({"Recording": recording, "RecordingGroup": {"AllSupported": true}});
    item(account, "AWS::Config::ConfigurationRecorder", "default", state, &body)
}

fn balancer_arn(account: &str, name: &str) -> String {
    format!("arn:aws:elasticloadbalancing:us-east-1:{account}:loadbalancer/app/{name}/0123")
}

fn acl_arn(account: &str, name: &str) -> String {
    format!("arn:aws:wafv2:us-east-1:{account}:regional/webacl/{name}/0000")
}

/// A load balancer with a web ACL of this name; `""` is none, and `None` does not say.
fn balancer(account: &str, name: &str, state: u64, acl: Option<&str>) -> Value {
    let arn = balancer_arn(account, name);
    let value = acl.map(|acl| if acl.is_empty() { String::new() } else { acl_arn(account, acl) });
    let attributes: Vec<Value> =
        value.iter().map(|value| json!({"key": "waf.web_acl_id", "value": value})).collect();
    let kind = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    let body = json!({"loadBalancerArn": arn, "type": "application"});
    let mut item = item(account, kind, &arn, state, &body);
    item["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": attributes});
    item
}

fn acl(account: &str, name: &str, state: u64, balancers: &[&str]) -> Value {
    let arn = acl_arn(account, name);
    let body = json!({"ARN": arn, "Name": name, "ManagedByFirewallManager": true,
        "RetrofittedByFirewallManager": false, "DefaultAction": {"Allow": {}},
        "PreProcessFirewallManagerRuleGroups": [], "PostProcessFirewallManagerRuleGroups": []});
    let mut item = item(account, "AWS::WAFv2::WebACL", &arn, state, &body);
    let related = balancers.iter().map(|name| {
        json!({"resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "resourceId": balancer_arn(account, name), "name": "Is associated with "})
    });
    item["relationships"] = related.collect();
    item
}

fn protection(account: &str, id: &str, state: u64, resource: &str) -> Value {
    let kind = "AWS::ShieldRegional::Protection";
    item(account, kind, id, state, &json!({"Id": id, "ResourceArn": resource}))
}

fn distribution(account: &str, state: u64, acl: &str) -> Value {
    let body = json!({"arn": format!("arn:aws:cloudfront::{account}:distribution/E1"),
        "distributionConfig": {"enabled": true, "webACLId": acl}});
    of_region("global", item(account, "AWS::CloudFront::Distribution", "E1", state, &body))
}

pub fn notification(item: &Value) -> Value {
    json!({"configurationItemDiff": null, "configurationItem": item,
        "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3"})
}

/// What remains of an item in an oversized notification.
pub fn oversized(item: &Value, change: &str) -> Value {
    let mut summary = item.clone();
    for bodied in ["configuration", "supplementaryConfiguration", "relationships", "tags"] {
        summary.as_object_mut().unwrap().remove(bodied);
    }
    summary["changeType"] = json!(change);
    json!({"configurationItemSummary": summary, "recordVersion": "1.3",
        "s3DeliverySummary": {"s3BucketLocation": "bucket/key"},
        "messageType": "OversizedConfigurationItemChangeNotification"})
}

pub fn sns(message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "1", "Message": message.to_string()})
}

pub fn event(item: &Value) -> Value {
    json!({"version": "0", "id": "1", "detail-type": "Config Configuration Item Change",
        "source": "aws.config", "account": item["awsAccountId"], "region": item["awsRegion"],
        "resources": [], "detail": notification(item)})
}

/// An item with the names of the API, its bodies as text.
pub fn by_api(item: &Value) -> Value {
    let mut api = item.clone();
    let members = api.as_object_mut().unwrap();
    for (delivered, name) in
        [("awsAccountId", "accountId"), ("configurationItemVersion", "version")]
    {
        let value = members.remove(delivered).unwrap();
        members.insert(name.to_owned(), value);
    }
    members["configuration"] = json!(item["configuration"].to_string());
    members["configurationStateId"] = json!(item["configurationStateId"].to_string());
    let supplements = item["supplementaryConfiguration"].as_object().unwrap();
    members["supplementaryConfiguration"] =
        supplements.iter().map(|(key, value)| (key.clone(), json!(value.to_string()))).collect();
    api
}

/// A row of an advanced query: bodies as objects, floats, tags as a list, no state number, no
/// status.
pub fn row(item: &Value) -> String {
    let mut row = by_api(item);
    for bodied in ["configuration", "supplementaryConfiguration"] {
        row[bodied] = item[bodied].clone();
    }
    let tags = item["tags"].as_object().unwrap().iter().map(|(key, value)| {
        json!({"key": key, "value": value, "tag": format!("{key}={}", value.as_str().unwrap())})
    });
    row["tags"] = tags.collect();
    if let Some(captured) = item["configurationItemCaptureTime"].as_f64() {
        row["configurationItemCaptureTime"] = json!(captured);
    }
    for member in ["configurationStateId", "configurationItemStatus", "version"] {
        row.as_object_mut().unwrap().remove(member);
    }
    row.to_string()
}

fn unnamed(text: impl ToString) -> (String, String) {
    (String::new(), text.to_string())
}

/// Policies of all the types that are judged.
pub fn policies() -> Vec<Value> {
    let (group, balancer) =
        ("AWS::EC2::SecurityGroup", "AWS::ElasticLoadBalancingV2::LoadBalancer");
    let types = [group, "AWS::EC2::NetworkInterface", "AWS::EC2::Instance"];
    let policy = |name: &str, types: &[&str], data: &Value| {
        let mut policy = audit(name, types, &json!([]));
        policy["SecurityServicePolicyData"] =
            json!({"Type": data["type"], "ManagedServiceData": data.to_string()});
        if let [only] = types {
            policy["ResourceType"] = json!(only);
            policy.as_object_mut().unwrap().remove("ResourceTypeList");
        }
        policy
    };
    let shield = json!({"type": "SHIELD_ADVANCED"});
    vec![
        audit("narrow", &types, &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}])),
        custom_audit("as the audit group", "sg-audit"),
        policy(
            "web",
            &[balancer],
            &json!({"type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
                "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false}),
        ),
        policy("shield", &[balancer], &shield),
        policy("shield of distributions", &["AWS::CloudFront::Distribution"], &shield),
        policy(
            "usage",
            &[group],
            &json!({"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": true,
                "coalesceRedundantSecurityGroups": true}),
        ),
    ]
}

/// Every delivery of the world.
pub fn all() -> Vec<(String, String)> {
    [messages(), files(), answers(), globals()].concat()
}

/// Accounts 2 and 3: snapshots and histories, and what the stream says between them.
fn files() -> Vec<(String, String)> {
    let (id, other) = (&account(2), &account(3));
    let kind = "AWS::EC2::SecurityGroup";
    let older = [
        recorder(id, 1, true),
        group(id, "sg-1", at(5), "0.0.0.0/0", 22),
        group(id, "sg-gone", at(5), "0.0.0.0/0", 22),
        interface(id, "eni-1", at(5), &["sg-1", "sg-gone"]),
        balancer(id, "a", at(5), Some("")),
        acl(id, "FMManagedWebACLV2-web-1", at(5), &[]),
    ];
    let newer = [
        recorder(id, 1, true),
        group(id, "sg-1", at(5), "0.0.0.0/0", 22),
        group(id, "sg-2", at(20), "10.2.0.0/16", 443),
        interface(id, "eni-1", at(25), &["sg-1"]),
        balancer(id, "a", at(25), Some("FMManagedWebACLV2-web-1")),
        balancer(id, "b", at(25), None),
        acl(id, "FMManagedWebACLV2-web-1", at(25), &["b"]),
        protection(id, "p-a", at(25), &balancer_arn(id, "a")),
    ];
    vec![
        snapshot(id, 10, &older),
        snapshot(id, 30, &newer),
        // A state of before the snapshot that no longer shows it, and one of after.
        history(id, &[group(id, "sg-gone", at(15), "10.0.0.0/8", 1)]),
        // Newer than what the last snapshot shows, and of before it.
        history(id, &[group(id, "sg-1", at(28), "10.3.0.0/16", 22)]),
        history(
            id,
            &[
                group(id, "sg-2", at(12), "0.0.0.0/0", 1),
                group(id, "sg-3", at(31), "0.0.0.0/0", 1),
                deleted(id, kind, "sg-3", at(33)),
                group(id, "sg-4", at(32), "10.2.0.0/16", 443),
            ],
        ),
        // No recorder, and two snapshots of one moment that show different things.
        snapshot(other, 10, &[group(other, "sg-1", at(1), "10.0.0.0/8", 1)]),
        snapshot(other, 10, &[group(other, "sg-2", at(1), "10.0.0.0/8", 1)]),
        // Equal versions of other content: one of them is the newest, whichever comes first.
        unnamed(group(other, "sg-tie", at(40), "10.0.0.0/8", 1)),
        unnamed(group(other, "sg-tie", at(40), "0.0.0.0/0", 1)),
        unnamed(deleted(other, kind, "sg-tied", at(40))),
        unnamed(group(other, "sg-tied", at(40), "0.0.0.0/0", 1)),
    ]
}

/// Accounts 0, 1, 4 and 5: notifications in all their envelopes, the administrator's audit group
/// among them.
fn messages() -> Vec<(String, String)> {
    let (first, admin, id, other) = (&account(0), &account(1), &account(4), &account(5));
    let kind = "AWS::EC2::SecurityGroup";
    let big = group(id, "sg-big", at(20), "0.0.0.0/0", 22);
    let lost = group(id, "sg-lost", at(20), "0.0.0.0/0", 22);
    let mut unrecorded = item(other, kind, "sg-dark", at(10), &Value::Null);
    unrecorded["configurationItemStatus"] = json!("ResourceNotRecorded");
    vec![
        unnamed(notification(&group(admin, "sg-audit", at(10), "0.0.0.0/0", 22))),
        unnamed(event(&group(admin, "sg-audit", at(20), "10.0.0.0/8", 443))),
        unnamed(sns(&notification(&group(id, "sg-1", at(10), "0.0.0.0/0", 22)))),
        unnamed(json!({"Records": [
            {"messageId": "1", "body": sns(&notification(&group(id, "sg-1", at(12), "10.1.0.0/16", 22))).to_string()},
            {"messageId": "2", "body": sns(&notification(&interface(id, "eni-1", at(12), &["sg-1", "sg-big"]))).to_string()},
        ]})),
        // Summaries: of what is fetched as well, of what never is, and of a deletion.
        unnamed(oversized(&big, "UPDATE")),
        unnamed(notification(&big)),
        unnamed(notification(&group(id, "sg-big", at(15), "10.0.0.0/8", 22))),
        unnamed(sns(&oversized(&lost, "UPDATE"))),
        unnamed(notification(&group(id, "sg-lost", at(10), "10.1.0.0/16", 22))),
        // Deleted, and seen again without its configuration.
        unnamed(notification(&group(id, "sg-back", at(10), "0.0.0.0/0", 22))),
        unnamed(notification(&deleted(id, kind, "sg-back", at(35)))),
        unnamed(notification(&item(id, kind, "sg-back", at(40), &Value::Null))),
        unnamed(notification(&group(id, "sg-dead", at(10), "0.0.0.0/0", 22))),
        unnamed(oversized(&deleted(id, kind, "sg-dead", at(20)), "DELETE")),
        // A recorder goes and comes back; another one only goes.
        unnamed(notification(&recorder(id, at(1), true))),
        unnamed(notification(&deleted(id, "AWS::Config::ConfigurationRecorder", "default", at(5)))),
        unnamed(notification(&recorder(id, at(9), true))),
        unnamed(notification(&recorder(other, at(1), true))),
        unnamed(notification(&deleted(
            other,
            "AWS::Config::ConfigurationRecorder",
            "default",
            at(5),
        ))),
        unnamed(event(&unrecorded)),
        unnamed(event(&group(other, "sg-5", at(10), "0.0.0.0/0", 22))),
        // That an interface is gone tells that interfaces are recorded.
        unnamed(notification(&group(first, "sg-1", at(10), "10.0.0.0/8", 22))),
        unnamed(notification(&deleted(first, "AWS::EC2::NetworkInterface", "eni-1", at(10)))),
        unnamed(notification(&deleted(first, "AWS::EC2::Instance", "i-1", at(10)))),
        // Messages without an item.
        unnamed(json!({"messageType": "ConfigurationSnapshotDeliveryCompleted", "s3Bucket": "b"})),
    ]
}

/// Account 6: answers of the API and of queries, JSON lines, a list and an item by itself.
fn answers() -> Vec<(String, String)> {
    let id = &account(6);
    let one = balancer(id, "a", at(10), Some(""));
    let lines =
        [group(id, "sg-4", at(10), "10.1.0.0/16", 22), group(id, "sg-5", at(10), "0.0.0.0/0", 22)];
    vec![
        unnamed(json!({"configurationItems": [
            by_api(&group(id, "sg-1", at(20), "10.1.0.0/16", 22)),
            by_api(&group(id, "sg-1", at(10), "0.0.0.0/0", 22)),
        ], "nextToken": "more"})),
        unnamed(json!({"baseConfigurationItems": [by_api(&one)], "unprocessedResourceKeys": []})),
        unnamed(json!({"Results": [
            row(&group(id, "sg-1", at(15), "10.0.0.0/8", 22)),
            row(&group(id, "sg-2", at(15), "0.0.0.0/0", 22)),
        ], "QueryInfo": {"SelectFields": [{"Name": "configuration"}]}})),
        unnamed(format!("{}\n{}\n", lines[0], lines[1])),
        unnamed(json!([
            deleted(id, "AWS::EC2::SecurityGroup", "sg-2", at(17)),
            interface(id, "eni-1", at(10), &["sg-1"]),
        ])),
        unnamed(acl(id, "FMManagedWebACLV2-web-2", at(10), &[])),
        unnamed(balancer(id, "a", at(20), Some("FMManagedWebACLV2-web-2"))),
        unnamed(balancer(id, "c", at(20), Some(""))),
        unnamed(protection(id, "p-1", at(10), &balancer_arn(id, "a"))),
        unnamed(deleted(id, "AWS::ShieldRegional::Protection", "p-1", at(20))),
    ]
}

/// Account 7: `global` items in two Regions' snapshots.
fn globals() -> Vec<(String, String)> {
    let id = &account(7);
    let arn = format!("arn:aws:cloudfront::{id}:distribution/E1");
    let protection = |state| {
        let body = json!({"Id": "p-e", "ResourceArn": arn});
        of_region("global", item(id, "AWS::Shield::Protection", "p-e", state, &body))
    };
    let there =
        [of_region("eu-west-1", group(id, "sg-1", at(5), "0.0.0.0/0", 22)), protection(at(5))];
    let (name, text) = snapshot(id, 20, &there);
    vec![
        snapshot(id, 10, &[distribution(id, at(5), ""), recorder(id, 1, true), protection(at(5))]),
        (name.replace("us-east-1", "eu-west-1"), text),
        unnamed(notification(&distribution(
            id,
            at(15),
            "arn:aws:wafv2:us-east-1:1:global/webacl/x/1",
        ))),
        unnamed(notification(&deleted(id, "AWS::Shield::Protection", "p-e", at(30)))),
        unnamed(notification(&group(id, "sg-2", at(7), "10.0.0.0/8", 22))),
    ]
}
