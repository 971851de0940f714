//! What the audit log tells of a call: who asked, and what became of each object.

use std::collections::BTreeMap;

use palisade_core::ident::AccountId;
use palisade_core::organization::{Account, Organization};
use palisade_store::{AuditChange, AuditEvent, CallerKind, Control, ControlChange, ListContent};
use palisade_store::{ListRecord, PolicyRecord, ResourceSetRecord};
use serde::Serialize;
use serde_json::{Value, json};

use crate::caller::{Caller, Standing};
use crate::{lists, mint};

/// Bytes of one state as JSON; of a larger one only its size is kept.
pub const STATE_SIZE_MAX: usize = 64 * 1024;
/// Bytes of all states of one event as JSON; of those that come after, only the size is kept.
pub const STATES_SIZE_MAX: usize = 256 * 1024;
/// Accounts that are named when an organization is replaced.
const ACCOUNTS_NAMED_MAX: usize = 100;

/// Names of what can be done to Palisade's own endpoints and commands, as events tell it.
pub mod own {
    /// The organization was created or replaced.
    pub const PUT_ORGANIZATION: &str = "PutOrganization";
    /// A delivery was taken in.
    pub const POST_INVENTORY: &str = "PostInventory";
    /// Work was marked by hand.
    pub const EVALUATE: &str = "Evaluate";
    /// A key was made.
    pub const CREATE_KEY: &str = "CreateKey";
    /// A key was made to take another's place.
    pub const ROTATE_KEY: &str = "RotateKey";
    /// A key is believed again.
    pub const ENABLE_KEY: &str = "EnableKey";
    /// A key is no longer believed.
    pub const DISABLE_KEY: &str = "DisableKey";
    /// A key was forgotten.
    pub const DELETE_KEY: &str = "DeleteKey";
    /// Secrets of an older store were sealed.
    pub const SEAL_KEYS: &str = "SealKeys";
    /// Secrets were sealed under another sealing key.
    pub const RESEAL_KEYS: &str = "ResealKeys";

    /// All of them.
    pub const ALL: [&str; 10] = [
        PUT_ORGANIZATION,
        POST_INVENTORY,
        EVALUATE,
        CREATE_KEY,
        ROTATE_KEY,
        ENABLE_KEY,
        DISABLE_KEY,
        DELETE_KEY,
        SEAL_KEYS,
        RESEAL_KEYS,
    ];
}

/// Who does something, when, and in answer to which request.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The id that the caller is answered.
    pub request_id: String,
    /// The key that signed, if any.
    pub access_key_id: Option<String>,
    /// What the caller is.
    pub caller: CallerKind,
    /// The account acted as.
    pub account: Option<AccountId>,
    /// The Region of the call; empty when there is none.
    pub region: String,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

impl Actor {
    /// A command on the store's own machine.
    pub fn local(request_id: String, at_ms: i64) -> Actor {
        Actor {
            request_id,
            access_key_id: None,
            caller: CallerKind::Local,
            account: None,
            region: String::new(),
            at_ms,
        }
    }

    /// Whoever signed a request, acting as an account, or, without one, on Palisade itself.
    pub(crate) fn of(
        caller: &Caller,
        standing: Option<&Standing>,
        request_id: &str,
        at_ms: i64,
    ) -> Actor {
        Actor {
            request_id: request_id.to_owned(),
            access_key_id: caller.access_key_id.clone(),
            caller: kind(caller, standing),
            account: standing.map(|standing| standing.account.clone()),
            region: caller.region.to_string(),
            at_ms,
        }
    }

    /// What this actor did.
    pub fn event(&self, operation: &str, changes: Vec<AuditChange>) -> AuditEvent {
        AuditEvent {
            at_ms: self.at_ms,
            request_id: self.request_id.clone(),
            access_key_id: self.access_key_id.clone(),
            caller: self.caller,
            account: self.account.clone(),
            region: self.region.clone(),
            operation: operation.to_owned(),
            changes,
        }
    }
}

