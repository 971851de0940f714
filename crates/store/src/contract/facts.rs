//! The small world of the suite: short names for accounts, items, deliveries, policies, verdicts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{
    DependentService, Finding, Gap, Judgement, Reference, Violation, ViolationReason, Violator,
    WafFinding,
};
use palisade_core::ident::{
    AccountId, ListId, PolicyId, Region, ResourceId, ResourceType, ShardId,
};
use palisade_core::inventory::{
    Body, Cause, Delivery, Item, ItemKey, Missed, Observation, Recorder, RecordingGroup,
    SecurityGroup, SnapshotFacts, Version,
};
use palisade_core::ledger::{Record, advance};
use palisade_core::organization::{Account, AccountStatus, Organization};
use palisade_core::policy::Document;
use palisade_core::waiver::Waiver;

use crate::{
    ControlChange, Due, Lease, LedgerWrite, ListContent, ListRecord, Loaded, Mark, Outcome,
    PolicyRecord, Settlement, Store, Want,
};

pub const HOUR: i64 = 3_600_000;
pub const GROUP: ResourceType = ResourceType::SECURITY_GROUP;
pub const RECORDER: ResourceType = ResourceType::CONFIGURATION_RECORDER;

pub fn account(n: u32) -> AccountId {
    AccountId::try_from(format!("{n:012}")).unwrap()
}

pub fn region(name: &str) -> Region {
    Region::try_from(name).unwrap()
}

/// The account's shard in eu-west-1.
pub fn shard(n: u32) -> ShardId {
    ShardId { account: account(n), region: region("eu-west-1") }
}

pub fn id(text: &str) -> ResourceId {
    ResourceId::try_from(text).unwrap()
}

pub fn policy_id(name: &str) -> PolicyId {
    PolicyId::try_from(name).unwrap()
}

// Inventory.

pub fn observed(
    shard: &ShardId,
    resource_type: ResourceType,
    name: &str,
    at: i64,
    body: Body,
) -> Observation {
    let key = ItemKey {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type,
        id: id(name),
    };
    let version = Version { state: None, captured_ms: at };
    let tags = (!body.is_unseen()).then(BTreeMap::new);
    let item = Item {
        key,
        version,
        name: None,
        arn: None,
        tags,
        body,
        unseen_since: None,
        told_beside: None,
    };
    Observation { item, global: false, is_ahead: false }
}

/// A security group captured at `at`; states at different moments differ.
pub fn group(shard: &ShardId, name: &str, at: i64) -> Observation {
    let group = SecurityGroup { group_name: format!("at {at}").into(), ..Default::default() };
    observed(shard, GROUP, name, at, Body::SecurityGroup(group))
}

pub fn deleted(shard: &ShardId, name: &str, at: i64) -> Observation {
    observed(shard, GROUP, name, at, Body::Deleted)
}

/// A state of a group that tells nothing of its rules.
pub fn unseen(shard: &ShardId, name: &str, at: i64) -> Observation {
    observed(shard, GROUP, name, at, Body::Unseen)
}

pub fn recorder(shard: &ShardId, at: i64) -> Observation {
    let body =
        Body::Recorder(Recorder { recording: true, group: RecordingGroup::All, internal: false });
    observed(shard, RECORDER, "default", at, body)
}

pub fn delivery(observations: &[Observation]) -> Delivery {
    Delivery { observations: observations.to_vec(), ..Default::default() }
}

/// A gap of a shard: `what` names the resource of an item that cannot be read, or nothing.
pub fn gap(shard: &ShardId, resource_type: Option<ResourceType>, what: &str, at: i64) -> Missed {
    Missed {
        account: Some(shard.account.clone()),
        region: Some(shard.region.clone()),
        resource_type,
        what: (!what.is_empty()).then(|| what.into()),
        cause: Cause::Item,
        moment_ms: at,
    }
}

/// A delivery that gives these and misses those.
pub fn missing(observations: &[Observation], missed: &[Missed]) -> Delivery {
    Delivery { missed: missed.to_vec(), ..delivery(observations) }
}

/// A whole snapshot of the shard that covers the types it contains.
pub fn snapshot(shard: &ShardId, moment_ms: i64, observations: &[Observation]) -> Delivery {
    let types = observations.iter().map(|seen| seen.item.key.resource_type.clone());
    snapshot_of(shard, moment_ms, observations, types)
}

