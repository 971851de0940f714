//! The control state as handlers and the worker read it: parsed once, shared, never stale.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use palisade_core::ident::{AccountId, ListId, PolicyId, Region, ResourceSetId, ShardId};
use palisade_core::organization::Organization;
use palisade_core::policy::{self, Elder, Identity, Policy, PolicyType, Refusal};
use palisade_core::scope::{self, AdminScope};
use palisade_store::{
    Administrator, Control, ControlChange, ControlState, ListRecord, Mark, PolicyRecord,
    ResourceSetRecord, Span, StoreError,
};
use palisade_wire::{ErrorKind, Fault};

/// One revision of the control state with its policies parsed.
#[derive(Debug)]
pub struct ControlView {
    control: ControlState,
    policies: BTreeMap<PolicyId, Parsed>,
}

/// Why nothing is told of a policy that is stored.
#[derive(Debug, thiserror::Error)]
#[error(
    "policy `{0}` is stored and this edition of Palisade cannot parse it: nothing is judged by it; put it \
     anew, or serve the store with the edition that wrote it"
)]
pub struct Unparsed(PolicyId);

impl From<Unparsed> for Fault {
    fn from(unparsed: Unparsed) -> Fault {
        Fault::new(ErrorKind::InternalError, unparsed.to_string())
    }
}

/// A policy as parsed, with the accounts in its scope once somebody asked for them.
#[derive(Debug)]
struct Parsed {
    policy: Arc<Policy>,
    in_scope: OnceLock<Arc<[AccountId]>>,
}

impl ControlView {
    /// A view of `control`. A stored policy that this Palisade cannot parse is left out and
    /// reported to the log: nothing is judged or claimed for it.
    pub fn new(control: ControlState) -> Self {
        Self::following(control, None)
    }

    /// As [`ControlView::new`], taking over what `before` has already worked out.
    fn following(control: ControlState, before: Option<&ControlView>) -> Self {
        let same_accounts =
            before.is_some_and(|before| before.control.organization == control.organization);
        let mut policies = BTreeMap::new();
        for (id, record) in &control.policies {
            let known = before
                .and_then(|before| before.policies.get(id))
                .filter(|known| known.policy.revision == record.revision);
            let policy = match known {
                Some(known) => known.policy.clone(),
                None => match parsed(record) {
                    Ok(policy) => Arc::new(policy),
                    Err(refusal) => {
                        tracing::error!(policy = %id, %refusal, "a stored policy cannot be parsed");
                        continue;
                    }
                },
            };
            let same_grant = before.is_some_and(|before| {
                scope_in(&before.control, &record.owner) == scope_in(&control, &record.owner)
            });
            let in_scope = match known {
                Some(known) if same_accounts && same_grant => known.in_scope.clone(),
                _ => OnceLock::new(),
            };
            policies.insert(id.clone(), Parsed { policy, in_scope });
        }
        let rivals = policy::rivals(policies.values().map(|parsed| &*parsed.policy));
        for (parsed, rivals) in policies.values_mut().zip(rivals) {
            if parsed.policy.rival_names != rivals {
                Arc::make_mut(&mut parsed.policy).rival_names = rivals;
            }
        }
        let mut view = ControlView { control, policies };
        view.set_elders();
        view
    }

    /// The view that there would be after these changes: for whoever wants to know before they are made.
    pub(crate) fn after(&self, changes: &[ControlChange]) -> ControlView {
        let mut control = self.control.clone();
        for change in changes {
            match change {
                ControlChange::PutOrganization(new) => control.organization = Some(new.clone()),
                ControlChange::PutAdministrator(account, administrator) => {
                    control.administrators.insert(account.clone(), administrator.clone());
                }
                ControlChange::RemoveAdministrator(account) => {
                    control.administrators.remove(account);
                }
                ControlChange::PutPolicy(record) => {
                    control.policies.insert(record.id.clone(), record.clone());
                }
                ControlChange::RemovePolicy(id) => {
                    control.policies.remove(id);
                }
                // Of these no scope and no policy is made.
                ControlChange::PutOffboarded(_)
                | ControlChange::FanOut(_)
                | ControlChange::PutList(_)
                | ControlChange::RemoveList(_)
                | ControlChange::PutResourceSet(_)
                | ControlChange::RemoveResourceSet(_)
                | ControlChange::PutChannel(..)
                | ControlChange::PutAssociation(..)
                | ControlChange::PutWaiver(_)
                | ControlChange::RemoveWaiver(_)
                | ControlChange::Mark(_)
                | ControlChange::Audit(_) => {}
            }
        }
        ControlView::following(control, Some(self))
    }

