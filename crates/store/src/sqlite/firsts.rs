//! First states of resources: rows that are written without a look for earlier ones, many by one
//! statement, for to begin and to end a statement costs as much as to write a row.

use std::sync::LazyLock;

use palisade_core::ident::{ResourceType, ShardId};

use crate::Result;
use crate::rules::rows::First;

use super::log::Transaction;

/// Rows of one statement.
pub(super) const AT_ONCE_MAX: usize = 8;

/// For as many as there are, and then for the rest.
const AT_ONCE: [usize; 2] = [AT_ONCE_MAX, 1];

/// Parameters that all rows of a statement share: account, Region and type.
const SHARED: usize = 3;

/// Parameters of a row of its own.
const OWN: usize = 4;

static STATEMENTS: LazyLock<[String; AT_ONCE.len()]> = LazyLock::new(|| AT_ONCE.map(statement));

/// Writes items of one type in one shard, none of which has a row yet.
pub(super) fn put(
    tx: &Transaction<'_>,
    shard: &ShardId,
    resource_type: &ResourceType,
    firsts: &[First<'_>],
) -> Result<()> {
    let mut rest = firsts;
    for (text, rows) in STATEMENTS.iter().zip(AT_ONCE) {
        if rest.len() < rows {
            continue;
        }
        let mut statement = tx.prepare_cached(text)?;
        // Bound once: they stay so when a statement is run again.
        statement.raw_bind_parameter(1, shard.account.as_str())?;
        statement.raw_bind_parameter(2, shard.region.as_str())?;
        statement.raw_bind_parameter(SHARED, resource_type.as_str())?;
        let mut chunks = rest.chunks_exact(rows);
        for chunk in &mut chunks {
            for (first, at) in chunk.iter().zip((SHARED + 1..).step_by(OWN)) {
                statement.raw_bind_parameter(at, first.id)?;
                statement.raw_bind_parameter(at + 1, first.state)?;
                statement.raw_bind_parameter(at + 2, first.seen_ms)?;
                statement.raw_bind_parameter(at + 3, first.body)?;
            }
            statement.raw_execute()?;
        }
        rest = chunks.remainder();
    }
    Ok(())
}

/// `INSERT` of so many rows. Where one fails, those before it stay: whoever fails undoes all that it
/// wrote, and SQLite need not keep what each page was before the statement.
fn statement(rows: usize) -> String {
    let row = |at: usize| {
        let [id, state, seen, body] = [0, 1, 2, 3].map(|own| SHARED + 1 + at * OWN + own);
        let row = format!("?1, ?2, ?3, ?{id}, ?{state}, ?{seen}, ?{body}");
        format!("({row}, row_sum({row}))")
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT OR FAIL INTO items (account, region, type, id, state, seen_ms, body, sum)
         VALUES {}",
        rows.join(", ")
    )
}
