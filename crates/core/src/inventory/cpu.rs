//! What the processor at hand does at best: vectors of 64 bytes and operations on words of 64 bits,
//! chosen when the program runs. One build serves every processor, and nothing here is unsafe code
//! of ours.
//!
//! [`on_cpu`] chooses once for a whole piece of work. All of the work has to be `#[inline(always)]`:
//! what is compiled as a function of its own is compiled for the least processor.

#[cfg(target_arch = "x86_64")]
use fearless_simd::x86::{Avx2, Avx512};

/// Operations on words for which processors have instructions that the language has no name for.
pub(super) trait Words: Copy {
    /// The bits of `bits` where `by` has one, moved together at the low end.
    #[inline(always)]
    fn pack(self, bits: u64, mut by: u64) -> u64 {
        let (mut packed, mut place) = (0, 1_u64);
        while by != 0 {
            let lowest = by & by.wrapping_neg();
            if bits & lowest != 0 {
                packed |= place;
            }
            place = place.wrapping_shl(1);
            by ^= lowest;
        }
        packed
    }

    /// Every bit that has an odd number of set bits up to and with itself: inside of strings, where
    /// the set bits are quotes.
    #[inline(always)]
    fn inside(self, quotes: u64) -> u64 {
        let mut bits = quotes;
        bits ^= bits << 1;
        bits ^= bits << 2;
        bits ^= bits << 4;
        bits ^= bits << 8;
        bits ^= bits << 16;
        bits ^ bits << 32
    }
}

/// Words by what the language offers.
#[derive(Clone, Copy)]
pub(super) struct Plain;

impl Words for Plain {}

#[cfg(target_arch = "x86_64")]
impl Words for Avx2 {
    #[inline(always)]
    fn pack(self, bits: u64, by: u64) -> u64 {
        pack_avx2(self, bits, by)
    }
}

#[cfg(target_arch = "x86_64")]
impl Words for Avx512 {
    #[inline(always)]
    fn pack(self, bits: u64, by: u64) -> u64 {
        pack_avx512(self, bits, by)
    }

    #[inline(always)]
    fn inside(self, quotes: u64) -> u64 {
        inside_avx512(self, quotes)
    }
}

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    #[inline(always)]
    fn pack_avx2(token: Avx2, bits: u64, by: u64) -> u64 {
        std::arch::x86_64::_pext_u64(bits, by)
    }
);

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    #[inline(always)]
    fn pack_avx512(token: Avx512, bits: u64, by: u64) -> u64 {
        std::arch::x86_64::_pext_u64(bits, by)
    }
);

#[cfg(target_arch = "x86_64")]
fearless_simd::kernel!(
    // A product without carries by all ones is the sum, without carries, of all shifts.
    #[inline(always)]
    fn inside_avx512(token: Avx512, quotes: u64) -> u64 {
        use std::arch::x86_64::{
            _mm_clmulepi64_si128, _mm_cvtsi64_si128, _mm_cvtsi128_si64, _mm_set1_epi8,
        };
        let quotes = _mm_cvtsi64_si128(quotes.cast_signed());
        let product = _mm_clmulepi64_si128::<0>(quotes, _mm_set1_epi8(-1));
        _mm_cvtsi128_si64(product).cast_unsigned()
    }
);

/// Does a piece of work, which is handed the vectors ([`fearless_simd::Simd`]) and the [`Words`] of
/// the processor.
macro_rules! on_cpu {
    (|$simd:ident, $words:ident| $work:expr) => {{
        let level = fearless_simd::Level::new();
        'chosen: {
            #[cfg(target_arch = "x86_64")]
            {
                use fearless_simd::Simd as _;
                if let Some($simd) = level.as_avx512() {
                    let $words = $simd;
                    break 'chosen $simd.vectorize(
                        #[inline(always)]
                        || $work,
                    );
                }
                if let Some($simd) = level.as_avx2() {
                    let $words = $simd;
                    break 'chosen $simd.vectorize(
                        #[inline(always)]
                        || $work,
                    );
                }
            }
            fearless_simd::dispatch!(level, $simd => {
                let $words = $crate::inventory::cpu::Plain;
                $work
            })
        }
    }};
}
pub(super) use on_cpu;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the processor's own instructions answer.
    fn best(bits: u64, by: u64) -> (u64, u64) {
        on_cpu!(|simd, words| {
            let _ = simd;
            (words.pack(bits, by), words.inside(bits))
        })
    }

    proptest::proptest! {
        #[test]
        fn every_processor_answers_the_same(bits: u64, by: u64, fewer: u64) {
            for by in [by, by & fewer, by | fewer, 0, u64::MAX] {
                proptest::prop_assert_eq!(best(bits, by), (Plain.pack(bits, by), Plain.inside(bits)));
            }
        }
    }

    #[test]
    fn words_are_what_they_say() {
        assert_eq!(Plain.pack(0b1010_0101, 0b1111_0001), 0b1_0101);
        assert_eq!(Plain.inside(0b0100_1000_0010), 0b0000_0111_1110 | u64::MAX << 10);
    }
}
