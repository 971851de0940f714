//! What is held depends on which deliveries came, never on their order.

use std::collections::BTreeMap;

use palisade_core::ident::{ResourceType, ShardId};
use palisade_core::inventory::{Body, Cause, Delivery, Missed, Shard, ShardBuilder};

use palisade_testkit::Rng;

use crate::Store;

use super::Bed;
use super::facts::*;
use super::known::{linked, listing};

/// The shard as core's own accumulation has it.
fn in_memory(n: u32, deliveries: &[Delivery]) -> Shard {
    let id = shard(n);
    let mut builder = ShardBuilder::new(id.clone());
    for delivery in deliveries {
        let snapshot = delivery.snapshot.as_ref();
        let lists = delivery.listings.get(&id);
        for observation in &delivery.observations {
            let listed = lists.and_then(|lists| lists.get(&observation.item.key.resource_type));
            let moment_ms = snapshot.map(|snapshot| snapshot.moment_ms).max(listed.copied());
            builder.observe(observation.clone(), moment_ms);
        }
        for (resource_type, moment_ms) in lists.into_iter().flatten() {
            builder.list(resource_type.clone(), *moment_ms);
        }
        delivery.missed.iter().for_each(|missed| builder.miss(missed.clone()));
        let Some(snapshot) = snapshot else { continue };
        for resource_type in snapshot.covers.get(&id).into_iter().flatten() {
            builder.mark(resource_type.clone(), snapshot.moment_ms);
        }
        for resource_type in snapshot.holds.get(&id).into_iter().flatten() {
            builder.contain(resource_type.clone());
        }
        if snapshot.shard.as_ref() == Some(&id) {
            builder.accept_snapshot();
            builder.hear(false, snapshot.moment_ms);
        }
    }
    builder.seal()
}

fn in_store(store: &dyn Store, n: u32) -> Shard {
    loaded(store, &shard(n)).shard
}

/// Takes the same deliveries in for ever other accounts, since a store cannot be emptied.
fn retold(delivery: &Delivery, n: u32) -> Delivery {
    let mut retold = delivery.clone();
    for observation in &mut retold.observations {
        observation.item.key.account = account(n);
    }
    for missed in &mut retold.missed {
        missed.account = missed.account.take().map(|_| account(n));
    }
    retold.listings = of_account(std::mem::take(&mut retold.listings), n);
    if let Some(snapshot) = &mut retold.snapshot {
        snapshot.shard = Some(shard(n));
        snapshot.covers = of_account(std::mem::take(&mut snapshot.covers), n);
        snapshot.holds = of_account(std::mem::take(&mut snapshot.holds), n);
    }
    retold
}

fn of_account<T>(told: BTreeMap<ShardId, T>, n: u32) -> BTreeMap<ShardId, T> {
    told.into_values().map(|types| (shard(n), types)).collect()
}

pub fn any_order_of_a_hand_made_story_ends_the_same(bed: &mut impl Bed) {
    let one = shard(1);
    let story = [
        delivery(&[deleted(&one, "sg-1", 5), group(&one, "sg-2", 5), recorder(&one, 1)]),
        delivery(&[group(&one, "sg-1", 10), group(&one, "sg-3", 29), unseen(&one, "sg-4", 35)]),
        snapshot(&one, 20, &[group(&one, "sg-2", 5), group(&one, "sg-4", 5)]),
        snapshot(&one, 30, &[group(&one, "sg-1", 8), recorder(&one, 1)]),
        delivery(&[observed(&one, RECORDER, "default", 25, Body::Deleted)]),
    ];
    let mut order: Vec<usize> = (0..story.len()).collect();
    let mut n = 1;
    permute(&mut order, 0, &mut |order| {
        let told: Vec<_> = order.iter().map(|at| retold(&story[*at], n)).collect();
        for delivery in &told {
            bed.store().accept(delivery, 1000, None).unwrap();
        }
        let found = in_store(bed.store(), n);
        assert_eq!(found, in_memory(n, &told), "order {order:?}");
        let held = groups(bed.store(), &shard(n));
        assert_eq!(held, "sg-1 10, sg-4 5+35", "order {order:?}");
        assert!(found.recorder_deleted, "order {order:?}");
        n += 1;
    });
    assert_eq!(n, 121);
}

fn permute(order: &mut Vec<usize>, from: usize, act: &mut impl FnMut(&[usize])) {
    if from == order.len() {
        return act(order);
    }
    for at in from..order.len() {
        order.swap(from, at);
        permute(order, from + 1, act);
        order.swap(from, at);
    }
}

fn random_delivery(dice: &mut Rng, n: u32) -> Delivery {
    let moment = 10 + i64::try_from(dice.u64(..20)).unwrap();
    let whole = dice.u64(..3) == 0;
    let mut seen = Vec::new();
    for _ in 0..dice.u64(..6) {
        let at = i64::try_from(dice.u64(..20)).unwrap();
        let name = format!("sg-{}", dice.u64(..4));
        seen.push(match dice.u64(..9) {
            0 => recorder(&shard(n), at),
            1 => observed(&shard(n), RECORDER, "default", at, Body::Deleted),
            2 => deleted(&shard(n), &name, at),
            3 => observed(&shard(n), ResourceType::VPC, &name, at, Body::Unwanted),
            4 => linked(n, at),
            5 => unseen(&shard(n), &name, at),
            _ => group(&shard(n), &name, at),
        });
    }
    let missed = (0..dice.u64(..3)).map(|_| random_gap(dice, n)).collect();
    let told = match (whole, dice.u64(..3)) {
        (false, 0) => Delivery { observations: seen, ..listing(n, moment) },
        (false, _) => delivery(&seen),
        (true, 0) => snapshot_of(&shard(n), moment, &seen, [GROUP, RECORDER, ResourceType::VPC]),
        (true, _) => snapshot(&shard(n), moment, &seen),
    };
    Delivery { missed, ..told }
}

fn random_gap(dice: &mut Rng, n: u32) -> Missed {
    let causes = [Cause::GoesOn, Cause::LeftOut, Cause::Item, Cause::Item, Cause::Call];
    let types = [Some(GROUP), Some(ResourceType::VPC), None];
    let one_of = |dice: &mut Rng, count| usize::try_from(dice.u64(..count)).unwrap();
    let cause = causes[one_of(dice, 5)];
    Missed {
        account: Some(account(n)),
        region: (dice.u64(..3) > 0).then(|| shard(n).region),
        resource_type: types[one_of(dice, 3)].clone(),
        what: (cause == Cause::Item).then(|| format!("sg-{}", dice.u64(..4)).into()),
        cause,
        moment_ms: i64::try_from(dice.u64(..40)).unwrap(),
    }
}

pub fn any_order_of_random_deliveries_ends_as_in_memory(bed: &mut impl Bed) {
    for seed in 0..60_u32 {
        let mut dice = Rng::with_seed(u64::from(seed));
        let mut story: Vec<_> = (0..6).map(|_| random_delivery(&mut dice, 1)).collect();
        let expected = in_memory(1, &story);
        for round in 0..3 {
            let n = seed * 3 + round + 1;
            for delivery in &story {
                bed.store().accept(&retold(delivery, n), 1000, None).unwrap();
            }
            let items = expected.items.clone().into_iter().map(|(kind, mut items)| {
                items.values_mut().for_each(|item| item.key.account = account(n));
                (kind, items)
            });
            let expected = Shard { id: shard(n), items: items.collect(), ..expected.clone() };
            assert_eq!(in_store(bed.store(), n), expected, "seed {seed}, round {round}");
            dice.shuffle(&mut story);
        }
    }
}
