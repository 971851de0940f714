//! The control state as handlers and the worker read it: parsed once, shared, never stale.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use palisade_core::ident::{AccountId, ListId, PolicyId};
use palisade_core::organization::Organization;
use palisade_core::policy::{self, Identity, Policy};
use palisade_core::scope;
use palisade_store::{Administrator, Control, ListRecord, PolicyRecord, Store, StoreError};

/// One revision of the control state with its policies parsed.
#[derive(Debug)]
pub struct ControlView {
    control: Control,
    policies: BTreeMap<PolicyId, Parsed>,
}

/// A policy as parsed, with the accounts in its scope once somebody asked for them.
#[derive(Debug)]
struct Parsed {
    policy: Arc<Policy>,
    in_scope: OnceLock<Vec<AccountId>>,
}

impl ControlView {
    /// A view of `control`. A stored policy that this Palisade cannot parse is left out and
    /// reported to the log: nothing is judged or claimed for it.
    pub fn new(control: Control) -> Self {
        Self::following(control, None)
    }

    /// As [`ControlView::new`], taking over what `before` has already worked out.
    fn following(control: Control, before: Option<&ControlView>) -> Self {
        let same_accounts =
            before.is_some_and(|before| before.control.organization == control.organization);
        let mut policies = BTreeMap::new();
        for (id, record) in &control.policies {
            let known = before
                .and_then(|before| before.policies.get(id))
                .filter(|known| known.policy.revision == record.revision);
            let policy = match known {
                Some(known) => known.policy.clone(),
                None => match policy::parse(&record.document, identity(record)) {
                    Ok(policy) => Arc::new(policy),
                    Err(refusal) => {
                        tracing::error!(policy = %id, %refusal, "a stored policy cannot be parsed");
                        continue;
                    }
                },
            };
            let in_scope = match known {
                Some(known) if same_accounts => known.in_scope.clone(),
                _ => OnceLock::new(),
            };
            policies.insert(id.clone(), Parsed { policy, in_scope });
        }
        ControlView { control, policies }
    }

    /// The revision that this is a view of.
    pub fn revision(&self) -> u64 {
        self.control.revision
    }

    /// The whole control state.
    pub fn control(&self) -> &Control {
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

    /// The accounts in a policy's scope, ascending; none without an organization or for an unknown
    /// policy. Worked out once for each policy.
    pub fn in_scope(&self, id: &PolicyId) -> &[AccountId] {
        let (Some(parsed), Some(organization)) = (self.policies.get(id), self.organization())
        else {
            return &[];
        };
        parsed.in_scope.get_or_init(|| {
            scope::in_scope_accounts(&parsed.policy.scope, organization)
                .into_iter()
                .cloned()
                .collect()
        })
    }
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

/// Keeps the newest view, and the order of writers.
pub struct Desk {
    store: Arc<dyn Store>,
    newest: Mutex<Option<Arc<ControlView>>>,
    writer: Mutex<()>,
}

impl Desk {
    /// A desk over `store`, which nothing has been read from yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        Desk { store, newest: Mutex::new(None), writer: Mutex::new(()) }
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
        let control = self.store.control()?;
        let view = Arc::new(ControlView::following(control, newest.as_deref()));
        *newest = Some(view.clone());
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
