//! `cargo xtask soak [--cases N] [--seed S] [--restart]`: the second evaluator against core, in
//! release profile, on as many generated cases as there is patience for, then as many hidings, then explains a
//! tenth as many. Then previews a thousandth as many fleets, and makes a hundredth as many changes, of which a tenth of
//! the moments is asked for again, after a restart and after retention.
//!
//! It goes on where it stopped: `target/soak/state.json` holds the seed, the next case, the next hiding,
//! the next case that is explained, and whether fleets were previewed and changes made.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::folders;

/// Cases of a run that does not say.
const CASES: u64 = 1_000_000;
/// After how many cases the state is written; even, for cases come in pairs.
const CHUNK: u64 = 100_000;
/// The test that compares, the one that hides, and the one that explains.
const COMPARES: &str = "core_and_the_naive_evaluator_agree_on_generated_worlds";
const HIDES: &str = "hiding::nothing_complies_by_what_was_hidden";
const EXPLAINS: &str = "explain::what_is_explained_is_what_is_judged";
/// Of so many cases one is explained: each of its resources costs a judgement.
const EXPLAINED_OF: u64 = 10;
/// For so many cases a fleet is previewed, then put and judged.
const PREVIEWED_OF: u64 = 1_000;
/// For so many cases a change is made, and what is told before and after it noted.
const CHANGES_OF: u64 = 100;
/// Of so many changes the moment of one is asked for again.
const ASKED_OF: u64 = 10;
const PREVIEWS: &str = "a_preview_is_what_putting_then_finds_and_leaves_no_trace";
const PAST: &str = "what_is_told_of_a_moment_is_what_was_told_then_after_a_restart";

/// What the command line asks for.
#[derive(Debug, Default, PartialEq)]
struct Wanted {
    cases: Option<u64>,
    seed: Option<u64>,
    restart: bool,
}

/// How far a soak has come.
#[derive(Clone, Copy, Debug, PartialEq)]
struct State {
    seed: u64,
    next_case: u64,
    next_hiding: u64,
    next_explained: u64,
    previewed: bool,
    changed: bool,
    /// How many there are to be of each; a tenth of them is explained.
    cases: u64,
}

impl State {
    fn explained(self) -> u64 {
        self.cases / EXPLAINED_OF
    }
}

/// Runs what is left of the soak that was begun, or a new one.
///
/// # Errors
/// When the two evaluators differ or something complies by what was hidden, which the output above it
/// shows with seed and smallest case, or when something cannot be run or written.
pub fn run(arguments: &[&str]) -> Result<(), String> {
    let wanted = wanted(arguments)?;
    let path = folders::target().join("soak/state.json");
    let test = built("palisade-core", "oracle")?;
    let mut state = begin(&wanted, read(&path)?, clock_seed());
    let State { seed, cases, .. } = state;
    println!("seed {seed}, cases {} and hidings {} to {cases}", state.next_case, state.next_hiding);
    let (from, started) = (state, Instant::now());
    while state.next_case < cases {
        write(&path, state)?;
        let count = CHUNK.min(cases - state.next_case);
        play(
            &test,
            COMPARES,
            ["PALISADE_FIRST_CASE", "PALISADE_CASES"],
            seed,
            state.next_case,
            count,
        )?;
        state.next_case += count;
    }
    while state.next_hiding < cases {
        write(&path, state)?;
        let count = CHUNK.min(cases - state.next_hiding);
        let names = ["PALISADE_FIRST_HIDING", "PALISADE_HIDINGS"];
        play(&test, HIDES, names, seed, state.next_hiding, count)?;
        state.next_hiding += count;
    }
    while state.next_explained < state.explained() {
        write(&path, state)?;
        let count = (CHUNK / EXPLAINED_OF).min(state.explained() - state.next_explained);
        let names = ["PALISADE_FIRST_EXPLAINED", "PALISADE_EXPLAINED"];
        play(&test, EXPLAINS, names, seed, state.next_explained, count)?;
        state.next_explained += count;
    }
    write(&path, state)?;
    if !state.previewed {
        let fleets = cases.div_ceil(PREVIEWED_OF).to_string();
        exactly(&built("palisade", "preview")?, PREVIEWS, seed, &[("PALISADE_PREVIEWS", &fleets)])?;
        state.previewed = true;
        write(&path, state)?;
    }
    if !state.changed {
        let changes = cases.div_ceil(CHANGES_OF);
        let (changes, asked) = (changes.to_string(), changes.div_ceil(ASKED_OF).to_string());
        let counts = [("PALISADE_CHANGES", &*changes), ("PALISADE_ASKED", &*asked)];
        exactly(&built("palisade", "past")?, PAST, seed, &counts)?;
        state.changed = true;
        write(&path, state)?;
    }
    println!(
        "{} cases agree, {} hidings make nothing comply, {} are explained, seed {seed}, {} s",
        state.next_case - from.next_case,
        state.next_hiding - from.next_hiding,
        state.next_explained - from.next_explained,
        started.elapsed().as_secs()
    );
    Ok(())
}

