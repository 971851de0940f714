//! The verbs by which rules keep and read what was answered at earlier moments.
//!
//! INVARIANT: moments at which something is noted never decrease in the order of the sequence. Of an object
//! with several versions up to a moment, the last one held then.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;

use crate::{HistoryRow, Occasion, PastViolator, Result, Span, Version, Versioned};

/// When and for what something is noted.
#[derive(Clone, Copy, Debug)]
pub struct Noting {
    /// The number of the transaction.
    pub sequence: u64,
    /// The moment, milliseconds since the epoch.
    pub noted_ms: i64,
    /// What it is written for.
    pub occasion: Occasion,
}

/// Versions of what is decided, and states of entries and violators that are no more.
pub trait PastRows {
    fn span(&self) -> Result<Span>;
    fn put_span(&self, span: Span) -> Result<()>;
    /// What was noted after a moment was noted then. A version that held for no time goes.
    fn cap_noted(&self, now_ms: i64) -> Result<()>;

    /// Adds a version; `record` is its JSON, `None` that the object is gone.
    fn put_version(
        &self,
        object: &Versioned,
        record: Option<&str>,
        sequence: u64,
        noted_ms: i64,
    ) -> Result<()>;
    /// The versions that held at a moment, of the objects that were there.
    fn versions_at(&self, at_ms: i64) -> Result<Vec<Version>>;
    /// Versions noted after a moment up to another, in the order of the sequence.
    fn versions_between(&self, after_ms: i64, through_ms: i64) -> Result<Vec<Version>>;
    /// Drops versions that ended before a moment.
    fn drop_versions(&self, before_ms: i64) -> Result<u64>;

    /// The states of a policy's entries at a moment, with `after < account <= through`, ascending. Those that
    /// were closed are left out.
    fn entries_at(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<(AccountId, HistoryRow)>>;
    /// The state of one entry at a moment, unless it was closed.
    fn entry_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
    ) -> Result<Option<HistoryRow>>;
    /// Violators at a moment after a position, ascending.
    fn violators_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<ViolatorRow>>;
    /// Past versions of an account's violators that ended after a moment up to another, ascending by type,
    /// id and end.
    fn past_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after_ms: i64,
        through_ms: i64,
    ) -> Result<Vec<PastViolator>>;
    /// Drops past versions of violators that ended before a moment.
    fn drop_past_violators(&self, before_ms: i64) -> Result<u64>;
}
