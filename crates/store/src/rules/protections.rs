//! Shield protections serve resources of other Regions than the one that recorded them: what a
//! shard's judgement reads of the account's other shards, and whom a change there concerns.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::evaluate::{AccountFacts, ServedRegion};
use palisade_core::ident::{Region, ResourceType, ShardId};
use palisade_core::inventory::{Item, OpenGap, Shard};

use crate::Result;

use super::{Rows, coverage, gaps, marks};

/// What the account's other shards say of this one's resources.
pub fn account_facts(rows: &impl Rows, shard: &ShardId) -> Result<AccountFacts> {
    let home = ShardId { account: shard.account.clone(), region: Region::home_of_global() };
    let protections = rows.live_items_beside(shard, &AccountFacts::PROTECTIONS)?;
    let holders: BTreeSet<&Region> = protections.iter().map(|item| &item.key.region).collect();
    let mut protection_ages = BTreeMap::new();
    for region in holders.into_iter().cloned() {
        let beside = ShardId { account: shard.account.clone(), region };
        let newest_ms = rows.shard(&beside)?.and_then(|row| row.newest_ms());
        protection_ages.insert(beside.region, newest_ms);
    }
    Ok(AccountFacts {
        protections,
        protection_ages,
        knows_global_protections: Known::by(&coverage::of(rows, &home)?).global,
        knows_regional_protections: knows_regional(rows, shard)?,
        missed_protections: missed(rows, shard)?,
        ..AccountFacts::default()
    })
}

type MissedProtections = BTreeMap<ResourceType, BTreeMap<Region, BTreeSet<OpenGap>>>;

/// What was missed in the account's shards that may be a protection, also in a Region of which nothing
/// else was delivered.
fn missed(rows: &impl Rows, shard: &ShardId) -> Result<MissedProtections> {
    let mut missed = MissedProtections::new();
    for kind in AccountFacts::PROTECTIONS {
        for region in rows.regions_missing(&shard.account, &kind)? {
            let beside = ShardId { account: shard.account.clone(), region: region.clone() };
            let open = gaps::open(rows, &beside)?.remove(&kind).unwrap_or_default();
            if !open.is_empty() {
                missed.entry(kind.clone()).or_default().insert(region, open);
            }
        }
    }
    Ok(missed)
}

/// Whether any shard of the account knows regional protections.
fn knows_regional(rows: &impl Rows, shard: &ShardId) -> Result<bool> {
    for region in rows.regions_of(&shard.account)? {
        let beside = ShardId { account: shard.account.clone(), region };
        if Known::by(&coverage::of(rows, &beside)?).regional {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Kinds of protections that are known in a shard, as other shards of its account read it.
#[derive(Eq, PartialEq)]
struct Known {
    /// Only where they live.
    global: bool,
    regional: bool,
    missed_global: BTreeSet<OpenGap>,
    missed_regional: BTreeSet<OpenGap>,
}

impl Known {
    fn by(coverage: &Shard) -> Known {
        let is_home = coverage.id.region.as_str() == Region::HOME_OF_GLOBAL;
        let missed = |kind| coverage.open_gaps.get(kind).cloned().unwrap_or_default();
        Known {
            global: is_home && coverage.sees_all(&ResourceType::SHIELD_PROTECTION),
            regional: coverage.sees_all(&ResourceType::SHIELD_REGIONAL_PROTECTION),
            missed_global: missed(&ResourceType::SHIELD_PROTECTION),
            missed_regional: missed(&ResourceType::SHIELD_REGIONAL_PROTECTION),
        }
    }
}

/// Which other shards of an account read what changes in one of its shards.
pub struct Served {
    /// What was known of protections in the shard.
    knew: Known,
    regions: BTreeSet<Region>,
    all: bool,
}

impl Served {
    /// Before anything changes; `coverage` tells how complete the shard is ([`coverage::of`]).
    pub fn open(coverage: &Shard) -> Served {
        Served { knew: Known::by(coverage), regions: BTreeSet::new(), all: false }
    }

    /// Whether items of the type are read in other shards at all.
    pub fn concerns(resource_type: &ResourceType) -> bool {
        AccountFacts::PROTECTIONS.contains(resource_type)
    }

    /// A protection came to this state, or left it.
    pub fn note(&mut self, item: &Item) {
        match AccountFacts::served(item) {
            ServedRegion::One(region) => {
                self.regions.insert(region);
            }
            ServedRegion::Any => self.all = true,
            ServedRegion::Nothing => {}
        }
    }

    /// The shard was stale, and is not any more: that counts wherever its protections are read
    /// ([`AccountFacts::protection_ages`]).
    pub fn note_current_again(&mut self, rows: &impl Rows, shard: &ShardId) -> Result<()> {
        for kind in &AccountFacts::PROTECTIONS {
            self.all |= !rows.live_items_of(shard, kind)?.is_empty();
        }
        Ok(())
    }

    /// Marks the shards that read what changed due; call it when all is written. `coverage` is given
    /// when it may have changed. A shard of which nothing was ever delivered has no resources that
    /// could be judged otherwise.
    pub fn mark(
        mut self,
        rows: &impl Rows,
        shard: &ShardId,
        coverage: Option<&Shard>,
        sequence: u64,
        now_ms: i64,
    ) -> Result<()> {
        self.all |= coverage.is_some_and(|coverage| Known::by(coverage) != self.knew);
        if !self.all && self.regions.is_empty() {
            return Ok(());
        }
        for region in rows.regions_of(&shard.account)? {
            if region != shard.region && (self.all || self.regions.contains(&region)) {
                let reader = ShardId { account: shard.account.clone(), region };
                marks::mark(rows, &reader, None, sequence, now_ms)?;
            }
        }
        Ok(())
    }
}