    /// The policies as far as they can be parsed, the oldest first.
    fn by_age(&self) -> Vec<(i64, &Arc<Policy>)> {
        let created_ms = |id| self.control.policies.get(id).map_or(i64::MAX, |it| it.created_ms);
        let all = self.policies.iter();
        let mut all: Vec<_> = all.map(|(id, parsed)| (created_ms(id), &parsed.policy)).collect();
        all.sort_by(|(one, policy), (other, its)| (one, &policy.id).cmp(&(other, &its.id)));
        all
    }

    fn set_elders(&mut self) {
        let by_age: Vec<&Policy> = self.by_age().into_iter().map(|(_, policy)| &**policy).collect();
        let ids: Vec<PolicyId> = by_age.iter().map(|policy| policy.id.clone()).collect();
        let found = policy::elders(by_age, |policy| self.shared_scope(&policy.id));
        for (id, elders) in ids.iter().zip(found) {
            if let Some(parsed) = self.policies.get_mut(id)
                && parsed.policy.elders != elders
            {
                Arc::make_mut(&mut parsed.policy).elders = elders;
            }
        }
    }

    /// What must be judged again once these changes are made, of policies on network ACLs that stay as
    /// they are: older ones decide which subnets are their own (semantics §11 row 53).
    pub(crate) fn held_otherwise(&self, changes: &[ControlChange]) -> Vec<ControlChange> {
        let mut after: BTreeMap<&PolicyId, (i64, Arc<Policy>)> = BTreeMap::new();
        for (created_ms, policy) in self.by_age() {
            after.insert(&policy.id, (created_ms, policy.clone()));
        }
        let (mut organization, mut same_accounts) = (self.organization(), true);
        let mut scopes: BTreeMap<&AccountId, Option<&AdminScope>> = BTreeMap::new();
        let mut put: BTreeSet<&PolicyId> = BTreeSet::new();
        for change in changes {
            match change {
                ControlChange::PutPolicy(record) => {
                    put.insert(&record.id);
                    after.remove(&record.id);
                    if let Ok(policy) = parsed(record) {
                        after.insert(&record.id, (record.created_ms, Arc::new(policy)));
                    }
                }
                ControlChange::RemovePolicy(id) => {
                    after.remove(id);
                }
                ControlChange::PutOrganization(new) => {
                    (organization, same_accounts) = (Some(&**new), false);
                }
                ControlChange::PutAdministrator(account, administrator) => {
                    scopes.insert(account, administrator.scope.as_ref());
                }
                ControlChange::RemoveAdministrator(account) => {
                    scopes.insert(account, None);
                }
                _ => {}
            }
        }
        let mut by_age: Vec<&(i64, Arc<Policy>)> = after.values().collect();
        by_age.sort_by(|(one, policy), (other, its)| (one, &policy.id).cmp(&(other, &its.id)));
        let all: Vec<&Policy> = by_age.iter().map(|(_, policy)| &**policy).collect();
        let found = policy::elders(all.iter().copied(), |policy| {
            let scope = scopes.get(&policy.owner).copied();
            if scope.is_none() && same_accounts && !put.contains(&policy.id) {
                return self.shared_scope(&policy.id);
            }
            let scope = scope.unwrap_or_else(|| self.admin_scope(&policy.owner));
            let judged = organization.map(|known| judged_accounts(policy, scope, known));
            judged.unwrap_or_default().into()
        });
        let same = all.into_iter().zip(found).filter(|(policy, _)| !put.contains(&policy.id));
        same.flat_map(|(policy, elders)| otherwise(policy, &elders)).collect()
    }

    /// The policies that stay as they are and yet judge otherwise once these changes are made: names
    /// of others decide which web ACLs are their own (semantics §11 row 34).
    pub(crate) fn judged_otherwise(&self, changes: &[ControlChange]) -> Vec<PolicyId> {
        let mut changed: BTreeMap<&PolicyId, Option<Policy>> = BTreeMap::new();
        for change in changes {
            match change {
                ControlChange::PutPolicy(record) => {
                    let parsed = parsed(record).ok();
                    changed.insert(&record.id, parsed);
                }
                ControlChange::RemovePolicy(id) => {
                    changed.insert(id, None);
                }
                _ => {}
            }
        }
        if changed.is_empty() {
            return Vec::new();
        }
        let same = || self.policies().filter(|policy| !changed.contains_key(&policy.id));
        let all = same().map(|policy| &**policy).chain(changed.values().flatten());
        let rivals = policy::rivals(all);
        let otherwise = same().zip(rivals).filter(|(policy, rivals)| policy.rival_names != *rivals);
        otherwise.map(|(policy, _)| policy.id.clone()).collect()
    }

    /// The revision that this is a view of.
    pub fn revision(&self) -> u64 {
        self.control.revision
    }

    /// The whole control state.
    pub fn control(&self) -> &ControlState {
        &self.control
    }

    /// The organization, once one was applied.
    pub fn organization(&self) -> Option<&Organization> {
        self.control.organization.as_deref()
    }

