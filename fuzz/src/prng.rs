//! A small seeded generator, so that a printed seed gives the same inputs on every machine.

/// SplitMix64 (Steele, Lea and Flood, 2014); any seed is a good seed.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// The stream of one input of one target: it depends on nothing that came before, so that any
    /// input can be made again by itself.
    pub fn of_input(seed: u64, target: &str, number: u64) -> Prng {
        let mut state = Prng(seed ^ number.wrapping_mul(0xd605_bbb5_8c8a_bc03));
        for byte in target.bytes() {
            state.0 = state.number() ^ u64::from(byte);
        }
        state
    }

    /// A stream that bytes decide, for choices inside a target.
    pub fn of_bytes(bytes: &[u8]) -> Prng {
        // FNV-1a.
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Prng(hash)
    }

    /// The next 64 bits.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A place below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let drawn = self.number().checked_rem(bound as u64).unwrap_or(0);
        usize::try_from(drawn).unwrap_or(0)
    }

    /// One of `choices`, none of none.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }

    /// A stretch of a text of this length, often short.
    pub fn stretch(&mut self, length: usize) -> std::ops::Range<usize> {
        let from = self.below(length.saturating_add(1));
        let most = length.saturating_sub(from);
        let most = if self.below(4) > 0 { most.min(24) } else { most };
        from..from.saturating_add(self.below(most.saturating_add(1)))
    }
}
