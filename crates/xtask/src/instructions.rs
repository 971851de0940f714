//! `cargo xtask instructions [--bless]`: what the stages cost in instructions, which do not depend on
//! how busy the machine is, against the checked-in budgets of `budgets.txt`; then what the signature
//! check costs of a `ListComplianceStatus` call.
//!
//! The budgets are counted in the development profile (where `core` and all dependencies are
//! optimised a little), because the tests have built it anyway; the share of the signature in a
//! release build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::folders;

/// Percent of the call that the signature check may cost.
const SHARE_MAX: u64 = 10;
/// Calls of the shorter run; the longer one makes twice as many, and the difference is the calls'
/// alone.
const CALLS: u64 = 100;
/// Where the budgets are.
const BUDGETS: &str = "crates/xtask/budgets.txt";
/// How far below its budget, percent, a count asks for a lower one.
const UNDER_MAX: u64 = 10;
/// Percent that a budget made by `--bless` allows above the count.
const ALLOWANCE: u64 = 5;

const HEAD: &str = "\
# name, instructions for one time, percent above it that are allowed. Counted by callgrind in the
# development profile; `cargo xtask instructions --bless` writes this file. A new compiler may move
# all counts: bless them then, in a commit of its own.
";

/// Percent by which a change in a shard of ten times as many items may cost more: what is looked up
/// in larger tables is looked up a little longer, and nothing else.
const LARGER_SHARD_MAX: u64 = 15;

/// What is counted: its name, the example that does it, the example's word for it, and how often
/// the shorter run does it.
const STAGES: [(&str, &str, &str, u64); 6] = [
    // A snapshot of 500 items.
    ("decode", "stages", "decode", 4),
    // Its shard under a content audit and a WAFV2 policy.
    ("judge", "stages", "judge", 8),
    // The store takes it in, the account being new.
    ("ingest", "stages", "ingest", 4),
    // A signed ListComplianceStatus call, 100 of 1,000 accounts.
    ("list", "one_call", "sigv4", 50),
    // An item changes and is judged, in a shard of so many items.
    (CHANGE, "change", "500", 20),
    (CHANGE_IN_LARGER, "change", "5000", 20),
];

const CHANGE: &str = "change";
const CHANGE_IN_LARGER: &str = "change10";

/// How the counting went.
pub enum Counted {
    /// Everything within its budget.
    Within,
    /// Nothing was counted, and why.
    Skipped(String),
}

/// Counts and prints: the budgets, then the signature's share. Skipped visibly where there is no
/// valgrind.
///
/// # Errors
/// When something costs more than it may, or cannot be run.
pub fn run(bless: bool) -> Result<(), String> {
    match budgets(bless)? {
        Counted::Within if bless => Ok(()),
        Counted::Within => signature(),
        Counted::Skipped(why) => {
            println!("skipped: instructions: {why}");
            Ok(())
        }
    }
}

/// Counts the stages and holds them against their budgets, or writes these.
///
/// # Errors
/// When a stage is over its budget or has none, or something cannot be run.
pub fn budgets(bless: bool) -> Result<Counted, String> {
    if !has_valgrind() {
        let why = "valgrind is not installed and could not be (Debian package `valgrind`)";
        return Ok(Counted::Skipped(why.to_owned()));
    }
    let path = folders::root().join(BUDGETS);
    let unread = |error: std::io::Error| format!("{BUDGETS}: {error}");
    let known = match fs::read_to_string(&path) {
        Ok(text) => parse(&text)?,
        Err(_) if bless => Vec::new(),
        Err(error) => return Err(unread(error)),
    };
    let counts = count_stages()?;
    if bless {
        fs::write(&path, written(&counts, &known)).map_err(unread)?;
        println!("{BUDGETS} was written:");
    }
    let known = if bless { parse(&written(&counts, &known))? } else { known };
    footprint(&counts)?;
    compare(&counts, &known)
}

