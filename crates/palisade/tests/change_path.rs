//! The change path: a message re-judges what it can affect and nothing else, however large the
//! fleet, and a batch of changes settles in one round.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade::worker::{self, FAN_OUT_CHUNK_MAX, Judging, LEASE_SHARDS_MAX};
use palisade_core::policy::PolicyFile;
use palisade_store::sqlite::SqliteStore;
use palisade_store::{Control, ControlChange, Due, Inventory, Ledger, Work};
use serde_json::{Value, json};
use support::*;

const ACCOUNTS: u64 = 60;
const GROUP: &str = "AWS::EC2::SecurityGroup";

/// A settled fleet: of every account a snapshot, in the administrator's an audit group as well.
/// Policies: 0 audits everybody, 1 holds everybody but the administrator against the audit group,
/// 2 is about the inner unit.
fn fleet() -> SqliteStore {
    let store = SqliteStore::in_memory([7; 32]).unwrap();
    let narrow = json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]);
    let mut custom = custom_audit("as the audit group", "sg-audit");
    custom["ExcludeMap"] = json!({"ACCOUNT": [account(1)]});
    let mut inner = audit("inner", &[GROUP], &narrow);
    inner["IncludeMap"] = json!({"ORG_UNIT": ["ou-root-inner001"]});
    decide(&store, &organization(ACCOUNTS), &[audit("narrow", &[GROUP], &narrow), custom, inner]);
    for number in 0..ACCOUNTS {
        let id = account(number);
        let mut items =
            vec![group(&id, "sg-1", 10, "10.0.0.0/8", 22), interface(&id, "eni-1", 10, &["sg-1"])];
        if number == 1 {
            items.push(group(&id, "sg-audit", 10, "10.0.0.0/8", 22));
        }
        let (name, text) = snapshot(&id, 10, &items);
        store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    }
    settle(&store);
    store
}

fn notify(store: &SqliteStore, item: &Value) {
    let message = json!({"configurationItemDiff": null, "configurationItem": item,
        "messageType": "ConfigurationItemChangeNotification", "recordVersion": "1.3"});
    store.accept(&read("", &message.to_string()), NOW_MS, None).unwrap();
}

/// What is due, as `account region: policies`, `*` for the whole shard and `~` for what changed in
/// it. It is settled afterwards.
fn due(store: &SqliteStore) -> BTreeMap<String, Vec<String>> {
    let count = store.work(NOW_MS).unwrap().dirty;
    let leases = store.lease(NOW_MS, 1, 10_000).unwrap();
    let marks: usize = leases.iter().map(|lease| lease.marks.len()).sum();
    assert_eq!(count, marks as u64, "what is counted is what is leased");
    let due = leases
        .iter()
        .map(|lease| {
            let policies = lease.marks.iter().map(|mark| match &mark.due {
                Due::Shard => "*".to_owned(),
                Due::Changes => "~".to_owned(),
                Due::Policy(policy) => policy.to_string(),
            });
            (format!("{} {}", lease.shard.account, lease.shard.region), policies.collect())
        })
        .collect();
    // The leases run out, and the worker does what they were for.
    settle_at(store, NOW_MS + 1);
    due
}

fn only(shard: &str, policy: &str) -> BTreeMap<String, Vec<String>> {
    BTreeMap::from([(shard.to_owned(), vec![policy.to_owned()])])
}

#[test]
fn a_change_marks_its_shard_alone() {
    let store = fleet();
    let id = account(7);
    let shard = format!("{id} us-east-1");
    notify(&store, &group(&id, "sg-1", 20, "10.1.0.0/16", 22));
    assert_eq!(due(&store), only(&shard, "~"), "a change");
    let mut gone = item(&id, GROUP, "sg-1", 30, &Value::Null);
    gone["configurationItemStatus"] = json!("ResourceDeleted");
    notify(&store, &gone);
    assert_eq!(due(&store), only(&shard, "~"), "a deletion");
    // Three messages about one shard are one piece of work.
    for state in 40..43 {
        notify(&store, &group(&id, "sg-1", state, "10.2.0.0/16", 22));
    }
    assert_eq!(due(&store), only(&shard, "~"), "three changes");
    assert!(assert_ledger_is_a_fresh_judgement(&store, NOW_MS) > 100);
}

