//! Facts about taking deliveries in.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_core::ident::ResourceType;
use palisade_core::inventory::{Body, Delivery, Observation};

use crate::{Accepted, ControlChange, FileHash, Repeated, Store, Want};

use super::Bed;
use super::facts::*;

/// `groups stale deleted` of an answer.
fn counts(accepted: &Accepted) -> (u64, u64, u64) {
    (accepted.accepted.values().sum(), accepted.stale, accepted.deleted)
}

/// As long as history is kept.
pub fn a_file_is_remembered_if_it_would_change_nothing_again(bed: &mut impl Bed) {
    let file = |n: u8| FileHash([n; 32]);
    let known = |store: &dyn Store, n| store.accept_again(&file(n)).unwrap();
    let members = ControlChange::PutOrganization(Arc::new(organization(&[1])));
    commit(bed.store(), &[members], 0);
    let two = [group(&shard(1), "sg-1", 5), group(&shard(1), "sg-2", 6)];
    let mut ahead = delivery(&two);
    ahead.quarantined.push(palisade_core::inventory::Quarantined {
        index: 2,
        resource_id: None,
        reason: "it claims to be of the future".into(),
        observed: false,
    });
    let told = [
        snapshot(&shard(1), 10, &two),
        missing(&two, &[gap(&shard(1), None, "sg-1", 5)]),
        delivery(&[group(&shard(2), "sg-1", 5)]),
        delivery(&[]),
        ahead,
        Delivery { nobodys: 1, ..delivery(&two) },
        Delivery { foreign: true, ..Default::default() },
        Delivery { ignored: 7, ..delivery(&two[..1]) },
    ];
    for (n, told) in (0..).zip(&told) {
        assert_eq!(known(bed.store(), n), None);
        bed.store().accept_file(Some(&file(n)), told, 20 + i64::from(n), None).unwrap();
    }
    let held = |items, ignored| Some(Repeated { items, ignored });
    let expected = [held(2, 0), None, None, held(0, 0), None, None, None, held(1, 7)];
    bed.reopen();
    let work = bed.store().work(i64::MAX).unwrap();
    assert_eq!([0, 1, 2, 3, 4, 5, 6, 7].map(|n| known(bed.store(), n)), expected);
    assert!(bed.store().audit(&Default::default(), 9).unwrap().is_empty(), "nothing is changed");
    assert_eq!(bed.store().work(i64::MAX).unwrap(), work, "nothing is due for it");
    bed.store().expire(21).unwrap();
    assert_eq!((known(bed.store(), 0), known(bed.store(), 3)), (None, held(0, 0)));
}

pub fn what_is_delivered_is_loaded(bed: &mut impl Bed) {
    let store = bed.store();
    let items = [group(&shard(1), "sg-b", 5), group(&shard(1), "sg-a", 6), recorder(&shard(1), 4)];
    let other = group(&shard(2), "sg-a", 7);
    let all = [&items[..], std::slice::from_ref(&other)].concat();
    let answer = store.accept(&delivery(&all), 1000, None).unwrap();
    assert_eq!(answer.accepted[&GROUP], 3);
    assert_eq!(answer.accepted[&RECORDER], 1);
    assert_eq!(counts(&answer), (4, 0, 0));

    let shard_1 = loaded(store, &shard(1)).shard;
    assert_eq!(shard_1.id, shard(1));
    let seen: Vec<_> = shard_1.items.values().flat_map(|of_type| of_type.values()).collect();
    assert_eq!(seen, [&items[2].item, &items[1].item, &items[0].item]);
    assert_eq!(shard_1.held_types.iter().collect::<Vec<_>>(), [&RECORDER, &GROUP]);
    assert_eq!(shard_1.newest_ms, Some(6), "what is told counts, not when");
    assert!(!shard_1.snapshot_accepted);
    assert!(!shard_1.recorder_deleted);
    assert_eq!(loaded(store, &shard(2)).shard.item(&GROUP, "sg-a"), Some(&other.item));
    assert!(loaded(store, &shard(3)).shard.is_unheard_of());
}

