//! SECURITY_GROUPS_USAGE_AUDIT (semantics §5.6, §10 rows 14, 15, 28), worked by hand.

use serde_json::{Value, json};

use super::check;
use super::words::*;
use crate::naive::Outcome;

/// The capture time of every item, milliseconds since 1970.
const CAPTURED_MS: i64 = 1_770_091_506_007;
const MINUTE_MS: i64 = 60_000;

/// Delay and moment of judging, in minutes after capture | what is there | groups and what of them.
const UNUSED: &str = "
unused               | sg-1                                | sg-1 unused
unused               | sg-1; eni-1 sg-1                    | -
unused               | sg-1; eni-1 sg-2                    | sg-1 unused
unused               | sg-1; i-1 running sg-1              | -
unused               | sg-1; i-1 stopped sg-1              | -
unused               | sg-1; i-1 terminated sg-1           | sg-1 unused
unused               | sg-1; alb sg-1                      | -
unused               | sg-1; clb sg-1                      | -
unused               | sg-1=default                        | -
unused               | sg-1=FMManagedSecurityGroup1-sg-9   | sg-1 unused
unused               | sg-1=Default                        | sg-1 unused
unused               | sg-1@444444444444                   | -
unused               | sg-1; sg-2 out tcp 1 sg-1           | sg-1 unused sg-2 unused
unused               | sg-1; eni-1 unseen                  | ?
unused               | sg-1; eni-2 sg-1; eni-1 unseen      | -
unused               | sg-1; i-1 unseen                    | ?
unused               | sg-1; clb unseen                    | ?
unused               | sg-1 unseen                         | ?
unused 60 at 59      | sg-1                                | -
unused 60 at 60      | sg-1                                | sg-1 unused
unused 60 at 61      | sg-1                                | sg-1 unused
unused 60 at 59      | sg-1; eni-1 unseen                  | -
unused 60 at 60      | sg-1; eni-1 unseen                  | ?
unused 60 at 60      | sg-1; eni-1 sg-1                    | -
unused 0 at -9       | sg-1                                | sg-1 unused
unused               | sg-1; i-1 untold sg-1               | ?
unused               | sg-1; i-1 untold sg-2               | sg-1 unused +AWSCONFIG
unused               | sg-1; assoc sg-1                    | -
unused               | sg-1; assoc sg-2                    | sg-1 unused
unused               | sg-1; assoc unseen                  | ?
none                 | sg-1; sg-2                          | -
";

