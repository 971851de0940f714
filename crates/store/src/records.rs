//! What a store keeps and answers, engine apart.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use palisade_core::evaluate::{Reference, Status};
use palisade_core::ident::{
    AccountId, ListId, PolicyId, Region, ResourceSetId, ResourceType, ShardId, WaiverId,
};
use palisade_core::ledger::{Change, Entry, ViolatorRow};
use palisade_core::organization::Organization;
use palisade_core::policy::{Document, NetworkAclEntrySet};
use palisade_core::scope::AdminScope;
use palisade_core::waiver::Waiver;
use serde::{Deserialize, Serialize};

use crate::AuditEvent;

/// The control state: all that administrators and operators decided.
#[derive(Clone, Debug, Default)]
pub struct ControlState {
    /// Grows with every commit; 0 for a new store.
    pub revision: u64,
    /// The organization, once applied.
    pub organization: Option<Arc<Organization>>,
    /// The revision at which that was put, as far as it was noted.
    pub organization_revision: Option<u64>,
    /// Administrators by account.
    pub administrators: BTreeMap<AccountId, Administrator>,
    /// Policies by id.
    pub policies: BTreeMap<PolicyId, Arc<PolicyRecord>>,
    /// Custom applications and protocols lists by id.
    pub lists: BTreeMap<ListId, Arc<ListRecord>>,
    /// Resource sets by id.
    pub resource_sets: BTreeMap<ResourceSetId, Arc<ResourceSetRecord>>,
    /// Notification channels by administrator and Region.
    pub channels: BTreeMap<(AccountId, Region), Channel>,
    /// Associations with third-party firewalls by administrator, Region and firewall.
    pub associations: BTreeMap<(AccountId, Region, Box<str>), Association>,
    /// Waivers by id, ended ones among them.
    pub waivers: BTreeMap<WaiverId, Arc<Waiver>>,
    /// The last default administrator that was revoked.
    pub offboarded: Option<Offboarded>,
}

/// A Firewall Manager administrator account.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Administrator {
    /// The one default administrator, rather than an additional one.
    pub default: bool,
    /// When it was associated, milliseconds since the epoch.
    pub created_ms: i64,
    /// What it may act on; `None` is everything.
    pub scope: Option<AdminScope>,
}

impl Administrator {
    /// The default administrator, whose scope is everything.
    pub fn default_one(created_ms: i64) -> Administrator {
        Administrator { default: true, created_ms, scope: None }
    }

    /// An additional administrator.
    pub fn additional(created_ms: i64, scope: AdminScope) -> Administrator {
        Administrator { default: false, created_ms, scope: Some(scope) }
    }
}

/// A default administrator that was revoked.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Offboarded {
    /// Which account.
    pub account: AccountId,
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
}

/// A resource set as stored.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ResourceSetRecord {
    /// `Id`
    pub id: ResourceSetId,
    /// The administrator that owns it.
    pub owner: AccountId,
    /// Its Region.
    pub region: Region,
    /// `UpdateToken` of this state.
    pub token: String,
    /// `Name`
    pub name: String,
    /// `Description`
    pub description: Option<String>,
    /// `ResourceTypeList`
    pub resource_types: Vec<ResourceType>,
    /// ARNs of its resources, each with the moment it was associated, milliseconds since the epoch.
    pub resources: BTreeMap<Box<str>, i64>,
    /// Tags on the set itself.
    pub tags: BTreeMap<String, String>,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// `LastUpdateTime`, milliseconds since the epoch.
    pub updated_ms: i64,
}

impl ResourceSetRecord {
    /// The reference by which policies read this set.
    pub fn reference(&self) -> Reference {
        let (owner, region) = (self.owner.clone(), self.region.clone());
        Reference::ResourceSet { owner, region, id: self.id.clone() }
    }
}

/// Where an administrator wants to be told of events in a Region.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    /// `SnsTopicArn`
    pub topic: String,
    /// `SnsRoleName`, an ARN despite its name.
    pub role: String,
}

/// What an administrator asked of a third-party firewall. What the vendor made of it no source
/// tells.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Association {
    /// To be associated.
    Associated,
    /// Not to be associated any more.
    Disassociated,
}

