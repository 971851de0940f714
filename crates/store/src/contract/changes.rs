//! Facts about judging what changed in a shard rather than the shard.

use std::collections::BTreeSet;

use palisade_core::evaluate::Support;
use palisade_core::inventory::{Item, Observation};

use crate::{CHANGES_MAX, LoadedChanges, Revision, Store, Want};

use super::Bed;
use super::facts::*;

/// A shard of judged groups, of which nothing is due.
fn judged(store: &dyn Store, names: &[&str]) {
    let groups: Vec<Observation> = names.iter().map(|name| group(&shard(1), name, 10)).collect();
    store.accept(&delivery(&groups), 1000, None).unwrap();
    clear_work(store, 1000);
}

fn change(store: &dyn Store, seen: &[Observation]) {
    store.accept(&delivery(seen), 1000, None).unwrap();
}

/// The changes with no support, under no policy.
fn changes(store: &dyn Store) -> Option<LoadedChanges> {
    let none = BTreeSet::new();
    store.load_changed(&shard(1), &none, &[], &|_| Support::default()).unwrap()
}

/// What changed, as `id before>after` by capture time.
fn shown(loaded: Option<LoadedChanges>) -> String {
    let Some(LoadedChanges { changed, .. }) = loaded else { return "too many".to_owned() };
    let at = |item: &Option<Item>| {
        item.as_ref().map_or_else(|| "-".to_owned(), |item| item.version.captured_ms.to_string())
    };
    let one = |it: &palisade_core::evaluate::Changed| {
        format!("{} {}>{}", it.key.id, at(&it.before), at(&it.after))
    };
    changed.iter().map(one).collect::<Vec<_>>().join(", ")
}

pub fn a_changed_item_is_due_with_what_it_was(bed: &mut impl Bed) {
    let store = bed.store();
    judged(store, &["sg-1", "sg-2"]);
    assert_eq!(shown(changes(store)), "");
    change(store, &[group(&shard(1), "sg-1", 20)]);
    assert_eq!(due(store, 1000), "1 ~");
    assert_eq!(shown(changes(store)), "sg-1 10>20");
    change(store, &[deleted(&shard(1), "sg-2", 20), group(&shard(1), "sg-3", 20)]);
    assert_eq!(due(store, 1000), "1 ~");
    assert_eq!(shown(changes(store)), "sg-1 10>20, sg-2 10>-, sg-3 ->20");
}

pub fn what_a_snapshot_shows_to_be_gone_is_a_change(bed: &mut impl Bed) {
    let store = bed.store();
    let both = [group(&shard(1), "sg-1", 10), group(&shard(1), "sg-2", 10)];
    store.accept(&snapshot(&shard(1), 15, &both), 1000, None).unwrap();
    clear_work(store, 1000);
    store.accept(&snapshot(&shard(1), 20, &both[..1]), 1000, None).unwrap();
    assert_eq!(due(store, 1000), "1 ~");
    assert_eq!(shown(changes(store)), "sg-2 10>-");
}

pub fn the_state_that_was_judged_is_what_it_was(bed: &mut impl Bed) {
    let store = bed.store();
    judged(store, &["sg-1", "sg-2"]);
    let states = |name, from: i64| [from, from + 1].map(|at| group(&shard(1), name, at));
    change(store, &states("sg-1", 20));
    change(store, &states("sg-1", 30));
    change(store, &[group(&shard(1), "sg-new", 40)]);
    change(store, &[deleted(&shard(1), "sg-new", 50)]);
    // Of what came and went nothing is left to judge.
    assert_eq!(shown(changes(store)), "sg-1 10>31");
}

