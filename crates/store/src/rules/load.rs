//! What judging one shard needs, read at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{
    AccountFacts, Changed, Fact, Freshness, Reference, References, Support, reads_networks,
};
use palisade_core::ident::{AccountId, PolicyId, ResourceType, ShardId};
use palisade_core::inventory::{ItemKey, Shard};
use palisade_core::ledger::{Record, ViolatorRow};

use crate::{ListContent, Loaded, LoadedChanges, Result, Want};

use super::coverage::{self, HeldTypes, covered};
use super::rows::ShardRow;
use super::{Rows, changes, networks, protections};

/// Facts that were read at the moment of a transaction: many shards refer to the same.
#[derive(Default)]
pub struct Facts(Vec<(BTreeSet<Reference>, Arc<References>)>);

impl Facts {
    /// What exists of these.
    fn of(
        &mut self,
        rows: &impl Rows,
        references: &BTreeSet<Reference>,
    ) -> Result<Arc<References>> {
        if let Some((_, facts)) = self.0.iter().find(|(asked, _)| asked == references) {
            return Ok(facts.clone());
        }
        let facts = Arc::new(facts(rows, references)?);
        if self.0.len() < FACTS_KEPT_MAX {
            self.0.push((references.clone(), facts.clone()));
        }
        Ok(facts)
    }
}

/// Sets of references that are looked for among those asked for before.
const FACTS_KEPT_MAX: usize = 8;

pub fn load(rows: &impl Rows, want: &Want<'_>, facts: &mut Facts) -> Result<Loaded> {
    let Want { shard, references, policies, types } = *want;
    let all =
        |policy: &PolicyId, account: &AccountId| rows.violators(policy, account, None, usize::MAX);
    let row = rows.shard(shard)?;
    let shard_id = shard;
    let shard = self::shard(rows, shard, row.as_ref(), types)?;
    let mut account = account_facts(rows, shard_id, types)?;
    if types.is_none_or(reads_networks) {
        account.network = networks::facts(rows, &shard)?;
    }
    Ok(Loaded {
        references: facts.of(rows, references)?,
        account,
        records: records(rows, policies, &shard_id.account, &all)?,
        shard,
        revision: row.unwrap_or_default().revision,
        is_changed: row.is_some_and(|row| row.is_logged),
    })
}

/// As [`load`], of the items what judging the changes needs.
pub fn load_changed(
    rows: &impl Rows,
    shard: &ShardId,
    references: &BTreeSet<Reference>,
    policies: &[PolicyId],
    support: &dyn Fn(&[Changed]) -> Support,
) -> Result<Option<LoadedChanges>> {
    let Some(changed) = changes::pending(rows, shard)? else { return Ok(None) };
    let of_changed = |policy: &PolicyId, account: &AccountId| {
        let mut violators = Vec::new();
        for Changed { key, .. } in &changed {
            let resource = (key.resource_type.clone(), key.id.clone());
            violators.extend(rows.violator(policy, account, &resource)?);
        }
        Ok(violators)
    };
    let support = support(&changed);
    let row = rows.shard(shard)?;
    let loaded = Loaded {
        shard: supporting(rows, shard, row.as_ref(), &support)?,
        references: Facts::default().of(rows, references)?,
        account: account_facts(rows, shard, Some(&support.types))?,
        records: records(rows, policies, &shard.account, &of_changed)?,
        revision: row.unwrap_or_default().revision,
        is_changed: row.is_some_and(|row| row.is_logged),
    };
    Ok(Some(LoadedChanges { changed, loaded }))
}

/// Of the account's own shards only Shield's protections are read.
fn account_facts(
    rows: &impl Rows,
    shard: &ShardId,
    types: Option<&BTreeSet<ResourceType>>,
) -> Result<AccountFacts> {
    let are_read =
        AccountFacts::PROTECTIONS.iter().any(|kind| types.is_none_or(|types| types.contains(kind)));
    if are_read { protections::account_facts(rows, shard) } else { Ok(AccountFacts::default()) }
}