fn kind(caller: &Caller, standing: Option<&Standing>) -> CallerKind {
    match standing {
        _ if caller.is_operator() => CallerKind::Operator,
        None => CallerKind::Stranger,
        Some(standing) => match standing.administrator {
            Some(true) => CallerKind::DefaultAdministrator,
            Some(false) => CallerKind::Administrator,
            None if standing.management => CallerKind::Management,
            None if standing.member => CallerKind::Member,
            None => CallerKind::Stranger,
        },
    }
}

/// One object's states, within their limit.
pub fn change(
    object_type: &str,
    object: impl Into<String>,
    before: Option<Value>,
    after: Option<Value>,
) -> AuditChange {
    AuditChange {
        object_type: object_type.to_owned(),
        object: object.into(),
        before: before.map(bounded),
        after: after.map(bounded),
    }
}

fn bounded(state: Value) -> Value {
    let size = state.to_string().len();
    if size <= STATE_SIZE_MAX { state } else { omitted(size) }
}

fn omitted(size: usize) -> Value {
    json!({ "omitted": { "bytes": size } })
}

/// Leaves out the states that are too much for one event.
fn fit(changes: &mut [AuditChange], size_max: usize) {
    let mut total: usize = 0;
    for change in changes {
        for state in [&mut change.before, &mut change.after].into_iter().flatten() {
            let size = state.to_string().len();
            total = total.saturating_add(size);
            if total > size_max {
                *state = omitted(size);
            }
        }
    }
}

/// What changes of the control state do to its objects: the organization and administrators first,
/// otherwise in the order of the changes. Work that follows is no object of anybody's call.
pub(crate) fn changes(
    before: &Control,
    changes: &[ControlChange],
    partition: &str,
) -> Vec<AuditChange> {
    let told = Told { before, partition };
    let mut all: Vec<AuditChange> =
        changes.iter().filter_map(|change| told.change(change)).collect();
    all.sort_by_key(|change| match change.object_type.as_str() {
        "organization" => 0,
        "administrator" => 1,
        _ => 2,
    });
    fit(&mut all, STATES_SIZE_MAX);
    all
}

struct Told<'a> {
    before: &'a Control,
    partition: &'a str,
}

impl Told<'_> {
    fn change(&self, change: &ControlChange) -> Option<AuditChange> {
        let before = self.before;
        Some(match change {
            ControlChange::PutOrganization(new) => organization(before, new),
            ControlChange::PutAdministrator(account, after) => {
                let known = before.administrators.get(account);
                self::change("administrator", account.as_str(), state(known), state(Some(after)))
            }
            ControlChange::RemoveAdministrator(account) => {
                let known = before.administrators.get(account);
                self::change("administrator", account.as_str(), state(known), None)
            }
            ControlChange::PutPolicy(after) => {
                let known = before.policies.get(&after.id);
                let after = Some(&**after);
                self.records(known.map(|known| &**known), after)?
            }
            ControlChange::RemovePolicy(id) => {
                self.records(Some(&**before.policies.get(id)?), None)?
            }
            ControlChange::PutList(after) => {
                let known = before.lists.get(&after.id);
                self.records(known.map(|known| &**known), Some(&**after))?
            }
            ControlChange::RemoveList(id) => self.records(Some(&**before.lists.get(id)?), None)?,
            ControlChange::PutResourceSet(after) => {
                let known = before.resource_sets.get(&after.id);
                self.records(known.map(|known| &**known), Some(&**after))?
            }
            ControlChange::RemoveResourceSet(id) => {
                self.records(Some(&**before.resource_sets.get(id)?), None)?
            }
            ControlChange::PutChannel(account, region, after) => {
                let known = before.channels.get(&(account.clone(), region.clone()));
                let object = format!("{account}/{region}");
                self::change("notification-channel", object, state(known), state(after.as_ref()))
            }
            ControlChange::PutAssociation(account, region, firewall, after) => {
                let known =
                    before.associations.get(&(account.clone(), region.clone(), firewall.clone()));
                let object = format!("{account}/{region}/{firewall}");
                self::change("third-party-firewall", object, state(known), state(Some(after)))
            }
            ControlChange::PutOffboarded(_) | ControlChange::Mark(_) | ControlChange::Audit(_) => {
                return None;
            }
        })
    }

    /// Of a record that was or is there, or both.
    fn records<R: Recorded>(&self, before: Option<&R>, after: Option<&R>) -> Option<AuditChange> {
        let record = after.or(before)?;
        let arn = record.arn(self.partition);
        Some(change(record.object_type(), arn, before.and_then(told), after.and_then(told)))
    }
}

