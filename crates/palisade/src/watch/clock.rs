//! Whether the wall clock keeps time: it is held against the clock that nobody sets.

use std::time::Duration;

/// By how much the wall clock may have been set since it was believed, milliseconds: more than the
/// seconds that time servers correct.
const SET_MAX_MS: u64 = 60_000;
/// How long a clock that was set is told of before it is believed: whoever set it meant it then.
const BELIEVED_AFTER: Duration = Duration::from_secs(10 * 60);

/// The wall clock since it was believed.
pub struct ClockWatch {
    /// Wall clock less the time since the machine began, milliseconds, when it was believed.
    offset_ms: i64,
    /// When it was first seen to be another, by the clock that nobody sets.
    since: Option<Duration>,
}

impl ClockWatch {
    /// Believes the clock as it is.
    pub fn start(now_ms: i64) -> ClockWatch {
        ClockWatch::at(now_ms, uptime())
    }

    fn at(now_ms: i64, uptime: Duration) -> ClockWatch {
        ClockWatch { offset_ms: offset_ms(now_ms, uptime), since: None }
    }

    /// Why it is not to be believed just now.
    pub fn look(&mut self, now_ms: i64) -> Option<String> {
        self.look_at(now_ms, uptime())
    }

    fn look_at(&mut self, now_ms: i64, uptime: Duration) -> Option<String> {
        let offset_ms = offset_ms(now_ms, uptime);
        let set_ms = offset_ms.saturating_sub(self.offset_ms);
        if set_ms.unsigned_abs() <= SET_MAX_MS {
            self.since = None;
            return None;
        }
        let since = *self.since.get_or_insert(uptime);
        if uptime.saturating_sub(since) >= BELIEVED_AFTER {
            *self = ClockWatch { offset_ms, since: None };
            return None;
        }
        let way = if set_ms > 0 { "ahead" } else { "back" };
        Some(format!(
            "the clock was set {way} by {} s; it is believed when it stays so for {} minutes",
            set_ms.unsigned_abs() / 1_000,
            BELIEVED_AFTER.as_secs() / 60
        ))
    }
}

fn offset_ms(now_ms: i64, uptime: Duration) -> i64 {
    now_ms.saturating_sub(i64::try_from(uptime.as_millis()).unwrap_or(i64::MAX))
}

/// Time since the machine began, asleep as well: a laptop that wakes has not had its clock set.
#[cfg(target_os = "linux")]
fn uptime() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(not(target_os = "linux"))]
fn uptime() -> Duration {
    static BEGUN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    BEGUN.get_or_init(std::time::Instant::now).elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_793_520_000_000;
    const LIMIT_MS: i64 = 60_000;

    fn after(seconds: u64) -> Duration {
        Duration::from_secs(1_000 + seconds)
    }

    #[test]
    fn a_clock_that_is_set_either_way_is_told_of_until_it_is_set_back() {
        for (set_ms, is_told) in [
            (0, false),
            (LIMIT_MS - 1, false),
            (LIMIT_MS, false),
            (LIMIT_MS + 1, true),
            (-LIMIT_MS, false),
            (-LIMIT_MS - 1, true),
            (i64::MAX, true),
            (-NOW_MS, true),
        ] {
            let mut watch = ClockWatch::at(NOW_MS, after(0));
            let now_ms = NOW_MS.saturating_add(10_000).saturating_add(set_ms);
            let told = watch.look_at(now_ms, after(10));
            assert_eq!(told.is_some(), is_told, "{set_ms}: {told:?}");
            assert_eq!(watch.look_at(NOW_MS + 20_000, after(20)), None, "{set_ms}: set back");
        }
    }

    #[test]
    fn a_clock_that_stays_as_it_was_set_is_believed() {
        let mut watch = ClockWatch::at(0, after(0));
        for (seconds, is_told) in [(1, true), (600, true), (601, false), (602, false)] {
            let now_ms = NOW_MS + i64::try_from(seconds).unwrap() * 1_000;
            assert_eq!(watch.look_at(now_ms, after(seconds)).is_some(), is_told, "{seconds}");
        }
        assert!(watch.look_at(603_000, after(603)).is_some(), "the old one is wrong now");
    }
}