/// Cases are compared in pairs, so their number is rounded up to an even one.
fn wanted(arguments: &[&str]) -> Result<Wanted, String> {
    let mut wanted = Wanted::default();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number = || {
            let text = arguments.next().ok_or_else(|| format!("`{argument}` needs a number"))?;
            text.parse::<u64>().map_err(|_| format!("`{text}` of `{argument}` is not a number"))
        };
        match *argument {
            "--cases" => wanted.cases = Some(number()?.next_multiple_of(2)),
            "--seed" => wanted.seed = Some(number()?),
            "--restart" => wanted.restart = true,
            other => {
                return Err(format!("`{other}` is unknown; give --cases N, --seed S, --restart"));
            }
        }
    }
    Ok(wanted)
}

/// A soak that is not done goes on, unless another seed or a restart is asked for.
fn begin(wanted: &Wanted, found: Option<State>, clock_seed: u64) -> State {
    let same_seed = |state: &State| wanted.seed.is_none_or(|seed| seed == state.seed);
    let goes_on = |state: &State| {
        let cases = wanted.cases.unwrap_or(state.cases);
        let (least, most) =
            (state.next_case.min(state.next_hiding), state.next_case.max(state.next_hiding));
        let is_left = least < cases
            || state.next_explained < cases / EXPLAINED_OF
            || !(state.previewed && state.changed);
        !wanted.restart && same_seed(state) && is_left && most <= cases
    };
    match found.filter(goes_on) {
        Some(state) => {
            let cases = wanted.cases.unwrap_or(state.cases);
            // More of them are previewed and made anew.
            let is_same = cases == state.cases;
            let (previewed, changed) = (state.previewed && is_same, state.changed && is_same);
            State { cases, previewed, changed, ..state }
        }
        None => State {
            seed: wanted.seed.unwrap_or(clock_seed),
            next_case: 0,
            next_hiding: 0,
            next_explained: 0,
            previewed: false,
            changed: false,
            cases: wanted.cases.unwrap_or(CASES),
        },
    }
}

/// The program of a package's tests in release profile. It is built once, so that a soak is of one state of the
/// source from its start to its end.
fn built(package: &str, test: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--quiet", "--release", "--package", package, "--test", test])
        .args(["--no-run", "--message-format", "json-render-diagnostics"])
        .current_dir(folders::root())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err("the tests could not be built".to_owned());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    executable(&messages).ok_or_else(|| "cargo did not say which program it built".to_owned())
}

/// The last program that cargo's messages name.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().rev().filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter_map(|message: Value| message.get("executable")?.as_str().map(PathBuf::from))
        .next()
}

/// Runs some cases of a test, `first` and `count` being told by the variables of these names.
fn play(
    test: &Path,
    name: &str,
    [first_name, count_name]: [&str; 2],
    seed: u64,
    first: u64,
    count: u64,
) -> Result<(), String> {
    let counts = [(first_name, &*first.to_string()), (count_name, &*count.to_string())];
    exactly(test, name, seed, &counts)
        .map_err(|why| format!("{why}: between {first} and {}", first + count))
}

/// Runs one test of a program with these variables.
fn exactly(test: &Path, name: &str, seed: u64, variables: &[(&str, &str)]) -> Result<(), String> {
    let status = Command::new(test)
        .args(["--nocapture", "--exact", name])
        .env("PALISADE_SEED", seed.to_string())
        .envs(variables.iter().copied())
        .current_dir(folders::root())
        .status()
        .map_err(|error| format!("{} cannot be run: {error}", test.display()))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("`{name}` stopped with seed {seed}; run again to try it once more")),
    }
}

