//! How long to wait before a call is sent again.

use std::time::Duration;

/// The most often that a call is sent, the first time included.
pub const ATTEMPTS_MAX: u16 = 10;

/// The wait after the first attempt, before it is spread.
pub const PAUSE_FIRST: Duration = Duration::from_millis(250);

/// The longest wait between two attempts.
pub const PAUSE_MAX: Duration = Duration::from_secs(20);

/// The wait after the attempt of this number, from 1: it doubles each time up to [`PAUSE_MAX`], and `random` picks a
/// moment within its second half, so that callers who failed together do not come back together.
pub fn pause(attempt: u16, random: u64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let whole = PAUSE_FIRST.saturating_mul(1_u32 << doublings).min(PAUSE_MAX);
    let half = whole / 2;
    let micros = u64::try_from(half.as_micros()).unwrap_or(u64::MAX);
    half.saturating_add(Duration::from_micros(random % micros.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        for (attempt, millis) in
            [(1, 250), (2, 500), (3, 1000), (7, 16_000), (8, 20_000), (u16::MAX, 20_000)]
        {
            let whole = Duration::from_millis(millis);
            assert_eq!(pause(attempt, 0), whole / 2, "{attempt}");
            for random in [1, 77_777_777_777, u64::MAX] {
                let wait = pause(attempt, random);
                assert!(wait >= whole / 2 && wait <= whole, "{attempt}: {wait:?}");
            }
        }
        assert_eq!(pause(1, 125_000), Duration::from_millis(250));
    }
}
