//! A policy that was created before another of its type, as far as that one must know it.

use std::sync::Arc;

use crate::ident::{AccountId, PolicyId};
use crate::scope::TagScope;

/// A policy that goes before another where both are about a subnet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Elder {
    /// Its id.
    pub id: PolicyId,
    /// `PolicyName`
    pub name: Box<str>,
    /// The accounts that it judges, ascending.
    pub accounts: Arc<[AccountId]>,
    /// Which of their subnets.
    pub tags: TagScope,
}

impl Elder {
    /// Whether it judges an account.
    pub fn has_account(&self, account: &AccountId) -> bool {
        self.accounts.binary_search(account).is_ok()
    }
}
