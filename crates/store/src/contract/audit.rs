//! Facts about the audit log: it tells of what was done, and of nothing else.

use std::sync::Arc;

use palisade_core::inventory::Delivery;
use serde_json::json;

use crate::{
    AuditChange, AuditEvent, AuditFilter, AuditRow, CallerKind, ControlChange, Store, StoreError,
};

use super::Bed;
use super::facts::*;
use super::keys::event;

fn logged(store: &dyn Store, operation: &str, at_ms: i64) {
    commit(store, &[ControlChange::Audit(Arc::new(event(operation, at_ms)))], at_ms);
}

/// Operations with the moment of each, newest first.
fn told(rows: &[AuditRow]) -> String {
    let tell = |row: &AuditRow| format!("{} {}", row.event.operation, row.event.at_ms);
    rows.iter().map(tell).collect::<Vec<_>>().join("; ")
}

fn all(store: &dyn Store) -> String {
    told(&store.audit(&AuditFilter::default(), 99).unwrap())
}

pub fn an_event_is_read_back_as_it_was_told(bed: &mut impl Bed) {
    let store = bed.store();
    let change = |before, after| AuditChange {
        object_type: "policy".to_owned(),
        object: "arn:x".to_owned(),
        before,
        after,
    };
    let full = AuditEvent {
        access_key_id: Some("AKIA1".to_owned()),
        key_name: Some("ci-pipeline".to_owned()),
        caller: CallerKind::DefaultAdministrator,
        account: Some(account(7)),
        changes: vec![
            change(None, Some(json!({"name": "p", "tags": {}}))),
            change(Some(json!(null)), None),
        ],
        ..event("PutPolicy", 5)
    };
    commit(store, &[ControlChange::Audit(Arc::new(full.clone()))], 5);
    let rows = store.audit(&AuditFilter::default(), 9).unwrap();
    let [AuditRow { event, .. }] = &rows[..] else { panic!("{rows:?}") };
    // A state that is JSON's null is no state.
    let told = AuditEvent { changes: vec![full.changes[0].clone(), change(None, None)], ..full };
    assert_eq!(*event, told);
}

pub fn an_event_stands_or_falls_with_its_change(bed: &mut impl Bed) {
    let store = bed.store();
    let tell = |operation: &str| ControlChange::Audit(Arc::new(event(operation, 1)));
    let put = ControlChange::PutPolicy(policy("p", 1));
    store.commit(0, &[put.clone(), tell("done")], 1).unwrap();
    let answer = store.commit(0, &[put, tell("refused")], 1);
    assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    assert_eq!(all(store), "done 1");
}

pub fn an_event_alone_moves_no_revision(bed: &mut impl Bed) {
    let store = bed.store();
    logged(store, "nothing", 1);
    assert_eq!(store.control_revision().unwrap(), 0);
    let tell = ControlChange::Audit(Arc::new(event("something", 2)));
    commit(store, &[ControlChange::PutOffboarded(None), tell], 2);
    assert_eq!(store.control_revision().unwrap(), 1);
    assert_eq!(all(store), "something 2; nothing 1");
}

pub fn deliveries_and_marks_are_told_in_their_transaction(bed: &mut impl Bed) {
    let store = bed.store();
    let seen = delivery(&[group(&shard(1), "sg-1", 5)]);
    let told = store.accept(
        &seen,
        10,
        Some(&|accepted| {
            let count: u64 = accepted.accepted.values().sum();
            event(&format!("PostInventory of {count}"), 10)
        }),
    );
    assert_eq!(told.unwrap().accepted.values().sum::<u64>(), 1);
    assert_eq!(groups(store, &shard(1)), "sg-1 5");
    clear_work(store, 10);
    store.mark(&[mark_of(&shard(1), None)], 20, Some(&event("Evaluate", 20))).unwrap();
    assert_eq!(due(store, 20), "1 *");
    assert_eq!(all(store), "Evaluate 20; PostInventory of 1 10");
}

