//! `palisade-fuzz [--inputs N] [--target NAME] [--seed S] [--replay FILE]`, by way of
//! `cargo xtask fuzz`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use palisade_fuzz::targets::TARGETS;
use palisade_fuzz::{Failure, Target, attempt, corpus, fuzz};

const USAGE: &str =
    "usage: cargo xtask fuzz [--inputs N] [--target NAME] [--seed S] [--replay FILE]";

/// Mutated inputs for each target, unless the caller names a number.
const INPUTS: u64 = 1_000_000;

struct Wish {
    inputs: u64,
    seed: u64,
    targets: Vec<&'static Target>,
    replay: Option<String>,
}

fn main() -> ExitCode {
    let wish = match wish(std::env::args().skip(1)) {
        Ok(wish) => wish,
        Err(message) => {
            eprintln!("fuzz: {message}");
            return ExitCode::from(64);
        }
    };
    // The message of a panic is printed once, with its input; its place belongs to it.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    let mut failed = 0_usize;
    for target in &wish.targets {
        let outcome = match &wish.replay {
            Some(path) => replay(target, path),
            None => run(target, &wish),
        };
        if let Err(message) = outcome {
            failed = failed.saturating_add(1);
            println!("{:34} FAILED: {message}", target.name);
        }
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn wish(mut arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut wish =
        Wish { inputs: INPUTS, seed: 1, targets: TARGETS.iter().collect(), replay: None };
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("`{flag}` needs a value; {USAGE}"))?;
        let number = || {
            let digits = value.replace('_', "");
            digits.parse().map_err(|_| format!("`{flag}` is a whole number, not `{value}`"))
        };
        match flag.as_str() {
            "--inputs" => wish.inputs = number()?,
            "--seed" => wish.seed = number()?,
            "--target" => wish.targets = vec![named(&value)?],
            "--replay" => wish.replay = Some(value),
            _ => return Err(format!("unknown flag `{flag}`; {USAGE}")),
        }
    }
    if wish.replay.is_some() && wish.targets.len() > 1 {
        return Err("`--replay` needs `--target`".to_owned());
    }
    Ok(wish)
}

fn named(name: &str) -> Result<&'static Target, String> {
    TARGETS.iter().find(|target| target.name == name).ok_or_else(|| {
        let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        format!("no target `{name}`; there are {}", names.join(", "))
    })
}

fn run(target: &Target, wish: &Wish) -> Result<(), String> {
    let corpus = corpus::load(target).map_err(|error| error.to_string())?;
    let started = Instant::now();
    match fuzz(target, &corpus, wish.seed, wish.inputs) {
        Ok(figures) => {
            println!(
                "{:34} {:9} inputs, {:7.0} a second, {:2} % accepted, {:5} MB, slowest {:.1} ms for {} bytes",
                target.name,
                figures.inputs,
                rate(figures.inputs, started.elapsed()),
                figures.accepted.saturating_mul(100).checked_div(figures.inputs).unwrap_or(0),
                figures.bytes / 1_000_000,
                figures.slowest.as_secs_f64() * 1_000.0,
                figures.slowest_bytes
            );
            Ok(())
        }
        Err(failure) => {
            let shown = shown(&failure);
            match corpus::keep(target, wish.seed, &failure) {
                Ok(path) => Err(format!("{shown}\nwritten to {}", path.display())),
                Err(error) => Err(format!("{shown}\nand it could not be written: {error}")),
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn rate(inputs: u64, took: Duration) -> f64 {
    inputs as f64 / took.as_secs_f64().max(f64::EPSILON)
}

fn replay(target: &Target, path: &str) -> Result<(), String> {
    let input = std::fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    let accepted = attempt(target, &input).map_err(|failure| shown(&failure))?;
    let word = if accepted { "accepted" } else { "refused" };
    println!("{:34} holds: {path} is {word}", target.name);
    Ok(())
}

fn shown(failure: &Failure) -> String {
    format!("{}\ninput: {}", failure.message, failure.input.escape_ascii())
}
