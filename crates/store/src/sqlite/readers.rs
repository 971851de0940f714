//! Rows of the reverse index: who reads which reference.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, PolicyId, ShardId};

use crate::Result;
use crate::rules::rows::ReaderRows;

use super::columns::{get, ident, shard};
use super::log::Transaction;

const READER: &str = "reader of a reference";

impl ReaderRows for Transaction<'_> {
    fn any_reader(&self, after: &str, before: &str) -> Result<bool> {
        let mut statement =
            self.prepare_cached("SELECT 1 FROM readers WHERE reference > ?1 AND reference < ?2")?;
        Ok(statement.exists([after, before])?)
    }

    fn readers_between(
        &self,
        after: &str,
        before: &str,
    ) -> Result<Vec<(String, ShardId, PolicyId)>> {
        let mut statement = self.prepare_cached(
            "SELECT reference, account, region, policy FROM readers
             WHERE reference > ?1 AND reference < ?2",
        )?;
        let mut rows = statement.query([after, before])?;
        let mut readers = Vec::new();
        while let Some(row) = rows.next()? {
            readers.push((get(row, 0, READER)?, shard(row, 1, READER)?, ident(row, 3, READER)?));
        }
        Ok(readers)
    }

    fn readers_of(&self, reference: &str) -> Result<Vec<(ShardId, PolicyId)>> {
        let mut statement = self
            .prepare_cached("SELECT account, region, policy FROM readers WHERE reference = ?1")?;
        let mut rows = statement.query([reference])?;
        let mut readers = Vec::new();
        while let Some(row) = rows.next()? {
            readers.push((shard(row, 0, READER)?, ident(row, 2, READER)?));
        }
        Ok(readers)
    }

    fn read_by(&self, policy: &PolicyId, account: &AccountId) -> Result<BTreeSet<String>> {
        let mut statement = self
            .prepare_cached("SELECT reference FROM readers WHERE policy = ?1 AND account = ?2")?;
        let mut rows = statement.query([policy.as_str(), account.as_str()])?;
        let mut texts = BTreeSet::new();
        while let Some(row) = rows.next()? {
            texts.insert(get(row, 0, READER)?);
        }
        Ok(texts)
    }

    fn put_reader(&self, reference: &str, policy: &PolicyId, reader: &ShardId) -> Result<()> {
        let mut insert = self.prepare_cached(
            "INSERT INTO readers (reference, policy, account, region) VALUES (?1, ?2, ?3, ?4)",
        )?;
        let (account, region) = (reader.account.as_str(), reader.region.as_str());
        insert.execute([reference, policy.as_str(), account, region])?;
        Ok(())
    }

    fn drop_reader(&self, reference: &str, policy: &PolicyId, account: &AccountId) -> Result<()> {
        let mut delete = self.prepare_cached(
            "DELETE FROM readers WHERE reference = ?1 AND policy = ?2 AND account = ?3",
        )?;
        delete.execute([reference, policy.as_str(), account.as_str()])?;
        Ok(())
    }

    fn drop_readers(&self, policy: &PolicyId, account: Option<&AccountId>) -> Result<()> {
        match account {
            Some(account) => self
                .prepare_cached("DELETE FROM readers WHERE policy = ?1 AND account = ?2")?
                .execute([policy.as_str(), account.as_str()])?,
            None => self.execute("DELETE FROM readers WHERE policy = ?1", [policy.as_str()])?,
        };
        Ok(())
    }
}
