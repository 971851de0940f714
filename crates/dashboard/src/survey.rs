//! How every account of a Region stands under every policy that the caller reads: what figures, heatmap
//! and lists are made of. Read by the function that the endpoints read by.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_api::ControlView;
use palisade_api::own::{Refused, readers};
use palisade_core::ident::AccountId;
use palisade_store::PolicyRecord;

use crate::reader::Reader;
use crate::state::{AccountState, Tally};

/// One policy.
pub struct Column {
    /// Which.
    pub record: Arc<PolicyRecord>,
    /// Whether this edition can parse it: under another nothing is judged.
    pub is_parsed: bool,
    /// The states of the accounts in its scope, which are ascending.
    states: Vec<AccountState>,
    view: Arc<ControlView>,
}

impl Column {
    /// The accounts in its scope, ascending, each with its state.
    pub fn states(&self) -> impl Iterator<Item = (&AccountId, AccountState)> {
        self.view.in_scope(&self.record.id).iter().zip(self.states.iter().copied())
    }

    /// The state of one account.
    pub fn state(&self, account: &AccountId) -> AccountState {
        let at = self.view.in_scope(&self.record.id).binary_search(account);
        let state = at.ok().and_then(|at| self.states.get(at)).copied();
        state.unwrap_or(AccountState::OutOfScope)
    }

    /// How many accounts stand how.
    pub fn tally(&self) -> Tally {
        Tally::of(self.states.iter().copied())
    }
}

/// All of a Region.
pub struct Survey {
    /// Policies by name.
    pub columns: Vec<Column>,
}

/// An account over all policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    /// The worst; `None` is out of every policy's scope.
    pub worst: Option<AccountState>,
    /// Violators under all policies.
    pub violators: u64,
    /// Policies that it breaks.
    pub broken: u64,
    /// Policies under which nothing is known.
    pub unknown: u64,
}

impl Survey {
    /// Reads them.
    ///
    /// # Errors
    /// What the store says.
    pub fn of(reader: &Reader<'_>) -> Result<Survey, Refused> {
        let columns = reader.policies().into_iter().map(|record| column(reader, record));
        Ok(Survey { columns: columns.collect::<Result<_, _>>()? })
    }

    /// Each account that the caller reads of, ascending.
    pub fn sums<'r>(&self, reader: &'r Reader<'_>) -> BTreeMap<&'r AccountId, Sum> {
        let mut sums: BTreeMap<&AccountId, Sum> =
            reader.accounts().into_iter().map(|account| (account, Sum::default())).collect();
        for (account, state) in self.columns.iter().flat_map(Column::states) {
            if let Some(sum) = sums.get_mut(account) {
                sum.add(state);
            }
        }
        sums
    }
}

impl Sum {
    /// With the account's state under one more policy.
    pub fn add(&mut self, state: AccountState) {
        self.worst = self.worst.max(Some(state));
        self.violators = self.violators.saturating_add(state.violators());
        match state {
            AccountState::Violates(_) => self.broken = self.broken.saturating_add(1),
            AccountState::NotKnown | AccountState::NotJudged => {
                self.unknown = self.unknown.saturating_add(1);
            }
            AccountState::Complies | AccountState::OutOfScope => {}
        }
    }

    /// As one state: what it violates counts once for each policy.
    pub fn state(&self) -> AccountState {
        match self.worst.unwrap_or(AccountState::OutOfScope) {
            AccountState::Violates(_) => AccountState::Violates(self.violators),
            other => other,
        }
    }
}

fn column(reader: &Reader<'_>, record: &Arc<PolicyRecord>) -> Result<Column, Refused> {
    let accounts = reader.view.in_scope(&record.id);
    let mut states = Vec::with_capacity(accounts.len());
    readers::known_of(reader.app, reader.at_ms, record, None, accounts, |_, known| {
        states.push(AccountState::of(known));
    })?;
    Ok(Column {
        record: record.clone(),
        is_parsed: reader.view.policy(&record.id).is_some(),
        states,
        view: reader.view.clone(),
    })
}

/// The states of the accounts in the scope of one policy.
///
/// # Errors
/// What the store says.
pub fn one(reader: &Reader<'_>, record: &Arc<PolicyRecord>) -> Result<Column, Refused> {
    column(reader, record)
}
