//! Facts about the control state.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_core::ident::{Region, ResourceSetId, ResourceType};
use palisade_core::lists::App;
use palisade_core::scope::AdminScope;

use crate::{
    Administrator, Association, Channel, ControlChange, ListContent, ListRecord, Offboarded,
    PolicyRecord, ResourceSetRecord, StoreError,
};

use super::Bed;
use super::facts::*;

pub fn a_new_store_is_empty(bed: &mut impl Bed) {
    let store = bed.store();
    let control = store.control().unwrap();
    assert_eq!(control.revision, 0);
    assert_eq!(store.control_revision().unwrap(), 0);
    assert!(control.organization.is_none());
    assert!(control.administrators.is_empty());
    assert!(control.policies.is_empty());
    assert!(control.lists.is_empty());
    assert!(store.keys().unwrap().is_empty());
    assert!(store.fan_outs().unwrap().is_empty());
    assert!(loaded(store, &shard(1)).shard.is_unheard_of());
    assert_eq!(store.work(1000).unwrap(), Default::default());
}

fn sample() -> Vec<ControlChange> {
    let app = App { name: "web".into(), protocol: "TCP".into(), port: 443 };
    vec![
        ControlChange::PutOrganization(Arc::new(organization(&[1, 2]))),
        ControlChange::PutAdministrator(account(1), Administrator::default_one(9)),
        ControlChange::PutAdministrator(
            account(2),
            Administrator::additional(8, AdminScope::full()),
        ),
        ControlChange::PutPolicy(policy("p", 1)),
        ControlChange::PutPolicy(policy("q", 1)),
        ControlChange::PutList(list("apps", ListContent::Apps(vec![app]))),
        ControlChange::PutList(list("protocols", ListContent::Protocols(vec!["tcp".into()]))),
    ]
}

pub fn what_was_committed_is_read_back(bed: &mut impl Bed) {
    let store = bed.store();
    assert_eq!(store.commit(0, &sample(), 5).unwrap(), 1);
    assert_eq!(store.control_revision().unwrap(), 1);
    let control = store.control().unwrap();
    assert_eq!(control.revision, 1);
    assert_eq!(control.organization.as_deref(), Some(&organization(&[1, 2])));
    let administrators = BTreeMap::from([
        (account(1), Administrator::default_one(9)),
        (account(2), Administrator::additional(8, AdminScope::full())),
    ]);
    assert_eq!(control.administrators, administrators);
    let policies: Vec<_> = control.policies.values().cloned().collect();
    assert_eq!(policies, [policy("p", 1), policy("q", 1)]);
    let names: Vec<_> = control.lists.values().map(|list| list.name.as_str()).collect();
    assert_eq!(names, ["apps", "protocols"]);
    let contents: Vec<_> = sample()
        .into_iter()
        .filter_map(|change| match change {
            ControlChange::PutList(list) => Some(list),
            _ => None,
        })
        .collect();
    assert_eq!(control.lists.into_values().collect::<Vec<_>>(), contents);
}

pub fn a_commit_at_another_revision_conflicts_and_changes_nothing(bed: &mut impl Bed) {
    let store = bed.store();
    commit(store, &[ControlChange::PutPolicy(policy("p", 1))], 0);
    for wrong in [0, 2, u64::MAX] {
        let change = ControlChange::RemovePolicy(policy_id("p"));
        let answer = store.commit(wrong, &[change], 0);
        assert!(matches!(answer, Err(StoreError::Conflict)), "{wrong}: {answer:?}");
    }
    assert_eq!(store.control_revision().unwrap(), 1);
    assert_eq!(store.control().unwrap().policies.len(), 1);
    assert_eq!(store.commit(1, &[], 0).unwrap(), 2);
}

pub fn a_put_replaces_and_a_remove_removes(bed: &mut impl Bed) {
    let store = bed.store();
    commit(store, &sample(), 0);
    let protocols = ListContent::Protocols(vec!["udp".into()]);
    commit(
        store,
        &[
            ControlChange::PutPolicy(policy("p", 2)),
            ControlChange::PutList(list("apps", protocols.clone())),
            ControlChange::RemoveList(list("protocols", protocols.clone()).id.clone()),
            ControlChange::RemoveList(list("no-such", protocols.clone()).id.clone()),
            ControlChange::RemoveAdministrator(account(2)),
            ControlChange::RemovePolicy(policy_id("q")),
        ],
        0,
    );
    let control = store.control().unwrap();
    assert_eq!(control.policies.into_values().collect::<Vec<_>>(), [policy("p", 2)]);
    assert_eq!(control.lists.into_values().collect::<Vec<_>>(), [list("apps", protocols)]);
    assert_eq!(control.administrators.into_keys().collect::<Vec<_>>(), [account(1)]);
}

