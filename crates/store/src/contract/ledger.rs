//! Facts about entries, violators, history and expiry.

use std::collections::BTreeSet;

use palisade_core::evaluate::{DependentService, Judgement, Status};
use palisade_core::ident::ResourceType;
use palisade_core::inventory::Body;

use crate::{ControlChange, LedgerWrite, Outcome, Store, Want};

use super::Bed;
use super::facts::*;

pub fn a_judgement_is_written_and_read_back(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    judge(store, 1, "p", &judgement(&["sg-2", "sg-1"], &["no vpc"]), 100);
    let row = store.entry(&policy_id("p"), &account(1)).unwrap().unwrap();
    assert_eq!(row.account, account(1));
    assert_eq!(row.last_updated_ms, 100);
    assert_eq!(row.entry.status, Some(Status::NonCompliant));
    assert_eq!((row.entry.violator_count, row.entry.in_scope), (2, 7));
    assert_eq!((row.entry.since_ms, row.entry.policy_revision), (100, 1));
    assert_eq!(row.entry.issues[&DependentService::Config], "no vpc");
    let rows = store.violators(&policy_id("p"), &account(1), None, 9).unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].violations, violator(GROUP, "sg-1", "acl").violations);
    let dates: Vec<_> =
        rows.iter().map(|row| (row.id.as_str(), row.since_ms, row.captured_ms)).collect();
    assert_eq!(dates, [("sg-1", 100, Some(93)), ("sg-2", 100, None)]);
    let records = store
        .load(&Want::whole(&shard(1), &BTreeSet::new(), &[policy_id("q"), policy_id("p")]))
        .unwrap()
        .records;
    assert_eq!(records.len(), 1, "a policy without an entry is absent");
    assert_eq!(records[&policy_id("p")].entry.as_ref(), Some(&row.entry));
    assert_eq!(records[&policy_id("p")].violators, rows);
    assert!(store.entry(&policy_id("q"), &account(1)).unwrap().is_none());
    assert!(store.entry(&policy_id("p"), &account(2)).unwrap().is_none());
    // Every verdict there is.
    for (judgement, status) in [
        (judgement(&[], &[]), Some(Status::Compliant)),
        (judgement(&[], &["gap"]), None),
        (judgement(&["sg-1"], &[]), Some(Status::NonCompliant)),
    ] {
        judge(store, 1, "p", &judgement, 200);
        let row = store.entry(&policy_id("p"), &account(1)).unwrap().unwrap();
        assert_eq!(row.entry.status, status);
        assert_eq!(row.entry.issues.len(), judgement.gaps.len());
    }
}

pub fn differences_are_applied(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    judge(store, 1, "p", &judgement(&["sg-1", "sg-2", "sg-3"], &[]), 100);
    judge(store, 2, "p", &judgement(&["sg-1"], &[]), 100);
    let mut now = judgement(&["sg-2", "sg-4"], &[]);
    now.violators.push(violator(GROUP, "sg-3", "another acl"));
    now.violators.push(violator(ResourceType::EIP, "sg-3", "acl"));
    judge(store, 1, "p", &now, 200);
    let rows = store.violators(&policy_id("p"), &account(1), None, 9).unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.resource_type.as_str(), row.id.as_str(), row.since_ms))
        .collect();
    let (eip, group) = (ResourceType::EIP, GROUP);
    assert_eq!(
        told,
        [
            (eip.as_str(), "sg-3", 200),
            (group.as_str(), "sg-2", 100),
            (group.as_str(), "sg-3", 100),
            (group.as_str(), "sg-4", 200),
        ]
    );
    assert_eq!(rows[2].violations, violator(GROUP, "sg-3", "another acl").violations);
    assert_eq!(violators(store, 2, "p"), "sg-1", "another account's stay");
}