/// An object with an ARN and an update token.
trait Recorded: Serialize {
    fn object_type(&self) -> &'static str;
    fn arn(&self, partition: &str) -> String;
}

impl Recorded for PolicyRecord {
    fn object_type(&self) -> &'static str {
        "policy"
    }
    fn arn(&self, partition: &str) -> String {
        mint::policy_arn(partition, &self.region, &self.owner, &self.id)
    }
}

impl Recorded for ListRecord {
    fn object_type(&self) -> &'static str {
        match self.content {
            ListContent::Apps(_) => lists::APPS_ARN,
            ListContent::Protocols(_) => lists::PROTOCOLS_ARN,
        }
    }
    fn arn(&self, partition: &str) -> String {
        mint::list_arn(partition, &self.region, &self.owner, self.object_type(), &self.id)
    }
}

impl Recorded for ResourceSetRecord {
    fn object_type(&self) -> &'static str {
        "resource-set"
    }
    fn arn(&self, partition: &str) -> String {
        mint::resource_set_arn(partition, &self.region, &self.owner, &self.id)
    }
}

/// A record's state. Its update token is left out: whoever reads the log must not update with it.
fn told(record: &impl Serialize) -> Option<Value> {
    let mut value = serde_json::to_value(record).ok()?;
    if let Some(members) = value.as_object_mut() {
        members.remove("token");
    }
    Some(value)
}

fn state(value: Option<&impl Serialize>) -> Option<Value> {
    value.and_then(|value| serde_json::to_value(value).ok())
}

/// An organization may have a hundred thousand accounts: told are its size and what differs.
fn organization(before: &Control, new: &Organization) -> AuditChange {
    let old = before.organization.as_deref();
    let head = |organization: &Organization| {
        json!({
            "id": organization.id,
            "management": organization.management,
            "accounts": organization.accounts.len(),
            "units": organization.units.len(),
        })
    };
    let none = BTreeMap::new();
    let known: &BTreeMap<AccountId, Account> = old.map_or(&none, |old| &old.accounts);
    let added = new.accounts.keys().filter(|id| !known.contains_key(*id));
    let dropped = known.keys().filter(|id| !new.accounts.contains_key(*id));
    let changed = known.iter().filter_map(|(id, account)| {
        new.accounts.get(id).is_some_and(|now| now != account).then_some(id)
    });
    let mut after = head(new);
    if let Some(members) = after.as_object_mut() {
        members.insert("added".to_owned(), named(added));
        members.insert("dropped".to_owned(), named(dropped));
        members.insert("changed".to_owned(), named(changed));
    }
    change("organization", new.id.to_string(), old.map(head), Some(after))
}

fn named<'a>(accounts: impl Iterator<Item = &'a AccountId>) -> Value {
    let accounts: Vec<&AccountId> = accounts.collect();
    let first: Vec<&&AccountId> = accounts.iter().take(ACCOUNTS_NAMED_MAX).collect();
    json!({ "count": accounts.len(), "first": first })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_first_states_and_the_sizes_of_those_that_are_too_much() {
        let states = |size_max: usize| {
            let one = || change("x", "x", Some(json!("1234")), Some(json!("56")));
            let mut changes = [one(), one()];
            fit(&mut changes, size_max);
            let states = changes.into_iter().flat_map(|change| [change.before, change.after]);
            states.flatten().collect::<Vec<_>>()
        };
        let (a, b) = (json!("1234"), json!("56"));
        let all = [a.clone(), b.clone(), a.clone(), b.clone()];
        assert_eq!(states(21), all);
        assert_eq!(states(20), all);
        let told = |size| json!({ "omitted": { "bytes": size } });
        assert_eq!(states(19), [a.clone(), b.clone(), a.clone(), told(4)]);
        assert_eq!(states(9), [a, told(4), told(6), told(4)]);
    }
}
