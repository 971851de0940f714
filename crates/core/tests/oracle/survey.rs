//! All differences of a range of cases at once, by what they look like: for whoever mends an
//! evaluator. `PALISADE_SURVEY=1` asks for it, `PALISADE_CASES` and `PALISADE_SEED` as ever.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::naive::{self, Outcome};
use crate::{core_side, world};

/// Differences that look alike.
#[derive(Default)]
struct Alike {
    count: u64,
    kinds: BTreeMap<String, u64>,
    /// The smallest of their cases, as text, and the pair it is of.
    smallest: Option<(usize, u64, usize)>,
}

/// Prints every difference of some pairs of cases.
pub fn survey(seed: u64, pairs: std::ops::Range<u64>) {
    let defaults = crate::default_lists();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut all: BTreeMap<String, Alike> = BTreeMap::new();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let (defaults, pairs) = (&defaults, pairs.clone());
                scope.spawn(move || {
                    let mut some: BTreeMap<String, Alike> = BTreeMap::new();
                    for number in (pairs.start + worker..pairs.end).step_by(threads as usize) {
                        for (at, case) in world::pair(seed, number, defaults).iter().enumerate() {
                            let (naive, core) = (naive::judge(case, None), core_side::judge(case));
                            if core.as_ref() == Ok(&naive) {
                                continue;
                            }
                            let looks = format!("{}{}", about(case), looks(case, &naive, &core));
                            let alike = some.entry(looks).or_default();
                            alike.count += 1;
                            let kinds = case["kinds"].as_array().into_iter().flatten();
                            for kind in kinds.filter_map(Value::as_str) {
                                *alike.kinds.entry(kind.to_owned()).or_default() += 1;
                            }
                            let size = case.to_string().len();
                            if alike.smallest.is_none_or(|(least, ..)| size < least) {
                                alike.smallest = Some((size, number, at));
                            }
                        }
                    }
                    some
                })
            })
            .collect();
        for worker in workers {
            for (looks, alike) in worker.join().expect("it ends") {
                let sum = all.entry(looks).or_default();
                sum.count += alike.count;
                for (kind, count) in alike.kinds {
                    *sum.kinds.entry(kind).or_default() += count;
                }
                sum.smallest = match (sum.smallest, alike.smallest) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
    });
    let mut rows: Vec<_> = all.into_iter().collect();
    rows.sort_by_key(|(_, alike)| std::cmp::Reverse(alike.count));
    let total: u64 = rows.iter().map(|(_, alike)| alike.count).sum();
    println!("{total} differences");
    for (looks, alike) in &rows {
        println!("{:6}  {:?}  {looks} {:?}", alike.count, alike.smallest, alike.kinds);
    }
    let shown = crate::setting("PALISADE_SHOW", 0) as usize;
    for (looks, alike) in rows.iter().take(shown) {
        let (_, number, at) = alike.smallest.expect("one at least");
        println!("\n=== {} x {looks}", alike.count);
        let case = &world::pair(seed, number, &defaults)[at];
        println!("{}", crate::smallest(seed, number, case));
    }
}

/// Those of a case's kinds that are about what nobody can hold for the newest truth.
fn about(case: &Value) -> String {
    let rare = ["ahead of receipt", "contradictions", "doubts elsewhere", "equal numbers", "twice"];
    let kinds = case["kinds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    kinds.filter(|kind| rare.contains(kind)).map(|kind| format!("[{kind}] ")).collect()
}

fn looks(case: &Value, naive: &Outcome, core: &Result<Outcome, String>) -> String {
    let kind = crate::kind(case);
    let Ok(core) = core else { return format!("{kind} core: {core:?}") };
    if let Some(known) = crate::differences::known(case, naive, core) {
        return format!("{kind} known: {known}");
    }
    let reasons = |one: &Outcome, other: &Outcome| -> Vec<String> {
        let mut said: Vec<String> =
            one.violators.difference(&other.violators).map(|v| v.2.clone()).collect();
        said.sort();
        said.dedup();
        said
    };
    format!(
        "{kind} naive {} {:?} {:?} core {} {:?} {:?}",
        naive.status.unwrap_or("-"),
        naive.issues,
        reasons(naive, core),
        core.status.unwrap_or("-"),
        core.issues,
        reasons(core, naive),
    )
}
