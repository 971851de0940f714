//! The clock as it was seen, and what follows when it was wrong.

use rusqlite::params;

use crate::clock::Noted;
use crate::{Clock, Result};

use super::columns::get;
use super::log::Transaction;
use super::store_row::of_store;
use super::sums::{STORE_SOUND, sound};
use super::{sequence, work};

const STORE: &str = "clock";

/// Looks at the clock, notes what it says, and mends what a wrong one left.
pub(super) fn look(tx: &Transaction<'_>, now_ms: i64, passed_ms: i64) -> Result<Clock> {
    let clock = noted(tx)?.look(now_ms, passed_ms);
    tx.execute("UPDATE store SET clock_ms = ?1, wall_ms = ?2", [clock.believed_ms, now_ms])?;
    if clock.set_back_ms > 0 {
        set_back(tx, now_ms)?;
    }
    Ok(clock)
}

fn noted(tx: &Transaction<'_>) -> Result<Noted> {
    let mut statement =
        tx.prepare_cached(&format!("SELECT clock_ms, wall_ms, told_ms, {STORE_SOUND} FROM store"))?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(Noted::default()) };
    sound(row, 3, STORE)?;
    let noted = Noted {
        clock_ms: get(row, 0, STORE)?,
        wall_ms: get(row, 1, STORE)?,
        told_ms: get(row, 2, STORE)?,
    };
    match noted.clock_ms {
        Some(_) => Ok(noted),
        None => Ok(Noted { clock_ms: newest_ms(tx)?, ..noted }),
    }
}

/// The newest moment of anything that a store holds which never looked at the clock.
fn newest_ms(tx: &Transaction<'_>) -> Result<Option<i64>> {
    Ok(tx.query_row(
        "SELECT max(at_ms) FROM (
           SELECT max(at_ms) AS at_ms FROM audit
           UNION ALL SELECT max(at_ms) FROM history
           UNION ALL SELECT max(evaluated_ms) FROM judged
           UNION ALL SELECT max(newest_ms) FROM shards)",
        [],
        |row| row.get(0),
    )?)
}

/// A delivery told of this moment, which has passed by the clock.
pub(super) fn told(tx: &Transaction<'_>, moment_ms: i64) -> Result<()> {
    let mut statement =
        tx.prepare_cached("UPDATE store SET told_ms = ?1 WHERE told_ms IS NULL OR told_ms < ?1")?;
    statement.execute([moment_ms])?;
    Ok(())
}

/// What was noted while the clock was ahead counts as noted now: ages would be hidden, leases held
/// and marks put off until that time comes. What was judged by that clock is judged again.
fn set_back(tx: &Transaction<'_>, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE shards SET ahead_ms = max(coalesce(ahead_ms, newest_ms), newest_ms), newest_ms = ?1
         WHERE newest_ms > ?1",
        [now_ms],
    )?;
    tx.execute(
        "UPDATE shards SET
           global_ahead_ms = max(coalesce(global_ahead_ms, global_newest_ms), global_newest_ms),
           global_newest_ms = ?1
         WHERE global_newest_ms > ?1",
        [now_ms],
    )?;
    tx.execute("UPDATE keys SET last_used_ms = ?1 WHERE last_used_ms > ?1", [now_ms])?;
    tx.execute("DELETE FROM leases", [])?;
    tx.execute("UPDATE work SET not_before = ?1 WHERE not_before > ?1", [now_ms])?;
    work::mark_every_shard(tx, sequence::next(tx)?, now_ms)
}

/// How old a shard may be before it may have been judged stale; `None`: none ever was.
pub(super) fn stale_after_ms(tx: &Transaction<'_>) -> Result<Option<i64>> {
    match of_store(tx, "stale_after_ms")? {
        None => Ok(Some(STALE_AFTER_MS_MIN)),
        Some(0) => Ok(None),
        noted => Ok(noted),
    }
}

/// The shortest setting of staleness that is offered: where none was noted, any may have held.
const STALE_AFTER_MS_MIN: i64 = 60 * 60 * 1000;

/// Notes by which age shards are judged stale. Where another was noted, or none, every shard is due.
pub(super) fn stale_by(
    tx: &Transaction<'_>,
    stale_after_ms: Option<i64>,
    now_ms: i64,
) -> Result<bool> {
    let noted = tx.execute(
        "UPDATE store SET stale_after_ms = ?1 WHERE stale_after_ms IS NOT ?1",
        params![stale_after_ms.unwrap_or(0)],
    )?;
    if noted > 0 {
        work::mark_every_shard(tx, sequence::next(tx)?, now_ms)?;
    }
    Ok(noted > 0)
}
