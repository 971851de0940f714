//! What is told of a moment is what was told then: a recorded run of random changes through two engines.
//! After each change all that readers tell is written down; later it is asked for again by its moment, after
//! a restart and after retention too.
//!
//! A failure names its seed: `PALISADE_SEED=… PALISADE_CHANGES=…` repeats it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and so may what tests share"
)]

#[path = "past/house.rs"]
mod house;
mod support;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use house::House;
use palisade_store::sqlite::{Opening, SqliteStore, Synchronous};
use palisade_store::{Control, ControlState, MemoryStore, Result, Store, Version};
use palisade_testkit::Rng;
use serde_json::{Value, json};
use support::*;

/// Names how many changes are made in each run; `cargo xtask soak` asks for 10,000.
const CHANGES: &str = "PALISADE_CHANGES";
const CHANGES_DEFAULT: usize = 2_000;
const SEED: &str = "PALISADE_SEED";
/// Names how many moments are asked for again after a restart, and as many after retention; `cargo xtask soak` asks for
/// 1,000.
const ASKED: &str = "PALISADE_ASKED";
const ASKED_DEFAULT: usize = 300;
/// Of so many moments one is half of a pair whose difference is asked for.
const ASKED_OF_PAIR: usize = 4;
const ACCOUNTS: u64 = 5;
const POLICIES: u64 = 3;