pub fn an_organization_is_replaced_whole(bed: &mut impl Bed) {
    let store = bed.store();
    for accounts in [&[1, 2, 3][..], &[1, 4], &[]] {
        commit(store, &[ControlChange::PutOrganization(Arc::new(organization(accounts)))], 0);
        let read = store.control().unwrap().organization;
        assert_eq!(read.as_deref(), Some(&organization(accounts)));
    }
}

/// Kept is the very value: nothing of it is read or made again.
pub fn an_organization_that_is_known_is_kept_until_another_one_is_put(bed: &mut impl Bed) {
    let mut known = bed.store().control().unwrap();
    let accounts: Vec<u32> = (1..=300).collect();
    let put = |accounts| ControlChange::PutOrganization(Arc::new(organization(accounts)));
    commit(bed.store(), &[put(&accounts)], 0);
    known = bed.store().control_since(Some(&known)).unwrap();
    assert_eq!(known.organization.as_deref(), Some(&organization(&accounts)));
    let protocols = ListContent::Protocols(vec!["udp".into()]);
    let narrow = Administrator::additional(1, AdminScope::default());
    for change in [
        ControlChange::PutList(list("l", protocols)),
        ControlChange::PutPolicy(policy("p", 1)),
        ControlChange::PutAdministrator(account(2), narrow),
        ControlChange::RemovePolicy(policy_id("p")),
    ] {
        let revision = commit(bed.store(), &[change], 0);
        bed.reopen();
        let next = bed.store().control_since(Some(&known)).unwrap();
        let (was, is) = (known.organization.unwrap(), next.organization.as_ref().unwrap());
        assert!(Arc::ptr_eq(&was, is), "300 accounts are made again");
        assert_eq!(next.revision, revision);
        known = next;
    }
    assert_eq!((known.lists.len(), known.policies.len(), known.administrators.len()), (1, 0, 1));
    for accounts in [&accounts[..], &[1, 2], &[]] {
        commit(bed.store(), &[put(accounts)], 0);
        let next = bed.store().control_since(Some(&known)).unwrap();
        assert_eq!(next.organization.as_deref(), Some(&organization(accounts)));
        assert_ne!(next.organization_revision, known.organization_revision);
        known = next;
    }
}

pub fn resource_set(name: &str) -> Arc<ResourceSetRecord> {
    Arc::new(ResourceSetRecord {
        id: ResourceSetId::try_from(name).unwrap(),
        owner: account(1),
        region: Region::home_of_global(),
        token: "1:t".to_owned(),
        name: name.to_owned(),
        description: Some("what it is for".to_owned()),
        resource_types: vec![ResourceType::NETWORK_FIREWALL],
        resources: BTreeMap::from([("arn:a".into(), 1), ("arn:b".into(), 2)]),
        tags: BTreeMap::from([("k".to_owned(), String::new())]),
        created_ms: 3,
        updated_ms: 4,
    })
}

pub fn what_stands_beside_policies_is_put_replaced_and_removed(bed: &mut impl Bed) {
    let store = bed.store();
    let (owner, region) = (account(1), Region::home_of_global());
    let channel = |topic: &str| Some(Channel { topic: topic.to_owned(), role: "r".to_owned() });
    let channel_of =
        |topic| ControlChange::PutChannel(owner.clone(), region.clone(), channel(topic));
    let association =
        |state| ControlChange::PutAssociation(owner.clone(), region.clone(), "F".into(), state);
    let gone = Offboarded { account: account(9), at_ms: 5 };
    let narrow = Administrator::additional(1, AdminScope::default());
    commit(
        store,
        &[
            ControlChange::PutAdministrator(account(2), narrow.clone()),
            ControlChange::PutOffboarded(Some(gone.clone())),
            ControlChange::PutResourceSet(resource_set("a")),
            ControlChange::PutResourceSet(resource_set("b")),
            channel_of("t"),
            association(Association::Associated),
        ],
        0,
    );
    let control = store.control().unwrap();
    assert_eq!(control.administrators, BTreeMap::from([(account(2), narrow)]));
    assert_eq!(control.offboarded, Some(gone));
    let sets: Vec<_> = control.resource_sets.into_values().collect();
    assert_eq!(sets, [resource_set("a"), resource_set("b")]);
    let key = (owner.clone(), region.clone());
    assert_eq!(control.channels.get(&key).cloned(), channel("t"));
    let key = (owner.clone(), region.clone(), "F".into());
    assert_eq!(control.associations.get(&key), Some(&Association::Associated));
    commit(
        store,
        &[
            ControlChange::PutOffboarded(None),
            ControlChange::RemoveResourceSet(resource_set("a").id.clone()),
            ControlChange::PutChannel(owner.clone(), region.clone(), None),
            association(Association::Disassociated),
        ],
        0,
    );
    let control = store.control().unwrap();
    assert!(control.offboarded.is_none() && control.channels.is_empty());
    assert_eq!(control.resource_sets.len(), 1);
    assert_eq!(control.associations.get(&key), Some(&Association::Disassociated));
}

