//! Facts about marks, leases and fan-outs.

use crate::{ControlChange, FanOut, Settlement, WorkCounts};

use super::Bed;
use super::facts::*;

pub fn due_shards_are_leased_oldest_first_with_all_their_marks(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(3), None)], 10, None).unwrap();
    store.mark(&[mark_of(&shard(2), Some("q")), mark_of(&shard(1), Some("p"))], 20, None).unwrap();
    store.mark(&[mark_of(&shard(2), None), mark_of(&shard(2), Some("p"))], 30, None).unwrap();
    store.mark(&[mark_of(&shard(4), None)], 41, None).unwrap();
    assert_eq!(shown(&store.lease(40, 10, 0).unwrap()), "");
    assert_eq!(shown(&store.lease(40, 10, 2).unwrap()), "3 *; 1 p");
    assert_eq!(shown(&store.lease(40, 10, 2).unwrap()), "2 *,p,q");
    assert_eq!(shown(&store.lease(40, 10, 2).unwrap()), "");
    assert_eq!(shown(&store.lease(41, 10, 2).unwrap()), "4 *");
}

pub fn a_lease_holds_others_off_until_its_last_millisecond(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(1), None)], 10, None).unwrap();
    let first = lease_one(store, 10, 100);
    assert_eq!(shown(&store.lease(109, 100, 9).unwrap()), "");
    let second = lease_one(store, 110, 100);
    assert_ne!(first.fence, second.fence);
    assert_eq!(first.marks, second.marks);
}

pub fn a_lease_lasts_as_long_as_its_holder_says(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    store.mark(&[mark_of(&shard(1), Some("p")), mark_of(&shard(2), None)], 10, None).unwrap();
    let leases = store.lease(10, 5, 9).unwrap();
    store.prolong(&leases, 200).unwrap();
    assert_eq!(shown(&store.lease(199, 5, 9).unwrap()), "", "longer");
    let [first, second] = leases.try_into().unwrap();
    store.prolong(std::slice::from_ref(&second), 20).unwrap();
    let taken = lease_one(store, 20, 100);
    assert_eq!(taken.shard, shard(2), "shorter");
    store.prolong(&[first.clone(), second.clone()], 1_000).unwrap();
    store.release(&[second], None).unwrap();
    assert_eq!(shown(&store.lease(119, 5, 9).unwrap()), "", "whose lease was taken holds none");
    assert_eq!(lease_one(store, 120, 5).shard, shard(2));
    let found = outcome(store, &first, "p", &judgement(&["sg-1"], &[]), 10);
    store.settle(&[settled(first.clone(), 10, &[found])]).unwrap();
    store.mark(&[mark_of(&shard(1), None)], 300, None).unwrap();
    store.prolong(&[first], 1_000).unwrap();
    assert_eq!(shown(&store.lease(300, 5, 1).unwrap()), "2 *");
    assert_eq!(shown(&store.lease(300, 5, 1).unwrap()), "1 *", "nor who has settled");
}

pub fn a_lease_that_is_given_up_leaves_its_work_due(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(1), Some("p")), mark_of(&shard(1), Some("q"))], 10, None).unwrap();
    let lease = lease_one(store, 10, 100);
    store.mark(&[mark_of(&shard(1), Some("q"))], 11, None).unwrap();
    store.release(std::slice::from_ref(&lease), None).unwrap();
    store.prolong(std::slice::from_ref(&lease), 1_000).unwrap();
    let lease = lease_one(store, 11, 100);
    assert_eq!(lease.marks.len(), 2, "at once, and whoever held it holds it no more");
    store.mark(&[mark_of(&shard(1), Some("q"))], 12, None).unwrap();
    store.release(std::slice::from_ref(&lease), Some(500)).unwrap();
    assert_eq!(due(store, 499), "1 q", "what was marked since");
    assert_eq!(due(store, 500), "1 p,q");
    store.release(&[lease], Some(900)).unwrap();
    assert_eq!(due(store, 500), "1 p,q", "once");
}