/// As above, with both rules or uniqueness alone.
const REDUNDANT: &str = "
unique               | sg-1; sg-2                          | sg-2 redundant
unique               | sg-2; sg-1                          | sg-2 redundant
unique               | sg-1; sg-2; sg-3                    | sg-2 redundant sg-3 redundant
unique               | sg-1; sg-2; eni-1 sg-2              | sg-1 redundant
unique               | sg-1; sg-2; eni-1 sg-2; eni-2 sg-1  | sg-2 redundant
unique               | sg-1; sg-2; i-1 running sg-2        | sg-2 redundant
unique               | sg-1; sg-2 in tcp 22 10.0.0.0/8     | -
unique               | sg-1 in tcp 22 10.0.0.0/8; sg-2 in tcp 22 10.0.0.0/8 | sg-2 redundant
unique               | sg-1 in tcp 22 10.0.0.0/8; sg-2 in 6 22 10.0.0.0/8 | sg-2 redundant
unique               | sg-1 in tcp 22 10.0.0.0/8; sg-2 in udp 22 10.0.0.0/8 | -
unique               | sg-1 in tcp 22 10.0.0.0/8; sg-2 out tcp 22 10.0.0.0/8 | -
unique               | sg-1 in tcp 22 10.0.0.0/8; sg-2 in tcp 22-23 10.0.0.0/8 | -
unique               | sg-1 in tcp 1 10.0.0.0/8, in tcp 2 10.0.0.0/8; sg-2 in tcp 2 10.0.0.0/8, in tcp 1 10.0.0.0/8 | sg-2 redundant
unique               | sg-1 in tcp 1 10.0.0.0/8+11.0.0.0/8; sg-2 in tcp 1 10.0.0.0/8, in tcp 1 11.0.0.0/8 | sg-2 redundant
unique               | sg-1 in tcp 1-2 10.0.0.0/8; sg-2 in tcp 1 10.0.0.0/8, in tcp 2 10.0.0.0/8 | -
unique               | sg-1 in tcp 0-65535 10.0.0.0/8; sg-2 in tcp -1/-1 10.0.0.0/8 | sg-2 redundant
unique               | sg-1 in tcp 0-65535 10.0.0.0/8; sg-2 in tcp 10.0.0.0/8 | ?
unique               | sg-1 in udp 10.0.0.0/8; sg-2 in udp 10.0.0.0/8 | ?
unique               | sg-1 in icmp -1/-1 10.0.0.0/8; sg-2 in icmp 10.0.0.0/8 | ?
unique               | sg-1 in icmpv6 -1/-1 ::/0; sg-2 in 58 ::/0 | ?
unique               | sg-1 in 50 10.0.0.0/8; sg-2 in 50 10.0.0.0/8 | sg-2 redundant
unique               | sg-1; sg-2; sg-3 in tcp 10.0.0.0/8  | sg-2 redundant +AWSCONFIG
unique               | sg-1 in -1 sg-1; sg-2 in -1 sg-2    | sg-2 redundant
unique               | sg-1 in -1 sg-9; sg-2 in -1 sg-9    | sg-2 redundant
unique               | sg-1 in -1 sg-1; sg-2 in -1 sg-1    | -
unique               | sg-1; sg-2/vpc-2                    | -
unique               | sg-1/; sg-2/                        | -
unique               | sg-1=default; sg-2                  | -
unique               | sg-1=FMManagedSecurityGroup1-sg-9; sg-2 | sg-2 redundant
unique               | sg-1@444444444444; sg-2             | -
unique               | sg-1; sg-2 unseen                   | ?
unique               | sg-1; sg-2; sg-3 unseen             | sg-2 redundant +AWSCONFIG
unique               | sg-1; sg-2; eni-1 unseen            | sg-2 redundant +AWSCONFIG
unique               | sg-1; sg-2/vpc-2; eni-1 unseen      | -
both                 | sg-1; sg-2                          | sg-1 unused sg-2 redundant
both                 | sg-1; sg-2; eni-1 sg-1              | sg-2 redundant
both                 | sg-1; sg-2; eni-1 sg-2              | sg-1 redundant
both 60 at 59        | sg-1; sg-2                          | sg-2 redundant
";

#[test]
fn unused_groups_worked_by_hand() {
    check_rows(UNUSED);
}

#[test]
fn redundant_groups_worked_by_hand() {
    check_rows(REDUNDANT);
}

/// Recorder | what is there | outcome, under both rules.
const RECORDED: &str = "
SecurityGroup NetworkInterface Instance | sg-1                      | sg-1 unused
SecurityGroup NetworkInterface          | sg-1                      | ?
SecurityGroup Instance                  | sg-1                      | ?
SecurityGroup Instance                  | sg-1; sg-2                | sg-2 redundant +AWSCONFIG
NetworkInterface Instance               | sg-1                      | sg-1 unused +AWSCONFIG
";

#[test]
fn what_a_usage_audit_needs_to_see_worked_by_hand() {
    for [recorded, resources, want] in rows(RECORDED) {
        let mut case = world("both", resources);
        let types: Vec<String> =
            recorded.split_whitespace().map(|kind| format!("AWS::EC2::{kind}")).collect();
        let body = json!({"Recording": true,
            "RecordingGroup": {"AllSupported": false, "ResourceTypes": types}});
        let recorder = item("AWS::Config::ConfigurationRecorder", "default", body, json!({}));
        case["delivery"]["configurationItems"].as_array_mut().unwrap().push(recorder);
        check(&format!("{recorded} | {resources}"), &case, &outcome(want));
    }
}

#[test]
fn groups_out_of_scope_by_their_tags_are_neither_unused_nor_kept() {
    let mut case = world("both", "sg-1; sg-2; sg-3");
    case["policy"]["ResourceTags"] = json!([{"Key": "env", "Value": "prod"}]);
    for item in case["delivery"]["configurationItems"].as_array_mut().unwrap() {
        if item["resourceId"] != "sg-1" {
            item["tags"] = json!({"env": "prod"});
        }
    }
    record(&mut case);
    check("sg-1 has no tag", &case, &outcome("sg-2 unused sg-3 redundant"));
}

fn check_rows(table: &str) {
    for [rule, resources, want] in rows(table) {
        let mut case = world(rule, resources);
        record(&mut case);
        check(&format!("{rule} | {resources}"), &case, &outcome(want));
    }
}