/// A policy as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// `PolicyId`
    pub id: PolicyId,
    /// The administrator that owns it.
    pub owner: AccountId,
    /// Its Region.
    pub region: Region,
    /// 1 at creation, one more with each update.
    pub revision: u64,
    /// `PolicyUpdateToken` of this revision.
    pub token: String,
    /// Names it had before, oldest first.
    pub former_names: Vec<Box<str>>,
    /// Of a policy on network ACLs the entry sets that earlier versions had, the latest last; `None`:
    /// not all of them are known, as of what earlier editions stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_entry_sets: Option<Vec<NetworkAclEntrySet>>,
    /// What was put.
    pub document: Document,
    /// Tags on the policy itself.
    pub tags: BTreeMap<String, String>,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// Milliseconds since the epoch.
    pub updated_ms: i64,
}

impl PolicyRecord {
    /// The entry sets that earlier versions had, where all are known: the first version has none before
    /// it.
    pub fn known_entry_sets(&self) -> Option<&[NetworkAclEntrySet]> {
        match (&self.former_entry_sets, self.revision) {
            (Some(sets), _) => Some(sets),
            (None, 0 | 1) => Some(&[]),
            (None, _) => None,
        }
    }
}

/// A custom list as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListRecord {
    /// `ListId`
    pub id: ListId,
    /// The administrator that owns it.
    pub owner: AccountId,
    /// Its Region.
    pub region: Region,
    /// `ListUpdateToken` of this state.
    pub token: String,
    /// `ListName`
    pub name: String,
    /// What it lists.
    pub content: ListContent,
    /// Tags on the list itself.
    pub tags: BTreeMap<String, String>,
    /// Milliseconds since the epoch.
    pub created_ms: i64,
    /// Milliseconds since the epoch.
    pub updated_ms: i64,
}

/// What a list lists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ListContent {
    /// `AppsList`
    Apps(Vec<palisade_core::lists::App>),
    /// `ProtocolsList`
    Protocols(Vec<Box<str>>),
}

impl ListRecord {
    /// The reference by which policies read this list.
    pub fn reference(&self) -> Reference {
        let (owner, region, id) = (self.owner.clone(), self.region.clone(), self.id.clone());
        match self.content {
            ListContent::Apps(_) => Reference::AppsList { owner, region, id },
            ListContent::Protocols(_) => Reference::ProtocolsList { owner, region, id },
        }
    }
}

/// One change of the control state.
#[derive(Clone, Debug, PartialEq)]
pub enum ControlChange {
    /// Create or replace the organization.
    PutOrganization(Arc<Organization>),
    /// Associate an administrator.
    PutAdministrator(AccountId, Administrator),
    /// Revoke an administrator; its policies are removed by changes of their own.
    RemoveAdministrator(AccountId),
    /// Remember that the default administrator was revoked, or forget it.
    PutOffboarded(Option<Offboarded>),
    /// Create or replace a policy, and fan its evaluation out unless its revision stays the same.
    PutPolicy(Arc<PolicyRecord>),
    /// Remove a policy with all it caused.
    RemovePolicy(PolicyId),
    /// Fan the evaluation of a policy out that itself stays as it is.
    FanOut(PolicyId),
    /// Create or replace a list, and mark its readers unless its content stays the same.
    PutList(Arc<ListRecord>),
    /// Remove a list and mark its readers.
    RemoveList(ListId),
    /// Create or replace a resource set, and mark its readers unless its resources stay the same.
    PutResourceSet(Arc<ResourceSetRecord>),
    /// Remove a resource set and mark its readers.
    RemoveResourceSet(ResourceSetId),
    /// Set, or with `None` remove, a notification channel.
    PutChannel(AccountId, Region, Option<Channel>),
    /// Keep what was asked of a third-party firewall.
    PutAssociation(AccountId, Region, Box<str>, Association),
    /// Create or replace a waiver. Nothing is judged by it.
    PutWaiver(Arc<Waiver>),
    /// Forget a waiver.
    RemoveWaiver(WaiverId),
    /// Mark work due now.
    Mark(Mark),
    /// Append to the audit log. Alone it leaves the revision as it is.
    Audit(Arc<AuditEvent>),
}

/// Work to be done: judge one shard under one policy, or under all of its Region.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Mark {
    /// Which shard.
    pub shard: ShardId,
    /// Which policy; `None` is every policy of the shard's Region.
    pub policy: Option<PolicyId>,
}