/// A whole snapshot of the shard that covers the given types.
pub fn snapshot_of(
    shard: &ShardId,
    moment_ms: i64,
    observations: &[Observation],
    types: impl IntoIterator<Item = ResourceType>,
) -> Delivery {
    let types: BTreeSet<ResourceType> = types.into_iter().collect();
    let covers = BTreeMap::from([(shard.clone(), types)]);
    let exist = observations.iter().filter(|seen| seen.item.body != Body::Deleted);
    let mut holds: BTreeMap<ShardId, BTreeSet<ResourceType>> = BTreeMap::new();
    for ItemKey { account, region, resource_type, .. } in exist.map(|seen| &seen.item.key) {
        let id = ShardId { account: account.clone(), region: region.clone() };
        holds.entry(id).or_default().insert(resource_type.clone());
    }
    let shown = Some(shard.clone());
    let facts = SnapshotFacts { shard: shown, moment_ms, covers, holds };
    Delivery { snapshot: Some(facts), ..delivery(observations) }
}

/// What judging would load, without references or records.
pub fn loaded(store: &dyn Store, shard: &ShardId) -> Loaded {
    store.load(&Want::whole(shard, &BTreeSet::new(), &[])).unwrap()
}

/// The live groups of a shard, each as `id at capture time`; a later state without a body as
/// `+capture time`.
pub fn groups(store: &dyn Store, shard: &ShardId) -> String {
    let loaded = loaded(store, shard);
    let shown = loaded.shard.of_type(&GROUP);
    let text = |item: &Item| {
        let later = item.unseen_since.as_ref().map(|later| later.version.captured_ms);
        let later = later.map_or(String::new(), |at| format!("+{at}"));
        format!("{} {}{later}", item.key.id, item.version.captured_ms)
    };
    shown.map(text).collect::<Vec<_>>().join(", ")
}

pub fn item_reference(shard: &ShardId, name: &str) -> Reference {
    Reference::Item {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type: GROUP,
        id: id(name),
    }
}

// Control.

pub fn organization(accounts: &[u32]) -> Organization {
    let member = |n: &u32| {
        let account = Account {
            name: format!("member {n}").into(),
            status: AccountStatus::PendingClosure,
            parent: "r-1".into(),
        };
        (self::account(*n), account)
    };
    Organization {
        id: "o-1".into(),
        management: account(1),
        default_administrator: None,
        roots: BTreeSet::from(["r-1".into()]),
        units: BTreeMap::new(),
        accounts: accounts.iter().map(member).collect(),
    }
}

pub fn policy(name: &str, revision: u64) -> Arc<PolicyRecord> {
    Arc::new(PolicyRecord {
        id: policy_id(name),
        owner: account(1),
        region: region("eu-west-1"),
        revision,
        token: format!("token {revision}"),
        former_names: vec!["before".into()],
        former_entry_sets: None,
        document: Document { policy_name: name.to_owned(), ..Default::default() },
        tags: BTreeMap::from([("team".to_owned(), String::new())]),
        created_ms: 1,
        updated_ms: 2,
    })
}

pub fn list(name: &str, content: ListContent) -> Arc<ListRecord> {
    Arc::new(ListRecord {
        id: ListId::try_from(name).unwrap(),
        owner: account(1),
        region: region("eu-west-1"),
        token: "token".to_owned(),
        name: name.to_owned(),
        content,
        tags: BTreeMap::new(),
        created_ms: 1,
        updated_ms: 2,
    })
}

/// Commits at whatever revision the store has.
pub fn commit(store: &dyn Store, changes: &[ControlChange], now_ms: i64) -> u64 {
    store.commit(store.control_revision().unwrap(), changes, now_ms).unwrap()
}

/// Puts revision 1 of policies and forgets their fan-outs.
pub fn put_policies(store: &dyn Store, names: &[&str]) {
    for name in names {
        commit(store, &[ControlChange::PutPolicy(policy(name, 1))], 0);
    }
    for fan_out in store.fan_outs().unwrap() {
        assert!(store.advance_fan_out(&fan_out, &[], None, 0).unwrap());
    }
}

/// A waiver of groups in account 1 under policy `p`.
pub fn waiver(name: &str) -> Arc<Waiver> {
    Arc::new(Waiver {
        id: name.try_into().unwrap(),
        policy: policy_id("p"),
        accounts: [account(1)].into(),
        units: BTreeSet::new(),
        resource_type: None,
        resource: "sg-*".into(),
        reason: "accepted".into(),
        owner: "team".into(),
        ticket: None,
        from_ms: 10,
        until_ms: 900,
        ended_ms: None,
        created_ms: 5,
    })
}

// Work.

pub fn mark_of(shard: &ShardId, policy: Option<&str>) -> Mark {
    Mark { shard: shard.clone(), policy: policy.map(policy_id) }
}

/// What is due and free, as `account policy,policy; …` with `*` for the shard and `~` for changes.
pub fn due(store: &dyn Store, now_ms: i64) -> String {
    // Leased until 0, so that the look holds nobody off, at whatever time.
    shown(&store.lease(now_ms, -now_ms, usize::MAX).unwrap())
}

