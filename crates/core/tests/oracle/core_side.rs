//! The same case through palisade-core, from the bytes of a delivered file to the judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{
    self, AccountFacts, Evidence, Fact, Judgement, Reference, References, Status,
};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceType, ShardId};
use palisade_core::inventory::{DeliveryReader, Shard, ShardBuilder};
use palisade_core::organization::Organization;
use palisade_core::policy::{self, Document, Identity, Policy};
use serde_json::Value;

use crate::naive::Outcome;

/// A case as core holds it: a policy, and what its judgement of the case's account reads.
pub struct World {
    pub policy: Policy,
    pub shard: Shard,
    pub references: References,
    pub account: AccountFacts,
    pub evaluated_ms: i64,
    pub stale_after_ms: Option<i64>,
}

impl World {
    /// The world of a case; `None` when its account is out of the policy's scope. An error is a case
    /// that core does not take: the generator's fault or core's, in any case worth a look.
    pub fn of(case: &Value) -> Result<Option<World>, String> {
        let organization = Organization::parse(case["organization"].to_string().as_bytes())
            .map_err(|error| format!("organization: {error}"))?;
        let document: Document = serde_json::from_value(case["policy"].clone())
            .map_err(|error| format!("policy document: {error}"))?;
        let region = region(case)?;
        let identity = Identity {
            id: PolicyId::try_from("0dd0dd00-0000-4000-8000-000000000001").map_err(said)?,
            owner: account(case, "administrator")?,
            region: region.clone(),
            revision: 1,
            former_names: vec![],
        };
        let policy =
            policy::parse(&document, identity).map_err(|refusal| format!("policy: {refusal}"))?;
        let account_id = account(case, "account")?;
        if !policy.scope.has_account(&organization, &account_id) {
            return Ok(None);
        }
        // Reading no more than `check` does must not change what is found.
        let wanted = Arc::new(evaluate::reads(&policy));
        let mut shards = shards_of_account(case, &account_id, &region, &wanted)?;
        let facts = AccountFacts::of(shards.values());
        let id = ShardId { account: account_id, region: region.clone() };
        let mut shard = shards.remove(&id).unwrap_or_else(|| Shard::empty(id));
        shard.received_ms = case["receivedMs"].as_i64();
        let references = references(case, &policy, &shard)?;
        Ok(Some(World {
            policy,
            shard,
            references,
            account: facts,
            evaluated_ms: case["evaluatedMs"].as_i64().unwrap_or(0),
            stale_after_ms: case["staleAfterMs"].as_i64(),
        }))
    }

    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            shard: &self.shard,
            references: &self.references,
            account: &self.account,
            evaluated_ms: self.evaluated_ms,
            stale_after_ms: self.stale_after_ms,
        }
    }

    pub fn judge(&self) -> Judgement {
        evaluate::judge(&self.policy, &self.evidence())
    }
}

