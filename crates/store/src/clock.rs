//! What time it is, as far as that is known: a clock that is wrong must not take away what is kept, nor
//! hold up work.
//!
//! The machine's clock is believed while it moves as time does. A step ahead is believed up to
//! [`JUMP_MS_MAX`]; farther, only as far as something stored tells of that time: a delivery of AWS
//! Config, which has a clock of its own. Until then believed time moves on with the time that passes.

/// How far the clock may step ahead, between two looks at it and beyond the time that passed, and be
/// believed; milliseconds. So long may a server be down without anything else telling the time.
pub const JUMP_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// How far the clock may be behind what it was and that is left alone, milliseconds: marks and leases
/// wait no longer than that.
pub const SET_BACK_MS_MAX: i64 = 60 * 1000;

/// What was found when the clock was looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Clock {
    /// The latest moment that is believed to have come, milliseconds since the epoch; never later than
    /// what the clock says. What is dropped for its age is older by this.
    pub believed_ms: i64,
    /// How far the clock is ahead of that.
    pub ahead_ms: i64,
    /// How far it was set back since it was last looked at, beyond [`SET_BACK_MS_MAX`]; 0: it was not.
    pub set_back_ms: i64,
    /// How far it is behind what was believed, or what a delivery told, beyond [`SET_BACK_MS_MAX`]; 0: it
    /// is not. A clock that was ahead and not believed is set right, and not back.
    pub behind_ms: i64,
}

/// What was noted when the clock was last looked at, and what is known by other means.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Noted {
    /// [`Clock::believed_ms`]; in a store that never looked, the newest moment of anything it holds.
    pub clock_ms: Option<i64>,
    /// What the clock said.
    pub wall_ms: Option<i64>,
    /// The newest moment that a delivery told.
    pub told_ms: Option<i64>,
}

impl Noted {
    /// What a clock that says `now_ms` is to be believed, `passed_ms` after it was last looked at.
    pub fn look(self, now_ms: i64, passed_ms: i64) -> Clock {
        let passed_ms = passed_ms.max(0);
        let behind_ms = self.wall_ms.map_or(0, |wall_ms| wall_ms.saturating_sub(now_ms));
        let beyond = |ms: i64| if ms > SET_BACK_MS_MAX { ms } else { 0 };
        let set_back_ms = beyond(behind_ms);
        let by_itself_ms = self.clock_ms.map(|clock_ms| clock_ms.saturating_add(passed_ms));
        let known_ms = by_itself_ms.max(self.told_ms);
        let behind_ms = beyond(known_ms.map_or(0, |known_ms| known_ms.saturating_sub(now_ms)));
        let told_ms = self.told_ms.filter(|told_ms| *told_ms <= now_ms);
        // A new store holds nothing that could be lost.
        let known_ms = by_itself_ms.max(told_ms).unwrap_or(now_ms);
        let believed_ms = match now_ms.saturating_sub(known_ms) {
            ..=JUMP_MS_MAX => now_ms,
            _ => known_ms,
        };
        let ahead_ms = now_ms.saturating_sub(believed_ms);
        Clock { believed_ms, ahead_ms, set_back_ms, behind_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 60 * 60 * 1000;

    fn look(clock: i64, told: Option<i64>, now: i64, passed: i64) -> (i64, i64, i64) {
        let noted = Noted { clock_ms: Some(clock), wall_ms: Some(clock), told_ms: told };
        let Clock { believed_ms, ahead_ms, set_back_ms, .. } = noted.look(now, passed);
        (believed_ms, ahead_ms, set_back_ms)
    }

    #[test]
    fn a_clock_that_moves_as_time_does_is_believed() {
        assert_eq!(look(10 * DAY_MS, None, 11 * DAY_MS, DAY_MS), (11 * DAY_MS, 0, 0));
        let new = Noted::default().look(500 * DAY_MS, 0);
        assert_eq!((new.believed_ms, new.ahead_ms, new.set_back_ms), (500 * DAY_MS, 0, 0));
    }

    #[test]
    fn a_step_ahead_is_believed_to_the_limit_and_no_further() {
        for over in [-1, 0, 1] {
            let now = 10 * DAY_MS + JUMP_MS_MAX + over;
            let believed = if over > 0 { 10 * DAY_MS } else { now };
            assert_eq!(look(10 * DAY_MS, None, now, 0), (believed, now - believed, 0), "{over}");
        }
    }

    #[test]
    fn farther_ahead_only_what_passes_and_what_is_told_moves_time() {
        let far = 4_000 * DAY_MS;
        assert_eq!(look(10 * DAY_MS, None, far, 7), (10 * DAY_MS + 7, far - 10 * DAY_MS - 7, 0));
        // A delivery tells of a later time, though not of that one.
        assert_eq!(look(10 * DAY_MS, Some(12 * DAY_MS), far, 7).0, 12 * DAY_MS);
        // Or it does, as after a month without power.
        let (later, told) = (40 * DAY_MS, 40 * DAY_MS - 5);
        assert_eq!(look(10 * DAY_MS, Some(told), later, 7), (later, 0, 0));
        // One that claims to be of the future tells nothing.
        assert_eq!(look(10 * DAY_MS, Some(far + 1), far, 0).0, 10 * DAY_MS);
    }

    #[test]
    fn a_clock_set_back_is_told_beyond_the_limit() {
        for (behind, told) in [(SET_BACK_MS_MAX, 0), (SET_BACK_MS_MAX + 1, SET_BACK_MS_MAX + 1)] {
            let now = 10 * DAY_MS - behind;
            assert_eq!(look(10 * DAY_MS, None, now, 0), (now, 0, told), "{behind}");
        }
    }

    #[test]
    fn a_clock_behind_what_was_told_is_so_until_it_is_right() {
        for (behind, found) in
            [(0, 0), (SET_BACK_MS_MAX, 0), (SET_BACK_MS_MAX + 1, SET_BACK_MS_MAX + 1)]
        {
            // Noted by the wrong clock, too: another start does not hide it.
            let now = 10 * DAY_MS - behind;
            let noted =
                Noted { clock_ms: Some(now), wall_ms: Some(now), told_ms: Some(10 * DAY_MS) };
            assert_eq!(noted.look(now, 0).behind_ms, found, "{behind}");
            let believed = Noted { clock_ms: Some(10 * DAY_MS), wall_ms: None, told_ms: None };
            assert_eq!(believed.look(now, 0).behind_ms, found, "{behind}");
        }
        let ahead = Noted {
            clock_ms: Some(10 * DAY_MS),
            wall_ms: Some(400 * DAY_MS),
            told_ms: Some(9 * DAY_MS),
        };
        let right = ahead.look(10 * DAY_MS, 0);
        assert_eq!((right.set_back_ms, right.behind_ms), (390 * DAY_MS, 0));
    }

    #[test]
    fn believed_time_follows_a_clock_set_back() {
        // Else it would be believed at once when it steps ahead again.
        let back = look(1_000 * DAY_MS, None, 10 * DAY_MS, 0).0;
        assert_eq!(look(back, None, 1_000 * DAY_MS, 0).0, back);
    }
}
