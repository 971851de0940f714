//! What the inventory tells of and how old it is: the sentence below every page.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use palisade_api::own::Refused;
use palisade_core::ident::{AccountId, ShardId};
use serde::Serialize;

use crate::reader::Reader;
use crate::shown::{Ago, Count, Moment, Words};

/// Of what the sentence is: a page costs no more than what it shows.
#[derive(Clone, Debug)]
pub enum Covers {
    /// The accounts of the Region that the caller's policies are about.
    Region,
    /// The one account that the page is about.
    Account(AccountId),
    /// A page without figures of the inventory.
    Nothing,
}

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
    /// Whose inventory it is, where the page is about one account.
    #[serde(skip)]
    of_account: Option<Words>,
    /// Whether it tells of anything.
    #[serde(skip)]
    is_told: bool,
    /// The moment of the past that the page tells of: how old inventory was then is not kept.
    #[serde(skip)]
    at: Option<Moment>,
}

impl Coverage {
    /// Reads it.
    ///
    /// # Errors
    /// What the store says.
    pub fn of(reader: &Reader<'_>, covers: &Covers) -> Result<Coverage, Refused> {
        let policies = reader.policies();
        let accounts: Vec<&AccountId> = match covers {
            Covers::Region => union(policies.iter().map(|record| reader.view.in_scope(&record.id))),
            Covers::Account(account) => vec![account],
            Covers::Nothing => Vec::new(),
        };
        let newest_ms = newest(reader, covers, accounts.last().copied())?;
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
            of_account: match covers {
                Covers::Account(account) => Some(reader.name_of(account)),
                Covers::Region | Covers::Nothing => None,
            },
            is_told: !matches!(covers, Covers::Nothing),
            at: reader.at_ms.map(Moment),
            newest_ms,
        })
    }

    /// In a sentence.
    pub fn words(&self) -> String {
        if !self.is_told {
            return format!("What is known of {}, and how old it is", self.region);
        }
        if let Some(name) = self.of_account.as_ref().filter(|_| self.at.is_none()) {
            let of = format!("of {name} in {}", self.region);
            return match self.oldest {
                Some(age) if self.fresh.0 > 0 => format!("Inventory {of} {age} old"),
                Some(age) => format!("Inventory {of} stale, {age} old"),
                None => format!("Nothing was ever told {of}"),
            };
        }
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

/// The newest moment told of each account, through the last that is asked about. How old inventory was at a
/// moment of the past is not kept.
fn newest(
    reader: &Reader<'_>,
    covers: &Covers,
    last: Option<&AccountId>,
) -> Result<BTreeMap<AccountId, i64>, Refused> {
    let Some(last) = last.filter(|_| reader.at_ms.is_none()) else { return Ok(BTreeMap::new()) };
    let (store, region) = (&reader.app.store, &reader.place.region);
    if let Covers::Account(account) = covers {
        let shard = ShardId { account: account.clone(), region: region.clone() };
        let newest_ms = store.newest_ms(&shard)?;
        return Ok(newest_ms.map(|at_ms| (account.clone(), at_ms)).into_iter().collect());
    }
    Ok(store.newest_each_ms(region, None, last)?.into_iter().collect())
}

/// The accounts of ascending lists, each once, ascending. Many policies are about the same accounts.
fn union<'v>(lists: impl Iterator<Item = &'v [AccountId]>) -> Vec<&'v AccountId> {
    let mut all: Vec<&AccountId> = Vec::new();
    for list in lists {
        if all.len() == list.len() && all.iter().zip(list).all(|(one, other)| *one == other) {
            continue;
        }
        let (mut old, mut new) = (all.iter().copied().peekable(), list.iter().peekable());
        let mut merged = Vec::with_capacity(all.len().max(list.len()));
        loop {
            let next = match (old.peek(), new.peek()) {
                (Some(one), Some(other)) => match (*one).cmp(other) {
                    Ordering::Less => old.next(),
                    Ordering::Greater => new.next(),
                    Ordering::Equal => {
                        new.next();
                        old.next()
                    }
                },
                (Some(_), None) => old.next(),
                (None, _) => new.next(),
            };
            let Some(account) = next else { break };
            merged.push(account);
        }
        all = merged;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_of_several_policies_are_counted_once() {
        let list = |ids: &[&str]| -> Vec<AccountId> {
            ids.iter().map(|id| AccountId::try_from(*id).unwrap()).collect()
        };
        for (lists, all) in [
            (vec![], vec![]),
            (vec![vec!["1", "3"], vec!["1", "3"]], vec!["1", "3"]),
            (vec![vec!["1", "3"], vec!["2"], vec!["1", "2", "4"]], vec!["1", "2", "3", "4"]),
            (vec![vec![], vec!["2"]], vec!["2"]),
        ] {
            let lists: Vec<Vec<AccountId>> = lists.iter().map(|ids| list(ids)).collect();
            let found: Vec<&str> =
                union(lists.iter().map(Vec::as_slice)).iter().map(|id| id.as_str()).collect();
            assert_eq!(found, all);
        }
    }
}