pub fn a_judgement_that_changes_nothing_moves_only_last_updated(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    let found = judgement(&["sg-1"], &[]);
    for (n, policy) in [(1, "p"), (1, "q"), (2, "p")] {
        judge(store, n, policy, &found, 100);
    }
    let updated = |n, policy: &str| {
        let row = store.entry(&policy_id(policy), &account(n)).unwrap().unwrap();
        assert_eq!(row.entry.since_ms, 100);
        let listed = store.entries(&policy_id(policy), None, None, 9).unwrap();
        assert!(listed.contains(&row), "both reads tell the same");
        row.last_updated_ms
    };
    // Under one policy: that one's moves.
    judge(store, 1, "p", &found, 200);
    assert_eq!((updated(1, "p"), updated(1, "q"), updated(2, "p")), (200, 100, 100));
    // Under every policy of the Region: all of the account's move.
    store.mark(&[mark_of(&shard(1), None)], 300, None).unwrap();
    let lease = lease_one(store, 300, HOUR);
    let outcomes = ["p", "q"].map(|policy| outcome(store, &lease, policy, &found, 300));
    assert!(outcomes.iter().all(|outcome| outcome.write == LedgerWrite::Keep));
    store.settle(&[settled(lease, 300, &outcomes)]).unwrap();
    assert_eq!((updated(1, "p"), updated(1, "q"), updated(2, "p")), (300, 300, 100));
    judge(store, 1, "q", &found, 400);
    assert_eq!((updated(1, "p"), updated(1, "q"), updated(2, "p")), (300, 400, 100));
    let history = store.history(&policy_id("p"), &account(1), 9).unwrap();
    assert_eq!(history.len(), 1);
}

pub fn outcomes_of_another_revision_or_a_removed_policy_are_dropped(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q", "r"]);
    let found = judgement(&["sg-1"], &[]);
    judge(store, 1, "q", &found, 50);
    store.mark(&[mark_of(&shard(1), None)], 100, None).unwrap();
    let lease = lease_one(store, 100, HOUR);
    let outcomes = ["p", "q", "r"].map(|policy| outcome(store, &lease, policy, &found, 100));
    let changes =
        [ControlChange::PutPolicy(policy("p", 2)), ControlChange::RemovePolicy(policy_id("r"))];
    commit(store, &changes, 110);
    store.settle(&[settled(lease, 100, &outcomes)]).unwrap();
    for gone in ["p", "r"] {
        assert!(store.entry(&policy_id(gone), &account(1)).unwrap().is_none());
        assert_eq!(violators(store, 1, gone), "");
        assert!(store.history(&policy_id(gone), &account(1), 9).unwrap().is_empty());
    }
    let kept = store.entry(&policy_id("q"), &account(1)).unwrap().unwrap();
    assert_eq!(kept.last_updated_ms, 100);
    assert_eq!(due(store, 1000), "", "the new revision has its fan-out");
    assert_eq!(store.fan_outs().unwrap().len(), 1);
}

pub fn a_dropped_outcome_does_not_move_last_updated(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    let found = judgement(&["sg-1"], &[]);
    ["p", "q"].into_iter().for_each(|policy| judge(store, 1, policy, &found, 50));
    store.mark(&[mark_of(&shard(1), None)], 100, None).unwrap();
    let lease = lease_one(store, 100, HOUR);
    let outcomes = ["p", "q"].map(|policy| outcome(store, &lease, policy, &found, 100));
    commit(store, &[ControlChange::PutPolicy(policy("p", 2))], 110);
    store.settle(&[settled(lease, 100, &outcomes)]).unwrap();
    let updated = |policy: &str| {
        store.entry(&policy_id(policy), &account(1)).unwrap().unwrap().last_updated_ms
    };
    assert_eq!((updated("p"), updated("q")), (50, 100));
}

