//! The same case through palisade-core, from the bytes of a delivered file to the judgement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{
    self, AccountFacts, Evidence, Fact, Freshness, Judgement, NetworkFacts, Presence, Reference,
    References, Status,
};
use palisade_core::ident::{AccountId, PolicyId, Region, ResourceId, ResourceType, ShardId};
use palisade_core::inventory::{
    Assumed, Cause, Delivery, DeliveryError, DeliveryReader, Item, Missed, Shard, ShardBuilder,
};
use palisade_core::organization::Organization;
use palisade_core::policy::{self, Document, Elder, Identity, Policy};
use serde_json::{Value, json};

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
        let owner = account(case, "administrator")?;
        let names = texts(&case["formerNames"]);
        let identity = identity("0dd0dd00-0000-4000-8000-000000000001", &owner, &region, names)?;
        let mut policy =
            policy::parse(&document, identity).map_err(|refusal| format!("policy: {refusal}"))?;
        policy.rival_names = rivals(case, &policy, &owner)?;
        policy.elders = elders(case, &policy, &owner, &organization)?;
        let account_id = account(case, "account")?;
        if !policy.scope.has_account(&organization, &account_id) {
            return Ok(None);
        }
        let shards = shards(case, &policy)?;
        let of_account = shards.values().filter(|shard| shard.id.account == account_id);
        let mut facts = AccountFacts::of(of_account);
        facts.assume(&assumed(case)?);
        let id = ShardId { account: account_id, region };
        let shard = shards.get(&id).cloned().unwrap_or_else(|| Shard::empty(id));
        facts.network = network(&shard, &shards);
        let references = references(case, &policy, &shards)?;
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

fn texts(value: &Value) -> Vec<Box<str>> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(Box::from).collect()
}

fn identity(
    id: &str,
    owner: &AccountId,
    region: &Region,
    former_names: Vec<Box<str>>,
) -> Result<Identity, String> {
    let id = PolicyId::try_from(id).map_err(said)?;
    Ok(Identity { id, owner: owner.clone(), region: region.clone(), revision: 1, former_names })
}

