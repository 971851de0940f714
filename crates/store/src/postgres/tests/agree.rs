//! Random sequences of calls are answered alike by all engines.

use std::collections::BTreeSet;

use palisade_testkit::Rng;
use palisade_testkit::postgres::shared;

use crate::contract::facts::*;
use crate::sqlite::SqliteStore;
use crate::{ControlChange, FanOut, Lease, ListContent, MemoryStore, Settlement, Store, Want};

use super::beds::node;

/// Names how many sequences are played; each has its seed.
const SEQUENCES: &str = "PALISADE_SEQUENCES";
const SEQUENCES_DEFAULT: u64 = 60;
const CALLS: u32 = 40;
const ACCOUNTS: u32 = 4;

/// A store with what a worker over it holds.
struct Player {
    name: &'static str,
    store: Box<dyn Store>,
    leases: Vec<Lease>,
}

/// One call with its arguments, drawn once for all players.
#[derive(Debug)]
enum Call {
    Accept(Box<palisade_core::inventory::Delivery>),
    PutPolicy(&'static str, u64),
    RemovePolicy(&'static str),
    PutList(bool),
    RemoveList,
    PutOrganization(Vec<u32>),
    Mark(u32, Option<&'static str>),
    Lease { shards_max: usize, lease_ms: i64 },
    Settle { count: usize, violators: Vec<&'static str>, later: Option<i64>, reads: bool },
    Release(Option<i64>),
    Prolong(i64),
    FanOut(Vec<u32>, Option<u32>),
    Expire(i64),
    StaleBy(Option<i64>),
    JudgeBy(u32),
    Clock(i64),
    NameCommon(bool),
}

const POLICIES: [&str; 3] = ["p", "q", "r"];
const NAMES: [&str; 4] = ["sg-0", "sg-1", "sg-2", "sg-3"];

fn one_of<T: Copy>(dice: &mut Rng, all: &[T]) -> T {
    all[dice.usize(..all.len())]
}

fn random_delivery(dice: &mut Rng, now_ms: i64) -> palisade_core::inventory::Delivery {
    let n = dice.u32(1..=ACCOUNTS);
    let mut seen = Vec::new();
    for _ in 0..dice.u32(..6) {
        let at = now_ms - dice.i64(0..20);
        let name = one_of(dice, &NAMES);
        seen.push(match dice.u32(..8) {
            0 => recorder(&shard(n), at),
            1 => deleted(&shard(n), name, at),
            2 => unseen(&shard(n), name, at),
            _ => group(&shard(n), name, at),
        });
    }
    match dice.u32(..4) {
        0 => snapshot(&shard(n), now_ms - dice.i64(0..10), &seen),
        1 => missing(&seen, &[gap(&shard(n), Some(GROUP), one_of(dice, &NAMES), now_ms)]),
        _ => delivery(&seen),
    }
}

fn random_call(dice: &mut Rng, now_ms: i64) -> Call {
    match dice.u32(..26) {
        0..=6 => Call::Accept(Box::new(random_delivery(dice, now_ms))),
        7 | 8 => Call::PutPolicy(one_of(dice, &POLICIES), dice.u64(1..3)),
        9 => Call::RemovePolicy(one_of(dice, &POLICIES)),
        10 => Call::PutList(dice.bool()),
        11 => Call::RemoveList,
        12 => Call::PutOrganization((1..=dice.u32(1..=ACCOUNTS)).collect()),
        13 => Call::Mark(dice.u32(1..=ACCOUNTS), [None, Some("p"), Some("q")][dice.usize(..3)]),
        14..=16 => Call::Lease { shards_max: dice.usize(..4), lease_ms: dice.i64(1..30) },
        17..=19 => Call::Settle {
            count: dice.usize(..4),
            violators: NAMES.iter().copied().filter(|_| dice.bool()).collect(),
            later: dice.bool().then(|| now_ms + dice.i64(0..50)),
            reads: dice.bool(),
        },
        20 => Call::Release(dice.bool().then(|| now_ms + dice.i64(0..20))),
        21 => Call::Prolong(now_ms + dice.i64(0..40)),
        22 => Call::FanOut((1..=dice.u32(..ACCOUNTS)).collect(), dice.bool().then_some(2)),
        23 => Call::Expire(now_ms - dice.i64(0..30)),
        24 => match dice.u32(..3) {
            0 => Call::StaleBy(dice.bool().then_some(100_000)),
            1 => Call::JudgeBy(dice.u32(..3)),
            _ => Call::NameCommon(dice.bool()),
        },
        _ => Call::Clock(dice.i64(0..10)),
    }
}

impl Player {
    /// Plays one call; its answer as text. Numbers of the sequence are an engine's own.
    fn play(&mut self, call: &Call, now_ms: i64) -> String {
        let store = &*self.store;
        match call {
            Call::Accept(delivery) => {
                format!("{:?}", store.accept(delivery, now_ms, None).unwrap())
            }
            Call::PutPolicy(name, revision) => {
                self.commit(ControlChange::PutPolicy(policy(name, *revision)), now_ms)
            }
            Call::RemovePolicy(name) => {
                self.commit(ControlChange::RemovePolicy(policy_id(name)), now_ms)
            }
            Call::PutList(is_tcp) => {
                let protocol = if *is_tcp { "tcp" } else { "udp" };
                let content = ListContent::Protocols(vec![protocol.into()]);
                self.commit(ControlChange::PutList(list("l", content)), now_ms)
            }
            Call::RemoveList => {
                self.commit(ControlChange::RemoveList("l".try_into().unwrap()), now_ms)
            }
            Call::PutOrganization(accounts) => {
                let organization = std::sync::Arc::new(organization(accounts));
                self.commit(ControlChange::PutOrganization(organization), now_ms)
            }
            Call::Mark(n, policy) => {
                format!("{:?}", store.mark(&[mark_of(&shard(*n), *policy)], now_ms, None))
            }
            Call::Lease { shards_max, lease_ms } => {
                let leases = store.lease(now_ms, *lease_ms, *shards_max).unwrap();
                let told = shown(&leases);
                self.leases.extend(leases);
                told
            }
            Call::Settle { count, violators, later, reads } => {
                self.settle(*count, violators, *later, *reads, now_ms)
            }
            Call::Release(not_before) => {
                let leases: Vec<_> = self.leases.pop().into_iter().collect();
                format!("{:?}", store.release(&leases, *not_before))
            }
            Call::Prolong(until_ms) => format!("{:?}", store.prolong(&self.leases, *until_ms)),
            Call::FanOut(accounts, next) => {
                let Some(first) = store.fan_outs().unwrap().into_iter().next() else {
                    return "none".to_owned();
                };
                let shards: Vec<_> = accounts.iter().map(|n| shard(*n)).collect();
                let next = next.map(account).filter(|next| Some(next) > first.cursor.as_ref());
                let moved = store.advance_fan_out(&first, &shards, next.as_ref(), now_ms);
                format!("{moved:?}")
            }
            Call::Expire(before_ms) => format!("{:?}", store.expire(*before_ms)),
            Call::StaleBy(stale_after_ms) => {
                format!("{:?}", store.stale_by(*stale_after_ms, now_ms))
            }
            Call::JudgeBy(rules) => format!("{:?}", store.judge_by(*rules, "", now_ms)),
            Call::Clock(passed) => format!("{:?}", store.look_at_clock(now_ms, *passed)),
            Call::NameCommon(is_named) => {
                let named = BTreeSet::from_iter(is_named.then(|| policy_id("q")));
                format!("{:?}", store.name_common_policies(&named, now_ms))
            }
        }
    }

    fn commit(&self, change: ControlChange, now_ms: i64) -> String {
        commit(&*self.store, &[change], now_ms).to_string()
    }

    fn settle(
        &mut self,
        count: usize,
        violators: &[&str],
        later: Option<i64>,
        reads: bool,
        now_ms: i64,
    ) -> String {
        let store = &*self.store;
        let count = count.min(self.leases.len());
        let mut settlements: Vec<Settlement> = Vec::new();
        for lease in self.leases.drain(..count) {
            let mut found = outcome(store, &lease, "p", &judgement(violators, &[]), now_ms);
            found.references =
                BTreeSet::from_iter(reads.then(|| item_reference(&shard(1), "sg-1")));
            let not_before_ms = later;
            settlements.push(Settlement { not_before_ms, ..settled(lease, now_ms, &[found]) });
        }
        format!("{:?}", store.settle(&settlements))
    }

    /// All that readers see.
    fn state(&self, now_ms: i64) -> String {
        let store = &*self.store;
        let fan_outs: Vec<FanOut> = store.fan_outs().unwrap();
        let of_policy = |name: &str| {
            let id = policy_id(name);
            let rows = (1..=ACCOUNTS).map(|n| {
                let violators = store.violators(&id, &account(n), None, 99).unwrap();
                let past = [1_000_050, now_ms - 40]
                    .map(|at_ms| store.violators_at(&id, &account(n), None, 99, at_ms).unwrap());
                (violators, past, store.history(&id, &account(n), 99).unwrap())
            });
            let past = [1_000_050, now_ms - 40]
                .map(|at_ms| store.entries_at(&id, None, None, 99, at_ms).unwrap());
            (store.entries(&id, None, None, 99).unwrap(), past, rows.collect::<Vec<_>>())
        };
        let of_shard = |n: u32| {
            let references = BTreeSet::from([item_reference(&shard(1), "sg-1")]);
            let ids = [policy_id("p")];
            let shard_id = shard(n);
            let loaded = store.load(&Want::whole(&shard_id, &references, &ids)).unwrap();
            let changed = store
                .load_changed(&shard_id, &references, &ids, &|_| Default::default())
                .unwrap()
                .map(|found| found.changed);
            let crate::Loaded { shard, references, account, records, is_changed, .. } = loaded;
            format!("{shard:?} {references:?} {account:?} {records:?} {is_changed} {changed:?}")
        };
        format!(
            "{:#?}",
            (
                store.control().unwrap(),
                store.work(now_ms).unwrap(),
                fan_outs,
                POLICIES.map(of_policy),
                (1..=ACCOUNTS).map(of_shard).collect::<Vec<_>>(),
                store.inventory_ages().unwrap(),
                (store.span().unwrap(), store.versions(0, i64::MAX).unwrap()),
            )
        )
    }
}

fn players() -> Vec<Player> {
    let player = |name, store| Player { name, store, leases: Vec::new() };
    let mut all = vec![
        player("memory", Box::new(MemoryStore::new([7; 32])) as Box<dyn Store>),
        player("SQLite", Box::new(SqliteStore::in_memory([7; 32]).unwrap())),
    ];
    if let Some(server) = shared() {
        all.push(player("PostgreSQL", Box::new(node(&server.fresh_url()))));
    }
    all
}

fn play(seed: u64) {
    let mut dice = Rng::with_seed(seed);
    let mut players = players();
    let mut now_ms = 1_000_000;
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        now_ms += dice.i64(0..15);
        let call = random_call(&mut dice, now_ms);
        calls.push(format!("at {now_ms}: {call:?}"));
        let mut first: Option<(&str, String, String)> = None;
        for player in &mut players {
            let answer = player.play(&call, now_ms);
            let state = player.state(now_ms);
            let Some((name, expected, expected_state)) = &first else {
                first = Some((player.name, answer, state));
                continue;
            };
            let what = || format!("seed {seed}, {name} and {}:\n{}", player.name, calls.join("\n"));
            assert_eq!(answer, *expected, "{}", what());
            if state != *expected_state {
                let differs = state.lines().zip(expected_state.lines()).find(|(a, b)| a != b);
                panic!("other state {differs:?}: {}", what());
            }
        }
    }
}

#[test]
fn random_sequences_of_calls_are_answered_alike() {
    let named = std::env::var(SEQUENCES).ok().and_then(|text| text.parse().ok());
    for seed in 0..named.unwrap_or(SEQUENCES_DEFAULT) {
        play(seed);
    }
}
