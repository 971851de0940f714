//! The audit log. The call that changes something appends its event in the same transaction.

use crate::{AuditFilter, AuditRow, Result};

/// Who changed what.
pub trait AuditLog: Send + Sync {
    /// Events that pass the filter, newest first.
    fn audit(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>>;

    /// Drops events from before a moment. Answers how many.
    fn expire_audit(&self, before_ms: i64) -> Result<u64>;
}