pub fn an_account_out_of_scope_is_closed(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    let audit = item_reference(&shard(9), "sg-audit");
    judge_reading(store, 1, "p", &judgement(&["sg-1"], &["gap"]), 100, &[audit]);
    judge(store, 2, "p", &judgement(&["sg-1"], &[]), 100);
    let close = |n, at| {
        store.mark(&[mark_of(&shard(n), Some("p"))], at, None).unwrap();
        let lease = lease_one(store, at, HOUR);
        let (policy, write) = (policy_id("p"), LedgerWrite::Close);
        let outcome = Outcome { policy, revision: 1, write, references: BTreeSet::new() };
        store.settle(&[settled(lease, at, &[outcome])]).unwrap();
    };
    close(1, 200);
    assert!(store.entry(&policy_id("p"), &account(1)).unwrap().is_none());
    assert_eq!(
        (violators(store, 1, "p"), violators(store, 2, "p")),
        (String::new(), "sg-1".into())
    );
    let history = store.history(&policy_id("p"), &account(1), 9).unwrap();
    assert_eq!(history.len(), 2);
    let last = &history[0];
    assert_eq!((last.at_ms, last.closed, last.status), (200, true, None));
    assert_eq!((last.violator_count, last.policy_revision), (0, 1));
    assert!(last.issues.is_empty());
    // Closing what is closed adds nothing.
    close(1, 300);
    assert_eq!(store.history(&policy_id("p"), &account(1), 9).unwrap().len(), 2);
    store.accept(&delivery(&[group(&shard(9), "sg-audit", 1)]), 400, None).unwrap();
    assert_eq!(due(store, 400), "9 *", "it reads nothing any more");
    // Back in scope, it begins anew.
    clear_work(store, 400);
    judge(store, 1, "p", &judgement(&["sg-2"], &[]), 500);
    assert_eq!(violators(store, 1, "p"), "sg-2");
    assert_eq!(store.history(&policy_id("p"), &account(1), 9).unwrap()[0].at_ms, 500);
}

pub fn entries_come_in_ranges_exact_at_their_edges(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    for n in [4, 2, 8, 6] {
        judge(store, n, "p", &judgement(&[], &[]), 100);
    }
    judge(store, 5, "q", &judgement(&[], &[]), 100);
    let list = |after: Option<u32>, through: Option<u32>, limit| {
        let (after, through) = (after.map(account), through.map(account));
        let rows = store.entries(&policy_id("p"), after.as_ref(), through.as_ref(), limit).unwrap();
        let numbers = rows.iter().map(|row| row.account.as_str().trim_start_matches('0'));
        numbers.collect::<Vec<_>>().join(" ")
    };
    let table = [
        (None, None, 9, "2 4 6 8"),
        (None, None, 4, "2 4 6 8"),
        (None, None, 3, "2 4 6"),
        (None, None, 0, ""),
        (Some(2), None, 9, "4 6 8"),
        (Some(1), Some(2), 9, "2"),
        (Some(2), Some(3), 9, ""),
        (Some(2), Some(6), 9, "4 6"),
        (Some(2), Some(6), 1, "4"),
        (Some(8), None, 9, ""),
        (None, Some(1), 9, ""),
        (Some(6), Some(2), 9, ""),
    ];
    for (after, through, limit, expected) in table {
        assert_eq!(list(after, through, limit), expected, "{after:?} {through:?} {limit}");
    }
    // Ids are text: compared from the left, whatever their length.
    let long = palisade_core::ident::AccountId::try_from("99999999999999").unwrap();
    let after = store.entries(&policy_id("p"), Some(&long), None, 9).unwrap();
    assert!(after.is_empty());
    let through = store.entries(&policy_id("p"), None, Some(&long), 9).unwrap();
    assert_eq!(through.len(), 4);
}

pub fn violators_come_in_pages(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    let names: Vec<String> = (0..100).map(|n| format!("sg-{n:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut found = judgement(&names, &[]);
    found.violators.push(violator(ResourceType::EIP, "sg-500", "acl"));
    judge(store, 1, "p", &found, 100);
    let mut after = None;
    let mut seen = Vec::new();
    loop {
        let page = store.violators(&policy_id("p"), &account(1), after.as_ref(), 10).unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.resource_type.clone(), last.id.clone()));
        seen.extend(page.into_iter().map(|row| row.id.to_string()));
    }
    assert_eq!(seen.len(), 101);
    assert_eq!(seen[0], "sg-500", "by type first");
    assert_eq!(seen[1..], names[..]);
    let between = (GROUP, id("sg-0985"));
    let rest = store.violators(&policy_id("p"), &account(1), Some(&between), 9).unwrap();
    assert_eq!(rest.len(), 1, "a position need not exist");
}

