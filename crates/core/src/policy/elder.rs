//! A policy that was created before another of its type, as far as that one must know it.

use std::sync::Arc;

use crate::ident::{AccountId, PolicyId, ResourceSetId};
use crate::scope::TagScope;

/// A policy that goes before another where both are about one subnet, or one firewall.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Elder {
    /// Its id.
    pub id: PolicyId,
    /// `PolicyName`
    pub name: Box<str>,
    /// The accounts that it judges, ascending.
    pub accounts: Arc<[AccountId]>,
    /// Which of their resources.
    pub tags: TagScope,
    /// The administrator that owns it and its resource sets.
    pub owner: AccountId,
    /// `ResourceSetIds`, ascending: they name its resources. Empty where tags alone decide.
    pub resource_sets: Box<[ResourceSetId]>,
}

impl Elder {
    /// Whether it judges an account.
    pub fn has_account(&self, account: &AccountId) -> bool {
        self.accounts.binary_search(account).is_ok()
    }
}
