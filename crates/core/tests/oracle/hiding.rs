//! Whatever is hidden from the reader, no account complies by it (semantics §11 rows 36 to 40).
//!
//! A *hiding* takes something out of the files of a generated case that is not itself a claim of
//! absence: a member of an item, an item of a container that does not claim to be whole, a file, a
//! recorder's item. Judging what is left must keep two promises:
//!
//! 1. An account that did not comply does not comply now.
//! 2. An account complies only if it does whatever the hidden thing said: for members, under every
//!    value that is tried in its place. A verdict that reads a hidden fact therefore is no COMPLIANT.
//!
//! What another file tells of the same thing is not hidden: where another state of the resource, or
//! for a whole file or item a recorder's item or a whole snapshot of its account and Region, still
//! stands, the verdict is that of this older truth, with its age. (A recorder's item makes a type
//! known wherever it was told, semantics §11 row 36.)
//!
//! `PALISADE_HIDINGS` sets how many hidings are tried, `PALISADE_SEED` repeats a run.

mod places;
mod plants;
mod told;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::core_side;
use crate::naive::{self, Outcome};
use crate::shrink::shrink;
use crate::world::{self, DefaultLists};
use crate::{SEED, default_lists, setting};
use places::Hiding;
use plants::Plant;

/// Hidings of an ordinary run.
const HIDINGS: u64 = 100_000;
/// Hidings that are tried in one case.
const HIDINGS_A_CASE: u64 = 8;
/// Within how many hidings a planted fault has to be noticed.
const PLANT_HIDINGS_MAX: u64 = 400_000;
/// From how many hidings on their mix is asserted.
const HIDINGS_TELLING_MIN: u64 = 20_000;

/// How a case reaches the evaluator. Broken readers stand in for it in the negative controls.
type Reader = dyn Fn(&Value) -> Result<Outcome, String> + Sync;

#[test]
fn nothing_complies_by_what_was_hidden() {
    let (seed, hidings) = (setting("PALISADE_SEED", SEED), setting("PALISADE_HIDINGS", HIDINGS));
    let first = setting("PALISADE_FIRST_HIDING", 0) / HIDINGS_A_CASE;
    println!("seed {seed}, {hidings} hidings from case {first}");
    let cases = first..first + hidings.div_ceil(HIDINGS_A_CASE);
    let tally =
        try_all(seed, cases, &core_side::judge, None).unwrap_or_else(|broken| panic!("{broken}"));
    for (what, count) in &tally.0 {
        println!(
            "{what}: {} hidings, {} leave the account compliant",
            count.tried, count.compliant
        );
    }
    if hidings >= HIDINGS_TELLING_MIN {
        tally.check();
    }
}

/// The second evaluator keeps the promises as well.
#[test]
fn the_second_evaluator_hides_nothing_either() {
    // It expects bodies that are whole, and says so by a panic.
    let reader = |case: &Value| {
        std::panic::catch_unwind(|| naive::judge(case, None)).map_err(|_| "not read".to_owned())
    };
    let cases = 0..setting("PALISADE_HIDINGS", HIDINGS / 10) / HIDINGS_A_CASE;
    try_all(SEED, cases, &reader, None).unwrap_or_else(|broken| panic!("{broken}"));
}

/// A reader that takes absent for none somewhere is found out.
#[test]
fn a_reader_that_takes_absent_for_none_is_noticed() {
    let seed = setting("PALISADE_SEED", SEED);
    let unnoticed: Vec<&str> = plants::PLANTS
        .iter()
        .filter(|plant| {
            let reader = |case: &Value| core_side::judge(&plant.fill(case));
            let cases = 0..PLANT_HIDINGS_MAX / HIDINGS_A_CASE;
            try_all(seed, cases, &reader, Some(plant)).is_ok()
        })
        .map(|plant| plant.name)
        .collect();
    assert!(unnoticed.is_empty(), "not noticed: {unnoticed:?}");
}

