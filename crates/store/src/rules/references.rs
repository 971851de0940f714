//! What a (policy, account, Region) reads outside its shard: written when it was judged, and held against
//! the last change of each.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::Reference;
use palisade_core::ident::{PolicyId, ShardId};

use crate::{Result, Revision};

use super::rows::Kind;
use super::{Rows, readers};

/// Makes `references` what the reader reads. Answers whether one that it did not read before has
/// changed since `loaded`, the sequence at which the reader loaded it: of that change nobody told
/// the reader, and it must be judged again.
pub fn replace(
    rows: &impl Rows,
    policy: &PolicyId,
    reader: &ShardId,
    references: &BTreeSet<Reference>,
    loaded: u64,
    last_changes: &LastChanges,
) -> Result<bool> {
    let mut before = rows.read_by(policy, &reader.account)?;
    let mut missed = false;
    for reference in references {
        let text = readers::text(reference);
        if before.remove(&text) {
            continue;
        }
        rows.put_reader(&text, policy, reader)?;
        missed |= last_changes.of(rows, text, reference)? > loaded;
    }
    for text in before {
        rows.drop_reader(&text, policy, &reader.account)?;
    }
    Ok(missed)
}

/// When references last changed, each asked for once. Good for a transaction that changes none.
#[derive(Default)]
pub struct LastChanges(RefCell<BTreeMap<String, u64>>);

impl LastChanges {
    /// Sequence at which what the reference of this text names may last have changed.
    fn of(&self, rows: &impl Rows, text: String, reference: &Reference) -> Result<u64> {
        if let Some(known) = self.0.borrow().get(&text) {
            return Ok(*known);
        }
        let changed = changed(rows, reference)?;
        self.0.borrow_mut().insert(text, changed);
        Ok(changed)
    }
}

fn changed(rows: &impl Rows, reference: &Reference) -> Result<u64> {
    match reference {
        Reference::Item { account, region, .. } => {
            let shard = ShardId { account: account.clone(), region: region.clone() };
            let Revision(changed) = rows.shard(&shard)?.unwrap_or_default().revision;
            Ok(changed)
        }
        // Resource sets are noted with lists: both are small, and changed by callers alone.
        Reference::AppsList { .. }
        | Reference::ProtocolsList { .. }
        | Reference::ResourceSet { .. } => rows.changed(Kind::Lists),
        Reference::CommonPolicies => rows.changed(Kind::CommonPolicies),
        Reference::Group { .. } => rows.changed(Kind::Groups),
        Reference::Vpc { .. } => rows.changed(Kind::Vpcs),
    }
}
