//! What the inventory of a Region tells of and how old it is: the sentence below every page.

use std::collections::{BTreeMap, BTreeSet};

use palisade_api::own::Refused;
use palisade_core::ident::AccountId;
use serde::Serialize;

use crate::reader::Reader;
use crate::shown::{Ago, Count, Moment};

/// The inventory of the accounts that the caller's policies are about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// Accounts in the scope of a policy.
    pub accounts: Count,
    /// Of these, those whose inventory is not stale.
    pub fresh: Count,
    /// Those that nothing was ever told of.
    pub unseen: Count,
    /// The age of the oldest that something was told of.
    pub oldest: Option<Ago>,
    /// The age at which inventory counts as stale; never where there is none.
    pub stale_after: Option<Ago>,
    /// The newest moment told of each account of the Region.
    #[serde(skip)]
    pub newest_ms: BTreeMap<AccountId, i64>,
    #[serde(skip)]
    region: String,
    /// The moment of the past that the page tells of: how old inventory was then is not kept.
    #[serde(skip)]
    at: Option<Moment>,
}

impl Coverage {
    /// Reads it.
    ///
    /// # Errors
    /// What the store says.
    pub fn of(reader: &Reader<'_>) -> Result<Coverage, Refused> {
        let policies = reader.policies();
        let accounts: BTreeSet<&AccountId> =
            policies.iter().flat_map(|record| reader.view.in_scope(&record.id)).collect();
        let newest_ms: BTreeMap<AccountId, i64> = match accounts.last() {
            Some(last) if reader.at_ms.is_none() => {
                let store = &reader.app.store;
                store.newest_each_ms(&reader.place.region, None, last)?.into_iter().collect()
            }
            _ => BTreeMap::new(),
        };
        let told = accounts.iter().filter_map(|account| newest_ms.get(*account));
        let ages: Vec<Ago> = told.map(|at_ms| Moment(*at_ms).ago(reader.now_ms)).collect();
        let stale_after = reader.app.settings.stale_after_ms.map(|ms| Ago(ms / 1_000));
        let is_fresh = |age: &&Ago| stale_after.is_none_or(|stale| **age < stale);
        Ok(Coverage {
            accounts: accounts.len().into(),
            fresh: ages.iter().filter(is_fresh).count().into(),
            unseen: accounts.len().saturating_sub(ages.len()).into(),
            oldest: ages.iter().max().copied(),
            stale_after,
            region: reader.place.region.to_string(),
            at: reader.at_ms.map(Moment),
            newest_ms,
        })
    }

    /// In a sentence.
    pub fn words(&self) -> String {
        if self.accounts.0 == 0 {
            return format!("No policy is about any account in {}", self.region);
        }
        if let Some(at) = self.at {
            return format!(
                "{} in {} as it was known at {at}; how old the inventory was then is not kept",
                self.accounts.of("account"),
                self.region
            );
        }
        let is = if self.stale_after.is_some() { "fresh" } else { "told" };
        let mut words = format!(
            "Inventory of {} of {} accounts in {} {is}",
            self.fresh, self.accounts, self.region
        );
        if let Some(oldest) = self.oldest {
            words.push_str(&format!(", the oldest {oldest} old"));
        }
        if self.unseen.0 > 0 {
            words.push_str(&format!("; nothing was ever told of {}", self.unseen.of("account")));
        }
        words
    }

    /// Whether anything is stale or was never told.
    pub fn is_lacking(&self) -> bool {
        self.at.is_none() && self.fresh != self.accounts
    }
}
