//! Cases worked by hand from sections 4, 5 and 10 of the semantics. Both evaluators must give
//! what is written here. `words` reads rows into the JSON that users have.

mod known;
mod lists;
mod outdated;
mod retrofit;
mod rule_groups;
mod shared;
mod shield;
mod snapshots;
mod told;
mod usage;
mod web_acls;
mod words;

use serde_json::{Value, json};

use crate::naive::Outcome;
use crate::{core_side, naive};
use words::*;

const ACCOUNT: &str = "222222222222";
const ADMIN: &str = "111111111111";
const OWN_LIST: &str = "aaaaaaaa-0000-4000-8000-00000000000a";

/// Policy | rules of one group | what comes of it.
const CONTENT_AUDIT: &str = "
# custom ALLOW: each opening inside one audit rule of its direction (rows 9)
ALLOW in tcp 443 10.0.0.0/8                  | in tcp 443 10.0.0.0/8              | comply
ALLOW in tcp 443 10.0.0.0/8                  | in tcp 443 10.255.255.255/32       | comply
ALLOW in tcp 443 10.0.0.0/8                  | in tcp 443 11.0.0.0/32             | violate
ALLOW in tcp 443 10.0.0.0/8                  | in tcp 443 10.0.0.0/7              | violate
ALLOW in tcp 443 10.0.0.0/8                  | in tcp 443-444 10.0.0.0/8          | violate
ALLOW in tcp 443 10.0.0.0/8                  | in udp 443 10.0.0.0/8              | violate
ALLOW in tcp 443 10.0.0.0/8                  | in 6 443 10.0.0.0/8                | comply
ALLOW in tcp 443 10.0.0.0/8                  | in -1 10.0.0.0/8                   | violate
ALLOW in -1 10.0.0.0/8                       | in udp 53 10.3.0.0/16              | comply
ALLOW in -1 10.0.0.0/8                       | in -1 10.3.0.0/16                  | comply
ALLOW in tcp 0-65535 10.0.0.0/8              | in -1 10.3.0.0/16                  | violate
ALLOW in tcp 443 0.0.0.0/0                   | in tcp 443 ::/0                    | violate
ALLOW in tcp 443 ::/0                        | in tcp 443 2001:db8::/32           | comply
ALLOW in tcp 443 10.0.0.0/8                  | out tcp 443 10.0.0.0/8             | violate
ALLOW out tcp 443 10.0.0.0/8                 | out tcp 443 10.0.0.0/8             | comply
ALLOW in tcp 443 10.0.0.0/8                  |                                    | comply
ALLOW in tcp 80 10.0.0.0/9, in tcp 80 10.128.0.0/9 | in tcp 80 10.0.0.0/8         | violate
ALLOW in tcp 80-89 10.0.0.0/8, in tcp 90-99 10.0.0.0/8 | in tcp 85-95 10.0.0.0/8  | violate
ALLOW in tcp 443 10.0.0.0/8+192.168.0.0/16   | in tcp 443 10.1.0.0/16+192.168.1.0/24 | comply
ALLOW in tcp 443 10.0.0.0/8                  | in tcp 443 10.1.0.0/16+192.168.1.0/24 | violate
ALLOW in tcp 443 pl-1                        | in tcp 443 pl-1                    | comply
ALLOW in tcp 444 pl-1                        | in tcp 443 pl-1                    | violate
ALLOW in -1 0.0.0.0/0                        | in tcp 443 sg-other                | violate
ALLOW in -1 0.0.0.0/0                        | in tcp 443 sg-1                    | violate
ALLOW in icmp 8/0 10.0.0.0/8                 | in icmp 8/0 10.0.0.0/8             | comply
ALLOW in icmp 8/0 10.0.0.0/8                 | in icmp 8/-1 10.0.0.0/8            | violate
ALLOW in icmp 8/-1 10.0.0.0/8                | in icmp 8/0 10.0.0.0/8             | comply
ALLOW in icmp -1/-1 10.0.0.0/8               | in icmp 3/4 10.0.0.0/8             | comply
ALLOW in icmp -1/-1 10.0.0.0/8               | in icmpv6 3/4 10.0.0.0/8           | violate
ALLOW in 50 10.0.0.0/8                       | in 50 10.0.0.0/8                   | comply
ALLOW in 50 10.0.0.0/8                       | in 51 10.0.0.0/8                   | violate
# custom DENY: any overlap (row 10)
DENY in tcp 22 0.0.0.0/0                     | in tcp 22 10.0.0.0/8               | violate
DENY in tcp 22 0.0.0.0/0                     | in tcp 0-21 10.0.0.0/8             | comply
DENY in tcp 22 0.0.0.0/0                     | in tcp 22-30 10.0.0.0/8            | violate
DENY in tcp 22 0.0.0.0/0                     | in tcp 1-22 10.0.0.0/8             | violate
DENY in tcp 22 0.0.0.0/0                     | in -1 10.0.0.0/8                   | violate
DENY in tcp 22 0.0.0.0/0                     | in udp 22 10.0.0.0/8               | comply
DENY in tcp 22 0.0.0.0/0                     | out tcp 22 10.0.0.0/8              | comply
DENY in tcp 22 0.0.0.0/0                     | in tcp 22 ::/0                     | comply
DENY in tcp 22 10.0.0.0/8                    | in tcp 22 11.0.0.0/8               | comply
DENY in tcp 22 10.0.0.0/8                    | in tcp 22 10.0.0.0/7               | violate
DENY in tcp 22 0.0.0.0/0                     | in tcp 22 sg-other                 | comply
DENY in -1 0.0.0.0/0                         | in tcp 22 sg-1                     | comply
DENY in tcp 22 pl-1                          | in tcp 22 pl-1                     | violate
DENY in icmp 8/-1 0.0.0.0/0                  | in icmp -1/-1 10.0.0.0/8           | violate
DENY in icmp 8/-1 0.0.0.0/0                  | in icmp 3/4 10.0.0.0/8             | comply
DENY out -1 0.0.0.0/0                        | in tcp 22 10.0.0.0/8               | comply
# options (rows 11 to 13)
noall                                        | in -1 10.0.0.0/8                   | violate
noall                                        | in tcp 0-65535 10.0.0.0/8          | comply
noall                                        | in -1 sg-other                     | violate
ports 65535                                  | in -1 10.0.0.0/8                   | violate
ports 65536                                  | in -1 10.0.0.0/8                   | comply
ports 65535                                  | in tcp 0-65535 10.0.0.0/8          | violate
ports 65535                                  | in tcp 1-65535 10.0.0.0/8          | comply
ports 1                                      | in tcp 80 10.0.0.0/8               | comply
ports 1                                      | in udp 80-81 10.0.0.0/8            | violate
ports 1                                      | in tcp 80-81 sg-other              | violate
ports 1                                      | in icmp -1/-1 0.0.0.0/0            | comply
ports 1                                      | in 50 0.0.0.0/0                    | comply
ports 1                                      | in tcp 80 10.0.0.0/8, in tcp 81 10.0.0.0/8 | comply
min4 16                                      | in tcp 80 10.0.0.0/16              | comply
min4 16                                      | in tcp 80 10.0.0.0/15              | violate
min4 16                                      | out tcp 80 10.0.0.0/15             | violate
min4 16                                      | in tcp 80 ::/0                     | comply
min6 48                                      | in tcp 80 2600::/48                | comply
min6 48                                      | in tcp 80 2600::/47                | violate
protocols tcp+17                             | in tcp 80 10.0.0.0/8               | comply
protocols tcp+17                             | in udp 80 10.0.0.0/8               | comply
protocols tcp+17                             | in 6 80 10.0.0.0/8                 | comply
protocols tcp+17                             | in icmp -1/-1 10.0.0.0/8           | violate
protocols tcp+17                             | in -1 10.0.0.0/8                   | violate
protocols ICMP                               | in icmp -1/-1 10.0.0.0/8           | comply
protocols ICMP                               | in 1 -1/-1 10.0.0.0/8              | comply
protocols ICMP                               | in icmpv6 -1/-1 fd00::/8           | violate
protocols 58                                 | in icmpv6 -1/-1 fd00::/8           | comply
public tcp/80+tcp/443                        | in tcp 80 0.0.0.0/0                | comply
public tcp/80+tcp/443                        | in tcp 80-81 0.0.0.0/0             | violate
public tcp/80+TCP/81                         | in tcp 80-81 0.0.0.0/0             | comply
public tcp/80+udp/81                         | in tcp 80-81 0.0.0.0/0             | violate
public tcp/80                                | in udp 80 0.0.0.0/0                | violate
public 6/80                                  | in tcp 80 0.0.0.0/0                | comply
public tcp/80                                | in -1 0.0.0.0/0                    | violate
public tcp/80                                | in icmp -1/-1 0.0.0.0/0            | violate
public tcp/80                                | in tcp 22 10.0.0.0/8               | comply
public tcp/80                                | in -1 172.31.0.0/16                | comply
public tcp/80                                | in tcp 22 172.32.0.0/16            | violate
public tcp/80                                | in tcp 22 172.16.0.0/11            | violate
public tcp/80                                | in tcp 22 100.64.0.0/10            | comply
public tcp/80                                | in tcp 22 100.128.0.0/16           | violate
public tcp/80                                | in tcp 22 169.254.7.0/24           | comply
public tcp/80                                | in tcp 22 ::1/128                  | comply
public tcp/80                                | in tcp 22 fdff::/16                | comply
public tcp/80                                | in tcp 22 fe00::/16                | violate
public tcp/80                                | in tcp 22 fe80::/10                | comply
public tcp/80                                | in tcp 22 fec0::/10                | violate
public tcp/80                                | out tcp 22 0.0.0.0/0               | comply
public tcp/80                                | in tcp 22 sg-other                 | comply
public tcp/80                                | in tcp 22 pl-1                     | violate
public tcp/80                                | in tcp 80 pl-1                     | comply
nopublic tcp/22                              | in tcp 22 0.0.0.0/0                | violate
nopublic tcp/22                              | in tcp 22 192.168.0.0/16           | comply
nopublic tcp/22                              | in tcp 22 192.168.0.0/15           | violate
nopublic tcp/22                              | in tcp 1-22 0.0.0.0/0              | violate
nopublic tcp/22                              | in tcp 1-21 0.0.0.0/0              | comply
nopublic tcp/22                              | in tcp 23 0.0.0.0/0                | comply
nopublic tcp/22                              | in -1 0.0.0.0/0                    | violate
nopublic tcp/22                              | in udp 22 0.0.0.0/0                | comply
nopublic tcp/22                              | in icmp -1/-1 0.0.0.0/0            | comply
nopublic tcp/22                              | out tcp 22 0.0.0.0/0               | comply
# directions and overrides
noall direction INGRESS                      | out -1 0.0.0.0/0                   | comply
noall direction EGRESS                       | out -1 0.0.0.0/0                   | violate
noall direction EGRESS                       | in -1 0.0.0.0/0                    | comply
noall direction ALL                          | out -1 0.0.0.0/0                   | violate
nopublic tcp/22 direction EGRESS             | in tcp 22 0.0.0.0/0                | comply
noall ALLOW in -1 10.0.0.0/8                 | in -1 10.1.0.0/16                  | comply
noall ALLOW in -1 10.0.0.0/8                 | in -1 11.0.0.0/16                  | violate
noall ALLOW in tcp 443 10.0.0.0/8            | in tcp 22 11.0.0.0/16              | comply
noall ALLOW in -1 0.0.0.0/0                  | in -1 sg-other                     | violate
noall DENY in tcp 22 0.0.0.0/0               | in tcp 22 10.0.0.0/8               | violate
noall DENY in tcp 22 0.0.0.0/0               | in tcp 23 10.0.0.0/8               | comply
noall DENY in tcp 22 0.0.0.0/0 direction EGRESS | in tcp 22 10.0.0.0/8            | comply
min4 16 ALLOW in tcp 22 8.0.0.0/8            | in tcp 22 8.0.0.0/8+10.0.0.0/16    | comply
min4 16 ALLOW in tcp 22 8.0.0.0/8            | in tcp 22 8.0.0.0/8+9.0.0.0/8      | violate
";

