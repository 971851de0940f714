//! Networks that accounts share, parts that tell of one another, and names of replicas (semantics
//! §11 rows 41, 42, 57), worked by hand.

use serde_json::{Value, json};

use super::check;
use super::words::*;
use crate::naive::Outcome;

const OTHER: &str = "444444444444";

/// Types listed | resources, `<` before those that another account's inventory tells; `@` the other
/// account's own | violators, or nothing, or `?`.
const CARRIERS: &str = "
NetworkInterface               | <sg-1@ bad; eni-1 sg-1              | eni-1
NetworkInterface               | <sg-1@ good; eni-1 sg-1             | -
NetworkInterface               | <sg-1@ unseen; eni-1 sg-1           | ?
NetworkInterface               | eni-1 sg-1                          | ?
NetworkInterface               | sg-1 bad; eni-1@ sg-1               | -
NetworkInterface SecurityGroup | <sg-1@ bad; eni-1 sg-1              | eni-1
NetworkInterface SecurityGroup | sg-1@ bad; eni-1 sg-1               | eni-1
NetworkInterface SecurityGroup | sg-1@ bad                           | -
Instance                       | <sg-1@ bad; i-1 running sg-1        | i-1
# told by another's inventory alone, which is not where it belongs
NetworkInterface               | sg-1 bad; <eni-1 sg-1               | -
";

#[test]
fn carriers_in_shared_networks_worked_by_hand() {
    for [types, resources, want] in rows(CARRIERS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let listed: Vec<String> =
            types.split_whitespace().map(|name| format!("AWS::EC2::{name}")).collect();
        case["policy"]["ResourceType"] = json!("ResourceTypeList");
        case["policy"]["ResourceTypeList"] = json!(listed);
        place(&mut case, resources);
        check(&format!("{types} | {resources}"), &case, &outcome(want));
    }
}

/// As above, under both rules of a usage audit | what is there | groups that are unused.
const USES: &str = "
unused | sg-1; <eni-1@ sg-1                  | -
unused | sg-1; eni-1@ sg-1                   | -
unused | sg-1; <eni-1@ sg-2                  | sg-1
unused | sg-1; <eni-1 sg-1                   | -
unused | sg-1; <i-1 running sg-2             | sg-1
unused | sg-1@                               | -
";

#[test]
fn uses_in_shared_networks_worked_by_hand() {
    for [_, resources, want] in rows(USES) {
        let data = json!({"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": true,
            "coalesceRedundantSecurityGroups": false});
        let mut case = empty_case();
        case["policy"] =
            policy("usage", "SECURITY_GROUPS_USAGE_AUDIT", &data, "AWS::EC2::SecurityGroup");
        let resources = resources.replace("sg-1;", "sg-1 good;").replace("sg-1@", "sg-1@ good");
        place(&mut case, &resources);
        let want = match want {
            "-" => compliant(),
            id => noncompliant(&[("AWS::EC2::SecurityGroup", id, "SECURITY_GROUP_UNUSED")]),
        };
        check(&resources, &case, &want);
    }
}

/// The interface's moment and the instance's, in milliseconds | groups of the interface's own item,
/// groups in the instance's body | violators.
const NEWER: &str = "
6 7 | sg-1 sg-2 | -
7 6 | sg-1 sg-2 | eni-2 i-1
6 7 | sg-2 sg-1 | eni-2 i-1
7 6 | sg-2 sg-1 | -
7 6 | -    sg-1 | -
6 7 | -    sg-1 | eni-2 i-1
6 7 | sg-1 -    | -
7 6 | sg-1 -    | eni-2 i-1
7 7 | sg-1 sg-2 | eni-2 i-1
7 7 | sg-2 sg-1 | -
";

/// What is told of an interface itself, and its moment | its group in the body of its instance, of
/// moment 7, and what is told of that later | what of the instance.
const PARTS: &str = "
unseen 6 | sg-2        | -
unseen 7 | sg-2        | -
unseen 8 | sg-2        | ?
gone 8   | sg-1        | i-1
gone 8   | sg-2        | -
unseen 6 | sg-2 unseen | ?
";

#[test]
fn parts_without_a_body_worked_by_hand() {
    for [own, listed, want] in rows(PARTS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        case["policy"]["ResourceType"] = json!("AWS::EC2::Instance");
        let at = |mut made: Value, moment: &str| {
            made["configurationItemCaptureTime"] =
                json!(format!("2026-02-03T04:05:06.00{moment}Z"));
            made["configurationStateId"] = json!(format!("177009150600{moment}"));
            made
        };
        let (kind, moment) = own.split_once(' ').unwrap();
        let mut interface = item("AWS::EC2::NetworkInterface", "eni-2", Value::Null, json!({}));
        interface["configurationItemStatus"] = json!(match kind {
            "gone" => "ResourceDeleted",
            _ => "ResourceNotRecorded",
        });
        let words: Vec<&str> = listed.split(' ').collect();
        let entry = json!({"networkInterfaceId": "eni-2", "attachment": {"deviceIndex": 1},
            "groups": [{"groupId": words[0]}]});
        let body = json!({"instanceId": "i-1", "state": {"name": "running"},
            "securityGroups": [], "networkInterfaces": [entry]});
        let instance = item("AWS::EC2::Instance", "i-1", body, json!({}));
        let mut items = vec![at(interface, moment), at(instance.clone(), "7")];
        if words.len() > 1 {
            let mut later = at(instance, "8");
            later["configuration"] = Value::Null;
            items.push(later);
        }
        items.extend([resource("sg-1 bad"), resource("sg-2 good")]);
        case["delivery"]["configurationItems"] = json!(items);
        record(&mut case);
        check(&format!("{own} | {listed}"), &case, &outcome(want));
    }
}

