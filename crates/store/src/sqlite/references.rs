//! What a (policy, account, Region) reads outside its shard: written when it was judged, and held against
//! the last change of each.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::Reference;
use palisade_core::ident::{AccountId, PolicyId, ShardId};

use crate::Result;

use super::columns::get;
use super::log::Transaction;
use super::readers::{self, READER};
use super::{common_policies, control, held, networks};

/// Makes `references` what the reader reads. Answers whether one that it did not read before has
/// changed since `loaded`, the sequence at which the reader loaded it: of that change nobody told
/// the reader, and it must be judged again.
pub(super) fn replace(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    reader: &ShardId,
    references: &BTreeSet<Reference>,
    loaded: u64,
    last_changes: &LastChanges,
) -> Result<bool> {
    let mut before = current(tx, policy, &reader.account)?;
    let mut missed = false;
    let mut insert = tx.prepare_cached(
        "INSERT INTO readers (reference, policy, account, region) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for reference in references {
        let text = readers::text(reference);
        if before.remove(&text) {
            continue;
        }
        insert.execute([
            text.as_str(),
            policy.as_str(),
            reader.account.as_str(),
            reader.region.as_str(),
        ])?;
        missed |= last_changes.of(tx, text, reference)? > loaded;
    }
    let mut delete = tx.prepare_cached(
        "DELETE FROM readers WHERE reference = ?1 AND policy = ?2 AND account = ?3",
    )?;
    for text in before {
        delete.execute([text.as_str(), policy.as_str(), reader.account.as_str()])?;
    }
    Ok(missed)
}

fn current(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    account: &AccountId,
) -> Result<BTreeSet<String>> {
    let mut statement =
        tx.prepare_cached("SELECT reference FROM readers WHERE policy = ?1 AND account = ?2")?;
    let mut rows = statement.query([policy.as_str(), account.as_str()])?;
    let mut texts = BTreeSet::new();
    while let Some(row) = rows.next()? {
        texts.insert(get(row, 0, READER)?);
    }
    Ok(texts)
}

/// When references last changed, each asked for once. Good for a transaction that changes none.
#[derive(Default)]
pub(super) struct LastChanges(RefCell<BTreeMap<String, u64>>);

impl LastChanges {
    /// Sequence at which what the reference of this text names may last have changed.
    fn of(&self, tx: &Transaction<'_>, text: String, reference: &Reference) -> Result<u64> {
        if let Some(known) = self.0.borrow().get(&text) {
            return Ok(*known);
        }
        let changed = changed(tx, reference)?;
        self.0.borrow_mut().insert(text, changed);
        Ok(changed)
    }
}

fn changed(tx: &Transaction<'_>, reference: &Reference) -> Result<u64> {
    match reference {
        Reference::Item { account, region, .. } => {
            let shard = ShardId { account: account.clone(), region: region.clone() };
            held::last_change(tx, &shard)
        }
        Reference::AppsList { .. } | Reference::ProtocolsList { .. } => control::lists_changed(tx),
        Reference::CommonPolicies => common_policies::changed(tx),
        Reference::Group { .. } => networks::groups_changed(tx),
        Reference::Vpc { .. } => networks::vpcs_changed(tx),
    }
}