#[test]
fn content_audits_worked_by_hand() {
    let rows = rows(CONTENT_AUDIT);
    assert!(rows.len() > 100);
    for [policy, rules, want] in rows {
        let mut case = audit_case(policy);
        let group = group("sg-1", "web", ACCOUNT, rules);
        case["delivery"]["configurationItems"] = json!([group]);
        let violators =
            [("AWS::EC2::SecurityGroup", "sg-1", "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP")];
        let want = match want {
            "violate" => noncompliant(&violators),
            "comply" => compliant(),
            other => panic!("`{other}` is no outcome"),
        };
        check(&format!("{policy} | {rules}"), &case, &want);
    }
}

/// Listed types | resources, `;` between | violators, or nothing.
/// A group is `id[=name][@owner] good|bad|unseen|gone`, an interface `eni-… groups`, an instance
/// `i-… state groups`; tags as `#key=value` behind the id. `only #k=v` and `not #k=v` scope.
const RESOURCES: &str = "
SecurityGroup                  | sg-1 bad                                   | sg-1
SecurityGroup                  | sg-1 good; sg-2 good                       | -
SecurityGroup                  | sg-1=default bad                           | sg-1
SecurityGroup                  | sg-1=FMManagedSecurityGroup0-sg-9 bad      | sg-1
SecurityGroup                  | sg-1=FMManaged bad                         | sg-1
SecurityGroup                  | sg-1@444444444444 bad                      | -
SecurityGroup                  | sg-1 gone                                  | -
SecurityGroup                  | sg-1 unseen                                | ?
SecurityGroup                  | sg-1 unseen; sg-2 bad                      | sg-2 +AWSCONFIG
SecurityGroup                  | sg-1 good; eni-1 sg-1                      | -
NetworkInterface               | sg-1 bad; eni-1 sg-1; eni-2                | eni-1
NetworkInterface               | sg-1 bad; eni-1                            | -
NetworkInterface               | sg-1 bad; i-1 running sg-1                 | -
NetworkInterface               | sg-1 good; eni-1 sg-1 sg-7                 | ?
NetworkInterface               | sg-1=FMManagedSecurityGroup0 bad; eni-1 sg-1 | eni-1
NetworkInterface               | sg-1@444444444444 bad; eni-1 sg-1          | eni-1
Instance                       | sg-1 bad; i-1 running sg-1                 | i-1
Instance                       | sg-1 bad; i-1 terminated sg-1              | -
Instance                       | sg-1 bad; sg-2 good; i-1 running sg-2 sg-1 | i-1
Instance NetworkInterface      | sg-1 bad; i-1 running sg-1; eni-1 sg-1     | eni-1 i-1
Instance SecurityGroup         | sg-1 bad; i-1 running sg-1; eni-1 sg-1     | i-1 sg-1
SecurityGroup only #env=prod   | sg-1#env=prod bad; sg-2#env=test bad; sg-3 bad | sg-1
SecurityGroup not #env=prod    | sg-1#env=prod bad; sg-2#env=test bad; sg-3 bad | sg-2 sg-3
SecurityGroup only #env=       | sg-1#env= bad; sg-2#env=x bad; sg-3 bad    | sg-1
SecurityGroup only #a=1#b=2    | sg-1#a=1 bad; sg-2#a=1#b=2 bad             | sg-2
SecurityGroup any #a=1#b=2     | sg-1#a=1 bad; sg-2#a=1#b=2 bad; sg-3 bad   | sg-1 sg-2
SecurityGroup not #a=1#b=2     | sg-1#a=1 bad; sg-2#a=1#b=2 bad             | sg-1
SecurityGroup notany #a=1#b=2  | sg-1#a=1 bad; sg-2#a=1#b=2 bad; sg-3 bad   | sg-3
SecurityGroup NetworkInterface only #env=prod | sg-1 bad; eni-1#env=prod sg-1 | eni-1 sg-1
SecurityGroup NetworkInterface only #env=prod | sg-1 bad; eni-1 sg-1        | -
SecurityGroup NetworkInterface only #env=prod | sg-1#env=prod bad; eni-1 sg-1 | sg-1
";