pub fn what_changes_no_judgement_marks_no_work(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    let content = ListContent::Protocols(vec!["tcp".into()]);
    let protocols = list("protocols", content);
    commit(store, &[ControlChange::PutList(protocols.clone())], 0);
    judge_reading(store, 1, "p", &judgement(&[], &[]), 100, &[protocols.reference()]);
    clear_work(store, 300);
    let mut tagged = PolicyRecord::clone(&policy("p", 1));
    tagged.tags.insert("team".to_owned(), "a".to_owned());
    let renamed = ListRecord { name: "other".to_owned(), ..ListRecord::clone(&protocols) };
    commit(
        store,
        &[
            ControlChange::PutPolicy(Arc::new(tagged.clone())),
            ControlChange::PutList(Arc::new(renamed.clone())),
        ],
        400,
    );
    assert!(store.fan_outs().unwrap().is_empty());
    assert_eq!(due(store, 500), "");
    let control = store.control().unwrap();
    assert_eq!(*control.policies[&tagged.id], tagged);
    assert_eq!(*control.lists[&renamed.id], renamed);
    commit(store, &[ControlChange::PutPolicy(policy("p", 2))], 600);
    assert_eq!(store.fan_outs().unwrap().len(), 1);
    let asked = ["p", "unknown"].map(|name| ControlChange::FanOut(policy_id(name)));
    let [fan_out] = &store.fan_outs().unwrap()[..] else { panic!("one") };
    store.advance_fan_out(fan_out, &[], None, 700).unwrap();
    commit(store, &asked, 800);
    let fan_outs = store.fan_outs().unwrap();
    assert_eq!(fan_outs.len(), 1);
    assert_eq!((&fan_outs[0].policy, fan_outs[0].revision), (&policy_id("p"), 2));
}

pub fn a_removed_policy_takes_all_it_caused_and_closes_its_history(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p", "q"]);
    let audit = [item_reference(&shard(9), "sg-audit")];
    for policy in ["p", "q"] {
        judge_reading(store, 1, policy, &judgement(&["sg-1"], &[]), 100, &audit);
        judge(store, 2, policy, &judgement(&[], &[]), 100);
        store.mark(&[mark_of(&shard(1), Some(policy))], 100, None).unwrap();
    }
    commit(store, &[ControlChange::PutPolicy(policy("p", 2))], 100);

    commit(store, &[ControlChange::RemovePolicy(policy_id("p"))], 200);

    assert!(store.fan_outs().unwrap().is_empty());
    assert_eq!(due(store, 300), "1 q");
    assert!(store.entries(&policy_id("p"), None, None, 9).unwrap().is_empty());
    assert_eq!(violators(store, 1, "p"), "");
    let history = store.history(&policy_id("p"), &account(1), 9).unwrap();
    let told: Vec<_> = history.iter().map(|row| (row.at_ms, row.closed)).collect();
    assert_eq!(told, [(200, true), (100, false)]);
    // Its reader of the audit group is gone, the other policy's is not.
    clear_work(store, 300);
    store.accept(&delivery(&[group(&shard(9), "sg-audit", 1)]), 400, None).unwrap();
    assert_eq!(due(store, 400), "1 q; 9 *");
    assert_eq!(violators(store, 1, "q"), "sg-1");
    assert_eq!(store.entries(&policy_id("q"), None, None, 9).unwrap().len(), 2);
}
