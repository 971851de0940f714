//! The ledger as readers see it. [`Work::settle`](super::Work::settle) writes it.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;

use crate::{EntryRow, HistoryRow, PastViolator, Result, Span};

/// What judging found, by policy and account.
pub trait Ledger: Send + Sync {
    /// Entries of one policy with `after < account <= through`, ascending; `None` leaves a bound open.
    /// One range read.
    fn entries(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
    ) -> Result<Vec<EntryRow>>;

    /// One entry.
    fn entry(&self, policy: &PolicyId, account: &AccountId) -> Result<Option<EntryRow>>;

    /// Violators of one (policy, account) after a position, ascending by type, then id.
    fn violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
    ) -> Result<Vec<ViolatorRow>>;

    /// One violator of a (policy, account).
    fn violator(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        resource: &(ResourceType, ResourceId),
    ) -> Result<Option<ViolatorRow>>;

    /// History of one (policy, account), newest first.
    fn history(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        limit: usize,
    ) -> Result<Vec<HistoryRow>>;

    /// Of which moments the past can be asked for: [`Ledger::entries_at`], [`Ledger::violators_at`],
    /// [`Control::control_at`](super::Control::control_at). What is asked of another moment is answered as
    /// far as rows are there, which may not be what was answered then.
    fn span(&self) -> Result<Span>;

    /// As [`Ledger::entries`], what was recorded at a moment: after all that was written in its millisecond.
    fn entries_at(
        &self,
        policy: &PolicyId,
        after: Option<&AccountId>,
        through: Option<&AccountId>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<(AccountId, HistoryRow)>>;

    /// As [`Ledger::entry`], of a moment.
    fn entry_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        at_ms: i64,
    ) -> Result<Option<HistoryRow>>;

    /// As [`Ledger::violators`], of a moment.
    fn violators_at(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after: Option<&(ResourceType, ResourceId)>,
        limit: usize,
        at_ms: i64,
    ) -> Result<Vec<ViolatorRow>>;

    /// Versions of an account's violators that held no more after a moment, up to another, ascending by
    /// type, id and end.
    fn past_violators(
        &self,
        policy: &PolicyId,
        account: &AccountId,
        after_ms: i64,
        through_ms: i64,
    ) -> Result<Vec<PastViolator>>;

    /// Drops history, past versions and tombstones from before a moment. Answers how many rows.
    ///
    /// Two things stay: the state in history that still held at the moment, and tombstones of recorders,
    /// which are the reason why a shard counts as not recorded.
    fn expire(&self, before_ms: i64) -> Result<u64>;
}