#[test]
fn resources_in_scope_worked_by_hand() {
    for [scope, resources, want] in rows(RESOURCES) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let (types, tags) = scope.split_once('#').unwrap_or((scope, ""));
        let mut listed = vec![];
        for word in types.split_whitespace() {
            match word {
                "only" => {}
                "not" => case["policy"]["ExcludeResourceTags"] = json!(true),
                "any" => case["policy"]["ResourceTagLogicalOperator"] = json!("OR"),
                "notany" => {
                    case["policy"]["ExcludeResourceTags"] = json!(true);
                    case["policy"]["ResourceTagLogicalOperator"] = json!("OR");
                }
                name => listed.push(format!("AWS::EC2::{name}")),
            }
        }
        case["policy"]["ResourceType"] = json!("ResourceTypeList");
        case["policy"]["ResourceTypeList"] = json!(listed);
        let pairs = tags.split('#').filter_map(|tag| tag.split_once('='));
        let tags: Vec<Value> = pairs.map(|(k, v)| json!({"Key": k, "Value": v})).collect();
        if !tags.is_empty() {
            case["policy"]["ResourceTags"] = json!(tags);
        }
        let items: Vec<Value> = resources.split(';').map(|words| resource(words.trim())).collect();
        case["delivery"]["configurationItems"] = json!(items);
        record(&mut case);

        let mut outcome = compliant();
        for word in want.split_whitespace() {
            match word {
                "-" => {}
                "?" => outcome = undecided("AWSCONFIG"),
                id if id.starts_with('+') => drop(outcome.issues.insert(id[1..].to_owned())),
                id => {
                    let kind = match id.split('-').next() {
                        Some("sg") => "AWS::EC2::SecurityGroup",
                        Some("eni") => "AWS::EC2::NetworkInterface",
                        _ => "AWS::EC2::Instance",
                    };
                    outcome.status = Some("NON_COMPLIANT");
                    let reason = "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP".to_owned();
                    outcome.violators.insert((kind.to_owned(), id.to_owned(), reason));
                }
            }
        }
        check(&format!("{scope} | {resources}"), &case, &outcome);
    }
}

