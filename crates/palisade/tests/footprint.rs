//! Changes that are judged by their footprint leave the ledger that judging everything anew would:
//! one after the other, in batches, between decisions, and in the middle of a judgement.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::sync::Mutex;

use palisade::worker::{self, Judging};
use palisade_api::health::Health;
use palisade_api::metrics::{Judgements, Metrics};
use palisade_core::ident::ShardId;
use palisade_store::sqlite::SqliteStore;
use palisade_store::{Control, ControlChange, Store, Want, Work};
use palisade_testkit::Rng;
use serde_json::{Value, json};
use support::meddled::Meddled;
use support::*;

const ACCOUNTS: u64 = 4;
const SEED: u64 = 20_261_127;
/// Changes of one run.
const CHANGES: u64 = 1_500;
/// Past the moment of the first snapshots: what was captured before it and is not in them is gone.
const LATER: u64 = 13_000_000;
const GROUP: &str = "AWS::EC2::SecurityGroup";
const INTERFACE: &str = "AWS::EC2::NetworkInterface";
const BALANCER: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const CIDRS: [&str; 4] = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0", "192.168.7.0/24"];

fn of_type(name: &str, resource_type: &str, data: &Value) -> Value {
    json!({"PolicyName": name, "ResourceType": resource_type, "ExcludeResourceTags": false,
        "RemediationEnabled": false, "SecurityServicePolicyData":
            {"Type": data["type"], "ManagedServiceData": data.to_string()}})
}

/// Every type that is judged, with and without a filter by tags.
fn policies() -> Vec<Value> {
    let narrow = json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]);
    let mut tagged = audit("tagged", &[GROUP, INTERFACE], &narrow);
    tagged["ResourceTags"] = json!([{"Key": "env", "Value": "prod"}]);
    let mut untagged = audit("untagged", &[GROUP], &narrow);
    untagged["ResourceTags"] = json!([{"Key": "env", "Value": "prod"}]);
    untagged["ExcludeResourceTags"] = json!(true);
    let waf = |name, retrofit: bool| {
        of_type(
            name,
            BALANCER,
            &json!({"type": "WAFV2", "preProcessRuleGroups": [], "postProcessRuleGroups": [],
                "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false,
                "optimizeUnassociatedWebACL": false,
                "webACLSource": if retrofit { "RETROFIT_EXISTING" } else { "DEFAULT" }}),
        )
    };
    vec![
        audit("narrow", &[GROUP, INTERFACE], &narrow),
        tagged,
        untagged,
        audit("interfaces", &[INTERFACE], &narrow),
        custom_audit("as the audit group", &sg(1, 0)),
        waf("web", false),
        waf("retrofit", true),
        of_type("shield", BALANCER, &json!({"type": "SHIELD_ADVANCED"})),
        of_type(
            "usage",
            GROUP,
            &json!({"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": true,
                "coalesceRedundantSecurityGroups": true, "optionalDelayForUnusedInMinutes": 0}),
        ),
    ]
}

/// The id of an account's group: AWS gives each once.
fn sg(number: u64, id: u64) -> String {
    format!("sg-{number}-{id}")
}

fn balancer(account: &str, id: u64, state: u64, acl: &str) -> Value {
    let arn = format!(
        "arn:aws:elasticloadbalancing:us-east-1:{account}:loadbalancer/app/alb-{id}/000000000000000{id}"
    );
    let body = json!({"loadBalancerArn": arn, "type": "application", "scheme": "internal",
        "state": {"code": "active"}, "securityGroups": ["sg-0"]});
    let mut item = item(account, BALANCER, &arn, state, &body);
    item["ARN"] = json!(arn);
    item["supplementaryConfiguration"] = json!({"LoadBalancerAttributes":
        [{"key": "waf.web_acl_id", "value": acl}]});
    item
}

fn web_acl(account: &str, id: u64, state: u64, name: &str) -> Value {
    let uuid = format!("6c2c3f5e-0000-4000-8000-00000000000{id}");
    let arn = format!("arn:aws:wafv2:us-east-1:{account}:regional/webacl/{name}/{uuid}");
    let body = json!({"name": name, "id": uuid, "arn": arn, "defaultAction": {"allow": {}},
        "rules": [], "capacity": 0, "managedByFirewallManager": name.starts_with("FM"),
        "preProcessFirewallManagerRuleGroups": [], "postProcessFirewallManagerRuleGroups": []});
    let mut item = item(account, "AWS::WAFv2::WebACL", &uuid, state, &body);
    item["ARN"] = json!(arn);
    item["resourceName"] = json!(name);
    item
}

