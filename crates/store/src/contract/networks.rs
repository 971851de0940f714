//! Facts about networks that accounts share (semantics §11 row 41): they are read, and their changes
//! told, across accounts.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::{NetworkAsked, NetworkFacts, Presence, Reference};
use palisade_core::ident::{ResourceId, ResourceType};
use palisade_core::inventory::{
    Body, Delivery, Item, NetworkInterface, Observation, Recorder, RecordingGroup, SecurityGroup,
    Shard,
};

use palisade_testkit::Rng;

use crate::{Store, Want};

use super::Bed;
use super::facts::*;

const INTERFACE: ResourceType = ResourceType::NETWORK_INTERFACE;
const ACCOUNTS: u32 = 3;

/// A group in a VPC, perhaps of another account.
pub fn sg(n: u32, name: &str, at: i64, vpc: &str, owner: Option<u32>) -> Observation {
    let group = SecurityGroup {
        group_name: format!("at {at}").into(),
        vpc: Some(vpc.into()),
        owner: owner.map(account),
        ..SecurityGroup::default()
    };
    observed(&shard(n), GROUP, name, at, Body::SecurityGroup(group))
}

pub fn eni(n: u32, name: &str, at: i64, groups: &[&str], owner: Option<u32>) -> Observation {
    let interface = NetworkInterface {
        groups: groups.iter().map(|id| (*id).into()).collect(),
        vpc: Some("vpc-1".into()),
        owner: owner.map(account),
        ..NetworkInterface::default()
    };
    observed(&shard(n), INTERFACE, name, at, Body::NetworkInterface(interface))
}

/// A recorder that lists all, or all but interfaces.
fn recording(n: u32, at: i64, interfaces: bool) -> Observation {
    let group =
        if interfaces { RecordingGroup::All } else { RecordingGroup::AllBut(vec![INTERFACE]) };
    let body = Body::Recorder(Recorder { recording: true, group, ..Recorder::default() });
    observed(&shard(n), RECORDER, "default", at, body)
}

/// What core makes of all shards there are.
fn expected(store: &dyn Store, n: u32) -> NetworkFacts {
    let shards: Vec<Shard> = (1..=ACCOUNTS).map(|n| loaded(store, &shard(n)).shard).collect();
    let presences: BTreeMap<_, _> =
        shards.iter().map(|shard| (shard.id.account.clone(), Presence::of(shard))).collect();
    let mut held: BTreeMap<ResourceId, Vec<Item>> = BTreeMap::new();
    for item in shards.iter().flat_map(|shard| shard.of_type(&GROUP)) {
        held.entry(item.key.id.clone()).or_default().push(item.clone());
    }
    let own = shards.iter().find(|shard| shard.id.account == account(n)).unwrap();
    NetworkFacts::of(own, &presences, &held)
}

/// What a judgement of a shard reads of others, as content and usage audits together register it.
fn asked(shard: &Shard) -> BTreeSet<Reference> {
    let region = || shard.id.region.clone();
    let asked = NetworkAsked::by(shard);
    let groups =
        asked.groups.iter().map(|name| Reference::Group { region: region(), id: id(name) });
    let vpcs = asked.vpcs.iter().map(|vpc| Reference::Vpc { region: region(), id: (*vpc).into() });
    groups.chain(vpcs).collect()
}

/// Judges whatever is due, and answers which accounts were.
fn judge_due(store: &dyn Store) -> BTreeSet<u32> {
    let mut judged = BTreeSet::new();
    for _ in 0..9 {
        let leases = store.lease(1000, HOUR, usize::MAX).unwrap();
        if leases.is_empty() {
            return judged;
        }
        for lease in leases {
            let mut outcome = outcome(store, &lease, "p", &judgement(&[], &[]), 1000);
            let loaded = loaded(store, &lease.shard);
            outcome.references = asked(&loaded.shard);
            judged.extend((1..=ACCOUNTS).find(|n| account(*n) == lease.shard.account));
            let mut settlement = settled(lease, 1000, &[outcome]);
            settlement.revision = Some(loaded.revision);
            store.settle(&[settlement]).unwrap();
        }
    }
    panic!("work that does not end");
}

pub fn what_other_accounts_list_and_hold_is_loaded(bed: &mut impl Bed) {
    let store = bed.store();
    let told = [
        sg(1, "sg-1", 5, "vpc-1", None),
        sg(1, "sg-2", 5, "vpc-1", Some(1)),
        eni(2, "eni-1", 5, &["sg-1", "sg-9"], None),
        sg(2, "sg-9", 5, "vpc-1", None),
        sg(3, "sg-3", 5, "vpc-1", Some(1)),
        eni(1, "eni-2", 5, &["sg-9"], None),
    ];
    store.accept(&delivery(&told), 1000, None).unwrap();
    let facts = loaded(store, &shard(1)).account.network;
    let users: Vec<_> = facts.users.iter().map(|user| user.item.key.id.as_str()).collect();
    assert_eq!(users, ["eni-1"]);
    assert_eq!(facts.groups.keys().map(ResourceId::as_str).collect::<Vec<_>>(), ["sg-9"]);
    assert_eq!(facts.unrecorded.len(), 1, "{:?}", facts.unrecorded);
    for n in 1..=ACCOUNTS {
        assert_eq!(loaded(store, &shard(n)).account.network, expected(store, n), "{n}");
    }
    // Where no judgement reads interfaces they are not looked for.
    let groups_alone = [GROUP].into();
    let loaded =
        store.load(&Want::of_types(&shard(1), &BTreeSet::new(), &[], &groups_alone)).unwrap();
    assert_eq!(loaded.account.network, NetworkFacts::default());
}