#[test]
fn what_is_no_news_marks_nothing() {
    let store = fleet();
    let id = account(7);
    for state in [10, 10, 5, 1] {
        notify(&store, &group(&id, "sg-1", state, "10.0.0.0/8", 22));
    }
    let mut gone = item(&id, GROUP, "sg-never", 30, &Value::Null);
    gone["configurationItemStatus"] = json!("ResourceDeleted");
    notify(&store, &gone);
    let items = [group(&id, "sg-1", 10, "10.0.0.0/8", 22), interface(&id, "eni-1", 10, &["sg-1"])];
    for minute in [10, 20] {
        let (name, text) = snapshot(&id, minute, &items);
        store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    }
    assert_eq!(due(&store), BTreeMap::new());
}

#[test]
fn a_change_of_a_referenced_group_marks_its_readers_for_that_policy() {
    let store = fleet();
    let admin = account(1);
    let custom = policy_id(1).to_string();
    let mut expected: BTreeMap<String, Vec<String>> = (0..ACCOUNTS)
        .filter(|number| *number != 1)
        .map(|number| (format!("{} us-east-1", account(number)), vec![custom.clone()]))
        .collect();
    expected.insert(format!("{admin} us-east-1"), vec!["~".to_owned()]);
    notify(&store, &group(&admin, "sg-audit", 20, "10.1.0.0/16", 22));
    assert_eq!(due(&store), expected, "it changes");
    notify(&store, &group(&admin, "sg-audit", 25, "10.1.0.0/16", 22));
    let alone = only(&format!("{admin} us-east-1"), "~");
    assert_eq!(due(&store), alone, "{ACCOUNTS} readers read what they read before");
    assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
    let mut gone = item(&admin, GROUP, "sg-audit", 30, &Value::Null);
    gone["configurationItemStatus"] = json!("ResourceDeleted");
    notify(&store, &gone);
    assert_eq!(due(&store), expected, "it is deleted");
    notify(&store, &group(&admin, "sg-audit", 40, "10.0.0.0/8", 22));
    assert_eq!(due(&store), expected, "it is back");
    // A snapshot shows it gone.
    let (name, text) = snapshot(&admin, 20, &[group(&admin, "sg-1", 10, "10.0.0.0/8", 22)]);
    store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    assert_eq!(due(&store), expected, "a snapshot does not show it");
    // Its neighbours are nobody's business.
    notify(&store, &group(&admin, "sg-1", 50, "10.1.0.0/16", 22));
    assert_eq!(due(&store), only(&format!("{admin} us-east-1"), "~"), "another group");
    assert!(assert_ledger_is_a_fresh_judgement(&store, NOW_MS) > 100);
}

#[test]
fn an_account_that_leaves_a_scope_is_no_reader_any_more() {
    let store = fleet();
    let mut smaller = organization(ACCOUNTS);
    smaller["Accounts"].as_array_mut().unwrap()[9]["Status"] = json!("SUSPENDED");
    let policies: Vec<_> =
        store.control().unwrap().policies.values().map(|policy| policy.id.clone()).collect();
    let organization =
        palisade_core::organization::Organization::parse(smaller.to_string().as_bytes()).unwrap();
    let change = palisade_store::ControlChange::PutOrganization(std::sync::Arc::new(organization));
    store.commit(store.control_revision().unwrap(), &[change], NOW_MS).unwrap();
    let shard = palisade_core::ident::ShardId {
        account: account(9).try_into().unwrap(),
        region: "us-east-1".try_into().unwrap(),
    };
    // As the API does for the policies whose scope changed.
    let marks: Vec<_> = policies
        .into_iter()
        .map(|policy| palisade_store::Mark { shard: shard.clone(), policy: Some(policy) })
        .collect();
    store.mark(&marks, NOW_MS, None).unwrap();
    settle(&store);
    notify(&store, &group(&account(1), "sg-audit", 20, "10.1.0.0/16", 22));
    assert!(!due(&store).contains_key(&format!("{} us-east-1", account(9))));
}

