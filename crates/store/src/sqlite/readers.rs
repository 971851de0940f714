//! The reverse index: which (policy, account, Region) read a fact outside their shard, and are due when
//! it changes. [`super::references`] writes what each reads.

use std::collections::BTreeSet;

use palisade_core::evaluate::Reference;
use palisade_core::ident::{AccountId, PolicyId, Region, ShardId};
use palisade_core::inventory::ItemKey;

use crate::Result;

use super::columns::{ident, shard};
use super::log::Transaction;
use super::work;

/// What a row of readers is called where it is damaged.
pub(super) const READER: &str = "reader of a reference";

/// Stands between the parts of a reference's text: identifiers hold no control characters.
const BETWEEN: char = '\u{1f}';
/// Sorts right after every text that goes on after [`BETWEEN`].
const PAST: char = '\u{20}';

/// A reference as one text, the items of a shard next to each other.
pub(super) fn text(reference: &Reference) -> String {
    let parts = match reference {
        Reference::Item { account, region, resource_type, id } => {
            return item_text(
                account.as_str(),
                region.as_str(),
                resource_type.as_str(),
                id.as_str(),
            );
        }
        Reference::AppsList { owner, region, id } => {
            ["apps", owner.as_str(), region.as_str(), id.as_str()]
        }
        Reference::ProtocolsList { owner, region, id } => {
            ["protocols", owner.as_str(), region.as_str(), id.as_str()]
        }
        Reference::CommonPolicies => return "common policies".to_owned(),
        Reference::Group { region, id } => ["group", region.as_str(), id.as_str(), ""],
        Reference::Vpc { region, id } => ["vpc", region.as_str(), id, ""],
    };
    parts.join(&BETWEEN.to_string())
}

fn item_text(account: &str, region: &str, resource_type: &str, id: &str) -> String {
    format!("item{BETWEEN}{account}{BETWEEN}{region}{BETWEEN}{resource_type}{BETWEEN}{id}")
}

/// Whether any item of the shard has a reader: asked once, to spare asking for each item.
pub(super) fn any_of(tx: &Transaction<'_>, shard: &ShardId) -> Result<bool> {
    let (account, region) = (shard.account.as_str(), shard.region.as_str());
    let stem = format!("item{BETWEEN}{account}{BETWEEN}{region}");
    let mut statement =
        tx.prepare_cached("SELECT 1 FROM readers WHERE reference > ?1 AND reference < ?2")?;
    Ok(statement.exists([format!("{stem}{BETWEEN}"), format!("{stem}{PAST}")])?)
}

/// Marks the readers of an item due.
pub(super) fn mark_of_item(
    tx: &Transaction<'_>,
    key: &ItemKey,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let ItemKey { account, region, resource_type, id } = key;
    let text = item_text(account.as_str(), region.as_str(), resource_type.as_str(), id.as_str());
    mark_text(tx, &text, sequence, now_ms)
}

/// Marks the readers of a reference due.
pub(super) fn mark(
    tx: &Transaction<'_>,
    reference: &Reference,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    mark_text(tx, &text(reference), sequence, now_ms)
}

/// Marks the readers of groups and VPCs due. In most Regions nobody reads any: that is asked once.
pub(super) fn mark_networks(
    tx: &Transaction<'_>,
    references: &BTreeSet<Reference>,
    region: &Region,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let mut any =
        tx.prepare_cached("SELECT 1 FROM readers WHERE reference > ?1 AND reference < ?2")?;
    let mut is_read = |kind: &str| -> Result<bool> {
        let stem = format!("{kind}{BETWEEN}{}", region.as_str());
        Ok(any.exists([format!("{stem}{BETWEEN}"), format!("{stem}{PAST}")])?)
    };
    let (groups, vpcs) = (is_read("group")?, is_read("vpc")?);
    for reference in references {
        let is_read = match reference {
            Reference::Group { .. } => groups,
            Reference::Vpc { .. } => vpcs,
            _ => true,
        };
        if is_read {
            mark(tx, reference, sequence, now_ms)?;
        }
    }
    Ok(())
}

fn mark_text(tx: &Transaction<'_>, reference: &str, sequence: u64, now_ms: i64) -> Result<()> {
    let mut statement =
        tx.prepare_cached("SELECT account, region, policy FROM readers WHERE reference = ?1")?;
    let mut rows = statement.query([reference])?;
    while let Some(row) = rows.next()? {
        let policy: PolicyId = ident(row, 2, READER)?;
        work::mark(tx, &shard(row, 0, READER)?, Some(&policy), sequence, now_ms)?;
    }
    Ok(())
}

/// The account is out of the policy's scope: it reads nothing for it.
pub(super) fn remove(tx: &Transaction<'_>, policy: &PolicyId, account: &AccountId) -> Result<()> {
    tx.prepare_cached("DELETE FROM readers WHERE policy = ?1 AND account = ?2")?
        .execute([policy.as_str(), account.as_str()])?;
    Ok(())
}

/// The policy is gone.
pub(super) fn remove_policy(tx: &Transaction<'_>, policy: &PolicyId) -> Result<()> {
    tx.execute("DELETE FROM readers WHERE policy = ?1", [policy.as_str()])?;
    Ok(())
}