pub fn what_an_overtaken_worker_settles_is_dropped(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    store.mark(&[mark_of(&shard(1), Some("p"))], 10, None).unwrap();
    let slow = lease_one(store, 10, 5);
    let found = outcome(store, &slow, "p", &judgement(&["sg-slow"], &[]), 10);
    let late = settled(slow, 10, &[found]);
    let quick = lease_one(store, 20, 5);
    store.settle(std::slice::from_ref(&late)).unwrap();
    assert!(store.entry(&policy_id("p"), &account(1)).unwrap().is_none());
    assert_eq!(store.work(20).unwrap().leased, 1, "the other lease goes on");
    let found = outcome(store, &quick, "p", &judgement(&["sg-quick"], &[]), 20);
    store.settle(&[settled(quick, 20, &[found])]).unwrap();
    assert_eq!(due(store, 1000), "");
    // Nor may it clear what was marked after all of that.
    store.mark(&[mark_of(&shard(1), Some("p"))], 30, None).unwrap();
    store.settle(&[late]).unwrap();
    assert_eq!(violators(store, 1, "p"), "sg-quick");
    assert_eq!(due(store, 1000), "1 p");
}

pub fn a_late_settlement_counts_while_nobody_else_took_the_shard(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    store.mark(&[mark_of(&shard(1), Some("p"))], 10, None).unwrap();
    let lease = lease_one(store, 10, 5);
    let found = outcome(store, &lease, "p", &judgement(&["sg-1"], &[]), 99);
    store.settle(&[settled(lease, 99, &[found])]).unwrap();
    assert_eq!(violators(store, 1, "p"), "sg-1");
    assert_eq!(due(store, 1000), "");
}

pub fn a_mark_made_during_a_lease_stays_due(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    store.mark(&[mark_of(&shard(1), None), mark_of(&shard(1), Some("p"))], 10, None).unwrap();
    let lease = lease_one(store, 10, HOUR);
    store.accept(&delivery(&[group(&shard(1), "sg-1", 1)]), 11, None).unwrap();
    assert_eq!(due(store, 11), "", "while it is leased");
    let found = outcome(store, &lease, "p", &judgement(&["sg-1"], &[]), 12);
    store.settle(&[settled(lease, 12, &[found])]).unwrap();
    assert_eq!(violators(store, 1, "p"), "sg-1", "what was found is written all the same");
    assert_eq!(due(store, 12), "1 *");
}

pub fn another_policys_mark_waits_for_the_shards_lease(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(1), Some("p"))], 10, None).unwrap();
    let lease = lease_one(store, 10, HOUR);
    store.mark(&[mark_of(&shard(1), Some("q"))], 11, None).unwrap();
    assert_eq!(due(store, 11), "");
    store.settle(&[settled(lease, 12, &[])]).unwrap();
    assert_eq!(due(store, 12), "1 q");
}

fn later(lease: crate::Lease, at: i64, not_before_ms: i64) -> Settlement {
    Settlement { not_before_ms: Some(not_before_ms), ..settled(lease, at, &[]) }
}

pub fn work_for_later_waits_and_only_moves_nearer(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(1), None)], 10, None).unwrap();
    let lease = lease_one(store, 10, HOUR);
    store.settle(&[later(lease, 10, 100)]).unwrap();
    assert_eq!(due(store, 99), "");
    assert_eq!(due(store, 100), "1 *");
    store.mark(&[mark_of(&shard(1), None)], 150, None).unwrap();
    assert_eq!(due(store, 149), "1 *", "it was due at 100 and still is");
    let lease = lease_one(store, 150, HOUR);
    store.settle(&[later(lease, 150, 1000)]).unwrap();
    store.mark(&[mark_of(&shard(1), None)], 200, None).unwrap();
    assert_eq!(due(store, 199), "");
    assert_eq!(due(store, 200), "1 *");
}