/// Names of other policies that go before the policy's own.
fn rivals(case: &Value, policy: &Policy, owner: &AccountId) -> Result<Vec<Box<str>>, String> {
    let mut all = vec![policy.clone()];
    for (at, other) in case["otherPolicies"].as_array().into_iter().flatten().enumerate() {
        let kind = other["service"].as_str().unwrap_or_default();
        let (data, resources) = match kind {
            "WAFV2" => (
                json!({"type": kind, "preProcessRuleGroups": [], "postProcessRuleGroups": [],
                    "defaultAction": {"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false}),
                "AWS::ElasticLoadBalancingV2::LoadBalancer",
            ),
            "SHIELD_ADVANCED" => {
                (json!({"type": kind}), "AWS::ElasticLoadBalancingV2::LoadBalancer")
            }
            _ => (
                json!({"type": kind, "deleteUnusedSecurityGroups": true}),
                "AWS::EC2::SecurityGroup",
            ),
        };
        let document = json!({
            "PolicyName": other["name"], "ResourceType": resources, "RemediationEnabled": false,
            "SecurityServicePolicyData": {"Type": kind, "ManagedServiceData": data.to_string()},
            "ExcludeResourceTags": false,
        });
        let document: Document = serde_json::from_value(document).map_err(said)?;
        let region = match other["region"].as_str() {
            Some(region) => Region::try_from(region).map_err(said)?,
            None => policy.region.clone(),
        };
        let id = format!("0dd0dd00-0000-4000-8000-0000000001{at:02}");
        let identity = identity(&id, owner, &region, texts(&other["formerNames"]))?;
        all.push(policy::parse(&document, identity).map_err(said)?);
    }
    Ok(policy::rivals(&all).into_iter().next().unwrap_or_default())
}

/// The older policies whose resources the policy leaves to them.
fn elders(
    case: &Value,
    policy: &Policy,
    owner: &AccountId,
    organization: &Organization,
) -> Result<Vec<Elder>, String> {
    let mut all = vec![];
    for (at, older) in case["olderPolicies"].as_array().into_iter().flatten().enumerate() {
        let document: Document = serde_json::from_value(older.clone()).map_err(said)?;
        let id = format!("0dd0dd00-0000-4000-8000-0000000002{at:02}");
        let identity = identity(&id, owner, &policy.region, vec![])?;
        all.push(policy::parse(&document, identity).map_err(said)?);
    }
    all.push(policy.clone());
    let accounts = |one: &Policy| {
        let ids = organization.accounts.keys().cloned();
        ids.filter(|id| one.scope.has_account(organization, id)).collect()
    };
    Ok(policy::elders(&all, accounts).pop().unwrap_or_default())
}

type Builders = BTreeMap<ShardId, ShardBuilder>;

/// When all files were received of which a case does not say it, milliseconds since 1970: behind
/// everything that they tell of.
const RECEIVED_MS: i64 = 1_780_000_000_000;

/// What all delivered files together tell, by account and Region.
fn shards(case: &Value, policy: &Policy) -> Result<BTreeMap<ShardId, Shard>, String> {
    // Reading no more than `check` does must not change what is found.
    let wanted = Arc::new(evaluate::reads(policy));
    let mut builders = Builders::new();
    let mut missed = vec![];
    builder(&mut builders, &ShardId { account: account(case, "account")?, region: region(case)? });
    // One of the files may come again.
    let again = case["again"].as_u64().map(|at| &case["files"][at as usize]);
    for file in case["files"].as_array().into_iter().flatten().chain(again) {
        missed.extend(take(&mut builders, file, received_ms(case), &wanted));
    }
    miss(&mut builders, missed);
    let assumed = assumed(case)?;
    let sealed = builders.into_iter().map(|(id, builder)| {
        let mut shard = builder.seal();
        shard.assumed = assumed.clone();
        (id, shard)
    });
    Ok(sealed.collect())
}

/// Notes what is known to be untold where it is, or may be.
fn miss(builders: &mut Builders, missed: Vec<Missed>) {
    for missed in missed {
        match (missed.account.clone(), missed.region.clone()) {
            (Some(account), Some(region)) => {
                builder(builders, &ShardId { account, region }).miss(missed);
            }
            // Of any Region: an item was that which was seen later in one.
            (account, _) => {
                let of_it = |id: &ShardId| account.as_ref().is_none_or(|one| *one == id.account);
                let seen = builders.iter().filter(|(id, _)| of_it(id));
                let seen_ms = seen.filter_map(|(_, builder)| builder.seen_ms(&missed)).max();
                if account.is_some()
                    && missed.cause == Cause::Item
                    && seen_ms.is_some_and(|seen| seen >= missed.moment_ms)
                {
                    continue;
                }
                builders.values_mut().for_each(|builder| builder.miss(missed.clone()));
            }
        }
    }
}

/// The types that count as recorded by the operator's word.
fn assumed(case: &Value) -> Result<Assumed, String> {
    match &case["assumeRecorded"] {
        Value::Bool(true) => Assumed::parse(["all"]),
        kinds => Assumed::parse(texts(kinds).iter().map(|kind| &**kind)),
    }
}

/// What the accounts of the Region say of one's shard.
fn network(shard: &Shard, shards: &BTreeMap<ShardId, Shard>) -> NetworkFacts {
    let of_region = || shards.values().filter(|other| other.id.region == shard.id.region);
    let presences = of_region().map(|one| (one.id.account.clone(), Presence::of(one))).collect();
    let mut held: BTreeMap<ResourceId, Vec<Item>> = BTreeMap::new();
    for group in of_region().flat_map(|one| one.of_type(&ResourceType::SECURITY_GROUP)) {
        held.entry(group.key.id.clone()).or_default().push(group.clone());
    }
    NetworkFacts::of(shard, &presences, &held)
}

/// Takes in what a file tells; and gives what it does not.
fn take(
    builders: &mut Builders,
    file: &Value,
    received_ms: i64,
    wanted: &Arc<BTreeSet<ResourceType>>,
) -> Vec<Missed> {
    let Ok(delivery) = read(file, received_ms, wanted) else {
        let name = file["name"].as_str().unwrap_or_default();
        return Missed::file(name, None, received_ms);
    };
    let moment = delivery.snapshot.as_ref().map(|facts| facts.moment_ms);
    for observation in delivery.observations {
        let id = observation.item.key.shard();
        builder(builders, &id).observe(observation, moment);
    }
    for shown in delivery.shown {
        let builder = builder(builders, &shown.shard);
        shown.newest_ms.into_iter().for_each(|newest_ms| builder.hear(shown.global, newest_ms));
        shown.types.into_iter().for_each(|resource_type| builder.show(resource_type));
    }
    let mut missed = delivery.missed;
    missed.extend(delivery.anybodys);
    let Some(facts) = delivery.snapshot else { return missed };
    for (id, types) in &facts.covers {
        for resource_type in types {
            builder(builders, id).mark(resource_type.clone(), facts.moment_ms);
        }
    }
    for (id, types) in &facts.holds {
        types.iter().for_each(|one| builder(builders, id).contain(one.clone()));
    }
    if let Some(id) = &facts.shard {
        let builder = builder(builders, id);
        builder.accept_snapshot();
        builder.hear(false, facts.moment_ms);
    }
    missed
}

fn received_ms(case: &Value) -> i64 {
    case["receivedMs"].as_i64().unwrap_or(RECEIVED_MS)
}

fn read(
    file: &Value,
    received_ms: i64,
    wanted: &Arc<BTreeSet<ResourceType>>,
) -> Result<Delivery, DeliveryError> {
    let name = file["name"].as_str().unwrap_or_default();
    let bytes = match file["text"].as_str() {
        Some(text) => text.to_owned(),
        None => file["content"].to_string(),
    };
    let mut reader = DeliveryReader::reading_only(name, Arc::clone(wanted)).received(received_ms);
    reader.push(bytes.as_bytes())?;
    reader.finish()
}

/// The shard under construction.
fn builder<'b>(builders: &'b mut Builders, id: &ShardId) -> &'b mut ShardBuilder {
    builders.entry(id.clone()).or_insert_with(|| ShardBuilder::new(id.clone()))
}

/// Looks up what the policy asks for: items of any account, lists in the case's.
fn references(
    case: &Value,
    policy: &policy::Policy,
    shards: &BTreeMap<ShardId, Shard>,
) -> Result<References, String> {
    let mut references = References::new();
    for reference in evaluate::references(policy) {
        let fact = match &reference {
            Reference::Item { account, region, resource_type, id } => {
                let at = ShardId { account: account.clone(), region: region.clone() };
                shards.get(&at).and_then(|shard| {
                    let item = shard.item(resource_type, id.as_str())?.clone();
                    Some(Fact::Item(item, Freshness::of(shard, resource_type, id)))
                })
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
            // Those that the store knows, and those that the setting names.
            Reference::CommonPolicies => {
                let mut ids = texts(&case["commonPolicies"]);
                ids.extend(texts(&case["fmsPolicies"]));
                Some(serde_json::from_value(json!(ids)).map(Fact::Policies).map_err(said)?)
            }
            Reference::ResourceSet { id, .. } => match &case["resourceSets"][id.as_str()] {
                Value::Null => None,
                arns => {
                    Some(serde_json::from_value(arns.clone()).map(Fact::Resources).map_err(said)?)
                }
            },
            // Of networks `facts.network` tells.
            Reference::Group { .. } | Reference::Vpc { .. } => None,
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
