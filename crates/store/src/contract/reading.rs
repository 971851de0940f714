//! Facts about references: what is loaded for them, and who is told of their changes.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::{Fact, Reference};
use palisade_core::ident::ResourceType;
use palisade_core::inventory::Missed;
use palisade_core::lists::App;

use crate::{ControlChange, ListContent, Store, Want};

use super::Bed;
use super::control::resource_set;
use super::facts::*;

fn app(port: u16) -> ListContent {
    ListContent::Apps(vec![App { name: "web".into(), protocol: "TCP".into(), port }])
}

pub fn references_are_loaded_when_they_exist(bed: &mut impl Bed) {
    let store = bed.store();
    let apps = list("apps", app(443));
    let protocols = list("protocols", ListContent::Protocols(vec!["udp".into()]));
    let puts = [ControlChange::PutList(apps.clone()), ControlChange::PutList(protocols.clone())];
    commit(store, &puts, 0);
    let seen = group(&shard(9), "sg-audit", 5);
    let gone = [group(&shard(9), "sg-gone", 5), deleted(&shard(9), "sg-gone", 6)];
    store.accept(&delivery(&[std::slice::from_ref(&seen), &gone].concat()), 1000, None).unwrap();

    let mut elsewhere = (*apps).clone();
    elsewhere.owner = account(2);
    let Reference::AppsList { owner, region, id } = apps.reference() else { panic!() };
    let wrong_kind = Reference::ProtocolsList { owner, region, id };
    let found = [item_reference(&shard(9), "sg-audit"), apps.reference(), protocols.reference()];
    let missing = [
        item_reference(&shard(9), "sg-gone"),
        item_reference(&shard(9), "sg-never"),
        item_reference(&shard(8), "sg-audit"),
        list("no-such", app(1)).reference(),
        elsewhere.reference(),
        wrong_kind,
    ];
    let asked: BTreeSet<Reference> = found.iter().chain(&missing).cloned().collect();
    let facts = store.load(&Want::whole(&shard(1), &asked, &[])).unwrap().references;
    assert_eq!(facts.len(), 3);
    let Fact::Item(group, _) = &facts[&found[0]] else { panic!() };
    assert_eq!(*group, seen.item);
    assert_eq!(
        facts[&found[1]],
        Fact::Apps(vec![App { name: "web".into(), protocol: "TCP".into(), port: 443 }])
    );
    assert_eq!(facts[&found[2]], Fact::Protocols(vec!["udp".into()]));
}

pub fn readers_are_marked_when_a_referenced_item_changes_goes_or_returns(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    let home = shard(9);
    let audit = [item_reference(&home, "sg-audit")];
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, &audit);
    judge_reading(store, 2, "q", &judgement(&[], &[]), 0, &audit);
    judge_reading(store, 3, "p", &judgement(&[], &[]), 0, &[item_reference(&home, "sg-x")]);

    let seen = group(&home, "sg-audit", 10);
    let mut again = group(&home, "sg-audit", 11);
    again.item.version.captured_ms = 12;
    let mut tagged = again.clone();
    tagged.item.version.captured_ms = 13;
    tagged.item.tags = Some(BTreeMap::from([("k".into(), "v".into())]));
    let steps = [
        ("appears", snapshot(&home, 10, std::slice::from_ref(&seen)), "1 p; 2 q; 9 *"),
        ("is repeated", delivery(std::slice::from_ref(&seen)), ""),
        ("changes", delivery(&[group(&home, "sg-audit", 11)]), "1 p; 2 q; 9 ~"),
        ("tells the same at a later moment", delivery(&[again]), "9 ~"),
        ("is tagged", delivery(&[tagged.clone()]), "1 p; 2 q; 9 ~"),
        ("has a neighbour", delivery(&[group(&home, "sg-audit-2", 11)]), "9 ~"),
        ("is gone", snapshot_of(&home, 50, &[], [GROUP]), "1 p; 2 q; 9 ~"),
        ("returns", snapshot(&home, 60, &[tagged]), "1 p; 2 q; 9 ~"),
        ("is deleted", delivery(&[deleted(&home, "sg-audit", 70)]), "1 p; 2 q; 9 ~"),
        (
            "is of another type",
            {
                let vpc = ResourceType::VPC;
                let body = palisade_core::inventory::Body::Unwanted;
                delivery(&[observed(&home, vpc, "sg-audit", 80, body)])
            },
            "9 *",
        ),
    ];
    for (name, delivery, marked) in steps {
        store.accept(&delivery, 100, None).unwrap();
        assert_eq!(due(store, 100), marked, "{name}");
        clear_work(store, 100);
    }
}

