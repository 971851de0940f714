//! What was not told, and what could not be read (semantics §11 rows 36 to 39, 45, 50), worked by
//! hand.

use serde_json::{Value, json};

use super::words::*;
use super::{ACCOUNT, ADMIN};
use crate::naive::{self, Outcome};

const GROUP: &str = "AWS::EC2::SecurityGroup";
const RECORDER: &str = "AWS::Config::ConfigurationRecorder";
const VIOLATOR: (&str, &str, &str) = (GROUP, "sg-1", "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP");

/// What tells of an account: `snapshot`, `query`, `batch`, `change`, each with what it holds, `;`
/// between; the moment is that of the snapshot (2026-03-01), rows are older unless `later` | what of
/// them is violated.
const TOLD: &str = "
# known by a whole snapshot that holds one, by a recorder, or by the setting (row 36)
snapshot good                               | comply
snapshot                                    | undecided
snapshot recorder                           | comply
snapshot internal                           | undecided
snapshot good internal                      | comply
snapshot internal recorder                  | comply
snapshot other                              | undecided
snapshot good other                         | undecided
snapshot other recorder                     | comply
snapshot; assume                            | comply
assume                                      | undecided
change good                                 | undecided
change good; assume                         | comply
change bad                                  | violate +AWSCONFIG
change gone                                 | undecided
snapshot; change good                       | undecided
snapshot recorder; change good              | comply
snapshot recorder; change bad later         | violate
api good                                    | undecided
snapshot good; api good later               | comply
# answers that go on (row 37)
snapshot recorder; query more good later    | undecided
snapshot recorder; query more bad later     | violate +AWSCONFIG
snapshot recorder; query more good          | comply
snapshot recorder; query good later         | comply
snapshot recorder; pages good later         | comply
snapshot recorder; pages more good later    | undecided
snapshot recorder; lines good later         | comply
snapshot recorder; lines more good later    | undecided
snapshot recorder; query more eni later     | comply
snapshot recorder; assume; query more good later | undecided
snapshot recorder; batch good later         | comply
snapshot recorder; batch without sg good later | undecided
snapshot recorder; batch without sg good    | comply
snapshot recorder; batch without eni good later | comply
snapshot recorder; batch without sg eni later | undecided
snapshot recorder; batch without sg         | undecided
snapshot recorder; aggregate without sg     | undecided
# items that cannot be read (row 39)
snapshot recorder; broken later             | undecided
snapshot recorder bad; broken later         | violate +AWSCONFIG
snapshot recorder; broken                   | comply
snapshot recorder; broken later; change good latest | comply
snapshot recorder; broken without resourceId later; change good latest | undecided
snapshot recorder; broken without resourceId | comply
snapshot recorder; broken without resourceType later | undecided
# where no type is told, a state with the id ends it
snapshot recorder; broken without resourceType later; change good latest | comply
snapshot recorder; broken without awsAccountId later | undecided
snapshot recorder; broken without awsAccountId nameless later | undecided unreadable
snapshot recorder; broken without awsAccountId nameless eni later | comply unreadable
snapshot recorder; broken eni later         | comply
snapshot recorder unread                    | undecided
snapshot recorder unread; change good later | comply
# a body that cannot be read is a later state without one, whatever a snapshot shows of before
snapshot recorder good; broken              | comply
snapshot recorder good; broken between      | undecided
snapshot recorder bad; broken between       | violate +AWSCONFIG
snapshot recorder good; broken between; change good later | comply
snapshot recorder; broken without resourceId between | comply
snapshot good; broken without resourceType between | comply
# of an item inside a list neither the id nor the moment is told
snapshot recorder; nested later             | undecided
snapshot recorder; nested later; change good latest | undecided
snapshot recorder; nested eni later         | comply
# what is no item is a file that cannot be read, of the type in its name
snapshot recorder; thing                    | undecided
snapshot recorder; thing of eni             | comply
# other services' files are left out
snapshot recorder; trail                    | comply
# types in other letters (row 50)
snapshot shouting good                      | comply
snapshot shouting bad                       | violate
snapshot loud                               | comply
";

