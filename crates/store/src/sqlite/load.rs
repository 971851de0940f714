//! What judging one shard needs, read at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{
    AccountFacts, Changed, Fact, Reference, References, Support, reads_networks,
};
use palisade_core::ident::{AccountId, PolicyId, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{Age, Item, ItemKey, Recorder, Shard, decode_item_of};
use palisade_core::ledger::{Record, ViolatorRow};
use rusqlite::params;

use crate::{ListContent, Loaded, LoadedChanges, Result, StoreError};

use super::columns::{damaged, get, ident, limit};
use super::held::{self, State};
use super::log::Transaction;
use super::sums::{OTHER_SUM, sound};
use super::{changes, common_policies, control, ledger, missed, networks, protections};

pub(super) const ITEM: &str = "item";
const SHARD: &str = "shard";

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

pub(super) fn load(
    tx: &Transaction<'_>,
    shard: &ShardId,
    references: &BTreeSet<Reference>,
    policies: &[PolicyId],
    types: Option<&BTreeSet<ResourceType>>,
    facts: &mut Facts,
) -> Result<Loaded> {
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
        as_of: head.as_ref().map_or(0, |head| head.as_of),
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
        as_of: head.as_ref().map_or(0, |head| head.as_of),
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

/// A shard with what tells how complete it is, of its items only recorders: enough for
/// [`Shard::knows`].
pub(super) fn coverage(tx: &Transaction<'_>, id: &ShardId) -> Result<Shard> {
    covered(tx, id, head(tx, id)?.as_ref(), HeldTypes::IfTheyTell)
}

/// Which of the types that are held are loaded.
#[derive(Clone, Copy, Eq, PartialEq)]
enum HeldTypes {
    All,
    /// Only listed ones where a whole snapshot was accepted and a recorder is held: there
    /// [`Shard::knows`] and [`Shard::is_unheard_of`] ask for no others.
    IfTheyTell,
}

/// What a shard's own row tells, and whether changes are logged beside it.
struct Head {
    row: held::ShardRow,
    /// [`Loaded::as_of`]
    as_of: u64,
    /// [`Loaded::is_changed`]
    is_changed: bool,
}

/// In one statement, for it is asked of every shard that is judged; `None` when nothing was ever
/// delivered for it.
fn head(tx: &Transaction<'_>, id: &ShardId) -> Result<Option<Head>> {
    let mut statement = tx.prepare_cached(
        "SELECT snapshot_accepted, newest_ms, global_newest_ms, changed,
           EXISTS (SELECT 1 FROM changes WHERE account = ?1 AND region = ?2),
           sum IS row_sum(account, region, snapshot_accepted, newest_ms, global_newest_ms, changed,
             ahead_ms, global_ahead_ms)
         FROM shards WHERE account = ?1 AND region = ?2",
    )?;
    let mut rows = statement.query([id.account.as_str(), id.region.as_str()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound(row, 5, SHARD)?;
    let as_of = get(row, 3, SHARD)?;
    let is_changed = get(row, 4, SHARD)?;
    let row = held::ShardRow {
        snapshot_accepted: get(row, 0, SHARD)?,
        own: Age { newest_ms: get(row, 1, SHARD)?, ahead_ms: None },
        global: Age { newest_ms: get(row, 2, SHARD)?, ahead_ms: None },
    };
    Ok(Some(Head { row, as_of, is_changed }))
}

fn covered(
    tx: &Transaction<'_>,
    id: &ShardId,
    head: Option<&Head>,
    held: HeldTypes,
) -> Result<Shard> {
    let mut shard = Shard::empty(id.clone());
    shard.open_gaps = missed::open(tx, id)?;
    let Some(Head { row, .. }) = head else { return Ok(shard) };
    shard.snapshot_accepted = row.snapshot_accepted;
    shard.newest_ms = row.newest_ms();
    let recorders = live_items_of(tx, id, &ResourceType::CONFIGURATION_RECORDER)?;
    if !recorders.is_empty() {
        shard.items.insert(ResourceType::CONFIGURATION_RECORDER, recorders);
    }
    let is_recorded = shard.recorders().next().is_some();
    shard.recorder_deleted = !is_recorded && has_recorder_tombstone(tx, id)?;
    let which = match held {
        HeldTypes::IfTheyTell if is_recorded && row.snapshot_accepted => held::Of::Listed,
        HeldTypes::IfTheyTell | HeldTypes::All => held::Of::All,
    };
    for (resource_type, coverage) in held::coverage(tx, id, which)? {
        if coverage.snapshot_ms.is_some() {
            shard.snapshot_types.insert(resource_type.clone());
        }
        if coverage.listed_ms.is_some() {
            shard.listed_types.insert(resource_type.clone());
        }
        if coverage.held {
            shard.held_types.insert(resource_type);
        }
    }
    Ok(shard)
}

pub(super) fn live_items_of(
    tx: &Transaction<'_>,
    id: &ShardId,
    resource_type: &ResourceType,
) -> Result<BTreeMap<ResourceId, Item>> {
    let mut statement = tx.prepare_cached(
        "SELECT id, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2 AND type = ?3
           AND (state = ?4 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
    )?;
    let mut rows = statement.query(params![
        id.account.as_str(),
        id.region.as_str(),
        resource_type.as_str(),
        State::Live
    ])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let resource: ResourceId = ident(row, 0, ITEM)?;
        let key = || ItemKey {
            account: id.account.clone(),
            region: id.region.clone(),
            resource_type: resource_type.clone(),
            id: resource.clone(),
        };
        sound_of(key, row, 2)?;
        let item = decoded_of(key, row, 1)?;
        items.push((resource, item));
    }
    // They come in order: a map is made of them at once.
    Ok(items.into_iter().collect())
}

fn live_items(
    tx: &Transaction<'_>,
    id: &ShardId,
) -> Result<BTreeMap<ResourceType, BTreeMap<ResourceId, Item>>> {
    let mut statement = tx.prepare_cached(
        "SELECT type, id, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2
           AND (state = ?3 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
    )?;
    let mut rows =
        statement.query(params![id.account.as_str(), id.region.as_str(), State::Live])?;
    let mut items: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = ItemKey {
            account: id.account.clone(),
            region: id.region.clone(),
            resource_type: ident(row, 0, ITEM)?,
            id: ident(row, 1, ITEM)?,
        };
        sound_of(|| key.clone(), row, 3)?;
        let item = decoded(&key, row, 2)?;
        items.entry(key.resource_type).or_default().insert(key.id, item);
    }
    Ok(items)
}

/// Live items of one type after a position, ascending by id.
pub(super) fn items(
    tx: &Transaction<'_>,
    shard: &ShardId,
    resource_type: &ResourceType,
    after: Option<&ResourceId>,
    rows_max: usize,
) -> Result<Vec<Item>> {
    let mut statement = tx.prepare_cached(
        "SELECT id, body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND id > ?4
           AND (state = ?5 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))
         ORDER BY id LIMIT ?6",
    )?;
    let mut rows = statement.query(params![
        shard.account.as_str(),
        shard.region.as_str(),
        resource_type.as_str(),
        after.map_or("", ResourceId::as_str),
        State::Live,
        limit(rows_max)
    ])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        let key = ItemKey {
            account: shard.account.clone(),
            region: shard.region.clone(),
            resource_type: resource_type.clone(),
            id: ident(row, 0, ITEM)?,
        };
        sound_of(|| key.clone(), row, 2)?;
        items.push(decoded(&key, row, 1)?);
    }
    Ok(items)
}

pub(super) fn decoded(key: &ItemKey, row: &rusqlite::Row<'_>, column: usize) -> Result<Item> {
    decoded_of(|| key.clone(), row, column)
}

fn decoded_of(key: impl Fn() -> ItemKey, row: &rusqlite::Row<'_>, column: usize) -> Result<Item> {
    let value = row.get_ref(column).map_err(|error| damaged(ITEM, error))?;
    let bytes = value.as_blob().map_err(|error| damaged(ITEM, error))?;
    decode_item_of(&key, bytes).map(Item::shown).map_err(|error| damaged_item(&key(), error))
}

/// Whether an item is as it was written, which the statement tells in this column.
pub(super) fn sound_of(
    key: impl Fn() -> ItemKey,
    row: &rusqlite::Row<'_>,
    column: usize,
) -> Result<()> {
    if get(row, column, ITEM)? { Ok(()) } else { Err(damaged_item(&key(), OTHER_SUM)) }
}

fn damaged_item(key: &ItemKey, why: impl std::fmt::Display) -> StoreError {
    let ItemKey { account, region, resource_type, id } = key;
    damaged(ITEM, format!("`{resource_type}` `{id}` of account {account} in {region}: {why}"))
}

fn has_recorder_tombstone(tx: &Transaction<'_>, id: &ShardId) -> Result<bool> {
    let mut statement = tx.prepare_cached(
        "SELECT 1 FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND state = ?4
           AND substr(id, 1, length(?5)) <> ?5",
    )?;
    Ok(statement.exists(params![
        id.account.as_str(),
        id.region.as_str(),
        ResourceType::CONFIGURATION_RECORDER.as_str(),
        State::Deleted,
        Recorder::SERVICE_LINKED
    ])?)
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

pub(super) fn live_item(tx: &Transaction<'_>, key: &ItemKey) -> Result<Option<Item>> {
    let mut statement = tx.prepare_cached(
        "SELECT body, sum IS row_sum(account, region, type, id, state, seen_ms, body)
         FROM items WHERE account = ?1 AND region = ?2 AND type = ?3 AND id = ?4
           AND (state = ?5 OR sum IS NOT row_sum(account, region, type, id, state, seen_ms, body))",
    )?;
    let mut rows = statement.query(params![
        key.account.as_str(),
        key.region.as_str(),
        key.resource_type.as_str(),
        key.id.as_str(),
        State::Live
    ])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    sound_of(|| key.clone(), row, 1)?;
    decoded(key, row, 0).map(Some)
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