/// How many hidings of each kind were tried, and after how many the account complies.
#[derive(Default)]
struct Tally(BTreeMap<&'static str, Count>);

#[derive(Clone, Copy, Default)]
struct Count {
    tried: u64,
    compliant: u64,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        for (what, count) in &other.0 {
            let sum = self.0.entry(what).or_default();
            sum.tried += count.tried;
            sum.compliant += count.compliant;
        }
    }

    /// Hidings that never leave an account compliant, or are never tried, prove little.
    fn check(&self) {
        for what in places::KINDS {
            let count = self.0.get(what).copied().unwrap_or_default();
            assert!(count.tried >= 300, "{what}: only {} were tried", count.tried);
        }
        let compliant: u64 = self.0.values().map(|count| count.compliant).sum();
        let tried: u64 = self.0.values().map(|count| count.tried).sum();
        assert!(compliant * 20 >= tried, "only {compliant} of {tried} leave the account compliant");
    }
}

/// Tries the hidings of these cases, those of a plant's member alone where there is one to find; the
/// first broken promise ends it.
fn try_all(
    seed: u64,
    cases: std::ops::Range<u64>,
    reader: &Reader,
    aim: Option<&Plant>,
) -> Result<Tally, String> {
    let defaults = default_lists();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let (stop, defaults) = (&stop, &defaults);
                let mine = (cases.start + worker..cases.end).step_by(threads as usize);
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    for number in mine {
                        if stop.load(Ordering::Relaxed) {
                            break;
                        }
                        if let Err(broken) =
                            try_case(seed, number, defaults, (reader, aim), &mut tally)
                        {
                            stop.store(true, Ordering::Relaxed);
                            return Err(broken);
                        }
                    }
                    Ok(tally)
                })
            })
            .collect();
        let mut sum = Tally::default();
        let mut broken = None;
        for worker in workers {
            match worker.join() {
                Ok(Ok(tally)) => sum.add(&tally),
                Ok(Err(why)) => broken = Some(why),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        broken.map_or(Ok(sum), Err)
    })
}

fn try_case(
    seed: u64,
    number: u64,
    defaults: &DefaultLists,
    (reader, aim): (&Reader, Option<&Plant>),
    tally: &mut Tally,
) -> Result<(), String> {
    let (case, mut random) = world::one(seed, number, defaults);
    // Values for what is hidden come from another case as well.
    let (other, _) = world::one(seed, number.wrapping_add(1), defaults);
    let before = reader(&case).map_err(|why| format!("seed {seed}, case {number}: {why}"))?;
    if !before.in_scope {
        return Ok(());
    }
    for _ in 0..HIDINGS_A_CASE {
        let Some(hiding) = places::pick(&case, &other, aim, &mut random) else { continue };
        let count = tally.0.entry(hiding.kind).or_default();
        count.tried += 1;
        // What a reader refuses as a whole is told, and nothing complies by it.
        let Ok(after) = reader(&hiding.case) else { continue };
        if after.status != Some("COMPLIANT") {
            continue;
        }
        count.compliant += 1;
        if let Some(why) = broken_promise(&case, &before, &hiding, reader) {
            let still = |smaller: &Value| {
                hiding.again(smaller).is_some_and(|hiding| {
                    reader(smaller).is_ok_and(|before| {
                        reader(&hiding.case).is_ok_and(|after| after.status == Some("COMPLIANT"))
                            && broken_promise(smaller, &before, &hiding, reader).is_some()
                    })
                })
            };
            let smallest = shrink(&case, still);
            return Err(format!(
                "seed {seed}, case {number}, hidden: {} at {}\n{why}\nsmallest case: {smallest:#}",
                hiding.kind, hiding.place
            ));
        }
    }
    Ok(())
}

/// Which promise is broken by an account that complies although this is hidden.
fn broken_promise(
    case: &Value,
    before: &Outcome,
    hiding: &Hiding,
    reader: &Reader,
) -> Option<String> {
    if told::stands_otherwise(case, hiding) {
        return None;
    }
    if before.status != Some("COMPLIANT") {
        return Some(format!(
            "the account complies without it, and with it the status is {:?}, violators {:?}",
            before.status, before.violators
        ));
    }
    hiding.values.iter().find_map(|(value, case)| {
        let outcome = reader(case).ok()?;
        (outcome.status == Some("NON_COMPLIANT")).then(|| {
            format!(
                "the account complies without it, and with the value {value} it has violators {:?}",
                outcome.violators
            )
        })
    })
}