/// Recorder, or what kind of file | what is held | outcome.
const KNOWN: &str = "
snapshot                     |         | undecided
snapshot                     | good    | comply
snapshot                     | gone    | undecided
history                      |         | undecided
history                      | good    | undecided
history                      | bad     | violate +AWSCONFIG
history                      | gone    | undecided
all on                       |         | comply
all off                      |         | undecided
all off                      | bad     | violate +AWSCONFIG
only SecurityGroup on        |         | comply
only SecurityGroup off       |         | undecided
only Instance on             |         | undecided
only Instance on             | good    | undecided
only Instance on             | bad     | violate +AWSCONFIG
but Instance on              |         | comply
but SecurityGroup on         |         | undecided
all-but Instance on          |         | comply
all-but SecurityGroup on     |         | undecided
all-but SecurityGroup on     | good    | undecided
strategy-all Instance on     |         | undecided
strategy-all SecurityGroup on |        | undecided
";

#[test]
fn what_is_recorded_worked_by_hand() {
    for [recorder, held, want] in rows(KNOWN) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let mut items = vec![];
        if !held.is_empty() {
            items.push(resource(&format!("sg-1 {held}")));
        }
        let words: Vec<&str> = recorder.split_whitespace().collect();
        let group = |words: &[&str]| match words {
            ["all", ..] => json!({"AllSupported": true}),
            ["only", kind, ..] => {
                json!({"AllSupported": false, "ResourceTypes": [format!("AWS::EC2::{kind}")]})
            }
            ["all-but", kind, ..] => json!({"AllSupported": true,
                "ExclusionByResourceTypes": {"ResourceTypes": [format!("AWS::EC2::{kind}")]}}),
            ["strategy-all", kind, ..] => json!({"AllSupported": true,
                "RecordingStrategy": {"UseOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
                "ExclusionByResourceTypes": {"ResourceTypes": [format!("AWS::EC2::{kind}")]}}),
            ["but", kind, ..] => json!({"AllSupported": false, "ResourceTypes": [],
                "ExclusionByResourceTypes": {"ResourceTypes": [format!("AWS::EC2::{kind}")]}}),
            other => panic!("{other:?}"),
        };
        match words.as_slice() {
            ["snapshot"] => {}
            ["history"] => {
                case["delivery"].as_object_mut().unwrap().remove("configSnapshotId");
            }
            words => {
                let body = json!({"Name": "default", "RecordingGroup": group(words), "Recording": words.contains(&"on")});
                items.push(item("AWS::Config::ConfigurationRecorder", "default", body, json!({})));
            }
        }
        items.push(item("AWS::EC2::VPC", "vpc-1", json!({"vpcId": "vpc-1"}), json!({})));
        case["delivery"]["configurationItems"] = json!(items);
        let violators =
            [("AWS::EC2::SecurityGroup", "sg-1", "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP")];
        let mut outcome = match want.split_whitespace().next() {
            Some("comply") => compliant(),
            Some("undecided") => undecided("AWSCONFIG"),
            _ => noncompliant(&violators),
        };
        if want.contains("+AWSCONFIG") {
            outcome.issues.insert("AWSCONFIG".to_owned());
        }
        check(&format!("{recorder} | {held}"), &case, &outcome);
    }
}