fn protection(account: &str, id: u64, state: u64) -> Value {
    let arn = format!(
        "arn:aws:elasticloadbalancing:us-east-1:{account}:loadbalancer/app/alb-{id}/000000000000000{id}"
    );
    let body = json!({"id": format!("p-{id}"), "name": "it", "resourceArn": arn});
    item(account, "AWS::ShieldRegional::Protection", &format!("p-{id}"), state, &body)
}

/// A resource as it comes to be at a moment, of any account and kind.
fn any(dice: &mut Rng, state: u64) -> Value {
    let number = dice.u64(..ACCOUNTS);
    any_of(number, dice, state)
}

fn any_of(number: u64, dice: &mut Rng, state: u64) -> Value {
    let account = account(number);
    let id = dice.u64(..5);
    let mut item = match dice.u64(..12) {
        0..=3 => group(
            &account,
            &sg(number, id),
            state,
            CIDRS[dice.u64(..4) as usize],
            [22, 443][dice.u64(..2) as usize],
        ),
        4..=6 => {
            // Now and then one that another account lent.
            let owner = if dice.u64(..16) == 0 { dice.u64(..ACCOUNTS) } else { number };
            let groups: Vec<String> =
                (0..dice.u64(..3)).map(|_| sg(owner, dice.u64(..6))).collect();
            let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
            interface(&account, &format!("eni-{id}"), state, &groups)
        }
        7..=8 => {
            let acl = match dice.u64(..3) {
                0 => String::new(),
                _ => format!("6c2c3f5e-0000-4000-8000-00000000000{}", dice.u64(..3)),
            };
            balancer(&account, id, state, &acl)
        }
        9..=10 => {
            let name = ["FMManagedWebACLV2-web-1700000000000", "own"][dice.u64(..2) as usize];
            web_acl(&account, id % 3, state, name)
        }
        _ => protection(&account, id, state),
    };
    if dice.u64(..3) == 0 {
        let value = ["prod", "test"][dice.u64(..2) as usize];
        item["tags"] = json!({"env": value});
    }
    match dice.u64(..12) {
        0..=2 => {
            item["configurationItemStatus"] = json!("ResourceDeleted");
            item["configuration"] = Value::Null;
        }
        // Later seen, and not what it was.
        3 => item["configuration"] = Value::Null,
        _ => {}
    }
    item
}

fn gone_or_not(mut item: Value, dice: &mut Rng) -> Value {
    if dice.u64(..2) == 0 {
        item["configurationItemStatus"] = json!("ResourceDeleted");
        item["configuration"] = Value::Null;
    }
    item
}

/// Every account has been seen whole once.
fn fleet(store: &dyn Store) {
    decide(store, &organization(ACCOUNTS), &policies());
    for number in 0..ACCOUNTS {
        let id = account(number);
        let items = [
            group(&id, &sg(number, 0), 1, "10.1.0.0/16", 22),
            interface(&id, "eni-0", 1, &[&sg(number, 0)]),
            balancer(&id, 0, 1, ""),
            web_acl(&id, 0, 1, "FMManagedWebACLV2-web-1700000000000"),
            protection(&id, 0, 1),
        ];
        let (name, text) = snapshot(&id, 1, &items);
        store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    }
    assert_eq!(view(store).unwrap().policies().count(), policies().len(), "all can be judged");
    settle(store);
}

fn accept(store: &dyn Store, items: &[Value]) {
    let mut reader = palisade_core::inventory::DeliveryReader::new("");
    reader.push(json!(items).to_string().as_bytes()).unwrap();
    store.accept(&reader.finish().unwrap(), NOW_MS, None).unwrap();
}

/// So that there is something to get wrong: of most types more than one of each account.
fn assert_lively(store: &dyn Store) {
    for number in 0..ACCOUNTS {
        let shard = shard(number);
        let items = store.load(&Want::whole(&shard, &Default::default(), &[])).unwrap().shard.items;
        let live: usize = items.values().map(|of_type| of_type.len()).sum();
        assert!(live > items.len() + 4, "{live} of {} types", items.len());
    }
}