#[test]
fn what_was_told_worked_by_hand() {
    for row in TOLD.lines().filter(|row| row.contains('|')) {
        let (files, want) = row.split_once('|').unwrap();
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        case["delivery"].take();
        let mut made = vec![];
        for words in files.split(';').map(str::trim) {
            match words {
                "assume" => case["assumeRecorded"] = json!(true),
                words => made.push(file(words)),
            }
        }
        let words: Vec<&str> = want.split_whitespace().collect();
        for reversed in [false, true] {
            if reversed {
                made.reverse();
            }
            let mut case = case.clone();
            case["files"] = json!(made);
            super::check(row, &case, &outcome(words[0], words.contains(&"+AWSCONFIG")));
            let unreadable = naive::has_unreadable_input(&case);
            assert_eq!(unreadable, words.contains(&"unreadable"), "{row}");
        }
    }
}

fn outcome(status: &str, issue: bool) -> Outcome {
    let mut outcome = match status {
        "comply" => compliant(),
        "undecided" => undecided("AWSCONFIG"),
        _ => noncompliant(&[VIOLATOR]),
    };
    if issue {
        outcome.issues.insert("AWSCONFIG".to_owned());
    }
    outcome
}

/// A file from its words.
fn file(words: &str) -> Value {
    let words: Vec<&str> = words.split_whitespace().collect();
    let has = |word: &str| words.contains(&word);
    let (kind, items) = (words[0], items(&words));
    let name = |kind: &str, moment: &str| {
        format!(
            "{ACCOUNT}_Config_eu-west-1_{kind}_{moment}_dededede-0000-4000-8000-000000000000.json"
        )
    };
    let page = |items: &[Value], token: bool| {
        let rows: Vec<Value> = items.iter().map(|item| json!(in_query(item).to_string())).collect();
        let mut page = json!({"Results": rows, "QueryInfo": {"SelectFields": []}});
        if token {
            page["NextToken"] = json!("more");
        }
        page
    };
    let after = words.iter().position(|word| *word == "without").and_then(|at| words.get(at + 1));
    let key = match after {
        Some(&"eni") => {
            json!({"resourceType": "AWS::EC2::NetworkInterface", "resourceId": "eni-7"})
        }
        _ => json!({"resourceType": GROUP, "resourceId": "sg-7"}),
    };
    match kind {
        "snapshot" => json!({"name": name("ConfigSnapshot", "20260301T000000Z"), "content": {
            "fileVersion": "1.0", "configSnapshotId": "dededede-0000-4000-8000-000000000000",
            "configurationItems": items}}),
        "query" => json!({"name": "rows.json", "content": page(&items, has("more"))}),
        "pages" => json!({"name": "rows.json",
            "content": [page(&items, true), page(&[], has("more"))]}),
        "lines" => json!({"name": "rows.json",
            "text": format!("{}\n{}\n", page(&items, true), page(&[], has("more")))}),
        "batch" => {
            let keys = if has("without") { json!([key]) } else { json!([]) };
            json!({"name": "batch.json", "content": {"baseConfigurationItems": items,
                "unprocessedResourceKeys": keys}})
        }
        "aggregate" => json!({"name": "batch.json", "content": {"BaseConfigurationItems": items,
            "UnprocessedResourceIdentifiers": [{"SourceAccountId": ACCOUNT,
                "SourceRegion": "eu-west-1", "ResourceType": GROUP, "ResourceId": "sg-7"}]}}),
        "api" => json!({"name": "history.json", "content": {"configurationItems": items,
            "nextToken": "older"}}),
        "broken" => {
            let kind = if has("eni") { "AWS::EC2::NetworkInterface" } else { GROUP };
            let mut bad = resource("sg-1 good");
            bad["resourceType"] = json!(kind);
            bad["configuration"] = json!("{ no");
            if has("later") {
                bad["configurationItemCaptureTime"] = json!(LATER);
            } else if has("between") {
                bad["configurationItemCaptureTime"] = json!("2026-02-10T00:00:00.000Z");
                bad["configurationStateId"] = json!(1_770_681_600_000_i64);
            }
            if let Some(member) = after {
                bad.as_object_mut().unwrap().remove(*member);
            }
            let file = if has("nameless") {
                "change.json".to_owned()
            } else {
                format!(
                    "{ACCOUNT}_Config_eu-west-1_ConfigHistory_{GROUP}_20260210T000000Z_20260210T000000Z_1.json"
                )
            };
            json!({"name": file, "content": {"fileVersion": "1.0", "configurationItems": [bad]}})
        }
        "nested" => json!({"name": "notes.json", "content": {"configurationItem": [items],
            "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3"}}),
        "thing" => {
            let kind = if has("eni") { "AWS::EC2::NetworkInterface" } else { GROUP };
            json!({"name": name(&format!("ConfigHistory_{kind}_20260310T000000Z"),
                "20260310T000000Z"), "content": {"resourceId": "sg-1"}})
        }
        "trail" => json!({"name": format!("{ADMIN}_CloudTrail_eu-west-1_20260301T0000Z_a.json"),
            "content": {"Records": [{"eventVersion": "1.08", "eventName": "RunInstances"}]}}),
        "change" => json!({"name": "change.json", "content": {"configurationItem": items[0],
            "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3"}}),
        other => panic!("`{other}` is no file"),
    }
}