/// Whether a change costs its footprint, whatever the size of its shard.
fn footprint(counts: &[(&str, u64)]) -> Result<(), String> {
    let of = |name: &str| {
        let found = counts.iter().find(|(of, _)| *of == name);
        found.map(|(_, count)| *count).ok_or_else(|| format!("`{name}` was not counted"))
    };
    let (small, large) = (of(CHANGE)?, of(CHANGE_IN_LARGER)?);
    if large.saturating_mul(100) <= small.saturating_mul(LARGER_SHARD_MAX.saturating_add(100)) {
        return Ok(());
    }
    Err(format!(
        "a change costs {small} instructions, and {large} in a shard of ten times as many items: \
         more than {LARGER_SHARD_MAX} % above"
    ))
}

/// One line of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Budget {
    name: String,
    instructions: u64,
    allowance: u64,
}

fn parse(text: &str) -> Result<Vec<Budget>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let mut words = line.split_whitespace();
            let name = words.next().unwrap_or_default().to_owned();
            let mut number = || words.next()?.replace('_', "").parse::<u64>().ok();
            match (number(), number()) {
                (Some(instructions), Some(allowance)) => {
                    Ok(Budget { name, instructions, allowance })
                }
                _ => Err(format!("{BUDGETS}: `{line}` is not `NAME INSTRUCTIONS PERCENT`")),
            }
        })
        .collect()
}

/// The file with these counts; allowances stay as they were.
fn written(counts: &[(&str, u64)], known: &[Budget]) -> String {
    let mut text = HEAD.to_owned();
    for (name, count) in counts {
        let known = known.iter().find(|budget| budget.name == *name);
        let allowance = known.map_or(ALLOWANCE, |budget| budget.allowance);
        text.push_str(&format!("{name:<8} {count:>12} {allowance:>3}\n"));
    }
    text
}

fn compare(counts: &[(&str, u64)], known: &[Budget]) -> Result<Counted, String> {
    println!("{:<8} {:>14} {:>14}  ratio", "stage", "instructions", "budget");
    let mut over = Vec::new();
    for (name, count) in counts {
        let Some(budget) = known.iter().find(|budget| budget.name == *name) else {
            over.push(format!(
                "`{name}` has no budget; `cargo xtask instructions --bless` makes one"
            ));
            continue;
        };
        let told = judged(*count, budget);
        let hundredths = count.saturating_mul(100).checked_div(budget.instructions).unwrap_or(0);
        println!(
            "{name:<8} {count:>14} {:>14}  {}.{:02}{}",
            budget.instructions,
            hundredths / 100,
            hundredths % 100,
            match told {
                Told::Within => "",
                Told::Over => "  OVER",
                Told::Under =>
                    "  far under: lower the budget with `cargo xtask instructions --bless`",
            }
        );
        if told == Told::Over {
            over.push(format!("`{name}` costs more than {} % above its budget", budget.allowance));
        }
    }
    match over.is_empty() {
        true => Ok(Counted::Within),
        false => Err(format!(
            "{}; make it cheaper, or bless the new counts and say why in the commit",
            over.join("; ")
        )),
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Told {
    Within,
    Over,
    Under,
}

fn judged(count: u64, budget: &Budget) -> Told {
    let percent = |percent: u64| budget.instructions.saturating_mul(percent);
    let hundredfold = count.saturating_mul(100);
    if hundredfold > percent(budget.allowance.saturating_add(100)) {
        Told::Over
    } else if hundredfold < percent(100 - UNDER_MAX) {
        Told::Under
    } else {
        Told::Within
    }
}

/// Whether valgrind is there, or can be brought by the system's packages.
fn has_valgrind() -> bool {
    let runs = || {
        let told = Command::new("valgrind").arg("--version").output();
        told.is_ok_and(|output| output.status.success())
    };
    if runs() {
        return true;
    }
    // As root alone; everybody else is told which package it is.
    let installed = Command::new("apt-get")
        .args(["install", "--yes", "--quiet", "--no-install-recommends", "valgrind"])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output();
    installed.is_ok_and(|output| output.status.success()) && runs()
}

fn count_stages() -> Result<Vec<(&'static str, u64)>, String> {
    let examples =
        build(&["--example", "stages", "--example", "one_call", "--example", "change"], "debug")?;
    STAGES
        .into_iter()
        .map(|(name, example, word, times)| {
            Ok((name, per_call(&examples.join(example), word, times)?))
        })
        .collect()
}

/// The signature check's share of a call.
fn signature() -> Result<(), String> {
    let program = build(&["--release", "--example", "one_call"], "release")?.join("one_call");
    let [signed, open] = ["sigv4", "open"].map(|auth| per_call(&program, auth, CALLS));
    let (signed, open) = (signed?, open?);
    let check = signed.saturating_sub(open);
    let hundredths = check.saturating_mul(10_000).checked_div(signed).unwrap_or(0);
    println!("ListComplianceStatus, 100 of 1,000 accounts, in memory, release, for each call:");
    println!("{signed:>12} with the signature check");
    println!("{open:>12} without");
    println!(
        "{check:>12} are the check: {}.{:02} % (at most {SHARE_MAX} %)",
        hundredths / 100,
        hundredths % 100
    );
    match hundredths <= SHARE_MAX.saturating_mul(100) {
        true => Ok(()),
        false => Err(format!("the signature check costs more than {SHARE_MAX} % of a call")),
    }
}

/// Builds examples and answers the folder they are in.
fn build(arguments: &[&str], profile: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "-p", "palisade-api", "-p", "palisade"])
        .args(arguments)
        .current_dir(folders::root())
        .status()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !status.success() {
        return Err("the examples that are counted cannot be built".to_owned());
    }
    Ok(folders::root().join(folders::target()).join(profile).join("examples"))
}