    /// The default administrator, once there is one.
    pub fn default_administrator(&self) -> Option<&AccountId> {
        self.control
            .administrators
            .iter()
            .find_map(|(account, administrator)| administrator.default.then_some(account))
    }

    /// What kind of administrator an account is, if one.
    pub fn administrator(&self, account: &AccountId) -> Option<&Administrator> {
        self.control.administrators.get(account)
    }

    /// A policy as evaluators read it.
    pub fn policy(&self, id: &PolicyId) -> Option<&Arc<Policy>> {
        self.policies.get(id).map(|parsed| &parsed.policy)
    }

    /// A stored policy as evaluators read it: the guard of whoever tells what was judged by it, since one that
    /// is left out would look like one with nothing in its scope.
    ///
    /// # Errors
    /// It cannot be parsed.
    pub fn judged(&self, record: &PolicyRecord) -> Result<&Arc<Policy>, Unparsed> {
        self.policy(&record.id).ok_or_else(|| Unparsed(record.id.clone()))
    }

    /// How many stored policies are left out.
    pub fn left_out(&self) -> usize {
        self.control.policies.keys().filter(|id| !self.policies.contains_key(*id)).count()
    }

    /// All policies, ascending by id.
    pub fn policies(&self) -> impl Iterator<Item = &Arc<Policy>> {
        self.policies.values().map(|parsed| &parsed.policy)
    }

    /// A policy as stored.
    pub fn policy_record(&self, id: &PolicyId) -> Option<&Arc<PolicyRecord>> {
        self.control.policies.get(id)
    }

    /// A list as stored.
    pub fn list_record(&self, id: &ListId) -> Option<&Arc<ListRecord>> {
        self.control.lists.get(id)
    }

    /// A resource set as stored.
    pub fn resource_set(&self, id: &ResourceSetId) -> Option<&Arc<ResourceSetRecord>> {
        self.control.resource_sets.get(id)
    }

    /// What an administrator may act on; `None` is everything, as for the default administrator.
    pub fn admin_scope(&self, administrator: &AccountId) -> Option<&AdminScope> {
        scope_in(&self.control, administrator)
    }

    /// Whether an administrator may act in a Region.
    pub fn may_act_in(&self, administrator: &AccountId, region: &Region) -> bool {
        self.admin_scope(administrator).is_none_or(|scope| scope.has_region(region))
    }

    /// Whether an administrator may have policies of a type. Third-party firewalls are the default
    /// administrator's alone.
    pub fn may_have(&self, administrator: &AccountId, policy_type: PolicyType) -> bool {
        self.admin_scope(administrator).is_none_or(|scope| scope.has_policy_type(policy_type))
    }

    /// Whether a policy is within what its owner may act on: otherwise it is OUT_OF_ADMIN_SCOPE,
    /// readable and not to be changed (semantics §1.3). What it judges is then what it judged: only
    /// accounts narrow that.
    pub fn is_in_admin_scope(&self, record: &PolicyRecord) -> bool {
        self.may_act_in(&record.owner, &record.region)
            && record
                .document
                .policy_type()
                .is_ok_and(|policy_type| self.may_have(&record.owner, policy_type))
    }

    /// Whether an account of the organization is one that an administrator manages.
    pub fn manages(&self, administrator: &AccountId, account: &AccountId) -> bool {
        self.organization().is_some_and(|organization| {
            organization.accounts.contains_key(account)
                && self
                    .admin_scope(administrator)
                    .is_none_or(|scope| scope.has_account(organization, account))
        })
    }

    /// Whether a policy judges an account: the policy's own scope lets it in, and so does the scope
    /// of the administrator that owns the policy (semantics §1.3). The one rule for the worker and
    /// for all that is answered.
    pub fn is_in_scope(&self, policy: &Policy, account: &AccountId) -> bool {
        self.organization().is_some_and(|organization| {
            policy.scope.has_account(organization, account)
                && self
                    .admin_scope(&policy.owner)
                    .is_none_or(|scope| scope.has_account(organization, account))
        })
    }

    /// The accounts that a policy judges, ascending, as [`ControlView::is_in_scope`] says; none
    /// without an organization or for an unknown policy. Worked out once for each policy.
    pub fn in_scope(&self, id: &PolicyId) -> &[AccountId] {
        self.scope_of(id).map_or(&[], |accounts| accounts)
    }

    fn shared_scope(&self, id: &PolicyId) -> Arc<[AccountId]> {
        self.scope_of(id).cloned().unwrap_or_default()
    }

    fn scope_of(&self, id: &PolicyId) -> Option<&Arc<[AccountId]>> {
        let (parsed, organization) = (self.policies.get(id)?, self.organization()?);
        Some(parsed.in_scope.get_or_init(|| {
            let scope = self.admin_scope(&parsed.policy.owner);
            judged_accounts(&parsed.policy, scope, organization).into()
        }))
    }
}