/// Without a state that can be read there is none.
fn read(path: &Path) -> Result<Option<State>, String> {
    let Ok(text) = fs::read(path) else { return Ok(None) };
    let broken = || format!("{} is not the state of a soak; remove it", path.display());
    let value: Value = serde_json::from_slice(&text).map_err(|_| broken())?;
    let number = |key: &str| value.get(key).and_then(Value::as_u64).ok_or_else(broken);
    let (seed, next_case, cases) = (number("seed")?, number("nextCase")?, number("cases")?);
    // A soak that was begun before there were hidings, or explanations, has none of them yet.
    let begun = |key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    let (next_hiding, next_explained) = (begun("nextHiding"), begun("nextExplained"));
    let is_done = |key: &str| value.get(key).and_then(Value::as_bool).unwrap_or(false);
    let (previewed, changed) = (is_done("previewed"), is_done("changed"));
    Ok(Some(State { seed, next_case, next_hiding, next_explained, previewed, changed, cases }))
}

/// The new state takes the place of the old in one step.
fn write(path: &Path, state: State) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let State { seed, next_case, next_hiding, next_explained, previewed, changed, cases } = state;
    let text = json!({"seed": seed, "nextCase": next_case, "nextHiding": next_hiding,
        "nextExplained": next_explained, "previewed": previewed, "changed": changed, "cases": cases})
    .to_string();
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    let new = path.with_extension("new");
    fs::write(&new, text).map_err(failed)?;
    fs::rename(&new, path).map_err(failed)
}

/// Another seed for each soak; it is printed and kept.
fn clock_seed() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: State = State {
        seed: 7,
        next_case: 200_000,
        next_hiding: 0,
        next_explained: 0,
        previewed: false,
        changed: false,
        cases: 1_000_000,
    };

    #[test]
    fn the_command_line_is_read() {
        let read = |text: &str| wanted(&text.split_whitespace().collect::<Vec<_>>());
        assert_eq!(read(""), Ok(Wanted::default()));
        let all = Wanted { cases: Some(10), seed: Some(3), restart: true };
        assert_eq!(read("--cases 9 --seed 3 --restart"), Ok(all));
        assert_eq!(read("--cases"), Err("`--cases` needs a number".to_owned()));
        assert_eq!(read("--seed x"), Err("`x` of `--seed` is not a number".to_owned()));
        assert!(read("--what").is_err());
    }

    #[test]
    fn a_soak_goes_on_where_it_stopped() {
        let wanted = |cases, seed, restart| Wanted { cases, seed, restart };
        let fresh = |seed, cases| State { seed, next_case: 0, cases, ..BEGUN };
        let compared = State { next_case: 1_000_000, ..BEGUN };
        let hidden = State { next_hiding: 1_000_000, ..compared };
        let explained = State { next_explained: 100_000, ..hidden };
        let done = State { previewed: true, changed: true, ..explained };
        let longer = State { cases: 2_000_000, previewed: false, changed: false, ..done };
        for (wanted, found, want) in [
            (wanted(None, None, false), None, fresh(99, CASES)),
            (wanted(None, None, false), Some(BEGUN), BEGUN),
            (wanted(None, Some(7), false), Some(BEGUN), BEGUN),
            (wanted(None, Some(8), false), Some(BEGUN), fresh(8, CASES)),
            (wanted(None, None, true), Some(BEGUN), fresh(99, CASES)),
            (wanted(None, None, false), Some(compared), compared),
            (wanted(None, None, false), Some(hidden), hidden),
            (wanted(None, None, false), Some(explained), explained),
            (wanted(None, None, false), Some(done), fresh(99, CASES)),
            (wanted(Some(2_000_000), None, false), Some(done), longer),
            (wanted(Some(100), None, false), Some(BEGUN), fresh(99, 100)),
        ] {
            assert_eq!(begin(&wanted, found, 99), want, "{wanted:?} {found:?}");
        }
    }

    #[test]
    fn the_program_is_the_last_that_cargo_names() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/oracle-1\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/oracle-1")));
        assert_eq!(executable("running\n"), None);
    }

    #[test]
    fn a_state_comes_back_as_written() {
        let folder = std::env::temp_dir().join(format!("palisade-soak-{}", std::process::id()));
        let path = folder.join("soak/state.json");
        assert_eq!(read(&path), Ok(None));
        write(&path, BEGUN).unwrap();
        assert_eq!(read(&path), Ok(Some(BEGUN)));
        fs::write(&path, "{\"seed\":1}").unwrap();
        assert!(read(&path).is_err());
        fs::remove_dir_all(folder).unwrap();
    }
}
