//! Worlds of imported firewalls: resource sets, and firewalls in them, beside them, and of older policies.

use serde_json::{Value, json};

use super::firewall::{config, firewall_policy};
use super::items::{Ids, captured, delivery, histories, item, not_recorded, recorder};
use super::policy;
use crate::random::Random;

const FIREWALL: &str = "AWS::NetworkFirewall::Firewall";
const FIREWALL_POLICY: &str = "AWS::NetworkFirewall::FirewallPolicy";
const REGION: &str = "eu-west-1";
const SETS: [&str; 2] = ["aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb"];

pub(super) fn import_case(case: &mut Value, random: &mut Random) {
    case["region"] = json!(REGION);
    let account = case["account"].as_str().expect("an account").to_owned();
    let config = config(random);
    case["policy"] = imports("import", &config, random);
    let mut older = vec![];
    if random.chance(25) {
        let mut one = imports("older", &config, random);
        super::scope(&mut one, random);
        older.push(one);
    }
    case["olderPolicies"] = json!(older);
    let mut ids = Ids(0);
    let mut items = vec![];
    let mut sets = [vec![], vec![]];
    for at in 0..1 + random.below(3) {
        let name = format!("imported-{at}");
        let arn = |kind: &str| format!("arn:aws:network-firewall:{REGION}:{account}:{kind}/{name}");
        for set in &mut sets {
            if random.chance(60) {
                set.push(arn("firewall"));
            }
        }
        let mut firewall = json!({"firewallName": name, "firewallArn": arn("firewall"),
            "vpcId": "vpc-01", "firewallPolicyArn": arn("firewall-policy"),
            "subnetMappings": [{"subnetId": "subnet-01"}]});
        if random.chance(4) {
            let members = ["firewallArn", "firewallPolicyArn"];
            firewall.as_object_mut().expect("built as one").remove(random.pick(&members));
        }
        let id = format!("f1f1f1f1-0000-4000-8000-00000000000{at}");
        let mut made =
            item(random, &account, REGION, FIREWALL, &id, json!({ "firewall": firewall }));
        if random.chance(15) {
            captured(&mut made, 1);
        }
        items.push(if random.chance(3) { not_recorded(&made) } else { made });
        if !random.chance(4) {
            let made = firewall_policy(random, &account, &name, &config, &mut ids);
            items.push(if random.chance(3) { not_recorded(&made) } else { made });
        }
    }
    case["resourceSets"] = json!({});
    for (id, set) in SETS.iter().zip(sets) {
        case["resourceSets"][*id] = json!(set);
    }
    histories(random, &mut items);
    recorder(random, &account, REGION, &mut items, &[FIREWALL, FIREWALL_POLICY]);
    case["delivery"] = delivery(random, &account, REGION, items);
    case["administratorDelivery"] = json!({"fileVersion": "1.0", "configurationItems": []});
}

fn imports(name: &str, config: &Value, random: &mut Random) -> Value {
    let data = json!({"type": "IMPORT_NETWORK_FIREWALL", "awsNetworkFirewallConfig": config});
    let mut made = policy(name, "IMPORT_NETWORK_FIREWALL", &data, &[FIREWALL]);
    made["ResourceSetIds"] = match random.below(3) {
        0 => json!(SETS),
        1 => json!([SETS[1]]),
        _ => json!([SETS[0]]),
    };
    made
}
