//! Shield protections serve resources of other Regions than the one that recorded them: what a
//! shard's judgement reads of the account's other shards, and whom a change there concerns.

use std::collections::BTreeSet;

use palisade_core::evaluate::{AccountFacts, ServedRegion};
use palisade_core::ident::{Region, ResourceType, ShardId};
use palisade_core::inventory::{Item, ItemKey, OpenGap, Shard};
use rusqlite::params;

use crate::Result;

use super::columns::ident;
use super::held::State;
use super::items::{ITEM, decoded, sound_of};
use super::log::Transaction;
use super::{coverage, gaps, work};

/// What the account's other shards say of this one's resources.
pub(super) fn account_facts(tx: &Transaction<'_>, shard: &ShardId) -> Result<AccountFacts> {
    let home = ShardId { account: shard.account.clone(), region: Region::home_of_global() };
    Ok(AccountFacts {
        protections: protections_elsewhere(tx, shard)?,
        knows_global_protections: Known::by(&coverage::of(tx, &home)?).global,
        knows_regional_protections: knows_regional(tx, shard)?,
        missed_regional_protections: missed_regional(tx, shard)?,
        ..AccountFacts::default()
    })
}

/// What was missed in any shard of the account that may be a regional protection, also in a Region of
/// which nothing else was delivered.
fn missed_regional(tx: &Transaction<'_>, shard: &ShardId) -> Result<BTreeSet<OpenGap>> {
    let mut statement = tx.prepare_cached(
        "SELECT region FROM missed WHERE account IN ('', ?1) AND region <> '' AND type IN ('', ?2)
         UNION SELECT region FROM shards WHERE account = ?1 AND EXISTS (
           SELECT 1 FROM missed WHERE account IN ('', ?1) AND region = '' AND type IN ('', ?2))",
    )?;
    let kind = ResourceType::SHIELD_REGIONAL_PROTECTION;
    let mut rows = statement.query([shard.account.as_str(), kind.as_str()])?;
    let mut missed = BTreeSet::new();
    while let Some(row) = rows.next()? {
        let region: Region = ident(row, 0, "missed row")?;
        let beside = ShardId { account: shard.account.clone(), region };
        missed.extend(gaps::open(tx, &beside)?.remove(&kind).unwrap_or_default());
    }
    Ok(missed)
}

/// Whether any shard of the account knows regional protections.
fn knows_regional(tx: &Transaction<'_>, shard: &ShardId) -> Result<bool> {
    let mut statement = tx.prepare_cached("SELECT region FROM shards WHERE account = ?1")?;
    let mut rows = statement.query([shard.account.as_str()])?;
    while let Some(row) = rows.next()? {
        let region: Region = ident(row, 0, "shard")?;
        let beside = ShardId { account: shard.account.clone(), region };
        if Known::by(&coverage::of(tx, &beside)?).regional {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Live protections that the account's other shards hold, ascending by key.
fn protections_elsewhere(tx: &Transaction<'_>, shard: &ShardId) -> Result<Vec<Item>> {
    // Shards first, so that of each one only its protections are looked up.
    let mut statement = tx.prepare_cached(
        "SELECT i.region, i.type, i.id, i.body,
           i.sum IS row_sum(i.account, i.region, i.type, i.id, i.state, i.seen_ms, i.body)
         FROM shards s CROSS JOIN items i
         ON i.account = s.account AND i.region = s.region
           AND i.type IN (?4, ?5)
         WHERE s.account = ?1 AND s.region <> ?2 AND (i.state = ?3 OR
           i.sum IS NOT row_sum(i.account, i.region, i.type, i.id, i.state, i.seen_ms, i.body))
         ORDER BY s.region, i.type, i.id",
    )?;
    let [global, regional] = AccountFacts::PROTECTIONS;
    let mut rows = statement.query(params![
        shard.account.as_str(),
        shard.region.as_str(),
        State::Live,
        global.as_str(),
        regional.as_str()
    ])?;
    let mut protections = Vec::new();
    while let Some(row) = rows.next()? {
        let key = ItemKey {
            account: shard.account.clone(),
            region: ident(row, 0, ITEM)?,
            resource_type: ident(row, 1, ITEM)?,
            id: ident(row, 2, ITEM)?,
        };
        sound_of(|| key.clone(), row, 4)?;
        protections.push(decoded(&key, row, 3)?);
    }
    Ok(protections)
}

/// Kinds of protections that are known in a shard, as other shards of its account read it.
#[derive(Eq, PartialEq)]
struct Known {
    /// Only where they live.
    global: bool,
    regional: bool,
    missed_regional: BTreeSet<OpenGap>,
}

impl Known {
    fn by(coverage: &Shard) -> Known {
        let is_home = coverage.id.region.as_str() == Region::HOME_OF_GLOBAL;
        Known {
            global: is_home && coverage.sees_all(&ResourceType::SHIELD_PROTECTION),
            regional: coverage.sees_all(&ResourceType::SHIELD_REGIONAL_PROTECTION),
            missed_regional: coverage
                .open_gaps
                .get(&ResourceType::SHIELD_REGIONAL_PROTECTION)
                .cloned()
                .unwrap_or_default(),
        }
    }
}

/// Which other shards of an account read what changes in one of its shards.
pub(super) struct Served {
    /// What was known of protections in the shard.
    knew: Known,
    regions: BTreeSet<Region>,
    all: bool,
}

impl Served {
    /// Before anything changes; `coverage` tells how complete the shard is ([`coverage::of`]).
    pub(super) fn open(coverage: &Shard) -> Served {
        Served { knew: Known::by(coverage), regions: BTreeSet::new(), all: false }
    }

    /// Whether items of the type are read in other shards at all.
    pub(super) fn concerns(resource_type: &ResourceType) -> bool {
        AccountFacts::PROTECTIONS.contains(resource_type)
    }

    /// A protection came to this state, or left it.
    pub(super) fn note(&mut self, item: &Item) {
        match AccountFacts::served(item) {
            ServedRegion::One(region) => {
                self.regions.insert(region);
            }
            ServedRegion::Any => self.all = true,
            ServedRegion::Nothing => {}
        }
    }

    /// Marks the shards that read what changed due; call it when all is written. `coverage` is given
    /// when it may have changed. A shard of which nothing was ever delivered has no resources that
    /// could be judged otherwise.
    pub(super) fn mark(
        mut self,
        tx: &Transaction<'_>,
        shard: &ShardId,
        coverage: Option<&Shard>,
        sequence: u64,
        now_ms: i64,
    ) -> Result<()> {
        self.all |= coverage.is_some_and(|coverage| Known::by(coverage) != self.knew);
        if !self.all && self.regions.is_empty() {
            return Ok(());
        }
        let mut statement =
            tx.prepare_cached("SELECT region FROM shards WHERE account = ?1 AND region <> ?2")?;
        let mut rows = statement.query([shard.account.as_str(), shard.region.as_str()])?;
        while let Some(row) = rows.next()? {
            let region: Region = ident(row, 0, "shard")?;
            if self.all || self.regions.contains(&region) {
                let reader = ShardId { account: shard.account.clone(), region };
                work::mark(tx, &reader, None, sequence, now_ms)?;
            }
        }
        Ok(())
    }
}
