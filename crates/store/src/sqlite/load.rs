//! What judging one shard needs, read at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{
    AccountFacts, Changed, Fact, Reference, References, Support, reads_networks,
};
use palisade_core::ident::{AccountId, PolicyId, ResourceType, ShardId};
use palisade_core::inventory::{ItemKey, Shard};
use palisade_core::ledger::{Record, ViolatorRow};

use crate::{ListContent, Loaded, LoadedChanges, Result, Want};

use super::coverage::{Head, HeldTypes, covered, head};
use super::items::{live_item, live_items, live_items_of};
use super::log::Transaction;
use super::{changes, common_policies, control, ledger, networks, protections};

/// Facts that were read at the moment of a transaction: many shards refer to the same.
#[derive(Default)]
pub(super) struct Facts(Vec<(BTreeSet<Reference>, Arc<References>)>);

impl Facts {
    /// What exists of these.
    fn of(
        &mut self,
        tx: &Transaction<'_>,
        references: &BTreeSet<Reference>,
    ) -> Result<Arc<References>> {
        if let Some((_, facts)) = self.0.iter().find(|(asked, _)| asked == references) {
            return Ok(facts.clone());
        }
        let facts = Arc::new(facts(tx, references)?);
        if self.0.len() < FACTS_KEPT_MAX {
            self.0.push((references.clone(), facts.clone()));
        }
        Ok(facts)
    }
}

/// Sets of references that are looked for among those asked for before.
const FACTS_KEPT_MAX: usize = 8;

pub(super) fn load(tx: &Transaction<'_>, want: &Want<'_>, facts: &mut Facts) -> Result<Loaded> {
    let Want { shard, references, policies, types } = *want;
    let all = |policy: &PolicyId, account: &AccountId| {
        ledger::violators(tx, policy, account, None, usize::MAX)
    };
    let head = head(tx, shard)?;
    let shard_id = shard;
    let shard = self::shard(tx, shard, head.as_ref(), types)?;
    let mut account = account_facts(tx, shard_id, types)?;
    if types.is_none_or(reads_networks) {
        account.network = networks::facts(tx, &shard)?;
    }
    Ok(Loaded {
        references: facts.of(tx, references)?,
        account,
        records: records(tx, policies, &shard_id.account, &all)?,
        shard,
        revision: head.as_ref().map_or_else(Default::default, |head| head.revision),
        is_changed: head.is_some_and(|head| head.is_changed),
    })
}

/// As [`load`], of the items what judging the changes needs.
pub(super) fn load_changed(
    tx: &Transaction<'_>,
    shard: &ShardId,
    references: &BTreeSet<Reference>,
    policies: &[PolicyId],
    support: &dyn Fn(&[Changed]) -> Support,
) -> Result<Option<LoadedChanges>> {
    let Some(changed) = changes::pending(tx, shard)? else { return Ok(None) };
    let of_changed = |policy: &PolicyId, account: &AccountId| {
        let mut rows = Vec::new();
        for Changed { key, .. } in &changed {
            let resource = (key.resource_type.clone(), key.id.clone());
            rows.extend(ledger::violator(tx, policy, account, &resource)?);
        }
        Ok(rows)
    };
    let support = support(&changed);
    let head = head(tx, shard)?;
    let loaded = Loaded {
        shard: supporting(tx, shard, head.as_ref(), &support)?,
        references: Facts::default().of(tx, references)?,
        account: account_facts(tx, shard, Some(&support.types))?,
        records: records(tx, policies, &shard.account, &of_changed)?,
        revision: head.as_ref().map_or_else(Default::default, |head| head.revision),
        is_changed: head.is_some_and(|head| head.is_changed),
    };
    Ok(Some(LoadedChanges { changed, loaded }))
}

/// Of the account's own shards only Shield's protections are read.
fn account_facts(
    tx: &Transaction<'_>,
    shard: &ShardId,
    types: Option<&BTreeSet<ResourceType>>,
) -> Result<AccountFacts> {
    let are_read =
        AccountFacts::PROTECTIONS.iter().any(|kind| types.is_none_or(|types| types.contains(kind)));
    if are_read { protections::account_facts(tx, shard) } else { Ok(AccountFacts::default()) }
}

fn supporting(
    tx: &Transaction<'_>,
    id: &ShardId,
    head: Option<&Head>,
    support: &Support,
) -> Result<Shard> {
    let mut shard = shard(tx, id, head, Some(&support.types))?;
    for (resource_type, id) in &support.items {
        let key = ItemKey {
            account: shard.id.account.clone(),
            region: shard.id.region.clone(),
            resource_type: resource_type.clone(),
            id: id.clone(),
        };
        if let Some(item) = live_item(tx, &key)? {
            shard.items.entry(key.resource_type).or_default().insert(key.id, item);
        }
    }
    Ok(shard)
}

fn shard(
    tx: &Transaction<'_>,
    id: &ShardId,
    head: Option<&Head>,
    types: Option<&BTreeSet<ResourceType>>,
) -> Result<Shard> {
    let Some(types) = types else {
        let mut shard = covered(tx, id, head, HeldTypes::All)?;
        shard.items = live_items(tx, id)?;
        return Ok(shard);
    };
    let mut shard = covered(tx, id, head, HeldTypes::IfTheyTell)?;
    for resource_type in types {
        if shard.items.contains_key(resource_type) {
            continue;
        }
        let items = live_items_of(tx, id, resource_type)?;
        if !items.is_empty() {
            shard.items.insert(resource_type.clone(), items);
        }
    }
    Ok(shard)
}

fn facts(tx: &Transaction<'_>, references: &BTreeSet<Reference>) -> Result<References> {
    let mut facts = References::new();
    for reference in references {
        if let Some(fact) = fact(tx, reference)? {
            facts.insert(reference.clone(), fact);
        }
    }
    Ok(facts)
}

fn fact(tx: &Transaction<'_>, reference: &Reference) -> Result<Option<Fact>> {
    match reference {
        Reference::Item { account, region, resource_type, id } => {
            let key = ItemKey {
                account: account.clone(),
                region: region.clone(),
                resource_type: resource_type.clone(),
                id: id.clone(),
            };
            Ok(live_item(tx, &key)?.map(Fact::Item))
        }
        Reference::AppsList { id, .. } | Reference::ProtocolsList { id, .. } => {
            // A list under this id that is another administrator's, Region's or kind's is not it.
            let list = control::list(tx, id)?.filter(|list| list.reference() == *reference);
            Ok(list.map(|list| match list.content {
                ListContent::Apps(apps) => Fact::Apps(apps),
                ListContent::Protocols(protocols) => Fact::Protocols(protocols),
            }))
        }
        Reference::CommonPolicies => Ok(Some(Fact::Policies(common_policies::all(tx)?))),
        // What they name is loaded with what the shard's items say.
        Reference::Group { .. } | Reference::Vpc { .. } => Ok(None),
    }
}

/// Those of a (policy, account) that a record is to have.
type Violators<'v> = &'v dyn Fn(&PolicyId, &AccountId) -> Result<Vec<ViolatorRow>>;

fn records(
    tx: &Transaction<'_>,
    policies: &[PolicyId],
    account: &AccountId,
    violators: Violators<'_>,
) -> Result<BTreeMap<PolicyId, Record>> {
    let mut records = BTreeMap::new();
    for policy in policies {
        let Some(row) = ledger::entry(tx, policy, account)? else { continue };
        let violators = violators(policy, account)?;
        records.insert(policy.clone(), Record { entry: Some(row.entry), violators });
    }
    Ok(records)
}
