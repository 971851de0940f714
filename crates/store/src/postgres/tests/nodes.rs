//! Many nodes over one store.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use palisade_testkit::postgres::shared;

use crate::contract::facts::*;
use crate::{Inventory as _, Ledger as _, Work as _};

use super::beds::node;

#[test]
fn no_shard_is_leased_twice_at_one_time() {
    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let first = node(&url);
    let shards: Vec<_> = (1..=200).map(|n| mark_of(&shard(n), None)).collect();
    first.mark(&shards, 10, None).unwrap();
    // What another is taking at the moment is passed over: each goes on until nothing is left.
    let until = Instant::now() + Duration::from_secs(60);
    let left = Arc::new(AtomicUsize::new(shards.len()));
    let takers: Vec<_> = (0..4)
        .map(|_| {
            let (url, left) = (url.clone(), Arc::clone(&left));
            thread::spawn(move || {
                let store = node(&url);
                let mut taken = Vec::new();
                while left.load(Relaxed) > 0 && Instant::now() < until {
                    let leases = store.lease(10, HOUR, 10).unwrap();
                    let _ = left.fetch_update(Relaxed, Relaxed, |left| {
                        Some(left.saturating_sub(leases.len()))
                    });
                    taken.extend(leases);
                }
                taken.extend(store.lease(10, HOUR, 10).unwrap());
                taken
            })
        })
        .collect();
    let taken: Vec<_> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
    let shards: BTreeSet<_> = taken.iter().map(|lease| lease.shard.clone()).collect();
    assert_eq!((taken.len(), shards.len()), (200, 200));
    let fences: BTreeSet<_> = taken.iter().map(|lease| lease.fence.number).collect();
    assert!(fences.len() > 4, "each taking has its own");
}

/// A change that commits between a lease and the load, or between the load and the settlement, by another
/// node, is never missed: whatever the order, the reader is due or has read it.
#[test]
fn a_fact_that_changes_under_a_reader_makes_it_due() {
    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let (one, other) = (node(&url), node(&url));
    put_policies(&one, &["p"]);
    let audit = [item_reference(&shard(9), "sg-audit")];
    for round in 1..=40_i64 {
        let at = round * 1_000;
        let n = u32::try_from(round).unwrap() + 100;
        one.mark(&[mark_of(&shard(n), Some("p"))], at, None).unwrap();
        let done = AtomicBool::new(false);
        let seen = thread::scope(|scope| {
            let changing = scope.spawn(|| {
                other.accept(&delivery(&[group(&shard(9), "sg-audit", at)]), at, None).unwrap();
                done.store(true, Relaxed);
            });
            let leases = one.lease(at, HOUR, usize::MAX).unwrap();
            let lease = leases.into_iter().find(|lease| lease.shard == shard(n)).unwrap();
            let references = audit.iter().cloned().collect();
            let want = crate::Want::whole(&lease.shard, &references, &[]);
            let loaded = one.load(&want).unwrap();
            let seen = format!("{:?}", loaded.references.values().collect::<Vec<_>>());
            let mut outcome = outcome(&one, &lease, "p", &judgement(&["sg-1"], &[]), at);
            outcome.references = audit.iter().cloned().collect();
            one.settle(&[settled(lease, at, &[outcome])]).unwrap();
            changing.join().unwrap();
            seen
        });
        let has_read = seen.contains(&format!("at {at}"));
        let leases = other.lease(at, -at, usize::MAX).unwrap();
        let is_due = leases.iter().any(|lease| lease.shard == shard(n));
        assert!(has_read || is_due, "round {round}: {seen}");
    }
}

/// The fence of a lease that another node takes now.
fn lease_again(store: &dyn crate::Store) -> crate::Fence {
    store.mark(&[mark_of(&shard(1), Some("p"))], 25, None).unwrap();
    lease_one(store, 25, HOUR).fence
}

/// A node that is overtaken while it judges writes nothing, and its late settlement is no error.
#[test]
fn what_an_overtaken_node_settles_is_dropped() {
    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let (paused, other) = (node(&url), node(&url));
    put_policies(&paused, &["p"]);
    paused.mark(&[mark_of(&shard(1), Some("p"))], 10, None).unwrap();
    let stale = lease_one(&paused, 10, 5);
    let late = outcome(&paused, &stale, "p", &judgement(&["sg-stale"], &[]), 10);
    let lease = lease_one(&other, 20, 5);
    let found = outcome(&other, &lease, "p", &judgement(&["sg-fresh"], &[]), 20);
    other.settle(&[settled(lease, 20, &[found])]).unwrap();
    let newer = crate::Lease { fence: lease_again(&other), ..stale.clone() };
    paused.settle(&[settled(stale, 30, std::slice::from_ref(&late))]).unwrap();
    for store in [&paused, &other] {
        assert_eq!(violators(store, 1, "p"), "sg-fresh");
        assert_eq!(store.history(&policy_id("p"), &account(1), 9).unwrap().len(), 1);
    }
    // But for its fence it would be written: the test can tell.
    paused.settle(&[settled(newer, 30, &[late])]).unwrap();
    assert_ne!(violators(&other, 1, "p"), "sg-fresh");
}