pub fn a_change_in_one_account_marks_those_that_share_a_network(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    clear_work(store, 1000);
    let whole = |n: u32, moment, items: &[Observation]| {
        snapshot_of(&shard(n), moment, items, [GROUP, INTERFACE])
    };
    for (name, told, want) in [
        ("a group", delivery(&[sg(1, "sg-1", 5, "vpc-1", None)]), &[1][..]),
        ("and another's", delivery(&[sg(3, "sg-3", 5, "vpc-3", None)]), &[3]),
        ("interfaces elsewhere are not known", delivery(&[recording(2, 4, false)]), &[2]),
        ("a user elsewhere", delivery(&[eni(2, "eni-1", 5, &["sg-1"], None)]), &[1, 2]),
        ("it comes to be known", delivery(&[recording(2, 5, true)]), &[1, 2]),
        ("no news", delivery(&[recording(2, 5, true)]), &[]),
        ("it lists others", delivery(&[eni(2, "eni-1", 6, &["sg-2"], None)]), &[1, 2]),
        ("a group that it lists", delivery(&[sg(3, "sg-2", 6, "vpc-3", None)]), &[2, 3]),
        ("which changes", delivery(&[sg(3, "sg-2", 7, "vpc-3", None)]), &[2, 3]),
        ("another group", delivery(&[sg(3, "sg-3", 7, "vpc-3", None)]), &[3]),
        ("a sign of sharing", delivery(&[sg(2, "sg-8", 6, "vpc-1", Some(3))]), &[1, 2]),
        ("recorded no longer", delivery(&[recording(2, 7, false)]), &[1, 2, 3]),
        ("gone", whole(2, 90, &[]), &[1, 2, 3]),
    ] {
        store.accept(&told, 1000, None).unwrap();
        let judged = judge_due(store);
        assert_eq!(judged.into_iter().collect::<Vec<_>>(), want, "{name}");
    }
}

fn random_delivery(dice: &mut Rng) -> Delivery {
    let n = u32::try_from(dice.u64(..u64::from(ACCOUNTS))).unwrap() + 1;
    let mut seen = Vec::new();
    for _ in 0..=dice.u64(..3) {
        let at = i64::try_from(dice.u64(..30)).unwrap();
        let group = format!("sg-{}", dice.u64(..3));
        let other = format!("sg-{}", dice.u64(..3));
        let owner = match dice.u64(..4) {
            0 => Some(u32::try_from(dice.u64(..u64::from(ACCOUNTS))).unwrap() + 1),
            1 => Some(n),
            _ => None,
        };
        let name = format!("eni-{}", dice.u64(..2));
        seen.push(match dice.u64(..13) {
            0 => recording(n, at, dice.u64(..2) == 0),
            12 => unseen(&shard(n), &group, at),
            1 => deleted(&shard(n), &group, at),
            2 => observed(&shard(n), INTERFACE, &name, at, Body::Deleted),
            3 => observed(&shard(n), INTERFACE, &name, at, Body::Unseen),
            4..8 => sg(n, &group, at, ["vpc-1", "vpc-2"][usize::from(dice.u64(..4) == 0)], owner),
            _ => eni(n, &name, at, &[&group, &other], owner),
        });
    }
    let moment = 10 + i64::try_from(dice.u64(..30)).unwrap();
    match dice.u64(..4) {
        0 => snapshot_of(&shard(n), moment, &seen, [GROUP, INTERFACE]),
        _ => delivery(&seen),
    }
}

/// A shard that grows newer marks nobody who found it new enough.
fn without_ages(mut facts: NetworkFacts) -> NetworkFacts {
    let sharers = facts.sharer_ages.values_mut().flat_map(|ages| ages.values_mut());
    sharers.chain(facts.user_ages.values_mut()).for_each(|age_ms| *age_ms = None);
    facts.group_freshness.values_mut().for_each(|freshness| freshness.newest_ms = None);
    facts
}

/// Whatever comes in whatever order: the store tells what core makes of all shards, and whose facts
/// are others than those it was judged by is due.
pub fn facts_of_networks_are_those_of_all_shards_and_their_readers_are_marked(bed: &mut impl Bed) {
    let store = bed.store();
    put_policies(store, &["p"]);
    let mut judged_by: BTreeMap<u32, NetworkFacts> = BTreeMap::new();
    let mut dice = Rng::with_seed(7);
    for step in 0..1000 {
        let told = random_delivery(&mut dice);
        store.accept(&told, 1000, None).unwrap();
        let due = judge_due(store);
        for n in 1..=ACCOUNTS {
            let facts = loaded(store, &shard(n)).account.network;
            assert_eq!(facts, expected(store, n), "account {n}, step {step}: {told:?}");
            if due.contains(&n) {
                judged_by.insert(n, facts);
            } else {
                let before = judged_by.get(&n).cloned().unwrap_or_default();
                let (facts, before) = (without_ages(facts), without_ages(before));
                assert_eq!(facts, before, "account {n} was not due, step {step}: {told:?}");
            }
        }
    }
}