/// Status and place of the account | IncludeMap / ExcludeMap | in or out.
const ACCOUNTS: &str = "
ACTIVE ou-1a            |                                  | in
PENDING_CLOSURE ou-1a   |                                  | in
SUSPENDED ou-1a         |                                  | out
CLOSED ou-1a            |                                  | out
SUSPENDED ou-1a         | include self                     | out
ACTIVE r-root           | include self                     | in
ACTIVE r-root           | include other                    | out
ACTIVE ou-1a            | include ou-1a                    | in
ACTIVE ou-1a            | include ou-1                     | in
ACTIVE ou-1a            | include ou-2                     | out
ACTIVE ou-1             | include ou-1a                    | out
ACTIVE ou-1a            | include other ou-1               | in
ACTIVE ou-1a            | exclude self                     | out
ACTIVE ou-1a            | exclude other                    | in
ACTIVE ou-1a            | exclude ou-1                     | out
ACTIVE ou-1             | exclude ou-1a                    | in
ACTIVE ou-1a            | include self exclude self        | in
ACTIVE ou-1a            | include other exclude other      | out
ACTIVE ou-1a            | include self exclude ou-1        | in
ACTIVE ou-1a            | include {} exclude ou-1          | out
ACTIVE ou-1a            | include {} exclude {}            | in
";