pub fn at_least_the_items_of_the_types_asked_for_are_loaded(bed: &mut impl Bed) {
    let store = bed.store();
    let groups = [group(&shard(1), "sg-a", 5), group(&shard(1), "sg-b", 6)];
    let gone = [group(&shard(1), "sg-c", 5), deleted(&shard(1), "sg-c", 7)];
    let all = [&groups[..], &gone, &[recorder(&shard(1), 4)]].concat();
    store.accept(&delivery(&all), 1000, None).unwrap();
    let whole = loaded(store, &shard(1)).shard;
    let of = |types: &[ResourceType]| {
        let types = types.iter().cloned().collect();
        store.load(&Want::of_types(&shard(1), &Default::default(), &[], &types)).unwrap().shard
    };
    assert_eq!(of(&[GROUP, RECORDER, ResourceType::PREFIX_LIST]), whole);
    let seen: Vec<_> = of(&[GROUP]).of_type(&GROUP).cloned().collect();
    assert_eq!(seen, groups.map(|seen| seen.item), "what is not live is not loaded");
    let none = of(&[]);
    assert_eq!(none.held_types, whole.held_types, "what was held is known without the items");
    assert_eq!(none.of_type(&RECORDER).count(), 1, "coverage needs the recorder");

    let seen = [group(&shard(2), "sg-a", 5), recorder(&shard(2), 4)];
    store.accept(&snapshot(&shard(2), 20, &seen), 1000, None).unwrap();
    let whole = loaded(store, &shard(2)).shard;
    let types = BTreeSet::new();
    let none =
        store.load(&Want::of_types(&shard(2), &Default::default(), &[], &types)).unwrap().shard;
    assert!(none.snapshot_accepted);
    for resource_type in [GROUP, ResourceType::PREFIX_LIST] {
        assert!(whole.knows(&resource_type) && none.knows(&resource_type), "{resource_type}");
    }
}

pub fn a_newer_state_replaces_and_an_older_one_is_stale(bed: &mut impl Bed) {
    let store = bed.store();
    let accept =
        |at| counts(&store.accept(&delivery(&[group(&shard(1), "sg-1", at)]), 1000, None).unwrap());
    assert_eq!(accept(10), (1, 0, 0));
    assert_eq!(accept(10), (0, 1, 0));
    assert_eq!(accept(9), (0, 1, 0));
    assert_eq!(groups(store, &shard(1)), "sg-1 10");
    assert_eq!(accept(11), (1, 0, 0));
    assert_eq!(groups(store, &shard(1)), "sg-1 11");
    // Two states of one resource in one delivery, newest first.
    let both = [group(&shard(1), "sg-2", 6), group(&shard(1), "sg-2", 5)];
    assert_eq!(counts(&store.accept(&delivery(&both), 1000, None).unwrap()), (1, 1, 0));
    assert_eq!(groups(store, &shard(1)), "sg-1 11, sg-2 6");
}

pub fn a_deletion_leaves_a_tombstone_that_older_states_do_not_revive(bed: &mut impl Bed) {
    let store = bed.store();
    let accept = |seen: Observation| counts(&store.accept(&delivery(&[seen]), 1000, None).unwrap());
    assert_eq!(accept(group(&shard(1), "sg-1", 10)), (1, 0, 0));
    assert_eq!(accept(deleted(&shard(1), "sg-1", 20)), (0, 0, 1));
    assert_eq!(accept(group(&shard(1), "sg-1", 15)), (0, 1, 0));
    assert_eq!(accept(deleted(&shard(1), "sg-1", 20)), (0, 1, 0));
    assert_eq!(groups(store, &shard(1)), "");
    assert_eq!(accept(group(&shard(1), "sg-1", 19)), (0, 1, 0));
    assert_eq!(accept(group(&shard(1), "sg-1", 21)), (1, 0, 0));
    assert_eq!(groups(store, &shard(1)), "sg-1 21");
}