/// Judges the account of a case.
pub fn judge(case: &Value) -> Result<Outcome, String> {
    let Some(world) = World::of(case)? else { return Ok(Outcome::default()) };
    let judgement = world.judge();

    let mut violators = BTreeSet::new();
    for violator in &judgement.violators {
        let first = violator.violations.first().ok_or("a violator without a violation")?;
        violators.insert((
            violator.resource_type.to_string(),
            violator.id.to_string(),
            word(&first.reason),
        ));
    }
    if violators.len() != judgement.violators.len() {
        return Err("a violator is named twice".to_owned());
    }
    Ok(Outcome {
        in_scope: true,
        status: judgement.status().map(|status| match status {
            Status::Compliant => "COMPLIANT",
            Status::NonCompliant => "NON_COMPLIANT",
        }),
        violators,
        issues: judgement.gaps.iter().map(|gap| word(&gap.service)).collect(),
    })
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// How serde writes a unit variant: AWS's word for it.
fn word(variant: &impl serde::Serialize) -> String {
    serde_json::to_value(variant)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn account(case: &Value, key: &str) -> Result<AccountId, String> {
    AccountId::try_from(case[key].as_str().unwrap_or_default()).map_err(said)
}

fn region(case: &Value) -> Result<Region, String> {
    Region::try_from(case["region"].as_str().unwrap_or_default()).map_err(said)
}

/// The shards of the case's account from all delivered files: that of the case, an earlier one,
/// and those of other Regions. They arrive in either order.
fn shards_of_account(
    case: &Value,
    account: &AccountId,
    region: &Region,
    wanted: &Arc<BTreeSet<ResourceType>>,
) -> Result<BTreeMap<ShardId, Shard>, String> {
    let mut files = vec![(&case["delivery"], "20260301T000000Z", region.as_str())];
    if !case["earlier"].is_null() {
        files.push((&case["earlier"], "20260215T000000Z", region.as_str()));
    }
    for other in case["elsewhere"].as_array().into_iter().flatten() {
        let region = other["region"].as_str().unwrap_or_default();
        files.push((&other["delivery"], "20260220T000000Z", region));
    }
    if case["delivery"]["configurationItems"].as_array().is_some_and(|items| items.len() % 2 == 1) {
        files.reverse();
    }
    let mut builders = Builders::new();
    for (file, moment, region) in files {
        take(&mut builders, account, file, moment, region, wanted)?;
    }
    Ok(builders.into_iter().map(|(id, builder)| (id, builder.seal())).collect())
}

type Builders = BTreeMap<ShardId, ShardBuilder>;

/// Takes in what a file tells about an account.
fn take(
    builders: &mut Builders,
    account: &AccountId,
    file: &Value,
    moment: &str,
    region: &str,
    wanted: &Arc<BTreeSet<ResourceType>>,
) -> Result<(), String> {
    let kind =
        if file["configSnapshotId"].is_string() { "ConfigSnapshot" } else { "ConfigHistory" };
    let name = match kind {
        "ConfigSnapshot" => format!(
            "{account}_Config_{region}_{kind}_{moment}_dededede-0000-4000-8000-000000000000.json"
        ),
        _ => format!(
            "{account}_Config_{region}_{kind}_AWS::EC2::SecurityGroup_{moment}_{moment}_1.json"
        ),
    };
    let mut reader = DeliveryReader::reading_only(&name, Arc::clone(wanted));
    reader.push(file.to_string().as_bytes()).map_err(said)?;
    let delivery = reader.finish().map_err(said)?;
    if let Some(refused) = delivery.quarantined.first() {
        return Err(format!("quarantined item {}: {}", refused.index, refused.reason));
    }
    let moment = delivery.snapshot.as_ref().map(|facts| facts.moment_ms);
    for observation in delivery.observations {
        if let Some(builder) = builder(builders, account, &observation.item.key.shard()) {
            builder.observe(observation, moment);
        }
    }
    for shown in delivery.shown {
        if let Some(builder) = builder(builders, account, &shown.shard) {
            shown.types.into_iter().for_each(|resource_type| builder.show(resource_type));
        }
    }
    let Some(facts) = delivery.snapshot else { return Ok(()) };
    for (id, types) in &facts.covers {
        for resource_type in types {
            if let Some(builder) = builder(builders, account, id) {
                builder.mark(resource_type.clone(), facts.moment_ms);
            }
        }
    }
    if let Some(builder) = facts.shard.as_ref().and_then(|id| builder(builders, account, id)) {
        builder.accept_snapshot();
    }
    Ok(())
}

/// The shard under construction, if it is one of the account's.
fn builder<'b>(
    builders: &'b mut Builders,
    account: &AccountId,
    id: &ShardId,
) -> Option<&'b mut ShardBuilder> {
    let new = || ShardBuilder::new(id.clone());
    (id.account == *account).then(|| builders.entry(id.clone()).or_insert_with(new))
}

/// Looks up what the policy asks for: items in the administrator's delivery, lists in the case's.
fn references(
    case: &Value,
    policy: &policy::Policy,
    shard_of_account: &Shard,
) -> Result<References, String> {
    let mut references = References::new();
    for reference in evaluate::references(policy) {
        let fact = match &reference {
            Reference::Item { account, region, resource_type, id } => {
                let at = ShardId { account: account.clone(), region: region.clone() };
                let found = if at == shard_of_account.id {
                    shard_of_account.item(resource_type, id.as_str()).cloned()
                } else {
                    let file = &case["administratorDelivery"];
                    let mut builders = Builders::new();
                    let wanted = Arc::new(evaluate::reads(policy));
                    let (account, region) = (&at.account, at.region.as_str());
                    take(&mut builders, account, file, "20260301T000000Z", region, &wanted)?;
                    let there = builders.remove(&at).map(ShardBuilder::seal);
                    there.and_then(|shard| shard.item(resource_type, id.as_str()).cloned())
                };
                found.map(Fact::Item)
            }
            Reference::AppsList { id, .. } => list(case, "apps", id.as_str())
                .map(|list| serde_json::from_value(list["AppsList"].clone()).map(Fact::Apps))
                .transpose()
                .map_err(said)?,
            Reference::ProtocolsList { id, .. } => list(case, "protocols", id.as_str())
                .map(|list| {
                    serde_json::from_value(list["ProtocolsList"].clone()).map(Fact::Protocols)
                })
                .transpose()
                .map_err(said)?,
            // Ids of the policies that are or were known, where the case tells some.
            Reference::CommonPolicies => case
                .get("commonPolicies")
                .map(|ids| serde_json::from_value(ids.clone()).map(Fact::Policies))
                .transpose()
                .map_err(said)?,
        };
        if let Some(fact) = fact {
            references.insert(reference, fact);
        }
    }
    Ok(references)
}

fn list<'a>(case: &'a Value, kind: &str, id: &str) -> Option<&'a Value> {
    case["lists"][kind].as_array()?.iter().find(|list| list["ListId"] == id)
}
