//! Prefix lists (semantics §11 row 35), worked by hand.

use serde_json::{Value, json};

use super::check;
use super::words::*;

/// Policy | rules of one group | outcome. pl-1 holds 10.1.0.0/16 and 10.2.0.0/16, pl-2 52.0.0.0/8
/// and 10.0.0.0/8, pl-6 2600::/12, pl-0 nothing; pl-9 is not held, pl-8 does not tell its entries,
/// pl-7 is in the administrator's inventory.
const LISTS: &str = "
ALLOW in tcp 443 pl-1          | in tcp 443 pl-1                | comply
ALLOW in tcp 443 pl-9          | in tcp 443 pl-9                | comply
ALLOW in tcp 443 10.0.0.0/8    | in tcp 443 pl-1                | comply
ALLOW in tcp 443 10.1.0.0/16, in tcp 443 10.2.0.0/16 | in tcp 443 pl-1 | comply
ALLOW in tcp 443 10.1.0.0/16   | in tcp 443 pl-1                | violate
ALLOW in tcp 443 10.0.0.0/8    | in tcp 443 pl-2                | violate
ALLOW in tcp 443 10.0.0.0/8    | in tcp 443 pl-0                | comply
ALLOW in udp 53 10.0.0.0/8     | in tcp 443 pl-0                | comply
ALLOW out tcp 443 10.0.0.0/8   | in tcp 443 pl-0                | violate
ALLOW in tcp 443 ::/0          | in tcp 443 pl-6                | comply
ALLOW in tcp 443 0.0.0.0/0     | in tcp 443 pl-9                | undecided
ALLOW in tcp 443 0.0.0.0/0     | in tcp 443 pl-8                | undecided
ALLOW in tcp 443 0.0.0.0/0     | in tcp 443 pl-7                | undecided
ALLOW in tcp 444 0.0.0.0/0     | in tcp 443 pl-9                | violate
ALLOW in udp 443 0.0.0.0/0     | in tcp 443 pl-9                | violate
ALLOW out tcp 443 0.0.0.0/0    | in tcp 443 pl-9                | violate
ALLOW in tcp 443 10.0.0.0/8    | in tcp 443 pl-9, in tcp 22 10.0.0.0/8 | violate +AWSCONFIG
DENY in tcp 22 10.1.0.0/24     | in tcp 22 pl-1                 | violate
DENY in tcp 22 10.3.0.0/24     | in tcp 22 pl-1                 | comply
DENY in tcp 22 10.0.0.0/8      | in tcp 22 pl-6                 | comply
DENY in tcp 22 0.0.0.0/0       | in tcp 22 pl-0                 | comply
DENY in tcp 22 pl-9            | in tcp 22 pl-0                 | comply
DENY in tcp 22 0.0.0.0/0       | in tcp 22 pl-9                 | undecided
DENY in tcp 22 0.0.0.0/0       | in tcp 22 pl-7                 | undecided
DENY in tcp 22 0.0.0.0/0       | in tcp 23 pl-9                 | comply
DENY in tcp 22 pl-9            | in tcp 22 pl-9                 | violate
min4 16                        | in tcp 80 pl-1                 | comply
min4 17                        | in tcp 80 pl-1                 | violate
min4 16                        | in tcp 80 pl-6                 | comply
min6 13                        | in tcp 80 pl-6                 | violate
min6 13                        | in tcp 80 pl-1                 | comply
min4 16                        | in tcp 80 pl-9                 | undecided
min4 16                        | out tcp 80 pl-8                | undecided
min4 16 direction INGRESS      | out tcp 80 pl-8                | comply
min4 16                        | in tcp 80 pl-9+10.0.0.0/8      | violate +AWSCONFIG
noall                          | in tcp 80 pl-9                 | comply
noall                          | in -1 pl-9                     | violate
ports 1                        | in tcp 80 pl-9                 | comply
protocols tcp                  | in tcp 80 pl-9                 | comply
public tcp/80                  | in tcp 22 pl-1                 | comply
public tcp/80                  | in tcp 22 pl-2                 | violate
public tcp/80                  | in tcp 22 pl-9                 | violate
public tcp/80                  | in tcp 22 pl-0                 | comply
nopublic tcp/22                | in tcp 22 pl-8                 | violate
nopublic tcp/22                | in tcp 22 pl-7                 | violate
min4 16 ALLOW in -1 10.0.0.0/8 | in tcp 80 pl-2                 | violate
min4 17 ALLOW in -1 10.0.0.0/8 | in tcp 80 pl-1                 | comply
min4 16 ALLOW in -1 10.0.0.0/8 | in tcp 80 pl-9                 | undecided
noall ALLOW in -1 10.0.0.0/8   | in tcp 80 pl-9                 | comply
noall DENY in tcp 22 10.0.0.0/8 | in tcp 22 pl-9                | undecided
noall DENY in -1 10.0.0.0/8    | in -1 pl-9                     | violate +AWSCONFIG
";

#[test]
fn prefix_lists_worked_by_hand() {
    for [policy, rules, want] in rows(LISTS) {
        let mut case = audit_case(policy);
        case["delivery"]["configurationItems"] = json!([
            group("sg-1", "web", super::ACCOUNT, rules),
            list("pl-1", json!(["10.1.0.0/16", "10.2.0.0/16"])),
            list("pl-2", json!(["52.0.0.0/8", "10.0.0.0/8"])),
            list("pl-6", json!(["2600::/12"])),
            list("pl-0", json!([])),
            list("pl-8", Value::Null),
        ]);
        let mut theirs = list("pl-7", json!(["10.1.0.0/16"]));
        theirs["awsAccountId"] = json!(super::ADMIN);
        case["administratorDelivery"]["configurationItems"].as_array_mut().unwrap().push(theirs);
        let violators =
            [("AWS::EC2::SecurityGroup", "sg-1", "RESOURCE_VIOLATES_AUDIT_SECURITY_GROUP")];
        let want = match want {
            "violate" => noncompliant(&violators),
            "violate +AWSCONFIG" => {
                let mut outcome = noncompliant(&violators);
                outcome.issues.insert("AWSCONFIG".to_owned());
                outcome
            }
            "undecided" => undecided("AWSCONFIG"),
            _ => compliant(),
        };
        check(&format!("{policy} | {rules}"), &case, &want);
    }
}

fn list(id: &str, cidrs: Value) -> Value {
    let entries: Option<Vec<Value>> =
        cidrs.as_array().map(|cidrs| cidrs.iter().map(|cidr| json!({"Cidr": cidr})).collect());
    let body = json!({"PrefixListId": id, "PrefixListName": id, "Entries": entries});
    item("AWS::EC2::PrefixList", id, body, json!({}))
}