fn shard(number: u64) -> ShardId {
    ShardId {
        account: account(number).try_into().unwrap(),
        region: "us-east-1".try_into().unwrap(),
    }
}

fn work_off(store: &dyn Store, metrics: &Metrics) {
    let fixed = view(store).unwrap();
    let view = || Ok(fixed.clone());
    let round = || {
        let (judging, health) = (Judging::default(), Health::default());
        worker::measured_round(store, &view, judging, &|| NOW_MS, metrics, &health, &|_| {})
            .unwrap()
    };
    while round() > 0 {}
}

#[test]
fn changes_one_after_the_other_leave_what_judging_all_anew_would() {
    let store = SqliteStore::in_memory([7; 32]).unwrap();
    fleet(&store);
    let (mut dice, metrics) = (Rng::with_seed(SEED), Metrics::default());
    for number in 0..CHANGES {
        let mut state = LATER + number * 10;
        let batch: Vec<Value> = (0..=dice.u64(..3))
            .map(|_| {
                state += 1;
                any(&mut dice, state)
            })
            .collect();
        accept(&store, &batch);
        match dice.u64(..40) {
            // Decisions between changes: a policy put again, and a mark by hand.
            0 => {
                let control = store.control().unwrap();
                let id = policy_id(dice.u64(..policies().len() as u64));
                let mut record = (*control.policies[&id]).clone();
                record.revision += 1;
                let change = ControlChange::PutPolicy(record.into());
                store.commit(control.revision, &[change], NOW_MS).unwrap();
            }
            1 => {
                let shard = shard(dice.u64(..ACCOUNTS));
                let id = policy_id(dice.u64(..policies().len() as u64));
                let mark = palisade_store::Mark { shard, policy: Some(id) };
                store.mark(&[mark], NOW_MS, None).unwrap();
            }
            _ => {}
        }
        // Sometimes more comes before anything is judged.
        if dice.u64(..3) > 0 {
            work_off(&store, &metrics);
            if number % 10 == 0 {
                assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
            }
        }
    }
    settle(&store);
    assert_lively(&store);
    let Judgements { shard, changes, nothing } = metrics.judgements();
    println!("looked at the shard {shard} times, at changes {changes}, at nothing {nothing}");
    // A change of an interface or instance reaches its counterpart, so audits of security groups judge
    // the whole (semantics §11 row 42).
    assert!(changes > shard / 10 && nothing > shard / 2, "too much is judged whole");
    assert_eq!(
        assert_ledger_is_a_fresh_judgement(&store, NOW_MS),
        policies().len() * ACCOUNTS as usize
    );
}

#[test]
fn changes_in_the_middle_of_a_judgement_leave_what_judging_all_anew_would() {
    // What comes between two looks at a shard, now and then: of the account that changed last.
    let next = Mutex::new((Rng::with_seed(SEED + 1), 0, 0));
    let store = Meddled {
        store: SqliteStore::in_memory([7; 32]).unwrap(),
        before_load: |store: &SqliteStore, _: &ShardId| {
            let (dice, number, state) = &mut *next.lock().unwrap();
            if *state > 0 && dice.u64(..3) == 0 {
                *state += 1;
                // Interfaces without groups come and go by themselves: to count one twice shows.
                let item = match dice.u64(..2) {
                    0 => any_of(*number, dice, *state),
                    _ => {
                        interface(&account(*number), &format!("eni-{}", dice.u64(..5)), *state, &[])
                    }
                };
                accept(store, &[gone_or_not(item, dice)]);
            }
            Ok(())
        },
    };
    fleet(&store.store);
    let mut dice = Rng::with_seed(SEED + 2);
    for nth in 0..CHANGES {
        let (number, state) = (dice.u64(..ACCOUNTS), LATER + nth * 100);
        accept(&store, &[any_of(number, &mut dice, state)]);
        {
            let mut next = next.lock().unwrap();
            (next.1, next.2) = (number, state);
        }
        if dice.u64(..4) == 0 {
            let id = policy_id(dice.u64(..policies().len() as u64));
            store
                .mark(
                    &[palisade_store::Mark { shard: shard(number), policy: Some(id) }],
                    NOW_MS,
                    None,
                )
                .unwrap();
        }
        settle(&store);
        assert_ledger_is_a_fresh_judgement(&store.store, NOW_MS);
    }
    assert_lively(&store.store);
}
