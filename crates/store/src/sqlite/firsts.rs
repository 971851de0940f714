//! First states of resources: rows that are written without a look for earlier ones, many by one
//! statement, for to begin and to end a statement costs as much as to write a row.

use std::sync::LazyLock;

use palisade_core::ident::{ResourceType, ShardId};
use rusqlite::CachedStatement;

use crate::Result;

use super::held::State;
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

/// Writes items of which none is held, those of one type in one shard together.
pub(super) struct Firsts<'t> {
    /// Of [`AT_ONCE`] rows.
    statements: [CachedStatement<'t>; AT_ONCE.len()],
    place: Option<(&'t ShardId, &'t ResourceType)>,
    waiting: Vec<First<'t>>,
}

/// A row that is to be written.
pub(super) struct First<'t> {
    pub(super) id: &'t str,
    pub(super) state: State,
    pub(super) seen_ms: i64,
    pub(super) body: &'t [u8],
}

impl<'t> Firsts<'t> {
    pub(super) fn into_items(tx: &'t Transaction<'_>) -> Result<Firsts<'t>> {
        let [many, one] = STATEMENTS.each_ref().map(|text| tx.prepare_cached(text));
        Ok(Firsts { statements: [many?, one?], place: None, waiting: Vec::new() })
    }

    /// What is put from here on is of this shard and type.
    ///
    /// INVARIANT: nothing waits.
    pub(super) fn at(&mut self, shard: &'t ShardId, resource_type: &'t ResourceType) {
        self.place = Some((shard, resource_type));
    }

    /// Keeps a first state; it is written by [`Firsts::write`].
    pub(super) fn put(&mut self, first: First<'t>) {
        self.waiting.push(first);
    }

    /// Writes what waits.
    pub(super) fn write(&mut self) -> Result<()> {
        let Some((shard, resource_type)) = self.place else { return Ok(()) };
        let mut rest = self.waiting.as_slice();
        for (statement, rows) in self.statements.iter_mut().zip(AT_ONCE) {
            if rest.len() < rows {
                continue;
            }
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
        self.waiting.clear();
        Ok(())
    }
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
