//! The oracle: generated worlds judged twice, by palisade-core and by a naive evaluator that
//! shares nothing with it, must come out the same. Broken copies of the naive one must not.
//!
//! `PALISADE_CASES` sets how many cases are compared, `PALISADE_FIRST_CASE` from which on, and
//! `PALISADE_SEED` repeats a run; `PALISADE_TYPE` names the one type of policies, and
//! `PALISADE_DOUBTS=1` asks for what core is to learn yet (`world::DOUBTS`); a difference
//! prints both with the smallest case that still shows it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod address;
mod boundary;
mod core_side;
mod differences;
mod explain;
mod footprint;
mod hiding;
mod naive;
mod policy_edits;
mod random;
mod shrink;
mod survey;
mod tables;
mod world;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use core_side::World;
use naive::{Mutation, Outcome};
use world::DefaultLists;

/// Cases of an ordinary run.
const CASES: u64 = 100_000;
/// The seed of an ordinary run.
const SEED: u64 = 0x5eed_0f9a_115a_de00;
/// From how many cases on their mix is asserted.
const CASES_TELLING_MIN: u64 = 5_000;
/// Within how many cases every mutation has to be noticed.
const MUTATION_CASES_MAX: u64 = 60_000;

#[test]
fn core_and_the_naive_evaluator_agree_on_generated_worlds() {
    let (seed, cases) = (setting("PALISADE_SEED", SEED), setting("PALISADE_CASES", CASES));
    let first = setting("PALISADE_FIRST_CASE", 0);
    println!("seed {seed}, {cases} cases from case {first}");
    if setting("PALISADE_SURVEY", 0) == 1 {
        return survey::survey(seed, first / 2..(first + cases) / 2);
    }
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let stop = AtomicBool::new(false);
    let mixes = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let stop = &stop;
                let pairs = (first / 2 + worker..(first + cases) / 2).step_by(threads as usize);
                scope.spawn(move || compare(seed, pairs, stop))
            })
            .collect();
        let mut sum = Mixes::new();
        for worker in workers {
            match worker.join() {
                Ok(mixes) => {
                    mixes.iter().for_each(|(kind, mix)| sum.entry(kind).or_default().add(mix))
                }
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        sum
    });
    let mut all = Mix::default();
    for (kind, mix) in &mixes {
        println!("{}", mix.shares(kind));
        all.add(mix);
    }
    println!("{}", all.shares("together"));
    if cases >= CASES_TELLING_MIN {
        mixes.iter().for_each(|(kind, mix)| mix.check(kind));
        let shared = world::TYPES.iter().filter(|(_, share)| *share > 0).count();
        if mixes.len() > 1 {
            assert_eq!(mixes.len(), shared, "types of policies");
            all.check_kinds();
        }
    }
}

/// What cases are about where not all is told or seen, or where a name or a letter misleads; and of
/// how many in a thousand cases at least.
const KINDS: &[(&str, u64)] = &[
    ("age", 15),
    ("assumed", 5),
    ("batches", 15),
    ("foreign files", 7),
    ("letter case", 15),
    ("names of replicas", 50),
    ("names of web ACLs", 30),
    ("newer parts", 20),
    ("pages", 25),
    ("prefix lists", 50),
    ("projections", 25),
    ("quirks", 50),
    ("recorders", 12),
    ("rule groups", 20),
    ("shared networks", 20),
    ("single items", 25),
    ("unreadable", 25),
    ("unrecorded elsewhere", 3),
    ("words", 10),
];
/// The same, of what `PALISADE_DOUBTS` asks for.
const KINDS_OF_DOUBTS: &[(&str, u64)] = &[
    ("ahead of receipt", 8),
    ("contradictions", 8),
    ("doubts elsewhere", 10),
    ("equal numbers", 2),
    ("twice", 5),
];
/// Kinds of which much of each world is: they are not counted to the share of all.
const EVERYWHERE: [&str; 3] = ["names of replicas", "names of web ACLs", "prefix lists"];

/// How the cases came out, by type of policy.
type Mixes = BTreeMap<&'static str, Mix>;

#[derive(Default)]
struct Mix {
    cases: u64,
    violating: u64,
    undecided: u64,
    compliant: u64,
    out_of_scope: u64,
    /// Cases one field off whose outcome is not that of the case they were made of.
    turned: u64,
    /// Cases about what was not told, or not seen, by what they are about.
    kinds: BTreeMap<String, u64>,
    /// Cases of any of those kinds.
    of_kinds: u64,
}