pub fn shown(leases: &[Lease]) -> String {
    let marks = |lease: &Lease| {
        let names = lease.marks.iter().map(|mark| match &mark.due {
            Due::Shard => "*".to_owned(),
            Due::Changes => "~".to_owned(),
            Due::Policy(policy) => policy.to_string(),
        });
        names.collect::<Vec<_>>().join(",")
    };
    let number = |lease: &Lease| lease.shard.account.as_str().trim_start_matches('0').to_owned();
    leases
        .iter()
        .map(|lease| format!("{} {}", number(lease), marks(lease)))
        .collect::<Vec<_>>()
        .join("; ")
}

/// The one lease to be had now.
pub fn lease_one(store: &dyn Store, now_ms: i64, lease_ms: i64) -> Lease {
    let mut leases = store.lease(now_ms, lease_ms, usize::MAX).unwrap();
    assert_eq!(leases.len(), 1, "{}", shown(&leases));
    leases.pop().unwrap()
}

/// Clears everything that is due.
pub fn clear_work(store: &dyn Store, now_ms: i64) {
    let leases = store.lease(now_ms, HOUR, usize::MAX).unwrap();
    let settlements: Vec<_> = leases.into_iter().map(|lease| settled(lease, now_ms, &[])).collect();
    store.settle(&settlements).unwrap();
}

pub fn settled(lease: Lease, evaluated_ms: i64, outcomes: &[Outcome]) -> Settlement {
    let revision = Some(lease.revision);
    Settlement { lease, evaluated_ms, outcomes: outcomes.to_vec(), not_before_ms: None, revision }
}

// Ledger.

pub fn violator(resource_type: ResourceType, name: &str, rule: &str) -> Violator {
    let finding =
        Finding::Waf(WafFinding::WebAcl { found: None, wanted: rule.into(), differences: vec![] });
    let reason = ViolationReason::ResourceMissingWebAcl;
    Violator { resource_type, id: id(name), violations: vec![Violation { reason, finding }] }
}

/// A judgement that finds these groups to violate, and these gaps.
pub fn judgement(violators: &[&str], gaps: &[&str]) -> Judgement {
    let gap = |text: &&str| Gap { service: DependentService::Config, text: (*text).into() };
    let mut judgement = Judgement::default();
    judgement.violators = violators.iter().map(|name| violator(GROUP, name, "acl")).collect();
    judgement.gaps = gaps.iter().map(gap).collect();
    judgement.in_scope = 7;
    judgement
}

/// What a worker makes of a judgement of the policy's revision 1.
pub fn outcome(
    store: &dyn Store,
    lease: &Lease,
    policy: &str,
    judgement: &Judgement,
    evaluated_ms: i64,
) -> Outcome {
    let policy = policy_id(policy);
    let loaded = store
        .load(&Want::whole(&lease.shard, &BTreeSet::new(), std::slice::from_ref(&policy)))
        .unwrap();
    let before = loaded.records.get(&policy).cloned().unwrap_or_else(Record::default);
    let write = match advance(&before, judgement, 1, evaluated_ms) {
        Some(mut change) => {
            // Of one it was not recorded.
            change.date(evaluated_ms, |_, id| {
                (id.as_str() != "sg-2").then_some(evaluated_ms.saturating_sub(7))
            });
            LedgerWrite::Change(change)
        }
        None => LedgerWrite::Keep,
    };
    Outcome { policy, revision: 1, write, references: BTreeSet::new() }
}

/// Marks, leases, judges and settles one shard under one policy.
pub fn judge(store: &dyn Store, n: u32, policy: &str, judgement: &Judgement, evaluated_ms: i64) {
    judge_reading(store, n, policy, judgement, evaluated_ms, &[]);
}

/// As [`judge`], reading references.
pub fn judge_reading(
    store: &dyn Store,
    n: u32,
    policy: &str,
    judgement: &Judgement,
    evaluated_ms: i64,
    references: &[Reference],
) {
    store.mark(&[mark_of(&shard(n), Some(policy))], evaluated_ms, None).unwrap();
    let leases = store.lease(evaluated_ms, HOUR, usize::MAX).unwrap();
    let lease = leases.into_iter().find(|lease| lease.shard == shard(n)).unwrap();
    let mut outcome = outcome(store, &lease, policy, judgement, evaluated_ms);
    outcome.references = references.iter().cloned().collect();
    store.settle(&[settled(lease, evaluated_ms, &[outcome])]).unwrap();
}

/// Ids of the violators recorded, all of them.
pub fn violators(store: &dyn Store, n: u32, policy: &str) -> String {
    let rows = store.violators(&policy_id(policy), &account(n), None, usize::MAX).unwrap();
    rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>().join(" ")
}
