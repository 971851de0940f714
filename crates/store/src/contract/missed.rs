//! Facts about what deliveries had and did not give (semantics §11 rows 37 and 39).

use std::slice::from_ref;

use palisade_core::ident::{Region, ResourceType, ShardId};
use palisade_core::inventory::{Cause, Missed};

use crate::Store;

use super::Bed;
use super::facts::*;

const VPC: ResourceType = ResourceType::VPC;

/// The types of which a shard has open gaps, each with what they name.
fn open(store: &dyn Store, shard: &ShardId) -> String {
    let text = |(kind, gaps): (ResourceType, std::collections::BTreeSet<_>)| {
        let gaps: Vec<_> = gaps
            .into_iter()
            .map(|gap: palisade_core::inventory::OpenGap| gap.what.unwrap_or("*".into()))
            .collect();
        format!("{} {}", kind.as_str().rsplit("::").next().unwrap(), gaps.join(" "))
    };
    let gaps = loaded(store, shard).shard.open_gaps;
    gaps.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

fn account_wide(shard: &ShardId, what: &str, at: i64) -> Missed {
    Missed { region: None, ..gap(shard, Some(GROUP), what, at) }
}

pub fn a_gap_is_open_until_something_from_its_moment_on_closes_it(bed: &mut impl Bed) {
    let store = bed.store();
    let whole = |at, types: &[ResourceType]| snapshot_of(&shard(1), at, &[], types.to_vec());
    let told = |delivery| {
        store.accept(&delivery, 1000, None).unwrap();
        open(store, &shard(1))
    };
    let listed = Missed { cause: Cause::GoesOn, ..gap(&shard(1), Some(GROUP), "", 20) };
    assert_eq!(told(missing(&[group(&shard(1), "sg-1", 5)], from_ref(&listed))), "SecurityGroup *");
    assert_eq!(told(delivery(&[group(&shard(1), "sg-1", 30)])), "SecurityGroup *");
    assert_eq!(told(whole(19, &[GROUP])), "SecurityGroup *", "from before");
    assert_eq!(told(whole(30, &[VPC])), "SecurityGroup *", "of another type");
    assert_eq!(told(whole(20, &[GROUP])), "");
    assert_eq!(told(missing(&[], &[listed])), "", "late");
    let item = |at| missing(&[], &[gap(&shard(1), Some(GROUP), "sg-1", at)]);
    assert_eq!(told(item(30)), "", "it was seen then");
    assert_eq!(told(item(31)), "SecurityGroup sg-1");
    assert_eq!(told(delivery(&[group(&shard(1), "sg-2", 40)])), "SecurityGroup sg-1");
    assert_eq!(told(delivery(&[group(&shard(1), "sg-1", 31)])), "", "mended");
    assert_eq!(told(item(41)), "SecurityGroup sg-1");
    assert_eq!(told(delivery(&[deleted(&shard(1), "sg-1", 41)])), "", "deleted");
    assert_eq!(told(item(50)), "SecurityGroup sg-1");
    assert_eq!(told(whole(50, &[GROUP])), "", "gone or not");
}

pub fn a_gap_of_any_type_is_closed_type_by_type(bed: &mut impl Bed) {
    let store = bed.store();
    store.accept(&missing(&[], &[gap(&shard(1), None, "", 20)]), 1000, None).unwrap();
    let types = || loaded(store, &shard(1)).shard.open_gaps.into_keys().collect::<Vec<_>>();
    assert_eq!(types(), ResourceType::NAMED);
    store.accept(&snapshot_of(&shard(1), 20, &[], [GROUP, VPC]), 1000, None).unwrap();
    assert!(!types().contains(&GROUP) && !types().contains(&VPC));
    assert_eq!(types().len(), ResourceType::NAMED.len() - 2);
    // An item of whatever type: where it is seen itself, it was of that.
    store.accept(&missing(&[], &[gap(&shard(2), None, "sg-1", 20)]), 1000, None).unwrap();
    assert_eq!(loaded(store, &shard(2)).shard.open_gaps.len(), ResourceType::NAMED.len());
    store.accept(&delivery(&[group(&shard(2), "sg-1", 20)]), 1000, None).unwrap();
    assert_eq!(open(store, &shard(2)), "");
}

pub fn a_gap_without_a_region_or_an_account_is_one_of_each(bed: &mut impl Bed) {
    let store = bed.store();
    let elsewhere = ShardId { region: region("us-west-2"), ..shard(1) };
    let wide = account_wide(&shard(1), "", 20);
    let anybodys = Missed { account: None, resource_type: Some(VPC), ..wide.clone() };
    store.accept(&missing(&[], &[wide, anybodys]), 1000, None).unwrap();
    for (id, wanted) in [
        (&shard(1), "SecurityGroup *, VPC *"),
        (&elsewhere, "SecurityGroup *, VPC *"),
        (&shard(2), "VPC *"),
    ] {
        assert_eq!(open(store, id), wanted);
    }
    store.accept(&snapshot_of(&shard(1), 30, &[], [GROUP, VPC]), 1000, None).unwrap();
    for (id, wanted) in
        [(&shard(1), ""), (&elsewhere, "SecurityGroup *, VPC *"), (&shard(2), "VPC *")]
    {
        assert_eq!(open(store, id), wanted, "each is closed by its own snapshots");
    }
}

pub fn gaps_mark_the_shards_they_concern_and_repeats_mark_nothing(bed: &mut impl Bed) {
    let store = bed.store();
    for n in 1..=3 {
        store.accept(&delivery(&[group(&shard(n), "sg-1", 5)]), 1000, None).unwrap();
    }
    let anybodys = Missed { account: None, ..account_wide(&shard(1), "", 20) };
    for (name, missed, marked) in [
        ("of a shard", gap(&shard(1), Some(GROUP), "sg-1", 20), "1 *"),
        ("repeated", gap(&shard(1), Some(GROUP), "sg-1", 20), ""),
        ("from before", gap(&shard(1), Some(GROUP), "sg-1", 19), ""),
        ("later", gap(&shard(1), Some(GROUP), "sg-1", 21), "1 *"),
        ("of an account", account_wide(&shard(2), "", 20), "2 *"),
        ("of everybody", anybodys.clone(), "1 *; 2 *; 3 *"),
        ("of everybody again", anybodys, ""),
    ] {
        clear_work(store, 1000);
        store.accept(&missing(&[], &[missed]), 1000, None).unwrap();
        assert_eq!(due(store, 1000), marked, "{name}");
    }
    // It says nothing of when the shard was delivered, nor that it was.
    store.accept(&missing(&[], &[gap(&shard(4), Some(GROUP), "", 20)]), 5000, None).unwrap();
    assert_eq!(open(store, &shard(4)), "SecurityGroup *");
    assert!(loaded(store, &shard(4)).shard.is_unheard_of());
    assert_eq!(loaded(store, &shard(4)).shard.newest_ms, None);
}

pub fn what_closes_a_gap_marks_the_shards_that_had_it(bed: &mut impl Bed) {
    let store = bed.store();
    let elsewhere = ShardId { region: region("us-west-2"), ..shard(1) };
    let seen = [group(&shard(1), "sg-1", 5), group(&elsewhere, "sg-2", 5)];
    store.accept(&snapshot_of(&shard(1), 10, &seen, [GROUP]), 1000, None).unwrap();
    store.accept(&missing(&[], &[gap(&shard(1), Some(GROUP), "", 20)]), 1000, None).unwrap();
    clear_work(store, 1000);
    let nothing_else = snapshot_of(&shard(1), 20, &seen[..1], [GROUP]);
    store.accept(&nothing_else, 1000, None).unwrap();
    assert_eq!(due(store, 1000), "1 *");
    store.accept(&missing(&[], &[account_wide(&shard(1), "sg-2", 30)]), 1000, None).unwrap();
    clear_work(store, 1000);
    store.accept(&delivery(&[group(&elsewhere, "sg-2", 30)]), 1000, None).unwrap();
    assert_eq!(open(store, &shard(1)), "", "it was seen elsewhere");
    assert_eq!(due(store, 1000), "1 *; 1 *", "both Regions");
}

pub fn a_gap_of_global_protections_marks_the_account(bed: &mut impl Bed) {
    let store = bed.store();
    let home = ShardId { region: Region::home_of_global(), ..shard(1) };
    let protections = ResourceType::SHIELD_PROTECTION;
    store
        .accept(&snapshot_of(&home, 10, &[recorder(&home, 5)], [protections.clone()]), 1000, None)
        .unwrap();
    store.accept(&snapshot_of(&shard(1), 10, &[], [GROUP]), 1000, None).unwrap();
    clear_work(store, 1000);
    store
        .accept(&missing(&[], &[gap(&home, Some(protections.clone()), "", 20)]), 1000, None)
        .unwrap();
    assert_eq!(due(store, 1000), "1 *; 1 *");
    let knows = || {
        let facts = loaded(store, &shard(1)).account;
        facts.knows_global_protections
    };
    assert!(!knows());
    clear_work(store, 1000);
    store.accept(&snapshot_of(&home, 20, &[], [protections]), 1000, None).unwrap();
    assert_eq!(due(store, 1000), "1 *; 1 *");
}

pub fn a_gap_of_regional_protections_is_one_of_every_region_of_the_account(bed: &mut impl Bed) {
    let store = bed.store();
    let elsewhere = ShardId { region: region("eu-north-1"), ..shard(1) };
    let protections = ResourceType::SHIELD_REGIONAL_PROTECTION;
    store.accept(&snapshot_of(&shard(1), 10, &[], [GROUP]), 1000, None).unwrap();
    store.accept(&snapshot_of(&shard(2), 10, &[], [GROUP]), 1000, None).unwrap();
    let missed = |n| {
        loaded(store, &shard(n))
            .account
            .missed_of(&ResourceType::SHIELD_REGIONAL_PROTECTION)
            .count()
    };
    for (name, moment, of_type) in
        [("of the type", 20, Some(protections.clone())), ("of any type", 30, None)]
    {
        let gap = gap(&elsewhere, of_type, "", moment);
        // Nothing else was ever delivered of that Region, and nobody knows protections.
        clear_work(store, 1000);
        store.accept(&missing(&[], &[gap]), 1000, None).unwrap();
        assert_eq!(due(store, 1000), "1 *; 1 *", "{name}");
        assert_eq!((missed(1), missed(2)), (1, 0), "{name}");
        clear_work(store, 1000);
        store
            .accept(&snapshot_of(&elsewhere, moment, &[], [protections.clone()]), 1000, None)
            .unwrap();
        assert_eq!(due(store, 1000), "1 *; 1 *", "{name}");
        assert_eq!((missed(1), missed(2)), (0, 0), "{name}");
    }
}

pub fn gaps_survive_a_reopen_and_expire_when_they_are_closed(bed: &mut impl Bed) {
    let missed = [
        gap(&shard(1), Some(GROUP), "sg-1", 20),
        gap(&shard(1), Some(GROUP), "", 30),
        gap(&shard(2), Some(GROUP), "sg-1", 20),
        gap(&shard(3), Some(GROUP), "sg-1", 20),
    ];
    bed.store().accept(&missing(&[], &missed), 1000, None).unwrap();
    bed.reopen();
    assert_eq!(open(bed.store(), &shard(1)), "SecurityGroup * sg-1");
    bed.store().accept(&snapshot_of(&shard(1), 20, &[], [GROUP]), 1000, None).unwrap();
    bed.store().accept(&delivery(&[deleted(&shard(2), "sg-1", 25)]), 1000, None).unwrap();
    assert_eq!(bed.store().expire(20).unwrap(), 0, "not older");
    assert_eq!(bed.store().expire(30).unwrap(), 3, "two gaps and a tombstone");
    for (n, wanted) in [(1, "SecurityGroup *"), (2, ""), (3, "SecurityGroup sg-1")] {
        assert_eq!(open(bed.store(), &shard(n)), wanted);
    }
}
