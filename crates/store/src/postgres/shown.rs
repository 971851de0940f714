//! Rows of pointers from what is asked for to items that may show it.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, Region, ShardId};
use palisade_core::inventory::ItemKey;

use crate::Result;
use crate::rules::rows::PointerRows;

use super::columns::{escaped, get, ident, unescaped, with};
use super::turn::Turn;

const POINTER: &str = "pointer to what an item shows";

impl PointerRows for Turn<'_> {
    fn point(&self, key: &ItemKey, topic: &str, other: Option<&AccountId>) -> Result<()> {
        self.send(
            "INSERT INTO shown (region, topic, account, type, id, other)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (region, topic, account, type, id) DO UPDATE SET other = excluded.other",
            with![
                key.region.as_str(),
                escaped(topic),
                key.account.as_str(),
                key.resource_type.as_str(),
                key.id.as_str(),
                other.map_or("", AccountId::as_str)
            ],
        )
    }

    fn any_pointer(&self, region: &Region) -> Result<bool> {
        self.exists("SELECT 1 FROM shown WHERE region = $1 LIMIT 1", with![region.as_str()])
    }

    fn is_pointed(&self, region: &Region, topic: &str) -> Result<bool> {
        self.exists(
            "SELECT 1 FROM shown WHERE region = $1 AND topic = $2 LIMIT 1",
            with![region.as_str(), escaped(topic)],
        )
    }

    fn pointed(
        &self,
        region: &Region,
        topic: &str,
        account: Option<&AccountId>,
    ) -> Result<Vec<ItemKey>> {
        let topic = escaped(topic);
        let rows = match account {
            None => self.rows(
                "SELECT account, type, id FROM shown WHERE region = $1 AND topic = $2
                 ORDER BY account, type, id",
                with![region.as_str(), topic],
            ),
            Some(account) => self.rows(
                "SELECT account, type, id FROM shown
                 WHERE region = $1 AND topic = $2 AND account = $3 ORDER BY type, id",
                with![region.as_str(), topic, account.as_str()],
            ),
        };
        let mut keys = Vec::new();
        for row in rows? {
            keys.push(ItemKey {
                account: ident(&row, 0, POINTER)?,
                region: region.clone(),
                resource_type: ident(&row, 1, POINTER)?,
                id: ident(&row, 2, POINTER)?,
            });
        }
        Ok(keys)
    }

    fn topics_of(&self, shard: &ShardId) -> Result<BTreeSet<String>> {
        let rows = self.rows(
            "SELECT topic FROM shown WHERE account = $1 AND region = $2
             UNION SELECT topic FROM shown WHERE other = $1 AND region = $2",
            with![shard.account.as_str(), shard.region.as_str()],
        )?;
        rows.iter().map(|row| Ok(unescaped(get(row, 0, POINTER)?))).collect()
    }
}