pub fn settling_schedules_what_time_alone_changes(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(1), None)], 10, None).unwrap();
    let lease = lease_one(store, 10, HOUR);
    // Marked again meanwhile: due at once, whatever the time.
    store.mark(&[mark_of(&shard(1), None)], 11, None).unwrap();
    store.settle(&[later(lease, 12, 500)]).unwrap();
    let lease = lease_one(store, 12, HOUR);
    store.settle(&[later(lease, 13, 500)]).unwrap();
    assert_eq!(due(store, 499), "");
    let lease = lease_one(store, 500, HOUR);
    store.settle(&[settled(lease, 500, &[])]).unwrap();
    assert_eq!(store.work(500).unwrap(), WorkCounts::default(), "no time is left to wait for");
}

pub fn a_policys_judgement_never_postpones_the_shards_own_time(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(1), None)], 10, None).unwrap();
    let lease = lease_one(store, 10, HOUR);
    store.settle(&[later(lease, 10, 100)]).unwrap();
    for (not_before, expected) in [(200, 100), (90, 90)] {
        store.mark(&[mark_of(&shard(1), Some("p"))], 20, None).unwrap();
        let lease = lease_one(store, 20, HOUR);
        assert_eq!(shown(std::slice::from_ref(&lease)), "1 p");
        store.settle(&[later(lease, 20, not_before)]).unwrap();
        assert_eq!(due(store, expected - 1), "");
        assert_eq!(due(store, expected), "1 *");
    }
}

pub fn marks_and_leases_are_counted(bed: &mut impl Bed) {
    let store = bed.store();
    let marks = [mark_of(&shard(1), None), mark_of(&shard(1), Some("p")), mark_of(&shard(2), None)];
    store.mark(&marks, 10_000, None).unwrap();
    store.mark(&[mark_of(&shard(3), None)], 20_000, None).unwrap();
    let counts = |dirty, leased, future, oldest_seconds| WorkCounts {
        dirty,
        leased,
        future,
        oldest_seconds,
    };
    assert_eq!(store.work(15_999).unwrap(), counts(3, 0, 1, 5));
    assert_eq!(store.work(20_000).unwrap(), counts(4, 0, 0, 10));
    let leases = store.lease(15_000, 1000, 1).unwrap();
    assert_eq!(shown(&leases), "1 *,p");
    assert_eq!(store.work(15_999).unwrap(), counts(1, 2, 1, 5));
    assert_eq!(store.work(16_000).unwrap(), counts(3, 0, 1, 6), "the lease ran out");
    commit(store, &[ControlChange::PutPolicy(policy("p", 1))], 5_000);
    assert_eq!(store.work(16_000).unwrap(), counts(4, 0, 1, 11), "an unexpanded fan-out");
    assert_eq!(store.work(0).unwrap(), counts(1, 0, 4, 0));
}

pub fn a_put_policy_is_fanned_out_in_steps(bed: &mut impl Bed) {
    let store = bed.store();
    commit(store, &[ControlChange::PutPolicy(policy("q", 1))], 10);
    commit(store, &[ControlChange::PutPolicy(policy("p", 1))], 20);
    let fan_out = |name, cursor: Option<u32>| FanOut {
        policy: policy_id(name),
        revision: 1,
        cursor: cursor.map(account),
    };
    assert_eq!(store.fan_outs().unwrap(), [fan_out("q", None), fan_out("p", None)]);
    let shards = [shard(1), shard(2)];
    assert!(store.advance_fan_out(&fan_out("q", None), &shards, Some(&account(2)), 30).unwrap());
    assert_eq!(due(store, 29), "");
    assert_eq!(due(store, 30), "1 q; 2 q");
    assert_eq!(store.fan_outs().unwrap(), [fan_out("q", Some(2)), fan_out("p", None)]);
    assert!(store.advance_fan_out(&fan_out("q", Some(2)), &[shard(3)], None, 40).unwrap());
    assert_eq!(store.fan_outs().unwrap(), [fan_out("p", None)]);
    assert_eq!(due(store, 40), "1 q; 2 q; 3 q");
}

