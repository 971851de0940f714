//! The reverse index: which (policy, account, Region) read a fact outside their shard, and are due when
//! it changes. [`super::references`] writes what each reads.

use std::collections::BTreeSet;

use palisade_core::evaluate::Reference;
use palisade_core::ident::{PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::ItemKey;

use crate::{Due, Result};

use super::Rows;
use super::rows::Kind;

/// Stands between the parts of a reference's text: identifiers hold no control characters.
const BETWEEN: char = '\u{1f}';
/// Sorts right after every text that goes on after [`BETWEEN`].
const PAST: char = '\u{20}';

/// A reference as one text, the items of a shard next to each other.
pub fn text(reference: &Reference) -> String {
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
        Reference::ResourceSet { owner, region, id } => {
            ["set", owner.as_str(), region.as_str(), id.as_str()]
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

/// Whether any reference whose text begins so has a reader: asked once, to spare asking for each.
fn any_under(rows: &impl Rows, stem: &str) -> Result<bool> {
    rows.any_reader(&format!("{stem}{BETWEEN}"), &format!("{stem}{PAST}"))
}

/// Whether any item of the shard has a reader.
pub fn any_of(rows: &impl Rows, shard: &ShardId) -> Result<bool> {
    any_under(rows, &format!("item{BETWEEN}{}{BETWEEN}{}", shard.account, shard.region))
}

/// Marks the readers of an item due.
pub fn mark_of_item(rows: &impl Rows, key: &ItemKey, sequence: u64, now_ms: i64) -> Result<()> {
    let ItemKey { account, region, resource_type, id } = key;
    let text = item_text(account.as_str(), region.as_str(), resource_type.as_str(), id.as_str());
    mark_text(rows, &text, sequence, now_ms)
}

/// Marks the readers of whatever a shard holds due: how far its word holds has changed.
pub fn mark_of_shard(rows: &impl Rows, shard: &ShardId, sequence: u64, now_ms: i64) -> Result<()> {
    let mut due =
        between(rows, &format!("item{BETWEEN}{}{BETWEEN}{}", shard.account, shard.region))?;
    let stem = format!("group{BETWEEN}{}", shard.region);
    for reader in between(rows, &stem)? {
        let id = reader.0.strip_prefix(&stem).map(|id| id.trim_matches(BETWEEN));
        let Some(Ok(id)) = id.map(ResourceId::try_from) else { continue };
        let key = ItemKey {
            account: shard.account.clone(),
            region: shard.region.clone(),
            resource_type: ResourceType::SECURITY_GROUP,
            id,
        };
        if rows.item(&key)?.is_some() {
            due.push(reader);
        }
    }
    if !due.is_empty() {
        rows.put_changed(Kind::Groups, sequence)?;
    }
    for (_, reader, policy) in due {
        rows.put_mark(&reader, &Due::Policy(policy), sequence, now_ms)?;
    }
    Ok(())
}

/// The readers of all references whose text begins so.
fn between(rows: &impl Rows, stem: &str) -> Result<Vec<(String, ShardId, PolicyId)>> {
    rows.readers_between(&format!("{stem}{BETWEEN}"), &format!("{stem}{PAST}"))
}

/// Marks the readers of a reference due.
pub fn mark(rows: &impl Rows, reference: &Reference, sequence: u64, now_ms: i64) -> Result<()> {
    mark_text(rows, &text(reference), sequence, now_ms)
}

/// Marks the readers of groups and VPCs due. In most Regions nobody reads any: that is asked once.
pub fn mark_networks(
    rows: &impl Rows,
    references: &BTreeSet<Reference>,
    region: &Region,
    sequence: u64,
    now_ms: i64,
) -> Result<()> {
    let is_read = |kind: &str| any_under(rows, &format!("{kind}{BETWEEN}{region}"));
    let (groups, vpcs) = (is_read("group")?, is_read("vpc")?);
    for reference in references {
        let is_read = match reference {
            Reference::Group { .. } => groups,
            Reference::Vpc { .. } => vpcs,
            Reference::Item { .. }
            | Reference::AppsList { .. }
            | Reference::ProtocolsList { .. }
            | Reference::ResourceSet { .. }
            | Reference::CommonPolicies => true,
        };
        if is_read {
            mark(rows, reference, sequence, now_ms)?;
        }
    }
    Ok(())
}

fn mark_text(rows: &impl Rows, reference: &str, sequence: u64, now_ms: i64) -> Result<()> {
    for (shard, policy) in rows.readers_of(reference)? {
        rows.put_mark(&shard, &Due::Policy(policy), sequence, now_ms)?;
    }
    Ok(())
}