#[test]
fn a_global_item_in_another_regions_file_marks_its_home_alone() {
    let store = fleet();
    let id = account(7);
    let mut role = item(&id, "AWS::IAM::Role", "AROA1", 20, &json!({"roleName": "x"}));
    role["awsRegion"] = json!("global");
    let mut there = group(&id, "sg-9", 20, "10.1.0.0/16", 22);
    there["awsRegion"] = json!("eu-west-1");
    let (name, text) = snapshot(&id, 20, std::slice::from_ref(&role));
    let name = name.replace("us-east-1", "eu-west-1");
    store.accept(&read(&name, &text), NOW_MS, None).unwrap();
    let home = format!("{id} us-east-1");
    let found = due(&store);
    assert!(found.contains_key(&home), "{found:?}");
    assert!(found.keys().all(|shard| shard.starts_with(&id)), "{found:?}");
    notify(&store, &there);
    assert_eq!(due(&store), only(&format!("{id} eu-west-1"), "*"));
}

#[test]
fn a_batch_of_changes_settles_in_one_round() {
    let store = fleet();
    let batch: Vec<Value> = (0..ACCOUNTS)
        .map(|number| group(&account(number), "sg-1", 20, "10.1.0.0/16", 22))
        .collect();
    store.accept(&read("", &json!(batch).to_string()), NOW_MS, None).unwrap();
    let view = view(&store).unwrap();
    let round = || worker::round(&store, &|| Ok(view.clone()), Judging::default(), NOW_MS).unwrap();
    assert!(ACCOUNTS <= LEASE_SHARDS_MAX as u64);
    assert_eq!((round(), round()), (ACCOUNTS as usize, 0));
    let work = store.work(NOW_MS).unwrap();
    assert_eq!((work.dirty, work.leased), (0, 0));
    assert!(assert_ledger_is_a_fresh_judgement(&store, NOW_MS) > 100);
}

#[test]
fn a_change_costs_the_same_in_a_fleet_ten_times_as_large() {
    // What is due after one message, whatever the number of accounts: counted, not timed.
    for accounts in [6, 60, 600] {
        let store = SqliteStore::in_memory([7; 32]).unwrap();
        decide(
            &store,
            &organization(accounts),
            &[audit("narrow", &[GROUP], &json!([{"denyProtocolAllValue": true}]))],
        );
        for number in 0..accounts {
            let id = account(number);
            let (name, text) = snapshot(&id, 10, &[group(&id, "sg-1", 10, "10.0.0.0/8", 22)]);
            store.accept(&read(&name, &text), NOW_MS, None).unwrap();
        }
        settle(&store);
        notify(&store, &group(&account(5), "sg-1", 20, "10.1.0.0/16", 22));
        assert_eq!(due(&store).len(), 1, "of {accounts} accounts");
    }
}

fn round(store: &SqliteStore) -> usize {
    let view = view(store).unwrap();
    worker::round(store, &|| Ok(view.clone()), Judging::default(), NOW_MS).unwrap()
}

#[test]
fn a_round_leases_shards_to_the_limit_and_leaves_the_rest_to_the_next() {
    for shards in [LEASE_SHARDS_MAX - 1, LEASE_SHARDS_MAX, LEASE_SHARDS_MAX + 1] {
        let store = SqliteStore::in_memory([7; 32]).unwrap();
        decide(&store, &organization(shards as u64), &[]);
        let marks: Vec<_> = (0..shards as u64)
            .map(|number| palisade_store::Mark {
                shard: palisade_core::ident::ShardId {
                    account: account(number).try_into().unwrap(),
                    region: "us-east-1".try_into().unwrap(),
                },
                policy: None,
            })
            .collect();
        store.mark(&marks, NOW_MS, None).unwrap();
        let first = shards.min(LEASE_SHARDS_MAX);
        assert_eq!([round(&store), round(&store)], [first, shards - first], "{shards} shards");
        assert_eq!(store.work(NOW_MS).unwrap().dirty, 0);
    }
}

