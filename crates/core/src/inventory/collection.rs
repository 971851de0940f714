//! What a collector says of the file that it made: which types it listed to the last page, and which
//! calls failed. It is the member `palisadeCollection` beside `configurationItems` (formats §12).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::ident::{AccountId, Region, ResourceType, ShardId};

use super::age::is_ahead;
use super::missed::{Cause, LostItems, Missed};
use super::read::moment_ms;

/// The listings of one (account, Region).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Collection {
    /// `None` where even the account's Regions could not be told: nothing was listed then.
    shard: Option<ShardId>,
    /// Types listed to the end, each with the moment before its first call, milliseconds since the epoch.
    complete: BTreeMap<ResourceType, i64>,
    failed: Vec<Missed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object with accountId")]
struct Told<'a> {
    account_id: AccountId,
    aws_region: Option<Region>,
    #[serde(borrow)]
    complete: Vec<Listed<'a>>,
    #[serde(borrow)]
    failed: Vec<Failed<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    resource_type: ResourceType,
    #[serde(borrow)]
    at: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failed<'a> {
    resource_type: ResourceType,
    call: Box<str>,
    code: Box<str>,
    #[serde(borrow)]
    at: &'a RawValue,
}

impl Collection {
    /// Reads the member's value.
    ///
    /// # Errors
    /// What is wrong with it. Then nothing tells what the file could not give.
    pub fn read(text: &str) -> Result<Collection, String> {
        let wrong = |why: String| format!("`palisadeCollection`: {why}");
        let told: Told<'_> =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        let moment = |at: &RawValue| {
            moment_ms(at.get()).ok_or_else(|| wrong(format!("`at` is not a time: {}", at.get())))
        };
        let Told { account_id: account, aws_region: region, .. } = told;
        if region.is_none() && !told.complete.is_empty() {
            return Err(wrong("types were listed, and `awsRegion` does not say where".to_owned()));
        }
        let complete =
            told.complete.into_iter().map(|one| Ok((one.resource_type, moment(one.at)?)));
        let failed = told.failed.into_iter().map(|one| {
            Ok(Missed {
                account: Some(account.clone()),
                region: region.clone(),
                resource_type: Some(one.resource_type),
                what: Some(format!("{} {}", one.call, one.code).into()),
                cause: Cause::Call,
                moment_ms: moment(one.at)?,
            })
        });
        let failed = failed.collect::<Result<Vec<_>, String>>()?;
        let complete = complete.collect::<Result<_, String>>()?;
        Ok(Collection { shard: region.map(|region| ShardId { account, region }), complete, failed })
    }

    /// Whether a listing claims to be of a moment too far ahead.
    pub fn is_ahead(&self, now_ms: i64) -> bool {
        self.complete.values().any(|moment_ms| is_ahead(*moment_ms, now_ms))
    }

    /// What it claims beside items of which these were lost: of their types it is not the whole truth.
    /// Nor is a listing whose moment lies too far ahead of `now_ms`; a call that failed then failed now.
    pub fn claims(
        mut self,
        lost: &LostItems,
        now_ms: Option<i64>,
    ) -> (Option<ShardId>, BTreeMap<ResourceType, i64>, Vec<Missed>) {
        let types = lost.types();
        let ahead_of = |moment_ms: i64| now_ms.filter(|now_ms| is_ahead(moment_ms, *now_ms));
        self.complete.retain(|listed, moment_ms| {
            ahead_of(*moment_ms).is_none() && !lost.of_any_type() && !types.contains(listed)
        });
        // Nobody reads types that have no name here.
        self.failed.retain(|one| {
            one.resource_type.as_ref().is_some_and(|one| ResourceType::NAMED.contains(one))
        });
        for one in &mut self.failed {
            one.moment_ms = ahead_of(one.moment_ms).unwrap_or(one.moment_ms);
        }
        (self.shard, self.complete, self.failed)
    }
}
