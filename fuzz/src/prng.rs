//! A small seeded generator, so that a printed seed gives the same inputs on every machine.

use fastrand::Rng;

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub struct Prng(Rng);

impl Prng {
    /// The stream of one input of one target: it depends on nothing that came before, so that any
    /// input can be made again by itself.
    pub fn of_input(seed: u64, target: &str, number: u64) -> Prng {
        let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(0xd605_bbb5_8c8a_bc03));
        for byte in target.bytes() {
            rng.seed(rng.clone().u64(..) ^ u64::from(byte));
        }
        Prng(rng)
    }

    /// A stream that bytes decide, for choices inside a target.
    pub fn of_bytes(bytes: &[u8]) -> Prng {
        // FNV-1a.
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Prng(Rng::with_seed(hash))
    }

    /// The next 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// A place below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0.usize(..bound.max(1))
    }

    /// One of `choices`, none of none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.0.u8(..)
    }

    /// A stretch of a text of this length, often short.
    pub fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length.saturating_add(1));
        let most = length.saturating_sub(from);
        let most = if self.below(4) > 0 { most.min(24) } else { most };
        from..from.saturating_add(self.below(most.saturating_add(1)))
    }
}