fn per_call(program: &Path, word: &str, times: u64) -> Result<u64, String> {
    let (once, twice) = (count(program, word, times)?, count(program, word, 2 * times)?);
    Ok(twice.saturating_sub(once) / times)
}

/// Instructions of a whole run, as callgrind counts them.
fn count(program: &Path, word: &str, times: u64) -> Result<u64, String> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([word, &times.to_string()])
        .output()
        .map_err(|error| format!("valgrind cannot be run: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("`{} {word} {times}` failed:\n{said}", program.display()));
    }
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    collected
        .and_then(|(_, number)| number.trim().parse().ok())
        .ok_or_else(|| format!("valgrind did not say how many instructions it collected:\n{said}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(instructions: u64, allowance: u64) -> Budget {
        Budget { name: "decode".to_owned(), instructions, allowance }
    }

    #[test]
    fn a_count_may_be_over_its_budget_by_the_allowance_and_no_more() {
        let cases = [
            (899, Told::Under),
            (900, Told::Within),
            (1_000, Told::Within),
            (1_050, Told::Within),
            (1_051, Told::Over),
        ];
        for (count, told) in cases {
            assert_eq!(judged(count, &budget(1_000, 5)), told, "{count}");
        }
    }

    #[test]
    fn a_stage_over_its_budget_or_without_one_fails() {
        let known = [budget(1_000, 5)];
        assert!(matches!(compare(&[("decode", 1_000)], &known), Ok(Counted::Within)));
        let over = compare(&[("decode", 2_000)], &known).err().unwrap_or_default();
        assert!(over.contains("`decode` costs more than 5 % above its budget"), "{over}");
        let unknown = compare(&[("judge", 1)], &known).err().unwrap_or_default();
        assert!(unknown.contains("`judge` has no budget"), "{unknown}");
    }

    #[test]
    fn a_change_that_costs_more_in_a_larger_shard_fails() {
        let counted = |small, large| footprint(&[(CHANGE, small), (CHANGE_IN_LARGER, large)]);
        assert_eq!(counted(100, 115), Ok(()));
        assert!(counted(100, 116).is_err());
        assert!(footprint(&[(CHANGE, 100)]).is_err(), "there is nothing to compare with");
    }

    #[test]
    fn what_is_blessed_reads_back_with_its_allowance() {
        let text = written(&[("decode", 7_000), ("judge", 9)], &[budget(1_000, 3)]);
        let judge = Budget { name: "judge".to_owned(), instructions: 9, allowance: ALLOWANCE };
        assert_eq!(parse(&text), Ok(vec![budget(7_000, 3), judge]));
        assert!(parse("decode many 5").is_err());
    }

    #[test]
    fn every_stage_has_a_checked_in_budget() {
        let known = parse(include_str!("../budgets.txt")).unwrap();
        let names: Vec<&str> = known.iter().map(|budget| budget.name.as_str()).collect();
        assert_eq!(names, STAGES.map(|(name, ..)| name));
    }
}
