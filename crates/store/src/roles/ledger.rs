//! The ledger as readers see it. [`Work::settle`](super::Work::settle) writes it.

use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType};
use palisade_core::ledger::ViolatorRow;

use crate::{EntryRow, HistoryRow, Result};

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

    /// Drops history and tombstones from before a moment. Answers how many rows.
    ///
    /// Two things stay: the state in history that still held at the moment, and tombstones of recorders,
    /// which are the reason why a shard counts as not recorded.
    fn expire(&self, before_ms: i64) -> Result<u64>;
}