#[test]
fn newer_parts_worked_by_hand() {
    for [moments, groups, want] in rows(NEWER) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        case["policy"]["ResourceType"] = json!("ResourceTypeList");
        case["policy"]["ResourceTypeList"] =
            json!(["AWS::EC2::NetworkInterface", "AWS::EC2::Instance"]);
        let words: Vec<&str> = groups.split_whitespace().collect();
        let listed = |word: &str| match word {
            "-" => json!([]),
            id => json!([{"groupId": id}]),
        };
        let body = json!({"networkInterfaceId": "eni-2", "groups": listed(words[0]),
            "attachment": {"instanceId": "i-1", "deviceIndex": 1}});
        let mut interface = item("AWS::EC2::NetworkInterface", "eni-2", body, json!({}));
        let body = json!({"instanceId": "i-1", "state": {"name": "running"}, "securityGroups": [],
            "networkInterfaces": [{"networkInterfaceId": "eni-2", "groups": listed(words[1]),
                "attachment": {"deviceIndex": 1}}]});
        let mut instance = item("AWS::EC2::Instance", "i-1", body, json!({}));
        let moments: Vec<&str> = moments.split_whitespace().collect();
        for (one, moment) in [&mut interface, &mut instance].into_iter().zip(moments) {
            one["configurationItemCaptureTime"] = json!(format!("2026-02-03T04:05:06.00{moment}Z"));
            one["configurationStateId"] = json!(format!("177009150600{moment}"));
        }
        case["delivery"]["configurationItems"] =
            json!([interface, instance, resource("sg-1 bad"), resource("sg-2 good")]);
        record(&mut case);
        check(groups, &case, &outcome(want));
    }
}

/// Common policies known, and named by the setting | name of a group that violates | judged or not.
const REPLICAS: &str = "
0dd0dd00-0000-4000-8000-00000000000a / | FMManagedSecurityGroup0dd0dd00-0000-4000-8000-00000000000a-sg-9 | -
/ 0dd0dd00-0000-4000-8000-00000000000a | FMManagedSecurityGroup0dd0dd00-0000-4000-8000-00000000000a-sg-9 | -
0dd0dd00-0000-4000-8000-00000000000a / | FMManagedSecurityGroup0dd0dd00-0000-4000-8000-00000000000a-sg-9-vpc-1 | -
0dd0dd00-0000-4000-8000-00000000000a / | FMManagedSecurityGroup0dd0dd00-0000-4000-8000-00000000000b-sg-9 | sg-1
0dd0dd00-0000-4000-8000-00000000000a / | FMManagedSecurityGroup | sg-1
0dd0dd00-0000-4000-8000-00000000000a / | x0dd0dd00-0000-4000-8000-00000000000a-sg-9 | sg-1
/                                      | FMManagedSecurityGroup0dd0dd00-0000-4000-8000-00000000000a-sg-9 | sg-1
";

#[test]
fn names_of_replicas_worked_by_hand() {
    for [policies, name, want] in rows(REPLICAS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let (known, named) = policies.split_once('/').unwrap();
        case["commonPolicies"] = json!(known.split_whitespace().collect::<Vec<_>>());
        case["fmsPolicies"] = json!(named.split_whitespace().collect::<Vec<_>>());
        let mut bad = resource("sg-1 bad");
        bad["configuration"]["groupName"] = json!(name);
        case["delivery"]["configurationItems"] = json!([bad]);
        check(&format!("{policies} | {name}"), &case, &outcome(want));
    }
}

/// Puts resources into the account's snapshot or the other's; each records everything.
fn place(case: &mut Value, resources: &str) {
    let (mut ours, mut theirs) = (vec![], vec![]);
    for words in resources.split(';').map(str::trim) {
        let (words, told_there) = words.strip_prefix('<').map_or((words, false), |w| (w, true));
        let foreign = words.split(' ').next().unwrap().ends_with('@');
        let mut made = resource(&words.replacen('@', "", 1));
        if foreign && made["configuration"].is_object() {
            made["configuration"]["ownerId"] = json!(OTHER);
        } else if made["resourceType"] == "AWS::EC2::NetworkInterface" {
            made["configuration"]["ownerId"] = json!(super::ACCOUNT);
        }
        if told_there {
            made["awsAccountId"] = json!(OTHER);
            theirs.push(made);
        } else {
            ours.push(made);
        }
    }
    case["delivery"]["configurationItems"] = json!(ours);
    record(case);
    case["files"] = json!([{
        "name": format!("{OTHER}_Config_eu-west-1_ConfigSnapshot_20260301T000000Z_x.json"),
        "content": {"fileVersion": "1.0", "configurationItems": theirs,
            "configSnapshotId": "05050505-0000-4000-8000-000000000000"},
    }]);
}

fn outcome(want: &str) -> Outcome {
    match want {
        "-" => compliant(),
        "?" => undecided("AWSCONFIG"),
        ids => {
            let kind = |id: &str| match id.split('-').next() {
                Some("sg") => "AWS::EC2::SecurityGroup",
                Some("eni") => "AWS::EC2::NetworkInterface",
                _ => "AWS::EC2::Instance",
            };
            let reason = "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP";
            let violators: Vec<_> =
                ids.split_whitespace().map(|id| (kind(id), id, reason)).collect();
            noncompliant(&violators)
        }
    }
}
