//! Whether replacing an organization by another looks like a mistake.

use super::Organization;

/// What replacing an organization would do, for the caller to confirm or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Replacement {
    /// The new one has another `Organization.Id`.
    pub other_id: bool,
    /// The new one has another management account, which an organization keeps for life.
    pub other_management: bool,
    /// Accounts of the old one that the new one does not have.
    pub dropped: usize,
    /// Accounts of the old one.
    pub of: usize,
    /// Another id or management account, or more than a fifth of the accounts dropped: not without `confirm`.
    pub needs_confirmation: bool,
}

/// Compares an organization with the one to replace it.
pub fn replacement(old: &Organization, new: &Organization) -> Replacement {
    let other_id = old.id != new.id;
    let other_management = old.management != new.management;
    let dropped = old.accounts.keys().filter(|id| !new.accounts.contains_key(*id)).count();
    let of = old.accounts.len();
    let needs_confirmation = other_id || other_management || dropped.saturating_mul(5) > of;
    Replacement { other_id, other_management, dropped, of, needs_confirmation }
}