const LATER: &str = "2026-03-02T00:00:00.000Z";
const LATEST: &str = "2026-03-03T00:00:00.000Z";

/// What a file holds.
fn items(words: &[&str]) -> Vec<Value> {
    let mut items = vec![];
    if words[0] == "snapshot" {
        items.push(item("AWS::EC2::VPC", "vpc-1", json!({"vpcId": "vpc-1"}), json!({})));
    }
    for word in &words[1..] {
        let recorder = |id: &str, scope: &str, group: Value| {
            let body = json!({"Recording": true, "RecordingScope": scope, "RecordingGroup": group});
            item(RECORDER, id, body, json!({}))
        };
        let mut made = match *word {
            "good" | "bad" | "gone" => resource(&format!("sg-1 {word}")),
            "later" if words[0] == "nested" && !words.contains(&"eni") => resource("sg-1 good"),
            "eni" => resource("eni-1"),
            "recorder" => recorder("default", "PAID", json!({"AllSupported": true})),
            "internal" => recorder("of-a-service", "INTERNAL", json!({"AllSupported": true})),
            "other" => recorder("other", "PAID", json!({"ResourceTypes": ["AWS::EC2::VPC"]})),
            "loud" => {
                recorder("default", "PAID", json!({"ResourceTypes": ["AWS::EC2::SECURITYGROUP"]}))
            }
            "unread" => {
                let mut bad = resource("sg-1 good");
                bad["configuration"] = json!([]);
                bad
            }
            _ => continue,
        };
        if words.contains(&"shouting") {
            let kind = made["resourceType"].as_str().unwrap().to_uppercase();
            made["resourceType"] = json!(kind);
        }
        if words[0] != "snapshot" {
            for (word, moment) in [("later", LATER), ("latest", LATEST)] {
                if words.contains(&word) {
                    made["configurationItemCaptureTime"] = json!(moment);
                    made["configurationStateId"] = json!(1_772_500_000_000_i64);
                }
            }
        }
        items.push(made);
    }
    items
}

fn in_query(item: &Value) -> Value {
    json!({"accountId": item["awsAccountId"], "awsRegion": item["awsRegion"],
        "resourceType": item["resourceType"], "resourceId": item["resourceId"],
        "configurationItemCaptureTime": item["configurationItemCaptureTime"],
        "configurationItemStatus": "OK", "configuration": item["configuration"],
        "tags": [], "relationships": []})
}

/// The policy's tag filter | what a row tells of its tags | outcome for a group that violates.
const TAGS: &str = "
none         | nothing      | violate
with prod    | nothing      | undecided
without prod | nothing      | undecided
with prod    | []           | comply
without prod | []           | violate
with prod    | prod         | violate
without prod | prod         | comply
with prod    | null         | undecided
with prod    | body prod    | violate
with prod    | body []      | comply
";

