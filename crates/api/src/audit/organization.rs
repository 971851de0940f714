//! What the audit log tells of an organization that is replaced.

use std::collections::{BTreeMap, BTreeSet};

use palisade_core::organization::Organization;
use palisade_store::ControlState;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Accounts, and units, that are told of each kind: added, dropped, changed.
const NAMED_MAX: usize = 100;

/// An organization may have a hundred thousand accounts: told are its size and what differs, with
/// the states of those accounts and units before and after.
pub(super) fn states(before: &ControlState, new: &Organization) -> (Option<Value>, Value) {
    let old = before.organization.as_deref();
    let (no_accounts, no_units) = (BTreeMap::new(), BTreeMap::new());
    let accounts = Differing::of(old.map_or(&no_accounts, |old| &old.accounts), &new.accounts);
    let units = Differing::of(old.map_or(&no_units, |old| &old.units), &new.units);
    let told = |organization: &Organization| {
        let mut told = head(organization);
        told.insert("differingAccounts".to_owned(), accounts.states(&organization.accounts));
        told.insert("differingUnits".to_owned(), units.states(&organization.units));
        told
    };
    let mut after = told(new);
    for (name, members) in [
        ("added", named(&accounts.added)),
        ("dropped", named(&accounts.dropped)),
        ("changed", named(&accounts.changed)),
        ("unitsAdded", named(&units.added)),
        ("unitsDropped", named(&units.dropped)),
        ("unitsChanged", named(&units.changed)),
    ] {
        after.insert(name.to_owned(), members);
    }
    let before = old.map(|old| Value::Object(told(old)));
    (before, Value::Object(after))
}

fn head(organization: &Organization) -> Map<String, Value> {
    let head = json!({
        "id": organization.id,
        "management": organization.management,
        "defaultAdministrator": organization.default_administrator,
        "roots": organization.roots.iter().take(NAMED_MAX).collect::<Vec<_>>(),
        "accounts": organization.accounts.len(),
        "units": organization.units.len(),
    });
    if let Value::Object(members) = head { members } else { Map::new() }
}

/// Ids of what is not the same in two maps.
struct Differing<'a, K> {
    added: Vec<&'a K>,
    dropped: Vec<&'a K>,
    changed: Vec<&'a K>,
}

impl<'a, K: Ord + Serialize + ToString> Differing<'a, K> {
    fn of<V: PartialEq>(old: &'a BTreeMap<K, V>, new: &'a BTreeMap<K, V>) -> Self {
        let is_other =
            |(id, was): (&'a K, &'a V)| new.get(id).is_some_and(|now| now != was).then_some(id);
        Differing {
            added: new.keys().filter(|id| !old.contains_key(*id)).collect(),
            dropped: old.keys().filter(|id| !new.contains_key(*id)).collect(),
            changed: old.iter().filter_map(is_other).collect(),
        }
    }

    /// The first of each kind as they are in one of the two.
    fn states<V: Serialize>(&self, all: &BTreeMap<K, V>) -> Value {
        let kinds = [&self.added, &self.dropped, &self.changed];
        let ids: BTreeSet<&K> =
            kinds.into_iter().flat_map(|ids| ids.iter().take(NAMED_MAX).copied()).collect();
        ids.into_iter()
            .filter_map(|id| Some((id.to_string(), serde_json::to_value(all.get(id)?).ok()?)))
            .collect::<Map<String, Value>>()
            .into()
    }
}

fn named<K: Serialize>(ids: &[&K]) -> Value {
    json!({ "count": ids.len(), "first": ids.iter().take(NAMED_MAX).collect::<Vec<_>>() })
}