pub fn a_state_without_a_body_stands_beside_the_one_before(bed: &mut impl Bed) {
    let one = shard(1);
    let tell = |bed: &dyn Store, seen: &Observation| {
        clear_work(bed, 1000);
        let counts =
            counts(&bed.accept(&delivery(std::slice::from_ref(seen)), 1000, None).unwrap());
        (counts, due(bed, 1000), groups(bed, &one))
    };
    for (seen, want, work, held) in [
        (group(&one, "sg-1", 10), (1, 0, 0), "1 *", "sg-1 10"),
        (unseen(&one, "sg-1", 20), (1, 0, 0), "1 ~", "sg-1 10+20"),
        (unseen(&one, "sg-1", 20), (0, 1, 0), "", "sg-1 10+20"),
        (unseen(&one, "sg-1", 18), (0, 1, 0), "", "sg-1 10+20"),
        (group(&one, "sg-1", 15), (1, 0, 0), "1 ~", "sg-1 15+20"),
        (deleted(&one, "sg-1", 12), (0, 1, 0), "", "sg-1 15+20"),
        // Deleted and made again: what there was before is not what there is.
        (deleted(&one, "sg-1", 16), (1, 0, 0), "1 ~", "sg-1 20"),
        (deleted(&one, "sg-1", 17), (0, 1, 0), "", "sg-1 20"),
        (group(&one, "sg-1", 17), (0, 1, 0), "", "sg-1 20"),
        (group(&one, "sg-1", 19), (1, 0, 0), "1 ~", "sg-1 19+20"),
        (group(&one, "sg-1", 20), (1, 0, 0), "1 ~", "sg-1 20"),
        (unseen(&one, "sg-1", 30), (1, 0, 0), "1 ~", "sg-1 20+30"),
        (deleted(&one, "sg-1", 30), (0, 0, 1), "1 ~", ""),
        (unseen(&one, "sg-1", 30), (0, 1, 0), "", ""),
        (unseen(&one, "sg-1", 40), (1, 0, 0), "1 ~", "sg-1 40"),
    ] {
        let place = format!("{:?} at {}", seen.item.body, seen.item.version.captured_ms);
        let told = tell(bed.store(), &seen);
        assert_eq!(told, (want, work.to_owned(), held.to_owned()), "{place}");
        bed.reopen();
        assert_eq!(groups(bed.store(), &one), held, "{place}");
    }
    // A whole snapshot is the whole truth of what was seen before it.
    bed.store().accept(&snapshot_of(&one, 50, &[], [GROUP]), 1000, None).unwrap();
    assert_eq!(groups(bed.store(), &one), "");
}

/// Semantics §11 row 67.
pub fn states_that_contradict_each_other_are_in_doubt_until_a_later_one(bed: &mut impl Bed) {
    let one = shard(1);
    let told = |name: &str, at| {
        let mut seen = group(&one, "sg-1", at);
        let Body::SecurityGroup(group) = &mut seen.item.body else { unreachable!() };
        group.vpc = Some(name.into());
        seen
    };
    let tell = |bed: &dyn Store, seen: &Observation| {
        clear_work(bed, 1000);
        let counts =
            counts(&bed.accept(&delivery(std::slice::from_ref(seen)), 1000, None).unwrap());
        (counts, due(bed, 1000), groups(bed, &one))
    };
    for (seen, want, work, held) in [
        (told("vpc-1", 10), (1, 0, 0), "1 *", "sg-1 10"),
        (told("vpc-1", 10), (0, 1, 0), "", "sg-1 10"),
        (told("vpc-2", 10), (1, 0, 0), "1 ~", "sg-1 10+10"),
        (told("vpc-1", 10), (0, 1, 0), "", "sg-1 10+10"),
        (told("vpc-2", 10), (0, 1, 0), "", "sg-1 10+10"),
        (unseen(&one, "sg-1", 10), (0, 1, 0), "", "sg-1 10+10"),
        (told("vpc-1", 11), (1, 0, 0), "1 ~", "sg-1 11"),
        // A deletion goes before a presence, and neither is known to hold.
        (deleted(&one, "sg-1", 11), (1, 0, 0), "1 ~", "sg-1 11"),
        (told("vpc-1", 11), (0, 1, 0), "", "sg-1 11"),
        (deleted(&one, "sg-1", 12), (0, 0, 1), "1 ~", ""),
    ] {
        let place = format!("{:?} at {}", seen.item.body, seen.item.version.captured_ms);
        let told = tell(bed.store(), &seen);
        assert_eq!(told, (want, work.to_owned(), held.to_owned()), "{place}");
        bed.reopen();
        assert_eq!(groups(bed.store(), &one), held, "{place}");
    }
}

pub fn a_snapshot_shows_what_is_gone(bed: &mut impl Bed) {
    let store = bed.store();
    let first = [group(&shard(1), "sg-1", 10), group(&shard(1), "sg-2", 10)];
    store.accept(&delivery(&first), 1000, None).unwrap();
    let answer = store.accept(&snapshot(&shard(1), 50, &first[..1]), 1000, None).unwrap();
    assert_eq!(counts(&answer), (0, 1, 1));
    assert_eq!(groups(store, &shard(1)), "sg-1 10");
    let again = store.accept(&snapshot(&shard(1), 50, &first[..1]), 1000, None).unwrap();
    assert_eq!(counts(&again), (0, 1, 0), "what is gone is told once");
    assert!(loaded(store, &shard(1)).shard.snapshot_accepted);
}

