//! Facts about what was answered at earlier moments.

use std::sync::Arc;

use palisade_core::waiver::Waiver;

use crate::{Administrator, ControlChange, LedgerWrite, Occasion, Outcome, Span, Store, Versioned};

use super::Bed;
use super::facts::*;

const POLICIES: [&str; 2] = ["p", "q"];

/// What is answered now: how each account stands, and its violators.
fn present(store: &dyn Store) -> String {
    let of_policy = |name: &&str| {
        let id = policy_id(name);
        let rows = store.entries(&id, None, None, 99).unwrap().into_iter().map(|row| {
            let violators = store.violators(&id, &row.account, None, 99).unwrap();
            let entry = row.entry;
            format!(
                "{} {:?} {} {:?} {} {} {violators:?}\n",
                row.account,
                entry.status,
                entry.violator_count,
                entry.issues,
                entry.since_ms,
                entry.policy_revision
            )
        });
        rows.collect::<String>()
    };
    POLICIES.iter().map(of_policy).collect::<Vec<_>>().join("--\n")
}

/// The same of a moment.
fn past(store: &dyn Store, at_ms: i64) -> String {
    let of_policy = |name: &&str| {
        let id = policy_id(name);
        let rows = store.entries_at(&id, None, None, 99, at_ms).unwrap();
        let rows = rows.into_iter().map(|(account, row)| {
            let violators = store.violators_at(&id, &account, None, 99, at_ms).unwrap();
            format!(
                "{account} {:?} {} {:?} {} {} {violators:?}\n",
                row.status, row.violator_count, row.issues, row.at_ms, row.policy_revision
            )
        });
        rows.collect::<String>()
    };
    POLICIES.iter().map(of_policy).collect::<Vec<_>>().join("--\n")
}

fn close(store: &dyn Store, n: u32, at: i64) {
    store.mark(&[mark_of(&shard(n), Some("p"))], at, None).unwrap();
    let lease = lease_one(store, at, HOUR);
    let (policy, write) = (policy_id("p"), LedgerWrite::Close);
    let outcome = Outcome { policy, revision: 1, write, references: Default::default() };
    store.settle(&[settled(lease, at, &[outcome])]).unwrap();
}

/// Steps of a story, each at a later moment; what was answered behind each.
fn story(store: &dyn Store) -> Vec<(i64, String)> {
    put_policies(store, &POLICIES);
    let mut other = judgement(&["sg-2"], &[]);
    other.violators.push(violator(GROUP, "sg-3", "another acl"));
    let steps: [&dyn Fn(i64); 9] = [
        &|at| judge(store, 1, "p", &judgement(&["sg-1", "sg-2", "sg-3"], &[]), at),
        &|at| judge(store, 2, "p", &judgement(&["sg-1"], &["gap"]), at),
        &|at| judge(store, 1, "p", &other, at),
        &|at| judge(store, 1, "q", &judgement(&[], &[]), at),
        &|at| judge(store, 1, "p", &judgement(&["sg-1", "sg-2"], &[]), at),
        &|at| close(store, 1, at),
        &|at| judge(store, 1, "p", &judgement(&["sg-2"], &[]), at),
        &|at| {
            commit(store, &[ControlChange::RemovePolicy(policy_id("p"))], at);
        },
        &|at| judge(store, 1, "q", &judgement(&["sg-9"], &[]), at),
    ];
    let mut answered = Vec::new();
    for (at, step) in (1..).map(|nth| nth * 100).zip(steps) {
        step(at);
        answered.push((at, present(store)));
    }
    answered
}