impl Mix {
    fn count(&mut self, case: &Value, outcome: &Outcome) {
        self.cases += 1;
        let all = || KINDS.iter().chain(KINDS_OF_DOUBTS);
        let kinds = case["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let kinds: Vec<&str> = kinds.filter(|kind| all().any(|(known, _)| known == kind)).collect();
        self.of_kinds += u64::from(kinds.iter().any(|kind| !EVERYWHERE.contains(kind)));
        for kind in kinds {
            *self.kinds.entry(kind.to_owned()).or_default() += 1;
        }
        match outcome.status {
            _ if !outcome.in_scope => self.out_of_scope += 1,
            Some("NON_COMPLIANT") => self.violating += 1,
            Some(_) => self.compliant += 1,
            None => self.undecided += 1,
        }
    }

    fn add(&mut self, other: &Mix) {
        self.cases += other.cases;
        self.violating += other.violating;
        self.undecided += other.undecided;
        self.compliant += other.compliant;
        self.out_of_scope += other.out_of_scope;
        self.turned += other.turned;
        self.of_kinds += other.of_kinds;
        for (kind, count) in &other.kinds {
            *self.kinds.entry(kind.clone()).or_default() += count;
        }
    }

    fn percent(&self, count: u64) -> u64 {
        count * 100 / self.cases.max(1)
    }

    fn shares(&self, kind: &str) -> String {
        format!(
            "{kind}: {} cases: {} % violate, {} % undecided, {} % comply, {} % out of scope; half are \
             one field off another, of which {} % come out differently",
            self.cases,
            self.percent(self.violating),
            self.percent(self.undecided),
            self.percent(self.compliant),
            self.percent(self.out_of_scope),
            self.percent(2 * self.turned),
        )
    }

    /// Nor do worlds in which everything is told.
    fn check_kinds(&self) {
        let doubts = KINDS_OF_DOUBTS.iter().filter(|_| *world::DOUBTS);
        for (kind, least) in KINDS.iter().chain(doubts) {
            let thousandths = self.kinds.get(*kind).unwrap_or(&0) * 1_000 / self.cases.max(1);
            println!("{kind}: {thousandths} of 1,000 cases");
            assert!(thousandths >= *least, "{kind}: {thousandths} of 1,000 cases");
        }
        let percent = self.percent(self.of_kinds);
        assert!(percent >= 10, "{percent}% are about what was not told or not seen");
    }

    /// Worlds in which little happens prove little.
    fn check(&self, kind: &str) {
        let percent = |count| self.percent(count);
        assert!(percent(self.violating) >= 30, "{kind}: {}% violate", percent(self.violating));
        assert!(percent(self.undecided) >= 10, "{kind}: {}% undecided", percent(self.undecided));
        assert!(percent(self.compliant) >= 10, "{kind}: {}% comply", percent(self.compliant));
        let turned = percent(2 * self.turned);
        assert!(turned >= 11, "{kind}: {turned}% of the twins are turned by their one field");
    }
}

fn compare(seed: u64, pairs: impl Iterator<Item = u64>, stop: &AtomicBool) -> Mixes {
    let defaults = default_lists();
    let mut mixes = Mixes::new();
    for number in pairs {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let pair = world::pair(seed, number, &defaults);
        let mix = mixes.entry(kind(&pair[0])).or_default();
        let outcomes = pair.map(|case| {
            let (naive, core) = (naive::judge(&case, None), core_side::judge(&case));
            let is_known = |core: &Outcome| differences::known(&case, &naive, core).is_some();
            if core.as_ref() != Ok(&naive) && !core.as_ref().is_ok_and(is_known) {
                stop.store(true, Ordering::Relaxed);
                difference(seed, number, &case);
            }
            mix.count(&case, &naive);
            naive
        });
        mix.turned += u64::from(outcomes[0] != outcomes[1]);
    }
    mixes
}

/// The type of a case's policy.
fn kind(case: &Value) -> &'static str {
    let said = case["policy"]["SecurityServicePolicyData"]["Type"].as_str();
    let known = world::TYPES.iter().find(|(kind, _)| Some(*kind) == said);
    known.unwrap_or_else(|| panic!("worlds have no policies of type {said:?}")).0
}

/// Fails with the smallest case that shows the difference.
fn difference(seed: u64, number: u64, case: &Value) -> ! {
    panic!("core and the naive evaluator differ: {}", smallest(seed, number, case));
}