/// What became of a delivery.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// States that are new, by type.
    pub accepted: BTreeMap<ResourceType, u64>,
    /// Observations that were not newer than what is held.
    pub stale: u64,
    /// Deletions taken in, and resources that a snapshot showed to be gone.
    pub deleted: u64,
    /// Observations of accounts outside the organization: kept, unjudged.
    pub strangers: u64,
    /// Whether anything is held otherwise than before: a state, when it was seen, how old what is known is,
    /// or a gap.
    pub is_held_otherwise: bool,
}

/// Which file it is: a hash over its bytes, and over all else that decides what it tells.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct FileHash(pub [u8; 32]);

/// What a file holds that was taken in before: nothing of it is news.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Repeated {
    /// Its observations.
    pub items: u64,
    /// Its messages without an item.
    pub ignored: u64,
}

/// A policy whose evaluation has not been marked for every account yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FanOut {
    /// Which policy.
    pub policy: PolicyId,
    /// The revision that caused it.
    pub revision: u64,
    /// Accounts up to and including this one are marked.
    pub cursor: Option<AccountId>,
}

/// A shard leased to a worker with the marks that were due.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lease {
    /// Which shard.
    pub shard: ShardId,
    /// The marks as they were when leased.
    pub marks: Vec<LeasedMark>,
    /// When the lease runs out and another worker takes the shard, its fence is another, and the store
    /// drops what this one settles.
    pub fence: Fence,
    /// Where the shard's facts stood when it was leased.
    pub revision: Revision,
}

/// Tells one lease from every other lease of its store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fence {
    /// No other lease has it.
    pub(crate) number: u64,
    /// What has this number of the store's sequence, or an earlier one, was written when the lease was taken.
    pub(crate) after: u64,
}

/// Where the facts of one shard stand: they did not change between two equal revisions of the shard.
/// Revisions of different shards have nothing to do with each other, and none is earlier or later than
/// another. The default is that of a shard without facts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Revision(pub(crate) u64);

/// One due mark at the version that was leased.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeasedMark {
    /// What is to be judged.
    pub due: Due,
    /// Grows whenever the mark is marked again.
    pub version: u64,
}

/// What a mark asks for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Due {
    /// The whole shard, under every policy of its Region.
    Shard,
    /// What items concern that changed since the shard was judged, under every policy of its Region
    /// ([`crate::Inventory::load_changed`]).
    Changes,
    /// The whole shard, under one policy.
    Policy(PolicyId),
}

/// What judging a leased shard found.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// The lease it answers.
    pub lease: Lease,
    /// The moment of judging, milliseconds since the epoch.
    pub evaluated_ms: i64,
    /// By policy.
    pub outcomes: Vec<Outcome>,
    /// When the shard must be judged again though nothing changes, milliseconds since the epoch.
    pub not_before_ms: Option<i64>,
    /// The revision of the facts that were judged: it covers changes of items that were logged until
    /// then, and the store drops them. `None` when none were logged.
    pub revision: Option<Revision>,
}

/// What one policy's judgement of the shard means for the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Which policy.
    pub policy: PolicyId,
    /// The revision that was judged.
    pub revision: u64,
    /// What to write.
    pub write: LedgerWrite,
    /// The references that were read: their change marks this shard for this policy.
    pub references: BTreeSet<Reference>,
}

/// What to write of one (policy, account).
#[derive(Clone, Debug, PartialEq)]
pub enum LedgerWrite {
    /// Nothing changed.
    Keep,
    /// Entry, violators and perhaps a history row.
    Change(Change),
    /// The account is out of scope: entry and violators go, history is closed, references too.
    Close,
}

/// Work by state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct WorkCounts {
    /// Due and not leased, unexpanded fan-outs included.
    pub dirty: u64,
    /// Leased to a worker.
    pub leased: u64,
    /// Due at a later time.
    pub future: u64,
    /// Age of the oldest due mark, seconds.
    pub oldest_seconds: u64,
}

/// How old the inventory of the organization's accounts is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InventoryAges {
    /// Shards of which anything was ever told.
    pub shards: u64,
    /// The newest moment told of the shard of which nothing newer is told for longest.
    pub oldest_ms: Option<i64>,
    /// The newest moment told of any.
    pub newest_ms: Option<i64>,
}

