//! Facts about the age of shards, and about the clock.

use palisade_core::ident::{Region, ResourceType, ShardId};
use palisade_core::inventory::{Body, Delivery, Observation};

use crate::{Clock, ControlChange, InventoryAges, Mark};

use super::Bed;
use super::facts::*;

pub fn a_shard_is_as_old_as_what_is_told_of_it_whenever_it_is_sent(bed: &mut impl Bed) {
    let store = bed.store();
    let newest = || loaded(store, &shard(1)).shard.newest_ms;
    let known = [
        snapshot(&shard(1), HOUR, &[group(&shard(1), "sg-1", 10)]),
        delivery(&[group(&shard(1), "sg-1", HOUR + 5), group(&shard(2), "sg-1", HOUR + 9)]),
    ];
    for now in [2 * HOUR, 200 * HOUR] {
        known.iter().for_each(|known| drop(store.accept(known, now, None).unwrap()));
        assert_eq!(newest(), Some(HOUR + 5), "sent again, it tells nothing new");
    }
    let empty = Delivery::default();
    store.accept(&empty, 300 * HOUR, None).unwrap();
    assert_eq!(newest(), Some(HOUR + 5));
}

/// A snapshot speaks at its moment of its own shard; what it holds of another is as old as it was captured.
pub fn what_a_snapshot_of_another_region_holds_is_as_old_as_its_items(bed: &mut impl Bed) {
    let store = bed.store();
    let newest = |n| loaded(store, &shard(n)).shard.newest_ms;
    let items = [group(&shard(1), "sg-1", 10), group(&shard(2), "sg-1", 20)];
    store.accept(&snapshot(&shard(1), HOUR, &items), 2 * HOUR, None).unwrap();
    assert_eq!((newest(1), newest(2)), (Some(HOUR), Some(20)));
}

pub fn the_inventory_is_as_old_as_its_oldest_shard(bed: &mut impl Bed) {
    let store = bed.store();
    let ages = |store: &dyn crate::Store| {
        let InventoryAges { shards, oldest_ms, newest_ms } = store.inventory_ages().unwrap();
        (shards, oldest_ms, newest_ms)
    };
    for (n, moment) in [(1, 3), (2, 7), (3, 5), (4, 1)] {
        store
            .accept(&delivery(&[group(&shard(n), "sg-1", moment * HOUR)]), 9 * HOUR, None)
            .unwrap();
    }
    assert_eq!(ages(store), (0, None, None), "nobody belongs to an organization");
    commit(store, &[ControlChange::PutOrganization(organization(&[1, 2, 3, 5]).into())], 0);
    assert_eq!(ages(store), (3, Some(3 * HOUR), Some(7 * HOUR)), "4 is a stranger, 5 is unseen");
    store.accept(&delivery(&[group(&shard(1), "sg-2", 6 * HOUR)]), 9 * HOUR, None).unwrap();
    assert_eq!(ages(store), (3, Some(5 * HOUR), Some(7 * HOUR)));
}

/// Semantics §11 row 68. What a snapshot of such a moment tells comes without it.
pub fn what_claims_to_be_of_the_future_is_no_age_and_ends_nothing(bed: &mut impl Bed) {
    let store = bed.store();
    let newest = || loaded(store, &shard(1)).shard.newest_ms;
    // As the reader of deliveries tells it, at any time it is sent.
    let ahead = |name: &str, now: i64| {
        delivery(&[Observation { is_ahead: true, ..unseen(&shard(1), name, now) }])
    };
    store.accept(&ahead("sg-2", HOUR), HOUR, None).unwrap();
    assert_eq!(newest(), None, "nothing tells of any moment");
    store.accept(&delivery(&[group(&shard(1), "sg-1", 2 * HOUR)]), 2 * HOUR, None).unwrap();
    for now in [90 * HOUR, 91 * HOUR] {
        store.accept(&ahead("sg-1", now), now, None).unwrap();
        assert_eq!(newest(), Some(2 * HOUR));
    }
    assert_eq!(groups(store, &shard(1)), "sg-1 7200000+327600000, sg-2 3600000");
    let good = [group(&shard(1), "sg-1", 92 * HOUR)];
    store.accept(&delivery(&good), 92 * HOUR, None).unwrap();
    assert_eq!(groups(store, &shard(1)), "sg-1 331200000, sg-2 3600000", "captured since");
}

pub fn what_was_noted_while_the_clock_was_ahead_counts_as_now_when_it_is_set_back(
    bed: &mut impl Bed,
) {
    let store = bed.store();
    let ahead = 1000 * HOUR;
    let told = delivery(&[group(&shard(1), "sg-1", ahead)]);
    store.look_at_clock(ahead, 0).unwrap();
    store.accept(&told, ahead, None).unwrap();
    let lease = store.lease(ahead, 60_000, 9).unwrap();
    assert_eq!(lease.len(), 1);
    store.mark(&[Mark { shard: shard(2), policy: None }], ahead, None).unwrap();
    let clock = store.look_at_clock(10 * HOUR, 0).unwrap();
    assert_eq!((clock.believed_ms, clock.set_back_ms), (10 * HOUR, 990 * HOUR));
    for now in [10 * HOUR, 11 * HOUR] {
        store.look_at_clock(now, HOUR).unwrap();
        store.accept(&told, now, None).unwrap();
        assert_eq!(loaded(store, &shard(1)).shard.newest_ms, Some(10 * HOUR), "and ages");
    }
    assert_eq!(due(store, 11 * HOUR), "1 *; 2 *", "nothing waits for that time to come");
}

