//! A small seeded generator, so that a fleet is the same bytes everywhere.

use fastrand::Rng;
use uuid::Builder;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Prng(Rng);

impl Prng {
    /// A stream of its own for every label.
    pub fn labelled(label: &str) -> Prng {
        let mut rng = Rng::with_seed(0x5EED);
        for byte in label.bytes() {
            rng.seed(rng.clone().u64(..) ^ u64::from(byte));
        }
        Prng(rng)
    }

    /// Sixty-four bits.
    pub fn next(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.u64(..bound.max(1))
    }

    /// True in `percent` of a hundred draws.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        Builder::from_random_bytes(self.0.u128(..).to_be_bytes()).into_uuid().to_string()
    }
}