pub fn deliveries_that_change_nothing_leave_no_event(bed: &mut impl Bed) {
    let store = bed.store();
    let (one, gap) = (group(&shard(1), "sg-1", 5), gap(&shard(1), None, "sg-1", 5));
    let told = |delivery: &Delivery| {
        let before = store.audit(&Default::default(), 99).unwrap().len();
        store.accept(delivery, 100, Some(&|_| event("PostInventory", 100))).unwrap();
        store.audit(&Default::default(), 99).unwrap().len() > before
    };
    let changes = [
        (delivery(&[]), false, "nothing"),
        (delivery(std::slice::from_ref(&one)), true, "a state"),
        (delivery(std::slice::from_ref(&one)), false, "the same once more"),
        (delivery(&[group(&shard(1), "sg-1", 4)]), false, "an older state"),
        (snapshot(&shard(1), 9, std::slice::from_ref(&one)), true, "how old what is known is"),
        (snapshot(&shard(1), 9, std::slice::from_ref(&one)), false, "the same snapshot"),
        (snapshot(&shard(1), 8, &[]), false, "an older snapshot"),
        (missing(&[], std::slice::from_ref(&gap)), true, "a gap"),
        (missing(&[], std::slice::from_ref(&gap)), false, "the same gap"),
        (Delivery { nobodys: 1, ..delivery(&[]) }, false, "what nobody can read"),
        (snapshot(&shard(1), 10, &[]), true, "what is gone"),
        (snapshot(&shard(1), 10, &[]), false, "what is gone already"),
    ];
    for (delivery, expected, what) in changes {
        assert_eq!(told(&delivery), expected, "{what}");
    }
}

pub fn events_are_read_newest_first_in_pages_and_by_filter(bed: &mut impl Bed) {
    let store = bed.store();
    for n in 1..=12 {
        let account = [None, Some(account(1)), Some(account(2))][n % 3].clone();
        let event =
            AuditEvent { account, ..event(["Put", "Delete"][n % 2], i64::try_from(n).unwrap()) };
        commit(store, &[ControlChange::Audit(Arc::new(event))], 0);
    }
    let pages = |account: Option<u32>, operation: Option<&str>, size: usize| {
        let account = account.map(super::facts::account);
        let operation = operation.map(str::to_owned);
        let mut filter = AuditFilter { account, operation, before: None };
        let mut moments = Vec::new();
        loop {
            let page = store.audit(&filter, size).unwrap();
            assert!(page.len() <= size);
            let Some(last) = page.last() else { return format!("{moments:?}") };
            filter.before = Some(last.sequence);
            moments.extend(page.iter().map(|row| row.event.at_ms));
        }
    };
    for size in [1, 2, 5, 12, 13] {
        let cases = [
            (None, None, "[12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]"),
            (Some(1), None, "[10, 7, 4, 1]"),
            (None, Some("Put"), "[12, 10, 8, 6, 4, 2]"),
            (Some(2), Some("Delete"), "[11, 5]"),
            (Some(9), None, "[]"),
            (None, Some("put"), "[]"),
        ];
        for (account, operation, expected) in cases {
            assert_eq!(pages(account, operation, size), expected, "{account:?} {operation:?}");
        }
    }
    assert!(
        store.audit(&AuditFilter { before: Some(0), ..Default::default() }, 9).unwrap().is_empty()
    );
    let far = AuditFilter { before: Some(u64::MAX), ..Default::default() };
    assert_eq!(store.audit(&far, 99).unwrap().len(), 12);
}

pub fn events_expire_and_their_places_are_not_given_again(bed: &mut impl Bed) {
    let store = bed.store();
    for at_ms in [10, 20, 30] {
        logged(store, "e", at_ms);
    }
    let newest = store.audit(&AuditFilter::default(), 1).unwrap()[0].sequence;
    assert_eq!(store.expire_audit(20).unwrap(), 1);
    assert_eq!(all(store), "e 30; e 20");
    assert_eq!(store.expire_audit(99).unwrap(), 2);
    logged(store, "e", 40);
    assert!(store.audit(&AuditFilter::default(), 1).unwrap()[0].sequence > newest);
}