pub fn a_state_seen_at_the_snapshots_moment_stays(bed: &mut impl Bed) {
    let store = bed.store();
    let seen = [49, 50, 51].map(|at| group(&shard(1), &format!("sg-{at}"), at));
    store.accept(&delivery(&seen), 1000, None).unwrap();
    let answer = store.accept(&snapshot_of(&shard(1), 50, &[], [GROUP]), 1000, None).unwrap();
    assert_eq!(counts(&answer), (0, 0, 1));
    assert_eq!(groups(store, &shard(1)), "sg-50 50, sg-51 51");
}

pub fn a_late_observation_of_what_is_gone_is_stale(bed: &mut impl Bed) {
    let store = bed.store();
    store.accept(&snapshot_of(&shard(1), 50, &[], [GROUP]), 1000, None).unwrap();
    clear_work(store, 1000);
    let seen = [49, 50].map(|at| group(&shard(1), &format!("sg-{at}"), at));
    let answer = store.accept(&delivery(&seen), 1000, None).unwrap();
    assert_eq!(counts(&answer), (1, 1, 0));
    assert_eq!(groups(store, &shard(1)), "sg-50 50");
    // An older snapshot neither revives what it contains nor hides what it does not.
    let answer = store.accept(&snapshot(&shard(1), 40, &seen[..1]), 1000, None).unwrap();
    assert_eq!(counts(&answer), (0, 1, 0));
    assert_eq!(groups(store, &shard(1)), "sg-50 50");
}

pub fn a_later_sight_revives_what_was_gone(bed: &mut impl Bed) {
    let store = bed.store();
    let item = [group(&shard(1), "sg-1", 10)];
    store.accept(&snapshot(&shard(1), 10, &item), 1000, None).unwrap();
    store.accept(&snapshot_of(&shard(1), 50, &[], [GROUP]), 1000, None).unwrap();
    assert_eq!(groups(store, &shard(1)), "");
    clear_work(store, 1000);
    // The same state, which a later snapshot still contains.
    let answer = store.accept(&snapshot(&shard(1), 60, &item), 1000, None).unwrap();
    assert_eq!(counts(&answer), (1, 0, 0));
    assert_eq!(groups(store, &shard(1)), "sg-1 10");
    assert_eq!(due(store, 1000), "1 ~");
}

pub fn a_snapshot_is_silent_about_types_it_does_not_cover(bed: &mut impl Bed) {
    let store = bed.store();
    store.accept(&delivery(&[group(&shard(1), "sg-1", 10)]), 1000, None).unwrap();
    store.accept(&snapshot(&shard(1), 50, &[recorder(&shard(1), 5)]), 1000, None).unwrap();
    store.accept(&snapshot_of(&shard(2), 50, &[], [GROUP]), 1000, None).unwrap();
    assert_eq!(groups(store, &shard(1)), "sg-1 10");
}

pub fn a_type_once_held_stays_held(bed: &mut impl Bed) {
    let store = bed.store();
    store.accept(&delivery(&[group(&shard(1), "sg-1", 10)]), 1000, None).unwrap();
    store.accept(&snapshot_of(&shard(1), 50, &[], [GROUP, ResourceType::VPC]), 1000, None).unwrap();
    store.expire(i64::MAX).unwrap();
    let shard_1 = loaded(store, &shard(1)).shard;
    assert!(shard_1.items.is_empty());
    assert_eq!(shard_1.held_types.iter().collect::<Vec<_>>(), [&GROUP]);
    // From the first item of a type on, the type is known, were the item deleted long ago.
    clear_work(store, 1000);
    let vpc = observed(&shard(1), ResourceType::VPC, "vpc-1", 5, Body::Deleted);
    store.accept(&delivery(&[vpc]), 1000, None).unwrap();
    assert_eq!(due(store, 1000), "1 *");
    store.accept(&delivery(&[deleted(&shard(2), "sg-1", 10)]), 1000, None).unwrap();
    assert!(loaded(store, &shard(2)).shard.held_types.contains(&GROUP));
}