/// An entry with its key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EntryRow {
    /// Which account.
    pub account: AccountId,
    /// What is recorded.
    pub entry: Entry,
    /// `LastUpdated`: the last time its shard was judged under this policy, milliseconds since the epoch.
    pub last_updated_ms: i64,
}

/// A past state of one (policy, account).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HistoryRow {
    /// When it began, milliseconds since the epoch.
    pub at_ms: i64,
    /// `None` with `closed` false: nothing could be claimed.
    pub status: Option<Status>,
    /// True count of violators.
    pub violator_count: u64,
    /// Issues by service, as in the entry.
    pub issues: BTreeMap<palisade_core::evaluate::DependentService, String>,
    /// Revision of the policy judged.
    pub policy_revision: u64,
    /// The entry ended here: out of scope, or the policy is gone.
    pub closed: bool,
    /// From which moment on this was answered, milliseconds since the epoch: later than `at_ms` by what
    /// judging and writing took.
    pub noted_ms: i64,
    /// What it was written for; `None` of what an earlier edition wrote.
    pub occasion: Option<Occasion>,
}

/// What a state of an entry was written for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Occasion {
    /// Deliveries changed items of the shard.
    Items,
    /// The policy's own mark: it was put, or something it refers to changed.
    Policy,
    /// The shard's mark: a delivery of much, another setting, time, the operator's word.
    Shard,
    /// The policy was removed.
    Removed,
}

impl Occasion {
    const ALL: [(Occasion, i16); 4] =
        [(Occasion::Items, 1), (Occasion::Policy, 2), (Occasion::Shard, 3), (Occasion::Removed, 4)];

    /// The number that is stored.
    pub(crate) fn number(self) -> i16 {
        Self::ALL.iter().find(|(one, _)| *one == self).map_or(0, |(_, number)| *number)
    }

    /// From [`Occasion::number`].
    pub(crate) fn numbered(number: i16) -> Option<Occasion> {
        Self::ALL.iter().find(|(_, one)| *one == number).map(|(one, _)| *one)
    }
}

/// A version of a violator that holds no more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PastViolator {
    /// As it was.
    pub row: ViolatorRow,
    /// From which moment on it was answered, milliseconds since the epoch; 0: since before the past was kept.
    pub from_ms: i64,
    /// Until which moment, itself excluded.
    pub until_ms: i64,
    /// It was no violator any more then; otherwise its violations became others.
    pub ended: bool,
}

/// Of which moments the past can be asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Span {
    /// The first moment, milliseconds since the epoch; `None` before the first write.
    pub from_ms: Option<i64>,
    /// The moment of the last write that the past keeps.
    pub noted_ms: Option<i64>,
}

/// One version of an object of the control state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Version {
    /// Which object.
    pub object: Versioned,
    /// From which moment on it was so, milliseconds since the epoch.
    pub noted_ms: i64,
    /// Its JSON; `None`: it was there no more.
    pub record: Option<String>,
}

/// An object of the control state whose versions are kept: what decides who is judged by what.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Versioned {
    /// The organization without its accounts.
    Organization,
    /// An account of the organization.
    Account(AccountId),
    /// An administrator.
    Administrator(AccountId),
    /// A policy.
    Policy(PolicyId),
    /// A waiver.
    Waiver(WaiverId),
}

impl Versioned {
    /// As text: its kind, and its id behind a slash.
    pub(crate) fn text(&self) -> String {
        match self {
            Versioned::Organization => "organization".to_owned(),
            Versioned::Account(id) => format!("account/{id}"),
            Versioned::Administrator(id) => format!("administrator/{id}"),
            Versioned::Policy(id) => format!("policy/{id}"),
            Versioned::Waiver(id) => format!("waiver/{id}"),
        }
    }

    /// From [`Versioned::text`].
    pub(crate) fn named(text: &str) -> Option<Versioned> {
        let Some((kind, id)) = text.split_once('/') else {
            return (text == "organization").then_some(Versioned::Organization);
        };
        match kind {
            "account" => AccountId::try_from(id).ok().map(Versioned::Account),
            "administrator" => AccountId::try_from(id).ok().map(Versioned::Administrator),
            "policy" => PolicyId::try_from(id).ok().map(Versioned::Policy),
            "waiver" => WaiverId::try_from(id).ok().map(Versioned::Waiver),
            _ => None,
        }
    }
}