pub fn what_was_answered_is_told_of_its_moment(bed: &mut impl Bed) {
    let answered = story(bed.store());
    bed.reopen();
    let store = bed.store();
    for (at, then) in &answered {
        for moment in [*at, at + 50, at + 99] {
            assert_eq!(past(store, moment), *then, "{moment}");
            for n in [1, 2, 3] {
                let all = store.entries_at(&policy_id("p"), None, None, 9, moment).unwrap();
                let one = all.into_iter().find(|(id, _)| *id == account(n)).map(|(_, row)| row);
                assert_eq!(store.entry_at(&policy_id("p"), &account(n), moment).unwrap(), one);
            }
        }
    }
    assert_eq!(past(store, 99), "--\n", "nothing was judged");
    // In pages.
    let page = store.violators_at(&policy_id("p"), &account(1), None, 2, 150).unwrap();
    let last = page.last().map(|row| (row.resource_type.clone(), row.id.clone()));
    let rest = store.violators_at(&policy_id("p"), &account(1), last.as_ref(), 9, 150).unwrap();
    assert_eq!((page.len(), rest.len()), (2, 1));
    let behind = store.entries_at(&policy_id("p"), Some(&account(1)), None, 9, 250).unwrap();
    assert_eq!(behind.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>(), [account(2)]);
    assert_eq!(
        store.entries_at(&policy_id("p"), None, Some(&account(1)), 9, 250).unwrap().len(),
        1
    );
}

pub fn a_settlement_is_told_from_its_own_moment_on(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    store.mark(&[mark_of(&shard(1), Some("p"))], 100, None).unwrap();
    let lease = lease_one(store, 100, HOUR);
    let found = outcome(store, &lease, "p", &judgement(&["sg-1"], &[]), 100);
    store.settle_at(&[settled(lease, 100, &[found])], 170).unwrap();
    for (at, count) in [(100, 0), (169, 0), (170, 1)] {
        assert_eq!(store.entries_at(&policy_id("p"), None, None, 9, at).unwrap().len(), count);
        let found = store.violators_at(&policy_id("p"), &account(1), None, 9, at).unwrap();
        assert_eq!(found.len(), count, "{at}");
    }
    let history = store.history(&policy_id("p"), &account(1), 9).unwrap();
    assert_eq!((history[0].at_ms, history[0].noted_ms), (100, 170));
    assert_eq!(history[0].occasion, Some(Occasion::Policy));
}

pub fn violators_that_ended_keep_their_end_and_last_evidence(bed: &mut impl Bed) {
    let store = bed.store();
    story(store);
    let ended = store.past_violators(&policy_id("p"), &account(1), 0, 10_000).unwrap();
    let told: Vec<_> = ended
        .iter()
        .map(|it| (it.row.id.as_str(), it.row.since_ms, it.from_ms, it.until_ms, it.ended))
        .collect();
    assert_eq!(
        told,
        [
            ("sg-1", 100, 100, 300, true),
            ("sg-1", 500, 500, 600, true),
            ("sg-2", 100, 100, 600, true),
            ("sg-2", 700, 700, 800, true),
            ("sg-3", 100, 100, 300, false),
            ("sg-3", 100, 300, 500, true),
        ]
    );
    assert_eq!(ended[5].row.violations, violator(GROUP, "sg-3", "another acl").violations);
    let some = store.past_violators(&policy_id("p"), &account(1), 300, 600).unwrap();
    assert_eq!(some.len(), 3, "after the one, up to the other");
}