pub fn what_makes_an_old_shard_newer_marks_it(bed: &mut impl Bed) {
    let store = bed.store();
    let same = |at| snapshot(&shard(1), at, &[group(&shard(1), "sg-1", 10)]);
    store.accept(&same(20), 20, None).unwrap();
    clear_work(store, 20);
    store.accept(&same(19 + HOUR), 19 + HOUR, None).unwrap();
    assert_eq!(due(store, 19 + HOUR), "", "it was not an hour old");
    let now = 19 + 2 * HOUR;
    store.accept(&same(19 + HOUR), now, None).unwrap();
    assert_eq!(due(store, now), "", "no newer");
    store.accept(&same(21 + HOUR), now, None).unwrap();
    assert_eq!(due(store, now), "1 *");
    assert_eq!(loaded(store, &shard(1)).shard.newest_ms, Some(21 + HOUR));
    // By the setting that was noted.
    for (setting, age, marked) in [
        (Some(5 * HOUR), 5 * HOUR - 1, ""),
        (Some(5 * HOUR), 5 * HOUR, "1 *"),
        (None, 900 * HOUR, ""),
    ] {
        store.stale_by(setting, now).unwrap();
        let before = loaded(store, &shard(1)).shard.newest_ms.unwrap();
        clear_work(store, before + age);
        store.accept(&same(before + 1), before + age, None).unwrap();
        assert_eq!(due(store, before + age), marked, "{setting:?} {age}");
    }
}

pub fn another_setting_of_staleness_marks_every_shard(bed: &mut impl Bed) {
    for n in [1, 2] {
        bed.store().accept(&delivery(&[group(&shard(n), "sg-1", 10)]), 1000, None).unwrap();
    }
    for (setting, is_other) in
        [(Some(HOUR), true), (Some(HOUR), false), (None, true), (None, false)]
    {
        clear_work(bed.store(), 1000);
        assert_eq!(bed.store().stale_by(setting, 1000).unwrap(), is_other);
        assert_eq!(due(bed.store(), 1000), if is_other { "1 *; 2 *" } else { "" }, "{setting:?}");
        bed.reopen();
    }
}

pub fn time_far_ahead_is_believed_when_a_delivery_tells_of_it(bed: &mut impl Bed) {
    let (start, far) = (1000 * HOUR, 50_000 * HOUR);
    assert_eq!(bed.store().look_at_clock(start, 0).unwrap().believed_ms, start);
    if !bed.reopen() {
        return;
    }
    let store = bed.store();
    let clock = store.look_at_clock(far, 7).unwrap();
    assert_eq!((clock.believed_ms, clock.ahead_ms), (start + 7, far - start - 7));
    store.accept(&delivery(&[group(&shard(1), "sg-1", far + 1)]), far, None).unwrap();
    assert_eq!(store.look_at_clock(far, 1).unwrap().believed_ms, start + 8, "it is of the future");
    store.accept(&delivery(&[group(&shard(1), "sg-2", far - HOUR)]), far, None).unwrap();
    assert_eq!(
        store.look_at_clock(far, 1).unwrap(),
        Clock { believed_ms: far, ..Clock::default() }
    );
}

pub fn global_items_of_another_region_do_not_renew_a_shard(bed: &mut impl Bed) {
    let store = bed.store();
    let home = ShardId { account: account(1), region: Region::home_of_global() };
    let newest = || loaded(store, &home).shard.newest_ms;
    let brought = |at| {
        let mut global =
            observed(&home, ResourceType::CLOUDFRONT_DISTRIBUTION, "E1", 5, Body::Unwanted);
        global.global = true;
        snapshot(&shard(1), at, &[group(&shard(1), "sg-1", 5), global])
    };
    store.accept(&brought(50), 1000, None).unwrap();
    assert_eq!(newest(), Some(50), "all that was ever told of it");
    store.accept(&delivery(&[group(&home, "sg-1", 20)]), 1000, None).unwrap();
    store.accept(&brought(60), 1000, None).unwrap();
    assert_eq!(newest(), Some(20));
    assert_eq!(loaded(store, &shard(1)).shard.newest_ms, Some(60));
    store.accept(&delivery(&[group(&home, "sg-1", 15)]), 1000, None).unwrap();
    assert_eq!(newest(), Some(20), "never moves back");
    assert!(!loaded(store, &home).shard.snapshot_accepted);
}