pub fn what_a_fact_is_worth_is_loaded_with_it(bed: &mut impl Bed) {
    let store = bed.store();
    let home = shard(9);
    let freshness = || {
        let asked = [item_reference(&home, "sg-audit")].into();
        let facts = store.load(&Want::whole(&shard(1), &asked, &[])).unwrap().references;
        let Some(Fact::Item(_, freshness)) = facts.values().next() else { panic!() };
        let missed = freshness.missed.iter().map(|gap| gap.what.as_deref().unwrap_or("*"));
        (freshness.newest_ms, missed.collect::<Vec<_>>().join(" "))
    };
    store.accept(&snapshot(&home, 10, &[group(&home, "sg-audit", 5)]), 100, None).unwrap();
    assert_eq!(freshness(), (Some(10), String::new()));
    let gaps = [
        gap(&home, Some(GROUP), "sg-audit", 20),
        gap(&home, Some(GROUP), "sg-other", 20),
        gap(&home, Some(ResourceType::VPC), "vpc-1", 20),
    ];
    store.accept(&missing(&[], &gaps), 100, None).unwrap();
    assert_eq!(freshness().1, "sg-audit", "what is another's says nothing of it");
    store.accept(&missing(&[], &[gap(&home, Some(GROUP), "", 20)]), 100, None).unwrap();
    assert!(freshness().1.contains('*'), "it may be of any group");
    store.accept(&snapshot(&home, 30, &[group(&home, "sg-audit", 5)]), 100, None).unwrap();
    assert_eq!(freshness(), (Some(30), String::new()));
}

pub fn readers_are_marked_when_what_they_read_is_worth_more_or_less(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    let home = shard(9);
    let at = |moment| snapshot(&home, moment, &[group(&home, "sg-audit", 5)]);
    let by_id = Reference::Group { region: home.region.clone(), id: id("sg-audit") };
    let by_other_id = Reference::Group { region: home.region.clone(), id: id("sg-elsewhere") };
    store.accept(&at(10), 10, None).unwrap();
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, &[item_reference(&home, "sg-audit")]);
    judge_reading(store, 2, "q", &judgement(&[], &[]), 0, &[by_id]);
    judge_reading(store, 3, "q", &judgement(&[], &[]), 0, &[by_other_id]);
    clear_work(store, 10);
    let item = gap(&home, Some(GROUP), "sg-audit", 20);
    let steps = [
        ("grows newer", at(10 + HOUR / 2), 10 + HOUR / 2, ""),
        ("misses an item", missing(&[], &[Missed { moment_ms: HOUR, ..item }]), HOUR, "*"),
        ("has it mended", at(HOUR + 1), HOUR + 1, "*"),
        ("comes after a long time", at(3 * HOUR), 3 * HOUR, "*"),
        ("comes soon", at(3 * HOUR + 1), 3 * HOUR + 1, ""),
    ];
    for (name, delivery, now, marked) in steps {
        store.accept(&delivery, now, None).unwrap();
        let want = if marked == "*" { "1 p; 2 q; 9 *" } else { "" };
        assert_eq!(due(store, now), want, "{name}");
        clear_work(store, now);
    }
}

pub fn a_gap_opened_between_lease_and_first_settlement_is_not_missed(bed: &mut impl Bed) {
    let store = bed.store();
    store.accept(&snapshot(&shard(9), 10, &[group(&shard(9), "sg-1", 5)]), 10, None).unwrap();
    clear_work(store, 10);
    settle_after(store, item_reference(&shard(9), "sg-1"), || {
        store.accept(&missing(&[], &[gap(&shard(9), Some(GROUP), "", 15)]), 15, None).unwrap();
    });
    assert_eq!(due(store, 50), "9 *; 1 p");
}

