//! What was acknowledged is there after the process is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{Administrator, ControlChange, KeyChange, ListContent, Store, Want};

use super::Bed;
use super::facts::*;
use super::keys::{change_keys, key};

/// All that the store tells.
fn everything(store: &dyn Store) -> String {
    let references = BTreeSet::from([item_reference(&shard(9), "sg-audit")]);
    let (p, one) = (policy_id("p"), account(1));
    format!(
        "{:#?}",
        (
            store.control().unwrap(),
            store.keys().unwrap(),
            store.sealing_key().unwrap(),
            store.keys_revision().unwrap(),
            store.audit(&Default::default(), 9).unwrap(),
            store.load(&Want::whole(&shard(1), &references, std::slice::from_ref(&p))).unwrap(),
            store.fan_outs().unwrap(),
            store.work(50).unwrap(),
            store.entries(&p, None, None, 9).unwrap(),
            store.violators(&p, &one, None, 9).unwrap(),
            store.history(&p, &one, 9).unwrap(),
        )
    )
}

fn tell_a_bit_of_everything(store: &dyn Store) {
    put_policies(store, &["p"]);
    let administrator = Administrator::default_one(1);
    let changes = [
        ControlChange::PutOrganization(Arc::new(organization(&[1, 9]))),
        ControlChange::PutAdministrator(account(1), administrator),
        ControlChange::PutList(list("l", ListContent::Protocols(vec!["tcp".into()]))),
        ControlChange::PutPolicy(policy("q", 1)),
    ];
    commit(store, &changes, 10);
    change_keys(store, &[KeyChange::Create(key("a", 1))]).unwrap();
    store.used_keys(&[("a".to_owned(), 2)]).unwrap();
    let seen = [group(&shard(1), "sg-1", 5), deleted(&shard(1), "sg-2", 5)];
    store.accept(&snapshot(&shard(1), 6, &seen), 20, None).unwrap();
    store.accept(&delivery(&[group(&shard(9), "sg-audit", 5)]), 20, None).unwrap();
    clear_work(store, 20);
    let audit = [item_reference(&shard(9), "sg-audit")];
    judge_reading(store, 1, "p", &judgement(&["sg-1"], &["gap"]), 30, &audit);
    store.mark(&[mark_of(&shard(1), None)], 40, None).unwrap();
}

pub fn everything_survives_a_reopen(bed: &mut impl Bed) {
    tell_a_bit_of_everything(bed.store());
    let before = everything(bed.store());
    if !bed.reopen() {
        println!("skipped: nothing of this engine outlives the process");
        return;
    }
    assert_eq!(before, everything(bed.store()));
    // Its reader is still told.
    let store = bed.store();
    assert_eq!(due(store, 40), "1 *");
    clear_work(store, 40);
    store.accept(&delivery(&[group(&shard(9), "sg-audit", 6)]), 50, None).unwrap();
    assert_eq!(due(store, 50), "1 p; 9 ~");
}

pub fn versions_survive_a_reopen_and_leases_do_not(bed: &mut impl Bed) {
    put_policies(bed.store(), &["p"]);
    bed.store().mark(&[mark_of(&shard(1), Some("p"))], 10, None).unwrap();
    let lease = lease_one(bed.store(), 10, 100);
    if !bed.reopen() {
        println!("skipped: nothing of this engine outlives the process");
        return;
    }
    let (store, stands) = (bed.store(), bed.leases_outlive_their_node());
    if stands {
        assert_eq!(due(store, 109), "", "nobody knows whether its holder is gone");
    } else {
        assert_eq!(due(store, 10), "1 p", "whoever held the lease was the server that is gone");
    }
    let again = lease_one(store, if stands { 110 } else { 10 }, 100);
    assert_ne!(again.fence, lease.fence);
    let found = outcome(store, &lease, "p", &judgement(&["sg-1"], &[]), 110);
    store.settle(&[settled(lease, 110, &[found])]).unwrap();
    assert!(store.entry(&policy_id("p"), &account(1)).unwrap().is_none());
    store.settle(&[settled(again, 110, &[])]).unwrap();
    assert_eq!(due(store, 1000), "");
}