#[test]
fn tags_that_were_not_told_worked_by_hand() {
    for [filter, told, want] in rows(TAGS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        if filter != "none" {
            case["policy"]["ResourceTags"] = json!([{"Key": "env", "Value": "prod"}]);
            case["policy"]["ExcludeResourceTags"] = json!(filter.starts_with("without"));
        }
        case["delivery"]["configurationItems"] = json!([]);
        record(&mut case);
        let mut row = in_query(&resource("sg-1 bad"));
        let tags = match told.trim_start_matches("body ") {
            "prod" => json!([{"key": "env", "value": "prod"}]),
            "null" => Value::Null,
            _ => json!([]),
        };
        row.as_object_mut().unwrap().remove("tags");
        match told {
            "nothing" => {}
            told if told.starts_with("body") => row["configuration"]["tags"] = tags,
            _ => row["tags"] = tags,
        }
        row["configurationItemCaptureTime"] = json!(LATER);
        case["files"] = json!([{"name": "rows.json", "content": {"Results": [row.to_string()]}}]);
        super::check(&format!("{filter} | {told}"), &case, &outcome(want, false));
    }
}

/// What a row of a load balancer tells | what that of its web ACL tells | outcome.
const ASSOCIATIONS: &str = "
attribute bare   | relationships           | missing
attribute bare   | nothing                 | missing
attribute acl    | nothing                 | comply
no attribute     | relationships           | missing
no attribute     | relationships named     | comply
no attribute     | nothing                 | undecided
nothing          | relationships           | missing
nothing          | relationships named     | comply
nothing          | nothing                 | undecided
";

#[test]
fn associations_that_were_not_told_worked_by_hand() {
    const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    for [balancer, acl, want] in rows(ASSOCIATIONS) {
        let name = "FMManagedWebACLV2-edge-1770000000000";
        let arn = format!("arn:aws:wafv2:eu-west-1:{ACCOUNT}:regional/webacl/{name}/1");
        let id = format!("arn:aws:elasticloadbalancing:eu-west-1:{ACCOUNT}:loadbalancer/app/lb/1");
        let body = json!({"ARN": arn, "Id": "1", "Name": name, "ManagedByFirewallManager": true,
            "RetrofittedByFirewallManager": false, "PreProcessFirewallManagerRuleGroups": [],
            "PostProcessFirewallManagerRuleGroups": []});
        let mut acl_row = in_query(&item("AWS::WAFv2::WebACL", &arn, body, json!({})));
        let body = json!({"loadBalancerArn": id, "type": "application"});
        let mut row = in_query(&item(BALANCER, &id, body, json!({})));
        if acl == "nothing" {
            acl_row.as_object_mut().unwrap().remove("relationships");
        } else if acl.ends_with("named") {
            acl_row["relationships"] = json!([{"resourceType": BALANCER, "resourceId": id,
                "name": "Is associated with "}]);
        }
        let attribute = |value: &str| json!([{"key": "waf.web_acl_id", "value": value}]);
        match balancer {
            "attribute bare" => {
                row["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": attribute("")})
            }
            "attribute acl" => {
                row["supplementaryConfiguration"] =
                    json!({"LoadBalancerAttributes": attribute(&arn)})
            }
            "no attribute" => {
                row["supplementaryConfiguration"] = json!({"LoadBalancerAttributes": []})
            }
            _ => {}
        }
        let data = json!({"type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
            "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false});
        let mut case = empty_case();
        case["policy"] = policy("edge", "WAFV2", &data, BALANCER);
        record(&mut case);
        for row in [&mut row, &mut acl_row] {
            row["configurationItemCaptureTime"] = json!(LATER);
        }
        case["files"] = json!([{"name": "rows.json",
            "content": {"Results": [row.to_string(), acl_row.to_string()]}}]);
        let want = match want {
            "comply" => compliant(),
            "undecided" => undecided("AWSCONFIG"),
            _ => noncompliant(&[(BALANCER, &id, "RESOURCE_MISSING_WEB_ACL")]),
        };
        super::check(&format!("{balancer} | {acl}"), &case, &want);
    }
}
