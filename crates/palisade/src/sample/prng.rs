//! A small seeded generator of pseudo-random numbers, so that a sample is the same bytes for the
//! same seed on every machine and with every version of our dependencies.

use uuid::Builder;

/// SplitMix64 (Steele, Lea and Flood, 2014): 64 bits of state, no multiplication table, and any seed
/// is a good seed.
#[derive(Clone, Debug)]
pub struct Prng(u64);

impl Prng {
    /// A stream of its own for every (seed, label): what one account draws does not shift another's.
    pub fn labelled(seed: u64, label: &str) -> Prng {
        let mut state = Prng(seed);
        for byte in label.bytes() {
            state.0 = state.next() ^ u64::from(byte);
        }
        state
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` through `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low).saturating_add(1)))
    }

    /// True in `percent` of a hundred draws.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the choices; the empty text when there is none.
    pub fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let at = self.below(choices.len() as u64);
        usize::try_from(at).ok().and_then(|at| choices.get(at)).copied().unwrap_or_default()
    }

    /// An EC2-style id: the prefix, then `0` and sixteen hexadecimal digits.
    pub fn ec2_id(&mut self, prefix: &str) -> String {
        format!("{prefix}-0{:016x}", self.next())
    }

    /// Sixteen hexadecimal digits, as load balancers carry in their ARN.
    pub fn hex16(&mut self) -> String {
        format!("{:016x}", self.next())
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let number = (u128::from(self.next()) << 64) | u128::from(self.next());
        Builder::from_random_bytes(number.to_be_bytes()).into_uuid().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_for_ever() {
        let mut prng = Prng::labelled(7, "storefront-prod");
        let drawn: Vec<u64> = (0..4).map(|_| prng.below(1_000)).collect();
        let mut again = Prng::labelled(7, "storefront-prod");
        assert_eq!(drawn, (0..4).map(|_| again.below(1_000)).collect::<Vec<_>>());
        let mut other = Prng::labelled(7, "storefront-staging");
        assert_ne!(drawn, (0..4).map(|_| other.below(1_000)).collect::<Vec<_>>());
        assert_eq!(Prng(0).next(), 0xe220_a839_7b1d_cdaf, "the published first number of seed 0");
    }

    #[test]
    fn bounds_are_kept() {
        let mut prng = Prng(1);
        assert!((0..1_000).map(|_| prng.between(3, 5)).all(|n| (3..=5).contains(&n)));
        assert_eq!(prng.below(0), 0);
        assert_eq!(prng.pick(&[]), "");
        let uuid = prng.uuid();
        assert_eq!((uuid.len(), uuid.as_bytes()[14]), (36, b'4'), "{uuid}");
    }
}