pub fn readers_are_marked_when_a_list_is_put_or_removed(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    let apps = list("apps", app(443));
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, &[apps.reference()]);
    judge(store, 2, "p", &judgement(&[], &[]), 0);
    let steps = [
        ControlChange::PutList(apps.clone()),
        ControlChange::PutList(list("apps", app(80))),
        ControlChange::RemoveList(apps.id.clone()),
    ];
    for step in steps {
        commit(store, std::slice::from_ref(&step), 50);
        assert_eq!(due(store, 49), "");
        assert_eq!(due(store, 50), "1 p", "{step:?}");
        clear_work(store, 50);
    }
    commit(store, &[ControlChange::PutList(list("another", app(80)))], 50);
    assert_eq!(due(store, 50), "");
}

pub fn readers_are_marked_when_a_resource_set_names_others(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    let set = |arns: &[&str], updated_ms| {
        let mut set = (*resource_set("set")).clone();
        set.resources = arns.iter().map(|arn| ((*arn).into(), updated_ms)).collect();
        set.updated_ms = updated_ms;
        std::sync::Arc::new(set)
    };
    let reference = set(&[], 0).reference();
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, std::slice::from_ref(&reference));
    judge(store, 2, "p", &judgement(&[], &[]), 0);
    let found = |store: &dyn Store| {
        let asked = [reference.clone()].into();
        let facts = store.load(&Want::whole(&shard(1), &asked, &[])).unwrap().references;
        facts.get(&reference).cloned()
    };
    let named =
        |arns: &[&str]| Some(Fact::Resources(arns.iter().map(|arn| (*arn).into()).collect()));
    assert_eq!(found(store), None);
    let steps = [
        (ControlChange::PutResourceSet(set(&["a"], 1)), "1 p", named(&["a"])),
        (ControlChange::PutResourceSet(set(&["a"], 2)), "", named(&["a"])),
        (ControlChange::PutResourceSet(set(&["a", "b"], 3)), "1 p", named(&["a", "b"])),
        (ControlChange::PutResourceSet(set(&[], 4)), "1 p", named(&[])),
        (ControlChange::RemoveResourceSet(set(&[], 0).id.clone()), "1 p", None),
        (ControlChange::RemoveResourceSet(set(&[], 0).id.clone()), "", None),
    ];
    for (step, marked, fact) in steps {
        commit(store, std::slice::from_ref(&step), 50);
        assert_eq!(due(store, 50), marked, "{step:?}");
        assert_eq!(found(store), fact, "{step:?}");
        clear_work(store, 50);
    }
}

fn known(store: &dyn Store) -> String {
    let asked = [Reference::CommonPolicies].into();
    let facts = store.load(&Want::whole(&shard(1), &asked, &[])).unwrap().references;
    let Some(Fact::Policies(known)) = facts.get(&Reference::CommonPolicies) else { panic!() };
    known.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Semantics §11 row 57: a policy that was of common groups stays known when it is gone.
pub fn policies_of_common_groups_stay_known_and_their_readers_are_told(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    assert_eq!(known(store), "");
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, &[Reference::CommonPolicies]);
    judge(store, 2, "p", &judgement(&[], &[]), 0);
    clear_work(store, 0);
    let common = |name: &str, revision| {
        let mut record = (*policy(name, revision)).clone();
        "SECURITY_GROUPS_COMMON"
            .clone_into(&mut record.document.security_service_policy_data.policy_type);
        ControlChange::PutPolicy(std::sync::Arc::new(record))
    };
    let remove = |name: &str| ControlChange::RemovePolicy(policy_id(name));
    for (step, want, marked) in [
        (common("common-1", 1), "common-1", "1 p"),
        (common("common-1", 2), "common-1", ""),
        (ControlChange::PutPolicy(policy("other", 1)), "common-1", ""),
        (remove("common-1"), "common-1", ""),
        (common("common-2", 1), "common-1 common-2", "1 p"),
        (remove("p"), "common-1 common-2", ""),
    ] {
        commit(store, std::slice::from_ref(&step), 50);
        assert_eq!(known(store), want, "{step:?}");
        assert_eq!(due(store, 50), marked, "{step:?}");
        clear_work(store, 50);
    }
    if bed.reopen() {
        assert_eq!(known(bed.store()), "common-1 common-2");
    }
}