/// The smallest case that shows the difference of this one, with what both say of it.
fn smallest(seed: u64, number: u64, case: &Value) -> String {
    let core = core_side::judge(case);
    // The same difference must remain, not just any: a smaller case may be malformed.
    let before = naive::judge(case, None);
    let differs = |case: &Value| {
        let naive = catch_unwind(AssertUnwindSafe(|| naive::judge(case, None)));
        naive.is_ok_and(|naive| naive == before) && core_side::judge(case) == core
    };
    std::panic::set_hook(Box::new(|_| {}));
    let small = shrink::shrink(case, differs);
    drop(std::panic::take_hook());
    let gaps = World::of(&small).ok().flatten().map(|world| world.judge().gaps);
    format!(
        "PALISADE_SEED={seed}, pair {number}\n{small:#}\nnaive: {:?}\ncore:  {:?}\ngaps:  {gaps:?}\n",
        naive::judge(&small, None),
        core_side::judge(&small)
    )
}

#[test]
fn every_broken_rule_is_noticed() {
    let seed = setting("PALISADE_SEED", SEED);
    let defaults = default_lists();
    let mut unnoticed = if world::is_one_type() { Mutation::APART } else { Mutation::ALL }.to_vec();
    if *world::DOUBTS {
        unnoticed.extend(Mutation::DOUBTS);
    }
    let all = unnoticed.len();
    let mut slowest = (0, None);
    for number in 0..MUTATION_CASES_MAX.min(setting("PALISADE_CASES", u64::MAX)) / 2 {
        if unnoticed.is_empty() {
            break;
        }
        for case in world::pair(seed, number, &defaults) {
            let core = core_side::judge(&case);
            if core.as_ref() != Ok(&naive::judge(&case, None)) {
                continue; // the other test's business; it proves nothing here
            }
            unnoticed.retain(|mutation| {
                let noticed = Ok(naive::judge(&case, Some(*mutation))) != core;
                if noticed {
                    slowest = (number * 2, Some(*mutation));
                }
                !noticed
            });
        }
    }
    println!(
        "{} broken rules noticed, the last, {:?}, at case {}",
        all - unnoticed.len(),
        slowest.1,
        slowest.0
    );
    if world::is_one_type() {
        // Those of other types are not noticed by one alone.
        return println!("not noticed: {unnoticed:?}");
    }
    assert!(
        unnoticed.is_empty(),
        "seed {seed}: not noticed within {MUTATION_CASES_MAX} cases: {unnoticed:?}"
    );
}

#[test]
fn the_same_seed_makes_the_same_case() {
    let defaults = default_lists();
    for number in 0..50 {
        assert_eq!(world::pair(7, number, &defaults), world::pair(7, number, &defaults));
    }
    assert_ne!(world::pair(7, 0, &defaults), world::pair(8, 0, &defaults));
}

/// How many pairs of cases tell whether the rules are what they were.
const PAIRS_OF_RULES: u64 = 1_000;

/// Where this fails because evaluators find something else than they did, raise
/// [`palisade_core::evaluate::RULES`] with the snapshot: ledgers are then judged again. Where the
/// worlds alone are others, accept the snapshot.
#[test]
fn the_rules_are_those_of_their_number() {
    let defaults = default_lists();
    // FNV-1a, which will be the same in every version of Rust.
    let mut digest = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        for byte in text.bytes() {
            digest = (digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    };
    for number in 0..PAIRS_OF_RULES {
        for case in world::pair(SEED, number, &defaults) {
            let judgement = World::of(&case).unwrap().map(|world| world.judge());
            add(&format!("{judgement:?}\n"));
        }
    }
    let rules = palisade_core::evaluate::RULES;
    insta::assert_snapshot!(format!("rules {rules}: {digest:016x}"));
}

fn default_lists() -> DefaultLists {
    use palisade_core::lists::{default_apps_lists, default_protocols_lists};
    let apps = |end: &str| {
        let list = default_apps_lists().into_iter().find(|list| list.name.ends_with(end));
        list.map(|list| list.id.to_string()).expect("AWS has the list")
    };
    DefaultLists {
        allowed_apps: apps("Allowed"),
        denied_apps: apps("Denied"),
        protocols: default_protocols_lists()
            .first()
            .map(|list| list.id.to_string())
            .expect("AWS has one"),
    }
}

/// A number from the environment.
#[expect(clippy::disallowed_methods, reason = "the test's own settings; core is not asked")]
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("`{name}` is not a number: `{text}`")),
        Err(_) => default,
    }
}
