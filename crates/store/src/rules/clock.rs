//! The clock as it was seen, and what follows when it was wrong.

use crate::{Clock, Result};

use super::{Rows, past};

/// Looks at the clock, notes what it says, and mends what a wrong one left.
pub fn look(rows: &impl Rows, now_ms: i64, passed_ms: i64) -> Result<Clock> {
    let mut noted = rows.clock()?;
    if noted.clock_ms.is_none() {
        noted.clock_ms = rows.newest_of_all_ms()?;
    }
    let clock = noted.look(now_ms, passed_ms);
    rows.put_clock(clock.believed_ms, now_ms)?;
    if clock.set_back_ms > 0 {
        set_back(rows, now_ms)?;
    }
    if rows.span()?.from_ms.is_none() {
        past::note(rows, rows.next_sequence()?, now_ms)?;
    }
    Ok(clock)
}

/// What was noted while the clock was ahead counts as noted now: ages would be hidden, leases held
/// and marks put off until that time comes. What was judged by that clock is judged again.
fn set_back(rows: &impl Rows, now_ms: i64) -> Result<()> {
    past::set_back(rows, now_ms)?;
    rows.cap_ages(now_ms)?;
    rows.cap_key_uses(now_ms)?;
    rows.drop_leases()?;
    rows.cap_marks(now_ms)?;
    rows.mark_all_shards(rows.next_sequence()?, now_ms)
}

/// How old a shard may be before it may have been judged stale; `None`: none ever was.
pub fn stale_after_ms(rows: &impl Rows) -> Result<Option<i64>> {
    match rows.stale_after_ms()? {
        None => Ok(Some(STALE_AFTER_MS_MIN)),
        Some(0) => Ok(None),
        noted => Ok(noted),
    }
}

/// The shortest setting of staleness that is offered: where none was noted, any may have held.
const STALE_AFTER_MS_MIN: i64 = 60 * 60 * 1000;

/// Notes by which age shards are judged stale. Where another was noted, or none, every shard is due.
pub fn stale_by(rows: &impl Rows, stale_after_ms: Option<i64>, now_ms: i64) -> Result<bool> {
    let is_new = rows.stale_after_ms()? != Some(stale_after_ms.unwrap_or(0));
    if is_new {
        rows.put_stale_after_ms(stale_after_ms.unwrap_or(0))?;
        rows.mark_all_shards(rows.next_sequence()?, now_ms)?;
    }
    Ok(is_new)
}