pub fn history_comes_newest_first(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    for (at, judgement) in states() {
        judge(store, 1, "p", &judgement, at);
    }
    let rows = store.history(&policy_id("p"), &account(1), 9).unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.at_ms, row.violator_count)).collect();
    assert_eq!(told, [(30, 2), (20, 1), (20, 0), (10, 1)]);
    assert_eq!(rows[2].status, Some(Status::Compliant));
    assert_eq!(rows[0].issues.len(), 1);
    assert!(rows.iter().all(|row| !row.closed && row.policy_revision == 1));
    assert_eq!(store.history(&policy_id("p"), &account(1), 2).unwrap(), rows[..2]);
    assert!(store.history(&policy_id("p"), &account(1), 0).unwrap().is_empty());
}

/// Four states, two of them in the same millisecond.
fn states() -> [(i64, Judgement); 4] {
    [
        (10, judgement(&["sg-1"], &[])),
        (20, judgement(&[], &[])),
        (20, judgement(&["sg-1"], &[])),
        (30, judgement(&["sg-1", "sg-2"], &["gap"])),
    ]
}

fn history_times(store: &dyn Store, n: u32) -> Vec<i64> {
    let rows = store.history(&policy_id("p"), &account(n), 9).unwrap();
    rows.iter().map(|row| row.at_ms).collect()
}

pub fn expiry_keeps_the_state_that_held_then(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    for (at, judgement) in states() {
        judge(store, 1, "p", &judgement, at);
    }
    assert_eq!(store.expire(19).unwrap(), 0);
    assert_eq!(store.expire(20).unwrap(), 2, "what ended at 20, a violator among it");
    assert_eq!(history_times(store, 1), [30, 20, 20]);
    assert_eq!(store.expire(25).unwrap(), 1, "what held for no time at all");
    assert_eq!(history_times(store, 1), [30, 20]);
    assert_eq!(store.expire(1000).unwrap(), 1);
    assert_eq!(history_times(store, 1), [30], "what holds now");
    commit(store, &[ControlChange::RemovePolicy(policy_id("p"))], 1000);
    assert_eq!(store.expire(1000).unwrap(), 4, "with two violators and a version of the policy");
    assert_eq!(history_times(store, 1), [1000]);
    assert_eq!(store.expire(1001).unwrap(), 2, "an end is no state that holds");
    assert!(history_times(store, 1).is_empty());
}

pub fn tombstones_and_gone_items_expire_but_a_recorders_stays(bed: &mut impl Bed) {
    let store = bed.store();
    let seen = [
        deleted(&shard(1), "sg-deleted", 10),
        observed(&shard(1), RECORDER, "default", 10, Body::Deleted),
        group(&shard(1), "sg-gone", 15),
        group(&shard(1), "sg-live", 25),
    ];
    store.accept(&delivery(&seen), 1000, None).unwrap();
    store.accept(&snapshot_of(&shard(1), 20, &[], [GROUP]), 1000, None).unwrap();
    clear_work(store, 1000);
    assert_eq!(store.expire(10).unwrap(), 0);
    assert_eq!(store.expire(11).unwrap(), 1, "the tombstone");
    assert_eq!(store.expire(20).unwrap(), 0);
    assert_eq!(store.expire(21).unwrap(), 1, "what was gone since 20");
    assert_eq!(store.expire(i64::MAX).unwrap(), 0);
    assert_eq!(groups(store, &shard(1)), "sg-live 25");
    assert!(loaded(store, &shard(1)).shard.recorder_deleted);
    assert_eq!(due(store, 1000), "", "nothing that is judged changed");
    // The mark outlives the row: the resource stays gone.
    store.accept(&delivery(&[group(&shard(1), "sg-gone", 15)]), 1000, None).unwrap();
    assert_eq!(groups(store, &shard(1)), "sg-live 25");
}

pub fn one_violator_is_found_by_its_key(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    judge(store, 1, "p", &judgement(&["sg-1", "sg-2"], &[]), 100);
    let all = store.violators(&policy_id("p"), &account(1), None, 9).unwrap();
    for row in &all {
        let key = (row.resource_type.clone(), row.id.clone());
        let found = store.violator(&policy_id("p"), &account(1), &key).unwrap();
        assert_eq!(found.as_ref(), Some(row));
        assert!(store.violator(&policy_id("p"), &account(2), &key).unwrap().is_none());
        assert!(store.violator(&policy_id("q"), &account(1), &key).unwrap().is_none());
    }
    assert_eq!(all.len(), 2);
}