#[test]
fn a_step_of_a_fan_out_marks_accounts_to_the_limit_and_leaves_the_rest_to_the_next() {
    for accounts in [FAN_OUT_CHUNK_MAX - 1, FAN_OUT_CHUNK_MAX, FAN_OUT_CHUNK_MAX + 1] {
        let store = SqliteStore::in_memory([7; 32]).unwrap();
        let narrow = audit("narrow", &[GROUP], &json!([{"denyProtocolAllValue": true}]));
        decide(&store, &organization(accounts as u64), &[narrow]);
        // A step, and the first shards that it marked.
        let judged = round(&store) - 1;
        let cursors: Vec<_> =
            store.fan_outs().unwrap().into_iter().map(|fan_out| fan_out.cursor).collect();
        let left = accounts.saturating_sub(FAN_OUT_CHUNK_MAX);
        let last = account(FAN_OUT_CHUNK_MAX as u64 - 1).try_into().unwrap();
        assert_eq!(cursors, vec![Some(last); left], "{accounts} accounts");
        // Counted with the fan-out that is not expanded yet.
        let due = store.work(NOW_MS).unwrap().dirty as usize;
        assert_eq!(due, accounts - left - judged + cursors.len(), "{accounts} accounts");
        settle(&store);
        assert!(store.fan_outs().unwrap().is_empty());
        assert_eq!(assert_ledger_is_a_fresh_judgement(&store, NOW_MS), accounts);
    }
}

/// Not the rest of the organization.
#[test]
fn a_put_policy_reaches_who_is_in_its_scope_and_who_has_an_entry() {
    let store = fleet();
    let had = store.entries(&policy_id(2), None, None, 1_000).unwrap();
    let mut reached: BTreeSet<String> = had.iter().map(|row| row.account.to_string()).collect();
    assert!((2..30).contains(&reached.len()), "{reached:?}");
    let mut record = (*store.control().unwrap().policies[&policy_id(2)]).clone();
    let mut other = audit("inner", &[GROUP], &json!([{"minIpv4CidrPrefixLenPerSgRule": 16}]));
    other["IncludeMap"] = json!({"ACCOUNT": [account(2), account(50)]});
    record.document = PolicyFile::parse(other.to_string().as_bytes()).unwrap().policy;
    record.revision += 1;
    let put = ControlChange::PutPolicy(Arc::new(record));
    store.commit(store.control_revision().unwrap(), &[put], NOW_MS).unwrap();
    reached.extend([account(2), account(50)]);
    assert_eq!(round(&store), 1 + reached.len(), "a step, and the shards that it marked");
    settle(&store);
    assert_eq!(store.entries(&policy_id(2), None, None, 1_000).unwrap().len(), 2);
    assert_ledger_is_a_fresh_judgement(&store, NOW_MS);
}

#[test]
fn a_fan_out_that_cannot_move_is_not_counted_as_done() {
    let store = SqliteStore::in_memory([7; 32]).unwrap();
    decide(&store, &organization(2), &[]);
    let before = view(&store).unwrap();
    decide(
        &store,
        &organization(2),
        &[audit("a", &[GROUP], &json!([{"denyProtocolAllValue": true}]))],
    );
    // By a view that does not know the policy yet.
    let done = worker::round(&store, &|| Ok(before.clone()), Judging::default(), NOW_MS).unwrap();
    assert_eq!((done, store.fan_outs().unwrap().len()), (0, 1));
}

#[test]
fn a_newer_state_that_cannot_be_read_leaves_the_violation_with_an_issue_beside_it() {
    let store = fleet();
    let id = account(7).try_into().unwrap();
    let before = store.violators(&policy_id(0), &id, None, 100).unwrap();
    assert!(!before.is_empty());
    let mut broken = group(&account(7), "sg-1", 20, "10.1.0.0/16", 22);
    broken["configuration"]["ipPermissions"][0]["fromPort"] = json!("ten");
    let mut reader = palisade_core::inventory::DeliveryReader::new("");
    reader.push(broken.to_string().as_bytes()).unwrap();
    let delivery = reader.finish().unwrap();
    assert_eq!(delivery.quarantined.len(), 1);
    store.accept(&delivery, NOW_MS, None).unwrap();
    settle(&store);
    assert_eq!(store.violators(&policy_id(0), &id, None, 100).unwrap(), before);
    let entry = store.entry(&policy_id(0), &id).unwrap().unwrap().entry;
    let issues: Vec<&str> = entry.issues.values().map(String::as_str).collect();
    let gap = "The latest configuration of AWS::EC2::SecurityGroup sg-1 was not recorded.";
    assert_eq!(issues, [gap]);
    notify(&store, &group(&account(7), "sg-1", 30, "10.1.0.0/16", 22));
    settle(&store);
    let entry = store.entry(&policy_id(0), &id).unwrap().unwrap().entry;
    assert_eq!((entry.violator_count, entry.issues.len()), (0, 0));
}
