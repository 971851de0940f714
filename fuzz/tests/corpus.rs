//! Every target holds for its corpus and for some thousands of mutated inputs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use palisade_fuzz::targets::TARGETS;
use palisade_fuzz::{attempt, corpus, fuzz};

/// Mutated inputs for each target; a long run is `cargo xtask fuzz`.
const INPUTS: u64 = 2_000;
const SEED: u64 = 0x5eed;
/// Bytes of all corpora together, so that they stay small.
const CORPORA_BYTES_MAX: usize = 400_000;

/// Every `part`th of every two targets, so that both halves run at the same time.
fn holds(part: usize) {
    println!("seed {SEED:#x}");
    for target in TARGETS.iter().skip(part).step_by(2) {
        let inputs = corpus::load(target).unwrap();
        let figures = fuzz(target, &inputs, SEED, INPUTS).unwrap_or_else(|failure| {
            panic!("{}: {}\n{}", target.name, failure.message, failure.input.escape_ascii())
        });
        assert_eq!(figures.inputs, INPUTS + inputs.len() as u64, "{}", target.name);
        assert!(figures.accepted > 0, "{} accepts nothing", target.name);
        assert!(figures.bytes > 0);
    }
}

#[test]
fn targets_of_even_places_hold() {
    holds(0);
}

#[test]
fn targets_of_odd_places_hold() {
    holds(1);
}

#[test]
fn corpora_are_small_and_mostly_of_inputs_that_are_accepted() {
    let mut bytes = 0;
    for target in TARGETS {
        let inputs = corpus::load(target).unwrap();
        bytes += inputs.iter().map(Vec::len).sum::<usize>();
        let accepted = inputs.iter().filter(|input| attempt(target, input).unwrap()).count();
        println!("{}: {accepted} of {} accepted", target.name, inputs.len());
        assert!(accepted > 0, "{}: no input is accepted", target.name);
    }
    assert!(bytes <= CORPORA_BYTES_MAX, "{bytes} bytes of corpora");
}