pub fn what_was_decided_is_told_of_its_moment(bed: &mut impl Bed) {
    let store = bed.store();
    let waived = |reason: &str| {
        ControlChange::PutWaiver(Arc::new(Waiver {
            reason: reason.into(),
            ..(*waiver("w1")).clone()
        }))
    };
    let organization = |accounts: &[u32]| {
        ControlChange::PutOrganization(Arc::new(super::facts::organization(accounts)))
    };
    let steps: [Vec<ControlChange>; 6] = [
        vec![organization(&[1, 2])],
        vec![
            ControlChange::PutAdministrator(account(1), Administrator::default_one(1)),
            ControlChange::PutPolicy(policy("p", 1)),
        ],
        vec![ControlChange::PutPolicy(policy("p", 2)), waived("a")],
        vec![organization(&[1, 3]), waived("b")],
        vec![ControlChange::RemovePolicy(policy_id("p"))],
        vec![
            ControlChange::RemoveAdministrator(account(1)),
            ControlChange::RemoveWaiver("w1".try_into().unwrap()),
        ],
    ];
    let mut decided = Vec::new();
    for (at, changes) in (1..).map(|nth| nth * 100).zip(steps) {
        commit(store, &changes, at);
        let state = store.control().unwrap();
        decided.push((at, state));
    }
    bed.reopen();
    let store = bed.store();
    for (at, then) in &decided {
        for moment in [*at, at + 99] {
            let told = store.control_at(moment).unwrap();
            assert_eq!(told.organization, then.organization, "{moment}");
            assert_eq!(told.administrators, then.administrators, "{moment}");
            assert_eq!(told.policies, then.policies, "{moment}");
            assert_eq!(told.waivers, then.waivers, "{moment}");
        }
    }
    assert!(store.control_at(99).unwrap().organization.is_none());
    let versions = store.versions(300, 500).unwrap();
    let told: Vec<_> =
        versions.iter().map(|it| (it.object.clone(), it.noted_ms, it.record.is_some())).collect();
    let other = Versioned::Waiver("w1".try_into().unwrap());
    assert_eq!(
        told,
        [
            (Versioned::Account(account(2)), 400, false),
            (Versioned::Account(account(3)), 400, true),
            (other, 400, true),
            (Versioned::Policy(policy_id("p")), 500, false),
        ],
        "what stayed has no other version"
    );
}

pub fn the_past_begins_with_the_first_write_and_moves_with_expiry(bed: &mut impl Bed) {
    assert_eq!(bed.store().span().unwrap(), Span::default());
    bed.store().look_at_clock(50, 0).unwrap();
    assert_eq!(bed.store().span().unwrap(), Span { from_ms: Some(50), noted_ms: Some(50) });
    let story_from = 1_000;
    put_policies(bed.store(), &["p"]);
    for (at, names) in [(0, &["sg-1"][..]), (100, &["sg-2"]), (200, &["sg-2", "sg-3"])] {
        judge(bed.store(), 1, "p", &judgement(names, &[]), story_from + at);
    }
    let before = [1_100, 1_150, 1_200, 1_300].map(|at| past(bed.store(), at));
    bed.store().expire(1_100).unwrap();
    bed.reopen();
    let store = bed.store();
    assert_eq!(store.span().unwrap(), Span { from_ms: Some(1_100), noted_ms: Some(1_200) });
    assert_eq!([1_100, 1_150, 1_200, 1_300].map(|at| past(store, at)), before);
    store.expire(5_000).unwrap();
    assert_eq!(store.span().unwrap().from_ms, Some(1_200), "no later than what is noted");
    assert_eq!(past(store, 1_300), before[3]);
    assert!(store.past_violators(&policy_id("p"), &account(1), 0, 9_999).unwrap().is_empty());
}

pub fn moments_never_go_back_and_are_brought_back_with_the_clock(bed: &mut impl Bed) {
    let store = bed.store();
    let ahead = 1000 * HOUR;
    store.look_at_clock(ahead, 0).unwrap();
    put_policies(store, &["p"]);
    judge(store, 1, "p", &judgement(&["sg-1", "sg-2"], &[]), ahead);
    // A little behind is as now.
    judge(store, 1, "p", &judgement(&["sg-2"], &[]), ahead - 5);
    assert_eq!(store.history(&policy_id("p"), &account(1), 9).unwrap()[0].noted_ms, ahead);
    judge(store, 1, "p", &judgement(&["sg-3"], &[]), ahead + HOUR);
    let now = present(store);
    let back = 10 * HOUR;
    store.look_at_clock(back, 0).unwrap();
    assert_eq!(store.span().unwrap(), Span { from_ms: Some(back), noted_ms: Some(back) });
    assert_eq!(past(store, back), now, "all that was noted counts as noted now");
    assert!(store.control_at(back).unwrap().policies.contains_key(&policy_id("p")));
    judge(store, 1, "p", &judgement(&[], &[]), back + 100);
    assert_eq!(past(store, back + 99), now);
    assert_eq!(past(store, back + 100), present(store));
}