pub fn what_was_judged_is_taken_away_and_what_came_later_stays(bed: &mut impl Bed) {
    let store = bed.store();
    judged(store, &["sg-1", "sg-2"]);
    change(store, &[group(&shard(1), "sg-1", 20)]);
    let lease = lease_one(store, 1000, HOUR);
    // After the lease, and seen by the load all the same.
    change(store, &[group(&shard(1), "sg-1", 30)]);
    let loaded = changes(store).unwrap();
    change(store, &[group(&shard(1), "sg-1", 40), group(&shard(1), "sg-2", 40)]);
    let mut settlement = settled(lease, 1000, &[]);
    settlement.revision = Some(loaded.loaded.revision);
    store.settle(&[settlement]).unwrap();
    assert_eq!(due(store, 1000), "1 ~");
    assert_eq!(shown(changes(store)), "sg-1 30>40, sg-2 10>40");
}

pub fn what_an_overtaken_worker_judged_stays_a_change(bed: &mut impl Bed) {
    let store = bed.store();
    judged(store, &["sg-1"]);
    change(store, &[group(&shard(1), "sg-1", 20)]);
    let slow = lease_one(store, 1000, 5);
    let quick = lease_one(store, 1010, 5);
    store.settle(&[settled(slow, 1000, &[])]).unwrap();
    assert_eq!(shown(changes(store)), "sg-1 10>20");
    store.settle(&[settled(quick, 1010, &[])]).unwrap();
    assert_eq!(shown(changes(store)), "");
}

pub fn more_changes_than_the_limit_make_the_shard_due(bed: &mut impl Bed) {
    let store = bed.store();
    judged(store, &["sg-0"]);
    let many = |count: usize, at| -> Vec<Observation> {
        (0..count).map(|n| group(&shard(1), &format!("sg-{n}"), at)).collect()
    };
    for (count, at, expected) in
        [(CHANGES_MAX - 1, 20, "1 ~"), (CHANGES_MAX, 30, "1 ~"), (CHANGES_MAX + 1, 40, "1 *")]
    {
        change(store, &many(count, at));
        assert_eq!(due(store, 1000), expected, "{count} changes");
        clear_work(store, 1000);
    }
    // Together, one delivery may bring what another left room for.
    change(store, &many(CHANGES_MAX - 1, 45));
    change(store, &many(CHANGES_MAX, 46));
    assert_eq!(due(store, 1000), "1 ~");
    assert_eq!(shown(changes(store)), "too many");
    clear_work(store, 1000);
    // Delivery by delivery.
    change(store, &many(CHANGES_MAX - 1, 50));
    change(store, &[group(&shard(1), "sg-last", 50)]);
    assert_eq!(changes(store).unwrap().changed.len(), CHANGES_MAX);
    assert_eq!(due(store, 1000), "1 ~");
    // One more is not logged, however many come.
    for n in 0..3 {
        change(store, &[group(&shard(1), &format!("sg-more-{n}"), 50)]);
        assert_eq!(due(store, 1000), "1 *,~");
        assert_eq!(changes(store).unwrap().changed.len(), CHANGES_MAX);
    }
    let lease = lease_one(store, 1000, HOUR);
    let whole = loaded(store, &shard(1));
    let mut settlement = settled(lease, 1000, &[]);
    settlement.revision = Some(whole.revision);
    store.settle(&[settlement]).unwrap();
    assert_eq!(shown(changes(store)), "");
}

pub fn what_is_learnt_of_the_shard_makes_the_shard_due(bed: &mut impl Bed) {
    let store = bed.store();
    judged(store, &["sg-1"]);
    change(store, &[group(&shard(1), "sg-1", 20), recorder(&shard(1), 20)]);
    assert_eq!(due(store, 1000), "1 *", "a type that is held for the first time");
    clear_work(store, 1000);
    let same = [group(&shard(1), "sg-1", 30)];
    store.accept(&snapshot(&shard(1), 30, &same), 1000, None).unwrap();
    assert_eq!(due(store, 1000), "1 *", "the first whole snapshot");
    clear_work(store, 1000);
    store.accept(&delivery(&[group(&shard(1), "sg-1", 40)]), 1000 + 2 * HOUR, None).unwrap();
    assert_eq!(due(store, 1000 + 2 * HOUR), "1 *", "it may have been stale");
}

