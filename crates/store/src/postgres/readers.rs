//! Rows of the reverse index: who reads which reference.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::ident::{AccountId, PolicyId, ShardId};

use crate::Result;
use crate::rules::rows::ReaderRows;

use super::columns::{escaped, get, ident, shard_id, unescaped, with};
use super::turn::Turn;

const READER: &str = "reader of a reference";

impl ReaderRows for Turn<'_> {
    fn any_reader(&self, after: &str, before: &str) -> Result<bool> {
        self.exists(
            "SELECT 1 FROM readers WHERE reference > $1 AND reference < $2 LIMIT 1",
            with![escaped(after), escaped(before)],
        )
    }

    fn readers_between(
        &self,
        after: &str,
        before: &str,
    ) -> Result<Vec<(String, ShardId, PolicyId)>> {
        let rows = self.rows(
            "SELECT reference, account, region, policy FROM readers
             WHERE reference > $1 AND reference < $2 ORDER BY reference, policy, account",
            with![escaped(after), escaped(before)],
        )?;
        let one = |row| {
            let reference = unescaped(get(row, 0, READER)?);
            Ok((reference, shard_id(row, 1, READER)?, ident(row, 3, READER)?))
        };
        rows.iter().map(one).collect()
    }

    fn readers_of(&self, reference: &str) -> Result<Vec<(ShardId, PolicyId)>> {
        let rows = self.rows(
            "SELECT account, region, policy FROM readers WHERE reference = $1
             ORDER BY policy, account",
            with![escaped(reference)],
        )?;
        rows.iter().map(|row| Ok((shard_id(row, 0, READER)?, ident(row, 2, READER)?))).collect()
    }

    fn expect_readers(&self, readers: &[(&PolicyId, &AccountId)]) -> Result<()> {
        let policies: Vec<String> = readers.iter().map(|(policy, _)| policy.to_string()).collect();
        let accounts: Vec<String> =
            readers.iter().map(|(_, account)| account.to_string()).collect();
        let mut expected: BTreeMap<_, BTreeSet<String>> = BTreeMap::new();
        for (policy, account) in readers {
            expected.entry(((*policy).clone(), (*account).clone())).or_default();
        }
        let rows = self.rows(
            "SELECT policy, account, reference FROM readers
             WHERE (policy, account) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
            with![policies, accounts],
        )?;
        for row in &rows {
            let reader = (ident(row, 0, READER)?, ident(row, 1, READER)?);
            expected.entry(reader).or_default().insert(unescaped(get(row, 2, READER)?));
        }
        self.expected.put_readers(expected);
        Ok(())
    }

    fn read_by(&self, policy: &PolicyId, account: &AccountId) -> Result<BTreeSet<String>> {
        if let Some(expected) = self.expected.take_reader(policy, account) {
            return Ok(expected);
        }
        let rows = self.rows(
            "SELECT reference FROM readers WHERE policy = $1 AND account = $2",
            with![policy.as_str(), account.as_str()],
        )?;
        rows.iter().map(|row| Ok(unescaped(get(row, 0, READER)?))).collect()
    }

    fn put_reader(&self, reference: &str, policy: &PolicyId, reader: &ShardId) -> Result<()> {
        self.expected.take_reader(policy, &reader.account);
        self.send(
            "INSERT INTO readers (reference, policy, account, region) VALUES ($1, $2, $3, $4)",
            with![
                escaped(reference),
                policy.as_str(),
                reader.account.as_str(),
                reader.region.as_str()
            ],
        )
    }

    fn drop_reader(&self, reference: &str, policy: &PolicyId, account: &AccountId) -> Result<()> {
        self.expected.take_reader(policy, account);
        self.send(
            "DELETE FROM readers WHERE reference = $1 AND policy = $2 AND account = $3",
            with![escaped(reference), policy.as_str(), account.as_str()],
        )
    }

    fn drop_readers(&self, policy: &PolicyId, account: Option<&AccountId>) -> Result<()> {
        match account {
            Some(account) => drop(self.expected.take_reader(policy, account)),
            None => self.expected.forget_readers(),
        }
        match account {
            Some(account) => self.send(
                "DELETE FROM readers WHERE policy = $1 AND account = $2",
                with![policy.as_str(), account.as_str()],
            ),
            None => self.send("DELETE FROM readers WHERE policy = $1", with![policy.as_str()]),
        }
    }
}