fn supporting(
    rows: &impl Rows,
    id: &ShardId,
    row: Option<&ShardRow>,
    support: &Support,
) -> Result<Shard> {
    let mut shard = shard(rows, id, row, Some(&support.types))?;
    for (resource_type, id) in &support.items {
        let key = ItemKey {
            account: shard.id.account.clone(),
            region: shard.id.region.clone(),
            resource_type: resource_type.clone(),
            id: id.clone(),
        };
        if let Some(item) = rows.live_item(&key)? {
            shard.items.entry(key.resource_type).or_default().insert(key.id, item);
        }
    }
    Ok(shard)
}

fn shard(
    rows: &impl Rows,
    id: &ShardId,
    row: Option<&ShardRow>,
    types: Option<&BTreeSet<ResourceType>>,
) -> Result<Shard> {
    let Some(types) = types else {
        let mut shard = covered(rows, id, row, HeldTypes::All)?;
        shard.items = rows.live_items(id)?;
        return Ok(shard);
    };
    let mut shard = covered(rows, id, row, HeldTypes::IfTheyTell)?;
    for resource_type in types {
        if shard.items.contains_key(resource_type) {
            continue;
        }
        let items = rows.live_items_of(id, resource_type)?;
        if !items.is_empty() {
            shard.items.insert(resource_type.clone(), items);
        }
    }
    Ok(shard)
}

fn facts(rows: &impl Rows, references: &BTreeSet<Reference>) -> Result<References> {
    let mut facts = References::new();
    for reference in references {
        if let Some(fact) = fact(rows, reference)? {
            facts.insert(reference.clone(), fact);
        }
    }
    Ok(facts)
}

fn fact(rows: &impl Rows, reference: &Reference) -> Result<Option<Fact>> {
    match reference {
        Reference::Item { account, region, resource_type, id } => {
            let key = ItemKey {
                account: account.clone(),
                region: region.clone(),
                resource_type: resource_type.clone(),
                id: id.clone(),
            };
            let Some(item) = rows.live_item(&key)? else { return Ok(None) };
            let known = coverage::of(rows, &key.shard())?;
            let freshness = Freshness::of(&known, resource_type, id);
            Ok(Some(Fact::Item(item, freshness)))
        }
        Reference::AppsList { id, .. } | Reference::ProtocolsList { id, .. } => {
            // A list under this id that is another administrator's, Region's or kind's is not it.
            let list = rows.list(id)?.filter(|list| list.reference() == *reference);
            Ok(list.map(|list| match list.content {
                ListContent::Apps(apps) => Fact::Apps(apps),
                ListContent::Protocols(protocols) => Fact::Protocols(protocols),
            }))
        }
        Reference::ResourceSet { id, .. } => {
            let set = rows.resource_set(id)?.filter(|set| set.reference() == *reference);
            Ok(set.map(|set| Fact::Resources(set.resources.into_keys().collect())))
        }
        Reference::CommonPolicies => Ok(Some(Fact::Policies(rows.common_policies()?))),
        // What they name is loaded with what the shard's items say.
        Reference::Group { .. } | Reference::Vpc { .. } => Ok(None),
    }
}

/// Those of a (policy, account) that a record is to have.
type Violators<'v> = &'v dyn Fn(&PolicyId, &AccountId) -> Result<Vec<ViolatorRow>>;

fn records(
    rows: &impl Rows,
    policies: &[PolicyId],
    account: &AccountId,
    violators: Violators<'_>,
) -> Result<BTreeMap<PolicyId, Record>> {
    let mut records = BTreeMap::new();
    for policy in policies {
        let Some(row) = rows.entry(policy, account)? else { continue };
        let violators = violators(policy, account)?;
        records.insert(policy.clone(), Record { entry: Some(row.entry), violators });
    }
    Ok(records)
}