pub fn of_a_changed_shard_the_support_and_the_rows_of_the_changes_are_loaded(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    judged(store, &["sg-1", "sg-2", "sg-3", "sg-4"]);
    judge(store, 1, "p", &judgement(&["sg-1", "sg-2"], &[]), 1000);
    change(store, &[group(&shard(1), "sg-1", 20), group(&shard(1), "sg-4", 20)]);
    let asked = |changed: &[palisade_core::evaluate::Changed]| {
        assert_eq!(changed.len(), 2);
        Support {
            types: BTreeSet::new(),
            items: ["sg-3", "sg-nowhere"].map(|name| (GROUP, id(name))).into(),
        }
    };
    let p = [policy_id("p")];
    let loaded = store.load_changed(&shard(1), &BTreeSet::new(), &p, &asked).unwrap().unwrap();
    let whole = store.load(&Want::whole(&shard(1), &BTreeSet::new(), &p)).unwrap();
    let held: Vec<_> = loaded.loaded.shard.of_type(&GROUP).map(|item| &item.key.id).collect();
    assert_eq!(held, [&id("sg-3")]);
    assert_eq!(loaded.loaded.shard.held_types, whole.shard.held_types);
    assert_eq!(loaded.loaded.revision, whole.revision);
    let (part, all) = (&loaded.loaded.records[&p[0]], &whole.records[&p[0]]);
    assert_eq!(part.entry, all.entry);
    assert_eq!(all.violators.len(), 2);
    assert_eq!(part.violators, all.violators[..1]);
}

pub fn judging_changes_moves_last_updated_of_every_policy(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    judged(store, &["sg-1"]);
    for policy in ["p", "q"] {
        judge(store, 1, policy, &judgement(&[], &[]), 1000);
    }
    change(store, &[group(&shard(1), "sg-1", 20)]);
    let lease = lease_one(store, 2000, HOUR);
    let found = outcome(store, &lease, "p", &judgement(&["sg-1"], &[]), 2000);
    store.settle(&[settled(lease, 2000, &[found])]).unwrap();
    for policy in ["p", "q"] {
        let row = store.entry(&policy_id(policy), &account(1)).unwrap().unwrap();
        assert_eq!(row.last_updated_ms, 2000, "{policy}");
    }
}

pub fn changes_survive_a_reopen(bed: &mut impl Bed) {
    judged(bed.store(), &["sg-1"]);
    change(bed.store(), &[group(&shard(1), "sg-1", 20)]);
    if !bed.reopen() {
        return;
    }
    assert_eq!(due(bed.store(), 1000), "1 ~");
    assert_eq!(shown(changes(bed.store())), "sg-1 10>20");
}

pub fn a_revision_stands_until_the_facts_of_its_shard_change(bed: &mut impl Bed) {
    let store = bed.store();
    store.mark(&[mark_of(&shard(2), None)], 10, None).unwrap();
    let empty = lease_one(store, 10, HOUR);
    assert_eq!(empty.revision, loaded(store, &shard(2)).revision, "without facts");
    judged(store, &["sg-1"]);
    store.mark(&[mark_of(&shard(1), None)], 1000, None).unwrap();
    let lease = lease_one(store, 1000, HOUR);
    assert_ne!(lease.revision, Revision::default());
    assert_eq!(lease.revision, loaded(store, &shard(1)).revision);
    // Neither what others are told nor a repeat, a mark or a lease is a change of its facts.
    change(store, &[group(&shard(2), "sg-2", 10), group(&shard(1), "sg-1", 10)]);
    store.mark(&[mark_of(&shard(1), Some("p"))], 1000, None).unwrap();
    assert_eq!(lease.revision, changes(store).unwrap().loaded.revision);
    assert_ne!(empty.revision, loaded(store, &shard(2)).revision);
    change(store, &[group(&shard(1), "sg-1", 20)]);
    assert_ne!(lease.revision, loaded(store, &shard(1)).revision);
    // What the lease knew of does not cover the change.
    store.settle(&[settled(lease, 1000, &[])]).unwrap();
    assert_eq!(shown(changes(store)), "sg-1 10>20");
}
