//! Rows of pointers from what is asked for to items that may show it.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, Region, ShardId};
use palisade_core::inventory::ItemKey;
use rusqlite::params;

use crate::Result;
use crate::rules::rows::PointerRows;

use super::columns::{get, ident};
use super::log::Transaction;
use super::sums::sound;

const POINTER: &str = "pointer to what an item shows";

impl PointerRows for Transaction<'_> {
    fn point(&self, key: &ItemKey, topic: &str, other: Option<&AccountId>) -> Result<()> {
        let mut statement = self.prepare_cached(
            "INSERT INTO shown (region, topic, account, type, id, other)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (region, topic, account, type, id) DO UPDATE SET other = excluded.other",
        )?;
        statement.execute(params![
            key.region.as_str(),
            topic,
            key.account.as_str(),
            key.resource_type.as_str(),
            key.id.as_str(),
            other.map_or("", |other| other.as_str())
        ])?;
        Ok(())
    }

    fn any_pointer(&self, region: &Region) -> Result<bool> {
        let mut statement = self.prepare_cached("SELECT 1 FROM shown WHERE region = ?1 LIMIT 1")?;
        Ok(statement.exists([region.as_str()])?)
    }

    fn is_pointed(&self, region: &Region, topic: &str) -> Result<bool> {
        let mut statement =
            self.prepare_cached("SELECT 1 FROM shown WHERE region = ?1 AND topic = ?2")?;
        Ok(statement.exists([region.as_str(), topic])?)
    }

    fn pointed(
        &self,
        region: &Region,
        topic: &str,
        account: Option<&AccountId>,
    ) -> Result<Vec<ItemKey>> {
        let mut statement = self.prepare_cached(match account {
            None => {
                "SELECT account, type, id, sum IS row_sum(region, topic, account, type, id, other)
                 FROM shown WHERE region = ?1 AND topic = ?2"
            }
            Some(_) => {
                "SELECT account, type, id, sum IS row_sum(region, topic, account, type, id, other)
                 FROM shown WHERE region = ?1 AND topic = ?2 AND account = ?3"
            }
        })?;
        let mut rows = match account {
            None => statement.query([region.as_str(), topic])?,
            Some(account) => statement.query([region.as_str(), topic, account.as_str()])?,
        };
        let mut keys = Vec::new();
        while let Some(row) = rows.next()? {
            sound(row, 3, POINTER)?;
            keys.push(ItemKey {
                account: ident(row, 0, POINTER)?,
                region: region.clone(),
                resource_type: ident(row, 1, POINTER)?,
                id: ident(row, 2, POINTER)?,
            });
        }
        Ok(keys)
    }

    fn topics_of(&self, shard: &ShardId) -> Result<BTreeSet<String>> {
        let mut topics = BTreeSet::new();
        for select in [
            "SELECT topic FROM shown WHERE account = ?1 AND region = ?2",
            "SELECT topic FROM shown WHERE other = ?1 AND region = ?2",
        ] {
            let mut statement = self.prepare_cached(select)?;
            let mut rows = statement.query([shard.account.as_str(), shard.region.as_str()])?;
            while let Some(row) = rows.next()? {
                topics.insert(get::<String>(row, 0, POINTER)?);
            }
        }
        Ok(topics)
    }
}
