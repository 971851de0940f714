//! How old what is known of a shard is: the age of what deliveries say, never of when they were sent
//! (semantics §11 row 40).

/// How far ahead of ours a recorder's clock is without anybody minding, milliseconds. A repeat of what
/// it tells gains no more than that.
pub const SKEW_MS_MAX: i64 = 5 * 60 * 1000;

/// How far ahead of ours the clocks of recorders may be, milliseconds: by what is dated later nothing can
/// be ordered (semantics §11 row 68).
pub const AHEAD_MS_MAX: i64 = 15 * 60 * 1000;

/// Whether a moment lies too far ahead of now.
pub(super) fn is_ahead(moment_ms: i64, now_ms: i64) -> bool {
    moment_ms > now_ms.saturating_add(AHEAD_MS_MAX)
}

/// The newest moment that deliveries tell of: a maximum, so that neither order nor repeats of what
/// lies in the past matter.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Age {
    /// Milliseconds since the epoch; `None` while nothing told a moment.
    pub newest_ms: Option<i64>,
    /// The farthest moment that lay in the future when a delivery claimed it. It counted as now then,
    /// once: sent again, the same delivery changes nothing.
    pub ahead_ms: Option<i64>,
}

impl Age {
    /// Takes in a moment that a delivery tells of. One in the future counts as now: as it stands, it
    /// would hide for as long that nothing comes any more.
    pub fn hear(&mut self, moment_ms: i64, now_ms: i64) {
        self.settle(now_ms);
        if self.is_known_claim(moment_ms, now_ms) {
            return;
        }
        if moment_ms > now_ms {
            self.ahead_ms = self.ahead_ms.max(Some(moment_ms));
        }
        self.newest_ms = self.newest_ms.max(Some(moment_ms.min(now_ms)));
    }

    /// Whether a claim about the future was counted before, or lies before one that was.
    fn is_known_claim(&self, moment_ms: i64, now_ms: i64) -> bool {
        let is_ahead = moment_ms > now_ms.saturating_add(SKEW_MS_MAX);
        self.ahead_ms.is_some_and(|ahead_ms| match is_ahead {
            true => moment_ms <= ahead_ms,
            false => moment_ms == ahead_ms,
        })
    }

    /// What was kept while the clock was ahead of what it is now counts as now from here on. To be
    /// written down: asked again and again it would be as of now for ever.
    pub fn settle(&mut self, now_ms: i64) {
        if let Some(newest_ms) = self.newest_ms.filter(|newest_ms| *newest_ms > now_ms) {
            self.ahead_ms = self.ahead_ms.max(Some(newest_ms));
            self.newest_ms = Some(now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 60 * 60 * 1000;

    /// What is known after (moment, now) pairs.
    fn heard(told: &[(i64, i64)]) -> Age {
        let mut age = Age::default();
        told.iter().for_each(|(moment_ms, now_ms)| age.hear(*moment_ms, *now_ms));
        age
    }

    #[test]
    fn the_newest_moment_counts_whenever_and_however_often_it_is_told() {
        for told in [[(5, 10), (7, 10)], [(7, 10), (5, 99)], [(7, 10), (7, HOUR_MS)]] {
            assert_eq!(heard(&told).newest_ms, Some(7), "{told:?}");
        }
        assert_eq!(heard(&[]).newest_ms, None);
    }

    #[test]
    fn a_moment_in_the_future_counts_as_now_once() {
        let year = 365 * 24 * HOUR_MS;
        let mut age = heard(&[(year, HOUR_MS)]);
        assert_eq!(age.newest_ms, Some(HOUR_MS));
        // Sent again, also when its time has come; and one that claims less.
        age.hear(year, 2 * HOUR_MS);
        age.hear(year / 2, 3 * HOUR_MS);
        assert_eq!(age.newest_ms, Some(HOUR_MS));
        age.hear(year, year + 1);
        assert_eq!(age.newest_ms, Some(HOUR_MS));
        // What is true goes on to count, and so does what claims more.
        age.hear(4 * HOUR_MS, 4 * HOUR_MS);
        assert_eq!(age.newest_ms, Some(4 * HOUR_MS));
        age.hear(2 * year, 5 * HOUR_MS);
        assert_eq!(age.newest_ms, Some(5 * HOUR_MS));
    }

    #[test]
    fn a_clock_a_little_ahead_is_not_minded_to_the_limit_and_no_further() {
        for (ahead_ms, counts) in [(SKEW_MS_MAX, true), (SKEW_MS_MAX + 1, false)] {
            let mut age = heard(&[(99 * HOUR_MS, 1)]);
            age.hear(HOUR_MS + ahead_ms, HOUR_MS);
            assert_eq!(age.newest_ms == Some(HOUR_MS), counts, "{ahead_ms}");
        }
    }

    #[test]
    fn what_was_kept_while_the_clock_was_ahead_ages_from_when_it_was_set_back() {
        let mut age = heard(&[(100 * HOUR_MS, 100 * HOUR_MS)]);
        age.settle(10 * HOUR_MS);
        age.settle(11 * HOUR_MS);
        assert_eq!(age.newest_ms, Some(10 * HOUR_MS));
        age.hear(100 * HOUR_MS, 12 * HOUR_MS);
        assert_eq!(age.newest_ms, Some(10 * HOUR_MS), "known already");
    }
}