pub fn a_deleted_recorder_is_told(bed: &mut impl Bed) {
    let store = bed.store();
    let told = || loaded(store, &shard(1)).shard.recorder_deleted;
    store.accept(&delivery(&[recorder(&shard(1), 10)]), 1000, None).unwrap();
    assert!(!told());
    let tombstone = observed(&shard(1), RECORDER, "default", 20, Body::Deleted);
    store.accept(&delivery(&[tombstone]), 1000, None).unwrap();
    assert!(told());
    assert_eq!(due(store, 1000), "1 *");
    let mut another = recorder(&shard(1), 5);
    another.item.key.id = id("another");
    store.accept(&delivery(&[another]), 1000, None).unwrap();
    assert!(!told(), "one recorder is enough");
}

pub fn accounts_outside_the_organization_are_kept_and_counted(bed: &mut impl Bed) {
    let store = bed.store();
    commit(store, &[ControlChange::PutOrganization(Arc::new(organization(&[1])))], 0);
    let items = [1, 2, 2].map(|n| group(&shard(n), "sg-1", 10));
    let answer = store.accept(&delivery(&items), 1000, None).unwrap();
    assert_eq!(answer.strangers, 2);
    assert_eq!(counts(&answer), (2, 1, 0));
    assert_eq!(groups(store, &shard(2)), "sg-1 10");
}

pub fn a_change_marks_its_shard_and_a_repeat_marks_nothing(bed: &mut impl Bed) {
    let store = bed.store();
    let table: &[(&str, Observation, &str)] = &[
        ("first", group(&shard(1), "sg-1", 10), "1 *"),
        ("repeat", group(&shard(1), "sg-1", 10), ""),
        ("older", group(&shard(1), "sg-1", 9), ""),
        ("newer", group(&shard(1), "sg-1", 11), "1 ~"),
        ("deleted", deleted(&shard(1), "sg-1", 12), "1 ~"),
        ("deleted again", deleted(&shard(1), "sg-1", 12), ""),
        ("deleted unseen", deleted(&shard(1), "sg-9", 12), ""),
        ("another shard", group(&shard(2), "sg-1", 1), "2 *"),
    ];
    for (name, seen, marked) in table {
        store.accept(&delivery(std::slice::from_ref(seen)), 1000, None).unwrap();
        assert_eq!(due(store, 1000), *marked, "{name}");
        clear_work(store, 1000);
    }
    let whole = snapshot_of(&shard(1), 5, &[], [GROUP]);
    store.accept(&whole, 1000, None).unwrap();
    assert_eq!(due(store, 1000), "1 *", "the first whole snapshot");
    clear_work(store, 1000);
    store.accept(&whole, 1000, None).unwrap();
    assert_eq!(due(store, 1000), "");
    store.accept(&snapshot_of(&shard(1), 99, &[], [GROUP]), 1000, None).unwrap();
    assert_eq!(due(store, 1000), "", "nothing went");
    store.accept(&delivery(&[]), 1000, None).unwrap();
    assert_eq!(due(store, 1000), "");
}

pub fn the_first_whole_snapshot_marks_its_shard_even_when_it_is_empty(bed: &mut impl Bed) {
    let store = bed.store();
    store.accept(&snapshot_of(&shard(1), 50, &[], []), 1000, None).unwrap();
    let shard_1 = loaded(store, &shard(1)).shard;
    assert!(shard_1.snapshot_accepted);
    assert_eq!(shard_1.newest_ms, Some(50));
    assert_eq!(due(store, 1000), "1 *");
}

pub fn items_of_a_type_are_read_page_by_page(bed: &mut impl Bed) {
    let store = bed.store();
    let groups: Vec<_> =
        ["sg-3", "sg-1", "sg-2"].iter().map(|id| group(&shard(1), id, 1)).collect();
    store.accept(&delivery(&groups), 0, None).unwrap();
    store.accept(&delivery(&[group(&shard(2), "sg-4", 1)]), 0, None).unwrap();
    let read = |after: Option<&str>, limit| {
        let after = after.map(|id| palisade_core::ident::ResourceId::try_from(id).unwrap());
        let of = &palisade_core::ident::ResourceType::SECURITY_GROUP;
        let items = store.items(&shard(1), of, after.as_ref(), limit).unwrap();
        items.iter().map(|item| item.key.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(read(None, 9), "sg-1 sg-2 sg-3");
    assert_eq!(read(None, 2), "sg-1 sg-2");
    assert_eq!(read(Some("sg-2"), 2), "sg-3");
    assert_eq!(read(Some("sg-3"), 2), "");
}