/// Whoever holds a lease may judge by an older state of control.
pub fn a_fan_out_reaches_who_has_an_entry_or_may_get_one(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    [3, 5, 8].iter().for_each(|n| judge(store, *n, "p", &judgement(&["sg-1"], &[]), 10));
    judge(store, 4, "q", &judgement(&["sg-1"], &[]), 10);
    let reached = |cursor: Option<u32>, limit| {
        let cursor = cursor.map(account);
        let fan_out = FanOut { policy: policy_id("p"), revision: 1, cursor };
        store.reached(&fan_out, &region("eu-west-1"), limit).unwrap()
    };
    let accounts = |all: &[u32]| all.iter().copied().map(account).collect::<Vec<_>>();
    assert_eq!(reached(None, 9), accounts(&[3, 5, 8]), "and not the 4 others of ten");
    let elsewhere = crate::Mark {
        shard: palisade_core::ident::ShardId { account: account(9), region: region("eu-west-2") },
        policy: None,
    };
    store.mark(&[elsewhere, mark_of(&shard(7), None), mark_of(&shard(8), None)], 20, None).unwrap();
    let leases = store.lease(20, 5, 9).unwrap();
    assert_eq!(leases.len(), 3);
    assert_eq!(reached(None, 9), accounts(&[3, 5, 7, 8]), "whenever the lease runs out");
    assert_eq!(reached(None, 3), accounts(&[3, 5, 7]));
    assert_eq!(reached(Some(3), 2), accounts(&[5, 7]));
    assert_eq!(reached(Some(8), 9), accounts(&[]));
    store.release(&leases, None).unwrap();
    assert_eq!(reached(Some(3), 9), accounts(&[5, 8]));
}

pub fn a_fan_out_replaced_or_overtaken_is_left_alone(bed: &mut impl Bed) {
    let store = bed.store();
    commit(store, &[ControlChange::PutPolicy(policy("p", 1))], 10);
    let first = store.fan_outs().unwrap().remove(0);
    assert!(store.advance_fan_out(&first, &[], Some(&account(5)), 10).unwrap());
    assert!(!store.advance_fan_out(&first, &[shard(1)], None, 10).unwrap(), "overtaken");
    let second = store.fan_outs().unwrap().remove(0);
    commit(store, &[ControlChange::PutPolicy(policy("p", 2))], 20);
    assert!(!store.advance_fan_out(&second, &[shard(1)], None, 20).unwrap(), "replaced");
    let replaced = FanOut { policy: policy_id("p"), revision: 2, cursor: None };
    assert_eq!(store.fan_outs().unwrap(), [replaced]);
    commit(store, &[ControlChange::RemovePolicy(policy_id("p"))], 20);
    assert!(!store.advance_fan_out(&second, &[shard(1)], None, 20).unwrap(), "gone");
    assert_eq!(due(store, 100), "");
}

pub fn other_rules_fan_every_policy_out_once(bed: &mut impl Bed) {
    assert_eq!(bed.store().judge_by(1, "", 10).unwrap(), 0, "a new store has no policies");
    put_policies(bed.store(), &["p", "q"]);
    let cursors = |store: &dyn crate::Store| {
        let every = store.fan_outs().unwrap();
        every.iter().map(|one| one.cursor.clone()).collect::<Vec<_>>()
    };
    for fan_out in bed.store().fan_outs().unwrap() {
        bed.store().advance_fan_out(&fan_out, &[], None, 20).unwrap();
    }
    assert_eq!(bed.store().judge_by(1, "", 30).unwrap(), 0, "the same rules");
    assert!(cursors(bed.store()).is_empty());

    assert_eq!(bed.store().judge_by(2, "", 40).unwrap(), 2);
    assert_eq!(cursors(bed.store()), [None, None]);
    // Under way, and begun anew by yet other rules; older ones are others, too.
    let first = bed.store().fan_outs().unwrap().remove(0);
    assert!(bed.store().advance_fan_out(&first, &[], Some(&account(5)), 50).unwrap());
    assert_eq!(bed.store().judge_by(1, "", 60).unwrap(), 2);
    assert_eq!(cursors(bed.store()), [None, None]);

    bed.reopen();
    assert_eq!(bed.store().judge_by(1, "", 70).unwrap(), 0, "it was noted");
    assert_eq!(
        bed.store().judge_by(1, "all", 80).unwrap(),
        2,
        "other types are taken for recorded"
    );
    assert_eq!(bed.store().judge_by(1, "all", 90).unwrap(), 0);
}
