//! What the audit log tells of a call: who asked, and what became of each object.

mod abridged;
mod organization;

use palisade_core::ident::AccountId;
use palisade_store::{
    AuditChange, AuditEvent, CallerKind, ControlChange, ControlState, ListContent,
};
use palisade_store::{ListRecord, PolicyRecord, ResourceSetRecord};
use serde::Serialize;
use serde_json::Value;

use crate::caller::{Caller, Standing};
use crate::mint;

/// Bytes of one state as JSON; of a larger one its size, its hash and what differs are kept.
pub const STATE_SIZE_MAX: usize = 64 * 1024;
/// Bytes of all states of one event as JSON; those that come after are kept within
/// [`REST_SIZE_MAX`] each.
pub const STATES_SIZE_MAX: usize = 256 * 1024;
/// Bytes of a state, as JSON, of an event that has too many.
pub const REST_SIZE_MAX: usize = 1024;

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
    /// The sessions of people with a key were ended.
    pub const SIGN_OUT: &str = "SignOut";
    /// Secrets of an older store were sealed.
    pub const SEAL_KEYS: &str = "SealKeys";
    /// Secrets were sealed under another sealing key.
    pub const RESEAL_KEYS: &str = "ResealKeys";

    /// A waiver was made.
    pub const CREATE_WAIVER: &str = "CreateWaiver";
    /// A waiver lasts until another moment.
    pub const RENEW_WAIVER: &str = "RenewWaiver";
    /// A waiver was ended.
    pub const END_WAIVER: &str = "EndWaiver";

    /// A list of waivers was applied.
    pub const APPLY_WAIVERS: &str = "ApplyWaivers";

    /// All of them.
    pub const ALL: [&str; 15] = [
        PUT_ORGANIZATION,
        POST_INVENTORY,
        EVALUATE,
        CREATE_KEY,
        ROTATE_KEY,
        ENABLE_KEY,
        DISABLE_KEY,
        DELETE_KEY,
        SIGN_OUT,
        SEAL_KEYS,
        RESEAL_KEYS,
        CREATE_WAIVER,
        RENEW_WAIVER,
        END_WAIVER,
        APPLY_WAIVERS,
    ];
}

/// Who does something, when, and in answer to which request.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The id that the caller is answered.
    pub request_id: String,
    /// The key that signed, if any.
    pub access_key_id: Option<String>,
    /// What that key is called.
    pub key_name: Option<String>,
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
            key_name: None,
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
            key_name: caller.key_name.clone(),
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
            key_name: self.key_name.clone(),
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
    let (before, after) = abridged::states(before, after, STATE_SIZE_MAX);
    AuditChange { object_type: object_type.to_owned(), object: object.into(), before, after }
}

/// Abridges the states that are too much for one event.
fn fit(changes: &mut [AuditChange], size_max: usize, rest_size_max: usize) {
    let mut total: usize = 0;
    for change in changes {
        for state in [&mut change.before, &mut change.after].into_iter().flatten() {
            let size = abridged::size(state);
            total = total.saturating_add(size);
            if total > size_max && size > rest_size_max {
                *state = abridged::abridged(state, state, rest_size_max);
            }
        }
    }
}

/// What changes of the control state do to its objects: the organization and administrators first,
/// otherwise in the order of the changes. Work that follows is no object of anybody's call.
pub(crate) fn changes(
    before: &ControlState,
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
    fit(&mut all, STATES_SIZE_MAX, REST_SIZE_MAX);
    all
}

struct Told<'a> {
    before: &'a ControlState,
    partition: &'a str,
}

impl Told<'_> {
    fn change(&self, change: &ControlChange) -> Option<AuditChange> {
        let before = self.before;
        Some(match change {
            ControlChange::PutOrganization(new) => {
                let (before, after) = organization::states(before, new);
                self::change("organization", new.id.to_string(), before, Some(after))
            }
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
            ControlChange::PutWaiver(after) => {
                let known = before.waivers.get(&after.id).map(|known| &**known);
                self::change("waiver", after.id.as_str(), state(known), state(Some(&**after)))
            }
            ControlChange::RemoveWaiver(id) => {
                let known = before.waivers.get(id).map(|known| &**known);
                self::change("waiver", id.as_str(), state(known), None)
            }
            ControlChange::PutOffboarded(_)
            | ControlChange::FanOut(_)
            | ControlChange::Mark(_)
            | ControlChange::Audit(_) => return None,
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
            ListContent::Apps(_) => mint::APPS_ARN,
            ListContent::Protocols(_) => mint::PROTOCOLS_ARN,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_keeps_its_first_states_and_the_beginnings_of_those_that_are_too_much() {
        let state = |letter: &str| json!({ "name": letter, "text": letter.repeat(978) });
        let states = |size_max: usize| {
            let mut changes = ["a", "b"].map(|letter| change("x", "x", Some(state(letter)), None));
            fit(&mut changes, size_max, 300);
            changes.map(|change| change.before.unwrap())
        };
        assert_eq!(abridged::size(&state("a")), 1_000);
        assert_eq!(states(2_000), [state("a"), state("b")]);
        let [first, second] = states(1_999);
        assert_eq!(first, state("a"));
        assert_eq!(
            (&second["omitted"]["bytes"], &second["part"]["name"]),
            (&json!(1_000), &json!("b"))
        );
        let mut small = [change("x", "x", Some(json!(1)), Some(json!(2)))];
        fit(&mut small, 0, 300);
        assert_eq!((&small[0].before, &small[0].after), (&Some(json!(1)), &Some(json!(2))));
    }
}