fn outcome(want: &str) -> Outcome {
    let (want, issue) = want.strip_suffix(" +AWSCONFIG").map_or((want, false), |want| (want, true));
    let mut outcome = match want {
        "-" => compliant(),
        "?" => undecided("AWSCONFIG"),
        violators => {
            let words: Vec<&str> = violators.split(' ').collect();
            let reason = |word: &str| match word {
                "unused" => "SECURITY_GROUP_UNUSED",
                _ => "SECURITY_GROUP_REDUNDANT",
            };
            let violators: Vec<_> = words
                .chunks(2)
                .map(|pair| ("AWS::EC2::SecurityGroup", pair[0], reason(pair[1])))
                .collect();
            noncompliant(&violators)
        }
    };
    if issue {
        outcome.issues.insert("AWSCONFIG".to_owned());
    }
    outcome
}

fn world(rule: &str, resources: &str) -> Value {
    let words: Vec<&str> = rule.split_whitespace().collect();
    let (unused, unique) = (words[0] == "unused" || words[0] == "both", words[0] != "unused");
    let mut data = json!({"type": "SECURITY_GROUPS_USAGE_AUDIT",
        "deleteUnusedSecurityGroups": unused,
        "coalesceRedundantSecurityGroups": unique && words[0] != "none"});
    let mut case = empty_case();
    if let [_, delay, "at", at] = words.as_slice() {
        data["optionalDelayForUnusedInMinutes"] = json!(delay.parse::<u32>().unwrap());
        case["evaluatedMs"] = json!(CAPTURED_MS + at.parse::<i64>().unwrap() * MINUTE_MS);
    }
    case["policy"] =
        policy("usage", "SECURITY_GROUPS_USAGE_AUDIT", &data, "AWS::EC2::SecurityGroup");
    let made = resources.split(';').map(|words| used_or_user(words.trim()));
    case["delivery"]["configurationItems"].as_array_mut().unwrap().extend(made);
    case
}

/// A group `id[=name][@owner][/vpc]` and its rules, or what lists groups; `unseen` has no body.
fn used_or_user(words: &str) -> Value {
    let (named, rest) = words.split_once(' ').unwrap_or((words, ""));
    let balancer = "arn:aws:elasticloadbalancing:eu-west-1:222222222222:loadbalancer/app/a/1";
    let (kind, id, body) = match named {
        "alb" => (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            balancer,
            json!({"loadBalancerArn": balancer, "type": "application", "securityGroups": [rest]}),
        ),
        "clb" => (
            "AWS::ElasticLoadBalancing::LoadBalancer",
            "old",
            json!({"vpcid": "vpc-1", "securityGroups": [rest]}),
        ),
        "assoc" => (
            "AWS::EC2::SecurityGroupVpcAssociation",
            "of one",
            json!({"GroupId": rest, "VpcId": "vpc-7", "State": "associated"}),
        ),
        id if id.starts_with("eni-") => (
            "AWS::EC2::NetworkInterface",
            id,
            json!({"networkInterfaceId": id, "groups": [{"groupId": rest}]}),
        ),
        id if id.starts_with("i-") => {
            let (state, group) = rest.split_once(' ').unwrap_or((rest, ""));
            let state = if state == "untold" { Value::Null } else { json!({"name": state}) };
            let body = json!({"instanceId": id, "state": state,
                "securityGroups": [{"groupId": group}], "networkInterfaces": []});
            ("AWS::EC2::Instance", id, body)
        }
        _ => return audited_group(named, rest),
    };
    let made = item(kind, id, body, json!({}));
    if rest == "unseen" { unseen(made) } else { made }
}

fn audited_group(named: &str, rules: &str) -> Value {
    let (named, vpc) = named.split_once('/').unwrap_or((named, "vpc-1"));
    let (named, owner) = named.split_once('@').unwrap_or((named, super::ACCOUNT));
    let (id, name) = named.split_once('=').unwrap_or((named, "web"));
    if rules == "unseen" {
        return unseen(group(id, name, owner, ""));
    }
    let mut made = group(id, name, owner, rules);
    made["configuration"]["vpcId"] = if vpc.is_empty() { Value::Null } else { json!(vpc) };
    made["configuration"]["description"] = json!(format!("group {id}"));
    made
}

fn unseen(mut item: Value) -> Value {
    item["configurationItemStatus"] = json!("ResourceNotRecorded");
    item["configuration"] = Value::Null;
    item
}