/// What must be judged again under a policy whose elders are others now: all of it, or the accounts that
/// came into the scope of one or left it.
fn otherwise(policy: &Policy, elders: &[Elder]) -> Vec<ControlChange> {
    let before = &policy.elders;
    let is_same = |(one, other): (&Elder, &Elder)| {
        one.id == other.id && one.tags == other.tags && one.resource_sets == other.resource_sets
    };
    if before.len() != elders.len() || !before.iter().zip(elders).all(is_same) {
        return vec![ControlChange::FanOut(policy.id.clone())];
    }
    let mut moved: BTreeSet<&AccountId> = BTreeSet::new();
    for (before, after) in before.iter().zip(elders) {
        let is_in = |of: &Elder, account: &&AccountId| of.has_account(account);
        moved.extend(before.accounts.iter().filter(|account| !is_in(after, account)));
        moved.extend(after.accounts.iter().filter(|account| !is_in(before, account)));
    }
    let marks = moved.into_iter().map(|account| Mark {
        shard: ShardId { account: account.clone(), region: policy.region.clone() },
        policy: Some(policy.id.clone()),
    });
    marks.map(ControlChange::Mark).collect()
}

/// The accounts that a policy judges when its owner's scope is `scope`, ascending.
pub(crate) fn judged_accounts(
    policy: &Policy,
    scope: Option<&AdminScope>,
    organization: &Organization,
) -> Vec<AccountId> {
    scope::in_scope_accounts(&policy.scope, organization)
        .into_iter()
        .filter(|account| scope.is_none_or(|scope| scope.has_account(organization, account)))
        .cloned()
        .collect()
}

fn scope_in<'c>(control: &'c ControlState, administrator: &AccountId) -> Option<&'c AdminScope> {
    control.administrators.get(administrator).and_then(|known| known.scope.as_ref())
}

/// A stored policy, with what its record tells beside its text.
pub(crate) fn parsed(record: &PolicyRecord) -> Result<Policy, Refusal> {
    let mut policy = policy::parse(&record.document, identity(record))?;
    if let Some(sets) = record.known_entry_sets() {
        policy.know_former_entries(sets);
    }
    Ok(policy)
}

/// Who a stored policy is, apart from its text.
pub(crate) fn identity(record: &PolicyRecord) -> Identity {
    Identity {
        id: record.id.clone(),
        owner: record.owner.clone(),
        region: record.region.clone(),
        revision: record.revision,
        former_names: record.former_names.clone(),
    }
}

/// Past views that are kept: the two ends of what changed, and what an answer's pages are of.
const PAST_VIEWS_MAX: usize = 4;

/// Which view of the past: the moment, and how far the past reached when it was read. What changes it changes one of
/// these: a decision, retention, a clock that was set back.
type PastKey = (i64, u64, Option<i64>, Option<i64>);

/// Keeps the newest view, some of the past, and the order of writers.
pub struct Desk {
    store: Arc<dyn Control>,
    newest: Mutex<Option<Arc<ControlView>>>,
    past: Mutex<VecDeque<(PastKey, Arc<ControlView>)>>,
    writer: Mutex<()>,
}

impl Desk {
    /// A desk over `store`, which nothing has been read from yet.
    pub fn new(store: Arc<dyn Control>) -> Self {
        Desk {
            store,
            newest: Mutex::new(None),
            past: Mutex::new(VecDeque::new()),
            writer: Mutex::new(()),
        }
    }

    /// The control state, never older than the store at the moment of the call. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub fn view(&self) -> Result<Arc<ControlView>, StoreError> {
        let revision = self.store.control_revision()?;
        // Held while loading, so that a change makes one load rather than one for each reader.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = newest.as_ref().filter(|view| view.revision() >= revision) {
            return Ok(view.clone());
        }
        let known = newest.as_deref().map(ControlView::control);
        let control = self.store.control_since(known)?;
        let view = Arc::new(ControlView::following(control, newest.as_deref()));
        *newest = Some(view.clone());
        Ok(view)
    }

    /// The control state of a moment, as far as the past reaches. Blocks.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn past(&self, at_ms: i64, span: Span) -> Result<Arc<ControlView>, StoreError> {
        let key = (at_ms, self.store.control_revision()?, span.from_ms, span.noted_ms);
        let kept = || self.past.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, view)) = kept().iter().find(|(known, _)| *known == key) {
            return Ok(view.clone());
        }
        let view = Arc::new(ControlView::new(self.store.control_at(at_ms)?));
        let mut kept = kept();
        kept.push_front((key, view.clone()));
        kept.truncate(PAST_VIEWS_MAX);
        Ok(view)
    }

    /// Waits until no other writer of this process decides.
    pub(crate) fn turn(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}
