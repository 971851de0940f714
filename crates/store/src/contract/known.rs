//! Facts about what makes a type known in a shard (semantics §11 row 36).

use crate::Want;
use std::collections::BTreeMap;

use palisade_core::ident::ResourceType;
use palisade_core::inventory::{Body, Delivery, Recorder, RecordingGroup};

use super::Bed;
use super::facts::*;

/// A recorder of every type that delivers to an AWS service alone.
pub fn linked(n: u32, at: i64) -> palisade_core::inventory::Observation {
    let body =
        Body::Recorder(Recorder { recording: true, group: RecordingGroup::All, internal: true });
    observed(&shard(n), RECORDER, "AWSConfigurationRecorderForX_1", at, body)
}

/// A complete listing of the groups of a shard.
pub fn listing(n: u32, moment_ms: i64) -> Delivery {
    let types = BTreeMap::from([(GROUP, moment_ms)]);
    Delivery { listings: BTreeMap::from([(shard(n), types)]), ..Delivery::default() }
}

pub fn a_type_is_known_by_a_recorder_a_snapshot_of_it_or_a_listing(bed: &mut impl Bed) {
    let store = bed.store();
    let item = |n| group(&shard(n), "sg-1", 5);
    let elastic = |n| observed(&shard(n), ResourceType::EIP, "eip-1", 5, Body::Unwanted);
    let gone = |n| observed(&shard(n), RECORDER, "default", 9, Body::Deleted);
    type Story<'a> = &'a dyn Fn(u32) -> Vec<Delivery>;
    let stories: [(&str, bool, Story<'_>); 11] = [
        ("an item", false, &|n| vec![delivery(&[item(n)])]),
        ("a deletion", false, &|n| vec![delivery(&[deleted(&shard(n), "sg-1", 5)])]),
        ("a snapshot with it", true, &|n| vec![snapshot(&shard(n), 9, &[item(n)])]),
        ("a snapshot without it", false, &|n| {
            vec![delivery(&[item(n)]), snapshot(&shard(n), 9, &[elastic(n)])]
        }),
        ("a snapshot with its deletion", false, &|n| {
            vec![snapshot(&shard(n), 9, &[deleted(&shard(n), "sg-1", 5)])]
        }),
        ("a recorder", true, &|n| vec![delivery(&[recorder(&shard(n), 5)])]),
        ("a service-linked recorder", false, &|n| vec![delivery(&[item(n), linked(n, 5)])]),
        ("a service-linked recorder and a snapshot", true, &|n| {
            vec![snapshot(&shard(n), 9, &[item(n), linked(n, 5)])]
        }),
        ("a service-linked recorder that went", true, &|n| {
            let mut went = linked(n, 5);
            went.item.body = Body::Deleted;
            vec![delivery(&[went]), snapshot(&shard(n), 9, &[item(n)])]
        }),
        ("a snapshot, and the recorder went", false, &|n| {
            vec![snapshot(&shard(n), 9, &[item(n)]), delivery(&[gone(n)])]
        }),
        ("a listing, and the recorder went", true, &|n| vec![listing(n, 9), delivery(&[gone(n)])]),
    ];
    let mut n = 0;
    for (what, is_known, story) in stories {
        for backwards in [false, true] {
            n += 1;
            let mut story = story(n);
            if backwards {
                story.reverse();
            }
            story.iter().for_each(|told| drop(store.accept(told, 1000, None).unwrap()));
            let whole = loaded(store, &shard(n)).shard;
            let none = store.load(&Want::of_types(
                &shard(n),
                &Default::default(),
                &[],
                &Default::default(),
            ));
            let known = (whole.knows(&GROUP), none.unwrap().shard.knows(&GROUP));
            assert_eq!(known, (is_known, is_known), "{what}");
            assert!(!whole.is_unheard_of(), "{what}");
        }
    }
}

pub fn what_comes_to_be_known_makes_the_shard_due(bed: &mut impl Bed) {
    let store = bed.store();
    store
        .accept(&snapshot_of(&shard(1), 9, &[group(&shard(1), "sg-1", 5)], []), 1000, None)
        .unwrap();
    store
        .accept(&delivery(&[observed(&shard(1), RECORDER, "r", 1, Body::Deleted)]), 1000, None)
        .unwrap();
    let told = group(&shard(2), "sg-1", 5);
    store.accept(&delivery(std::slice::from_ref(&told)), 1000, None).unwrap();
    clear_work(store, 1000);
    store.accept(&listing(1, 5), 1001, None).unwrap();
    assert_eq!(due(store, 1001), "1 *", "listed");
    clear_work(store, 1001);
    store.accept(&listing(1, 5), 1002, None).unwrap();
    assert_eq!(due(store, 1002), "", "known already");
    store.accept(&snapshot(&shard(2), 9, &[told]), 1003, None).unwrap();
    assert_eq!(due(store, 1003), "2 *", "held by a snapshot");
}

pub fn a_listing_shows_what_is_gone(bed: &mut impl Bed) {
    let store = bed.store();
    let seen = [group(&shard(1), "sg-1", 5), group(&shard(1), "sg-2", 9)];
    store.accept(&delivery(&seen), 1000, None).unwrap();
    let answer = store.accept(&listing(1, 7), 1000, None).unwrap();
    assert_eq!(answer.deleted, 1);
    assert_eq!(groups(store, &shard(1)), "sg-2 9");
}
