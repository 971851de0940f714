//! Fuzzing of every reader of strangers' bytes, on the stable toolchain: a corpus, seeded
//! mutations of it, and targets that assert more than that nothing crashes.
//!
//! `cargo xtask fuzz [--inputs N] [--target NAME] [--seed S]` runs it at length; the tests run every
//! target on its corpus and some mutated inputs. A failing input is printed, written below
//! `fuzz/failures/`, and run again by `--replay FILE`; once the fault is repaired it joins the corpus.

pub mod corpus;
pub mod mutate;
pub mod prng;
pub mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use mutate::Mutator;
use prng::Prng;

/// One reader under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and that of its corpus' folder.
    pub name: &'static str,
    /// Reads the input, and panics when something does not hold that must. Answers whether the
    /// input was accepted: a target that accepts nothing tests the first refusal alone.
    pub run: fn(&[u8]) -> bool,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Inputs that were run, those of the corpus included.
    pub inputs: u64,
    /// Those that were accepted.
    pub accepted: u64,
    /// Bytes of all.
    pub bytes: u64,
    /// The longest that one input took.
    pub slowest: Duration,
    /// The bytes of that input.
    pub slowest_bytes: usize,
}

/// An input that breaks a target.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The input.
    pub input: Vec<u8>,
    /// What the panic said.
    pub message: String,
}

/// Runs a target on its corpus and then on `inputs` mutated inputs, until one fails.
///
/// # Errors
/// The first failing input.
pub fn fuzz(
    target: &Target,
    corpus: &[Vec<u8>],
    seed: u64,
    inputs: u64,
) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    for input in corpus {
        figures.add(target, input)?;
    }
    let mutator = Mutator::new(corpus);
    for number in 0..inputs {
        let input = mutator.input(&mut Prng::of_input(seed, target.name, number));
        figures.add(target, &input)?;
    }
    Ok(figures)
}

impl Figures {
    fn add(&mut self, target: &Target, input: &[u8]) -> Result<(), Failure> {
        let started = Instant::now();
        let accepted = attempt(target, input)?;
        let took = started.elapsed();
        self.inputs = self.inputs.saturating_add(1);
        self.accepted = self.accepted.saturating_add(u64::from(accepted));
        self.bytes = self.bytes.saturating_add(input.len() as u64);
        if took > self.slowest {
            (self.slowest, self.slowest_bytes) = (took, input.len());
        }
        Ok(())
    }
}

/// Runs a target on one input; whether it was accepted.
///
/// # Errors
/// The input with what the panic said.
pub fn attempt(target: &Target, input: &[u8]) -> Result<bool, Failure> {
    catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Failure { input: input.to_vec(), message: text.unwrap_or("a panic without words").into() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn no_b(input: &[u8]) -> bool {
        assert!(!input.contains(&b'b'), "there is a b");
        input.starts_with(b"aa")
    }

    #[test]
    fn an_input_that_breaks_a_target_is_handed_back() {
        let target = Target { name: "no_b", run: no_b };
        let failure = fuzz(&target, &[b"aaaa".to_vec(), b"aba".to_vec()], 1, 0).unwrap_err();
        assert_eq!(failure, Failure { input: b"aba".to_vec(), message: "there is a b".into() });
        let found = fuzz(&target, &[b"aaaa".to_vec()], 1, 100_000).unwrap_err();
        assert!(found.input.contains(&b'b'));
        let figures = fuzz(&target, &[b"aaaa".to_vec()], 1, 0).unwrap();
        assert_eq!((figures.inputs, figures.accepted, figures.bytes), (1, 1, 4));
    }
}