pub fn policies_of_common_groups_that_a_setting_names_are_known_for_as_long(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, &[Reference::CommonPolicies]);
    clear_work(store, 0);
    for (named, is_new, want) in [
        (vec![], false, ""),
        (vec!["far-1", "far-2"], true, "far-1 far-2"),
        (vec!["far-1", "far-2"], false, "far-1 far-2"),
        (vec!["far-2"], true, "far-2"),
        (vec![], true, ""),
    ] {
        let named: BTreeSet<_> = named.into_iter().map(policy_id).collect();
        assert_eq!(store.name_common_policies(&named, 50).unwrap(), is_new, "{named:?}");
        assert_eq!(known(store), want);
        assert_eq!(due(store, 50), if is_new { "1 p" } else { "" }, "{named:?}");
        clear_work(store, 50);
    }
}

/// Who was judged before and reads it only now is judged again by what changed meanwhile.
pub fn policies_of_common_groups_learnt_during_a_lease_are_not_missed(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    clear_work(store, 0);
    store.mark(&[mark_of(&shard(1), Some("p"))], 0, None).unwrap();
    let lease = lease_one(store, 0, HOUR);
    store.name_common_policies(&[policy_id("far-1")].into(), 10).unwrap();
    let mut outcome = outcome(store, &lease, "p", &judgement(&[], &[]), 0);
    outcome.references = [Reference::CommonPolicies].into();
    store.settle(&[settled(lease, 0, &[outcome])]).unwrap();
    assert_eq!(due(store, 50), "1 p");
}

pub fn a_reader_that_reads_no_more_is_not_marked(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    let (audit, other) = (item_reference(&shard(9), "sg-1"), item_reference(&shard(9), "sg-2"));
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, &[audit.clone(), other.clone()]);
    judge_reading(store, 1, "p", &judgement(&[], &[]), 0, &[other]);
    store.accept(&delivery(&[group(&shard(9), "sg-1", 10)]), 50, None).unwrap();
    assert_eq!(due(store, 50), "9 *");
    store.accept(&delivery(&[group(&shard(9), "sg-2", 10)]), 50, None).unwrap();
    assert_eq!(due(store, 50), "1 p; 9 *,~");
}

/// Leases shard 1, lets something happen, then settles with a first reading of `reference`.
fn settle_after(store: &dyn Store, reference: Reference, happens: impl Fn()) {
    put_policies(store, &["p"]);
    store.mark(&[mark_of(&shard(1), Some("p"))], 10, None).unwrap();
    let lease = lease_one(store, 10, HOUR);
    let mut outcome = outcome(store, &lease, "p", &judgement(&[], &["not seen"]), 10);
    outcome.references.insert(reference);
    happens();
    store.settle(&[settled(lease, 20, &[outcome])]).unwrap();
}

pub fn a_change_between_lease_and_first_settlement_is_not_missed(bed: &mut impl Bed) {
    let store = bed.store();
    store.accept(&delivery(&[group(&shard(9), "sg-old", 10)]), 5, None).unwrap();
    clear_work(store, 5);
    settle_after(store, item_reference(&shard(9), "sg-old"), || ());
    assert_eq!(due(store, 50), "", "nothing happened");
    settle_after(store, item_reference(&shard(9), "sg-audit"), || {
        store.accept(&delivery(&[group(&shard(9), "sg-audit", 10)]), 15, None).unwrap();
    });
    assert_eq!(due(store, 50), "9 ~; 1 p");
}

pub fn a_list_put_between_lease_and_first_settlement_is_not_missed(bed: &mut impl Bed) {
    let store = bed.store();
    let apps = list("apps", app(443));
    settle_after(store, apps.reference(), || {
        commit(store, &[ControlChange::PutList(apps.clone())], 15);
    });
    assert_eq!(due(store, 50), "1 p");
}