#[test]
fn accounts_in_scope_worked_by_hand() {
    for [account, maps, want] in rows(ACCOUNTS) {
        let mut case = audit_case("DENY in tcp 22 0.0.0.0/0");
        let (status, parent) = account.split_once(' ').unwrap();
        case["organization"]["Accounts"][1]["Status"] = json!(status);
        case["organization"]["Accounts"][1]["ParentId"] = json!(unit(parent.trim()));
        let mut key = "";
        for word in maps.split_whitespace() {
            match word {
                "include" => key = "IncludeMap",
                "exclude" => key = "ExcludeMap",
                "{}" => case["policy"][key] = json!({}),
                "self" => case["policy"][key]["ACCOUNT"] = json!([ACCOUNT]),
                "other" => case["policy"][key]["ACCOUNT"] = json!([ADMIN]),
                name => case["policy"][key]["ORG_UNIT"] = json!([unit(name)]),
            }
        }
        record(&mut case);
        let want = if want == "in" { compliant() } else { Outcome::default() };
        check(&format!("{account} | {maps}"), &case, &want);
    }
}

#[test]
fn what_a_policy_names_and_is_not_there_leaves_no_result() {
    let absent = json!({"customListIds": ["cccccccc-0000-4000-8000-00000000000c"]});
    for (what, option) in [
        ("protocols", "allowedProtocolsLists"),
        ("allowed apps", "allowedPublicAccessAppLists"),
        ("denied apps", "deniedPublicAccessAppLists"),
    ] {
        for other in
            [json!({"denyProtocolAllValue": true}), json!({"auditSgDirection": {"type": "ALL"}})]
        {
            let mut case = empty_case();
            let data = json!({"type": "SECURITY_GROUPS_CONTENT_AUDIT",
                "preManagedOptions": [{ option: absent }, other]});
            case["policy"] =
                policy("audit", "SECURITY_GROUPS_CONTENT_AUDIT", &data, "AWS::EC2::SecurityGroup");
            let group = group("sg-1", "web", ACCOUNT, "in -1 0.0.0.0/0");
            case["delivery"]["configurationItems"] = json!([group]);
            check(&format!("{what} beside {other}"), &case, &undecided("AWSVPC"));
        }
    }
    for policy in
        ["DENY in tcp 22 0.0.0.0/0", "ALLOW in tcp 22 0.0.0.0/0", "noall DENY in tcp 22 0.0.0.0/0"]
    {
        let mut case = audit_case(policy);
        let group = group("sg-1", "web", ACCOUNT, "in -1 0.0.0.0/0");
        case["delivery"]["configurationItems"] = json!([group]);
        case["administratorDelivery"]["configurationItems"] = json!([]);
        check(&format!("{policy} without its audit group"), &case, &undecided("AWSVPC"));
    }
}

#[test]
fn the_audit_group_is_not_held_against_itself() {
    for policy in [
        "DENY in tcp 22 0.0.0.0/0",
        "ALLOW in tcp 22 10.0.0.0/8",
        "min4 16 DENY in tcp 22 0.0.0.0/0",
    ] {
        let mut case = audit_case(policy);
        case["account"] = json!(ADMIN);
        case["delivery"] = case["administratorDelivery"].clone();
        check(policy, &case, &compliant());
    }
}

fn check(row: &str, case: &Value, want: &Outcome) {
    let mut case = case.clone();
    crate::world::deliver(&mut case);
    let naive = naive::judge(&case, None);
    assert_eq!(&naive, want, "naive: {row}\n{case}");
    assert_eq!(core_side::judge(&case).as_ref(), Ok(want), "core: {row}\n{case}");
}