fn named(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What was told at a moment, and held until the next: a digest of each line.
struct Told {
    at_ms: i64,
    answers: Vec<u64>,
}

fn digests(answers: &str) -> Vec<u64> {
    let one = |line: &str| {
        let mut hasher = DefaultHasher::new();
        line.hash(&mut hasher);
        hasher.finish()
    };
    answers.lines().map(one).collect()
}

/// An organization that lives, and what was told of it.
struct Run {
    house: House,
    dice: Rng,
    organization: Value,
    /// The number of each policy's name, for those that there are.
    policies: BTreeMap<u64, u64>,
    waivers: Vec<String>,
    /// When waivers begin or end by themselves.
    turns: Vec<i64>,
    told: Vec<Told>,
}

impl Run {
    fn new(store: Arc<dyn Store>, seed: u64) -> Run {
        let house = House::over(store, NOW_MS);
        let organization = organization(ACCOUNTS);
        decide(&*house.store, &organization, &[]);
        for number in 0..ACCOUNTS {
            let id = account(number);
            let (name, text) = snapshot(&id, 10, &[group(&id, "sg-1", 10, "10.0.0.0/16", 22)]);
            house.store.accept(&read(&name, &text), NOW_MS, None).unwrap();
        }
        let dice = Rng::with_seed(seed);
        Run {
            house,
            dice,
            organization,
            policies: BTreeMap::new(),
            waivers: Vec::new(),
            turns: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Makes a change, lets the worker come to it or not, and writes down what is told.
    fn step(&mut self) {
        self.house.advance(self.dice.i64(1..60_000));
        self.change();
        if self.dice.u32(..4) > 0 {
            self.house.settle();
        }
        let at_ms = self.house.now_ms();
        self.told.push(Told { at_ms, answers: digests(&self.house.answers(None)) });
    }

    fn change(&mut self) {
        match self.dice.u32(..20) {
            0..=9 => self.deliver(),
            10..=12 => self.put_policy(),
            13 => self.remove_policy(),
            14 | 15 => self.change_organization(),
            16 => self.house.advance(self.dice.i64(1..30) * 3_600_000),
            17 => self.set_back(),
            18 => self.waive(),
            _ => {}
        }
    }

    fn deliver(&mut self) {
        let id = account(self.dice.u64(..ACCOUNTS));
        let state = u64::try_from(self.house.now_ms()).unwrap() - 1_793_500_000_000;
        let items: Vec<Value> = (0..self.dice.u64(1..4))
            .map(|_| {
                let name = format!("sg-{}", self.dice.u64(..4));
                let cidr = ["10.0.0.0/8", "10.1.0.0/16", "0.0.0.0/0"][self.dice.usize(..3)];
                let mut item = group(&id, &name, state, cidr, self.dice.u64(20..24));
                if self.dice.u32(..5) == 0 {
                    item["configuration"] = Value::Null;
                    item["configurationItemStatus"] = json!("ResourceDeleted");
                }
                item
            })
            .collect();
        let (name, text) = history(&id, &items);
        let now_ms = self.house.now_ms();
        self.house.store.accept(&read(&name, &text), now_ms, None).unwrap();
    }

    fn put_policy(&mut self) {
        let number = self.dice.u64(..POLICIES);
        let prefix = self.dice.u64(8..24);
        let types = ["AWS::EC2::SecurityGroup"];
        let options = json!([{"minIpv4CidrPrefixLenPerSgRule": prefix}]);
        let mut policy = audit(&format!("policy {number}"), &types, &options);
        match self.dice.u32(..4) {
            0 => policy["IncludeMap"] = json!({"ORG_UNIT": ["ou-root-outer001"]}),
            1 => policy["ExcludeMap"] = json!({"ACCOUNT": [account(self.dice.u64(..ACCOUNTS))]}),
            _ => {}
        }
        let revision = self.policies.entry(number).or_default();
        *revision += 1;
        self.house.put_policy(number, *revision, &policy);
    }

    fn remove_policy(&mut self) {
        let number = self.dice.u64(..POLICIES);
        if self.policies.contains_key(&number) {
            self.house.remove_policy(number);
            // Ids are never handed out again: another revision shall not be taken for a first one.
            self.policies.remove(&number);
        }
    }

    fn change_organization(&mut self) {
        let accounts = self.organization["Accounts"].as_array_mut().unwrap();
        let one = self.dice.usize(2..accounts.len());
        match self.dice.u32(..3) {
            0 => accounts[one]["Name"] = json!(format!("renamed {}", self.dice.u32(..9))),
            1 => {
                let units = ["r-root", "ou-root-outer001", "ou-root-inner001"];
                accounts[one]["ParentId"] = json!(units[self.dice.usize(..3)]);
            }
            _ => {
                let is_active = accounts[one]["Status"] == "ACTIVE";
                accounts[one]["Status"] = json!(if is_active { "SUSPENDED" } else { "ACTIVE" });
            }
        }
        let answer = self.house.own(
            "PUT",
            "/palisade/v1/organization?confirm=true",
            &self.organization.to_string(),
        );
        assert!(answer.get("id").is_some(), "{answer}");
    }

    /// A waiver that lasts some hours; its end comes by itself.
    fn waive(&mut self) {
        let number = self.dice.u64(..POLICIES);
        if !self.policies.contains_key(&number) {
            return;
        }
        let until_ms = self.house.now_ms() + self.dice.i64(1..40) * 3_600_000;
        let accounts: Vec<String> = match self.dice.bool() {
            true => vec![account(self.dice.u64(..ACCOUNTS))],
            false => Vec::new(),
        };
        let resource = ["sg-1", "sg-*", "*-2"][self.dice.usize(..3)];
        let wanted = json!({
            "policy": policy_id(number).to_string(), "accounts": accounts, "owner": "o", "reason": "r",
            "resource": resource,
            "until": palisade_api::own::moment(until_ms),
        });
        let made = self.house.own("POST", "/palisade/v1/waivers?confirm=true", &wanted.to_string());
        let id = made["id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        self.waivers.push(id);
        // After the clock was set back a waiver begins, or ends, once more.
        self.turns.extend([self.house.now_ms(), until_ms]);
        if self.waivers.len() > 6 {
            let ended = self.waivers.remove(self.dice.usize(..6));
            self.house.own("DELETE", &format!("/palisade/v1/waivers/{ended}"), "");
        }
    }

    /// What was told of moments that come again is told no more.
    fn set_back(&mut self) {
        self.house.set_back(self.dice.i64(120_000..600_000));
        let now_ms = self.house.now_ms();
        self.told.retain(|told| told.at_ms < now_ms);
    }

    /// A moment at which something was told, or one before the next.
    fn moment(&mut self) -> (i64, &Told) {
        let nth = self.dice.usize(..self.told.len());
        let next = self.told.get(nth + 1).map_or_else(|| self.house.now_ms(), |it| it.at_ms);
        let told = &self.told[nth];
        let last = (next - 1).max(told.at_ms);
        let at_ms = if self.dice.bool() { told.at_ms } else { self.dice.i64(told.at_ms..=last) };
        // A waiver that turns meanwhile is told otherwise.
        let turns = self.turns.iter().any(|turn| told.at_ms < *turn && *turn <= at_ms);
        let at_ms = if turns { told.at_ms } else { at_ms };
        (at_ms, &self.told[nth])
    }

    /// Of how many moments something else is told than was then.
    fn wrong(&mut self, house: &House, count: usize) -> usize {
        let from_ms = house.store.span().unwrap().from_ms.unwrap();
        self.told.retain(|told| told.at_ms >= from_ms);
        let mut wrong = 0;
        for _ in 0..count {
            let (at_ms, told) = self.moment();
            wrong += usize::from(digests(&house.answers(Some(at_ms))) != told.answers);
        }
        wrong
    }

    fn is_told_alike(&mut self, house: &House, count: usize, what: &str) {
        for _ in 0..count {
            let (at_ms, told) = self.moment();
            let answers = house.answers(Some(at_ms));
            let now = digests(&answers);
            if now != told.answers {
                let differs = now.iter().zip(&told.answers).position(|(now, then)| now != then);
                let line = answers.lines().nth(differs.unwrap_or(told.answers.len()));
                panic!("{what}: of {at_ms} (told at {}) is told otherwise: {line:?}", told.at_ms);
            }
        }
    }
}

/// What changed between two moments, page by page: by what it is of, what was told before and after.
fn changes(house: &House, from_ms: i64, to_ms: i64) -> BTreeMap<String, [Value; 2]> {
    let at = palisade_api::own::moment;
    let first = format!("/palisade/v1/changes?from={}&to={}&limit=7", at(from_ms), at(to_ms));
    let (mut found, mut path) = (BTreeMap::new(), first.clone());
    loop {
        let page = house.own("GET", &path, "");
        let changes = page["changes"].as_array().unwrap_or_else(|| panic!("{path}: {page}"));
        assert!(changes.len() <= 8, "a page has 7 and perhaps the policy's own");
        for change in changes {
            let [before, after] = ["before", "after"].map(|side| change[side].clone());
            let there = if after.is_null() { &before } else { &after };
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let key = [
                &change["what"],
                &change["policy"]["id"],
                &change["account"],
                &there["ResourceType"],
                &there["ResourceId"],
            ];
            let key = key.map(word).join(" ").trim_end().to_owned();
            assert!(found.insert(key, [before, after]).is_none(), "told twice: {change}");
        }
        let Some(token) = page["next"].as_str() else { return found };
        path = format!("{first}&next={token}");
    }
}

/// Changes between two moments are the difference of what is told at both, and nothing else.
fn changes_are_the_difference(run: &mut Run, house: &House, pairs: usize) {
    let mut count = 0;
    for _ in 0..pairs {
        let (one, _) = run.moment();
        let (other, _) = run.moment();
        let (from_ms, to_ms) = (one.min(other), one.max(other));
        let (mut before, after) = (house.rows(from_ms), house.rows(to_ms));
        let mut wanted = BTreeMap::new();
        for (key, is) in after {
            let was = before.remove(&key).unwrap_or_default();
            if was != is {
                wanted.insert(key, [was, is]);
            }
        }
        wanted.extend(before.into_iter().map(|(key, was)| (key, [was, Value::Null])));
        let found = changes(house, from_ms, to_ms);
        for (key, sides) in &wanted {
            assert_eq!(found.get(key), Some(sides), "{key} from {from_ms} to {to_ms}");
        }
        let more = found.keys().find(|key| !wanted.contains_key(*key));
        assert_eq!(more, None, "from {from_ms} to {to_ms}");
        count += wanted.len();
    }
    assert!(count > pairs, "{count} changes of {pairs} pairs");
}

fn play(store: Arc<dyn Store>, seed: u64) -> Run {
    println!("{SEED}={seed}");
    let (mut run, begun) = (Run::new(store, seed), std::time::Instant::now());
    let changes = named(CHANGES, CHANGES_DEFAULT);
    (0..changes).for_each(|_| run.step());
    println!("{changes} changes in {:.1} s", begun.elapsed().as_secs_f64());
    run
}

fn seed() -> u64 {
    named(SEED, 7) as u64
}

/// Asks for moments and for what changed between them, both again when the earlier half is no longer kept.
fn ask_again(run: &mut Run, house: &House, what: &str) {
    let asked = named(ASKED, ASKED_DEFAULT);
    let pairs = asked / ASKED_OF_PAIR;
    for (what, is_expired) in [(what, false), ("after retention", true)] {
        let begun = std::time::Instant::now();
        if is_expired {
            expire(run, house);
        }
        run.is_told_alike(house, asked, what);
        changes_are_the_difference(run, house, pairs);
        let (moments, secs) = (run.told.len(), begun.elapsed().as_secs_f64());
        println!("{what}: {asked} of {moments} moments and {pairs} pairs asked in {secs:.1} s");
    }
}

fn expire(run: &mut Run, house: &House) {
    let middle = run.told[run.told.len() / 2].at_ms;
    house.store.expire(middle).unwrap();
    let before = house.own("GET", &house::path("/palisade/v1/policies", Some(middle - 1)), "");
    let why = before["error"]["message"].as_str().unwrap();
    assert!(why.contains("is before the past that is kept, which begins at"), "{why}");
    run.told.retain(|told| told.at_ms >= middle);
}

#[test]
fn what_is_told_of_a_moment_is_what_was_told_then_in_memory() {
    let mut run = play(Arc::new(MemoryStore::new([7; 32])), seed());
    let house = run.house.again(run.house.store.clone());
    ask_again(&mut run, &house, "in memory");
}

fn open(path: &Path) -> Arc<dyn Store> {
    let synchronous = Synchronous::Off;
    let opening = Opening { fresh_sealing_key: [7; 32], serve: true, synchronous };
    Arc::new(SqliteStore::open(path, opening).unwrap())
}

#[test]
fn what_is_told_of_a_moment_is_what_was_told_then_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("palisade.db");
    let mut run = play(open(&path), seed() + 1);
    let now_ms = run.house.now_ms();
    // The store is closed before it is opened again.
    run.house = House::over(Arc::new(MemoryStore::new([7; 32])), now_ms);
    let house = House::over(open(&path), now_ms);
    ask_again(&mut run, &house, "after a restart");
}

/// A store that takes what is decided now for what was decided then.
struct Forgetful(Arc<dyn Store>);

palisade_testkit::delegate_roles!(
    [impl] Forgetful => 0: Keys, AuditLog, Inventory, Premises, Work, Ledger, Health
);

impl Control for Forgetful {
    fn control_revision(&self) -> Result<u64> {
        self.0.control_revision()
    }

    fn control_since(&self, known: Option<&ControlState>) -> Result<ControlState> {
        self.0.control_since(known)
    }

    fn control_at(&self, _: i64) -> Result<ControlState> {
        self.0.control()
    }

    fn versions(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>> {
        self.0.versions(after_ms, through_ms)
    }

    fn commit(
        &self,
        at: u64,
        changes: &[palisade_store::ControlChange],
        now_ms: i64,
    ) -> Result<u64> {
        self.0.commit(at, changes, now_ms)
    }
}

#[test]
fn a_reader_of_the_past_that_errs_is_noticed() {
    let mut run = Run::new(Arc::new(MemoryStore::new([7; 32])), 3);
    for _ in 0..120 {
        run.step();
    }
    let sound = run.house.again(run.house.store.clone());
    assert_eq!(run.wrong(&sound, 50), 0);
    let forgetful = run.house.again(Arc::new(Forgetful(run.house.store.clone())));
    assert!(run.wrong(&forgetful, 50) > 5, "policies of now were told as those of then");
    // One that is late by a change: moments are shifted.
    let answers: Vec<Vec<u64>> = run.told.iter().map(|told| told.answers.clone()).collect();
    for (told, earlier) in run.told.iter_mut().skip(1).zip(answers) {
        told.answers = earlier;
    }
    assert!(run.wrong(&sound, 50) > 10, "the answer of the change before was told");
}

#[test]
fn a_moment_that_cannot_be_told_of_is_refused_in_words() {
    let mut run = Run::new(Arc::new(MemoryStore::new([7; 32])), 5);
    run.put_policy();
    run.house.advance(1_000);
    let id = policy_id(run.policies.keys().next().copied().unwrap());
    let path = |at: &str| format!("/palisade/v1/policies/{id}/compliance?at={at}");
    for (at, why) in [
        ("yesterday", "`at` is `yesterday`, which is no moment; give date, time and offset"),
        ("2026-11-01", "which is no moment"),
        ("2026-11-01T08:00:02Z", "2026-11-01T08:00:02Z has not come: it is 2026-11-01T08:00:01Z"),
        (
            "2026-11-01T07:59:59Z",
            "is before the past that is kept, which begins at 2026-11-01T08:00:00Z",
        ),
    ] {
        let answer = run.house.own("GET", &path(at), "");
        let told = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{at}: {answer}"));
        assert!(told.contains(why), "{at}: {told}");
    }
    // Offsets are read, a plus that came as a space too.
    for at in ["2026-11-01T08:00:01Z", "2026-11-01T09:00:01%2B01:00", "2026-11-01T09:00:01+01:00"] {
        let answer = run.house.own("GET", &path(at), "");
        assert_eq!(answer["at"], "2026-11-01T08:00:01Z", "{answer}");
        assert_eq!(answer["accounts"][0]["reason"], "not-judged-yet", "{answer}");
    }
    // A policy that was removed since is told of by its id.
    let number = run.policies.keys().next().copied().unwrap();
    run.house.remove_policy(number);
    let gone = run.house.own("GET", &format!("/palisade/v1/policies/{id}/compliance"), "");
    assert!(gone["error"]["message"].as_str().unwrap().contains("does not exist"), "{gone}");
    let then = run.house.own("GET", &path("2026-11-01T08:00:00Z"), "");
    assert_eq!(then["policy"]["id"], json!(id.to_string()), "{then}");
    assert!(!then["accounts"].as_array().unwrap().is_empty());
}
