//! The verbs of the store's own row, the control state and keys over maps.

use std::collections::BTreeSet;

use palisade_core::ident::{AccountId, ListId, PolicyId, ResourceSetId};

use crate::clock::Noted;
use crate::rules::rows::{ControlRows, KeyRows, Kind, StoreRow};
use crate::{
    Association, AuditEvent, AuditFilter, AuditRow, ControlChange, ControlState, KeyChange,
    KeyRecord, ListRecord, ResourceSetRecord, Result,
};

use super::{Numbers, Tables};

impl Tables {
    fn numbers(&self) -> Numbers {
        self.numbers.get(&()).unwrap_or_default()
    }

    fn note(&self, change: impl FnOnce(&mut Numbers)) -> Result<()> {
        self.numbers.change(&(), change);
        Ok(())
    }
}

impl StoreRow for Tables {
    fn next_sequence(&self) -> Result<u64> {
        self.note(|numbers| numbers.sequence += 1)?;
        Ok(self.numbers().sequence)
    }
    fn changed(&self, kind: Kind) -> Result<u64> {
        Ok(self.numbers().changed.get(&(kind as u8)).copied().unwrap_or(0))
    }
    fn put_changed(&self, kind: Kind, sequence: u64) -> Result<()> {
        self.note(|numbers| {
            numbers.changed.insert(kind as u8, sequence);
        })
    }
    fn control_revision(&self) -> Result<u64> {
        Ok(self.numbers().control_revision)
    }
    fn put_control_revision(&self, revision: u64) -> Result<()> {
        self.note(|numbers| numbers.control_revision = revision)
    }
    fn keys_revision(&self) -> Result<u64> {
        Ok(self.numbers().keys_revision)
    }
    fn put_keys_revision(&self, revision: u64) -> Result<()> {
        self.note(|numbers| numbers.keys_revision = revision)
    }
    fn sealed_under(&self) -> Result<Option<String>> {
        Ok(self.numbers().sealed_under)
    }
    fn sealing_key(&self) -> Result<[u8; 32]> {
        Ok(self.sealing_key)
    }
    fn judged_by(&self) -> Result<(u32, String)> {
        let Numbers { rules, assumed, .. } = self.numbers();
        Ok((rules, assumed))
    }
    fn put_judged_by(&self, rules: u32, assumed: &str) -> Result<()> {
        self.note(|numbers| (numbers.rules, numbers.assumed) = (rules, assumed.to_owned()))
    }
    fn clock(&self) -> Result<Noted> {
        Ok(self.numbers().clock)
    }
    fn put_clock(&self, believed_ms: i64, wall_ms: i64) -> Result<()> {
        self.note(|Numbers { clock, .. }| {
            (clock.clock_ms, clock.wall_ms) = (Some(believed_ms), Some(wall_ms));
        })
    }
    fn raise_told_ms(&self, moment_ms: i64) -> Result<()> {
        self.note(|Numbers { clock, .. }| clock.told_ms = clock.told_ms.max(Some(moment_ms)))
    }
    fn stale_after_ms(&self) -> Result<Option<i64>> {
        Ok(self.numbers().stale_after_ms)
    }
    fn put_stale_after_ms(&self, stale_after_ms: i64) -> Result<()> {
        self.note(|numbers| numbers.stale_after_ms = Some(stale_after_ms))
    }
    fn newest_of_all_ms(&self) -> Result<Option<i64>> {
        let events = self.events.rows().values().map(|event| event.at_ms).max();
        let history = self.history.rows().values().map(|row| row.at_ms).max();
        let judged = self.judged.rows().values().copied().max();
        let shards = self.shards.rows().values().filter_map(|row| row.own.newest_ms).max();
        Ok(events.max(history).max(judged).max(shards))
    }
}

impl ControlRows for Tables {
    fn control(&self, _: Option<&ControlState>) -> Result<ControlState> {
        let state = self.control.get(&()).unwrap_or_default();
        Ok(ControlState { revision: self.numbers().control_revision, ..state })
    }
    fn put_object(&self, change: &ControlChange) -> Result<()> {
        let next = self.numbers().control_revision.saturating_add(1);
        self.control.change(&(), |state| match change.clone() {
            ControlChange::PutOrganization(new) => {
                (state.organization, state.organization_revision) = (Some(new), Some(next));
            }
            ControlChange::PutAdministrator(account, new) => {
                state.administrators.insert(account, new);
            }
            ControlChange::RemoveAdministrator(account) => {
                state.administrators.remove(&account);
            }
            ControlChange::PutOffboarded(new) => state.offboarded = new,
            ControlChange::PutPolicy(new) => drop(state.policies.insert(new.id.clone(), new)),
            ControlChange::RemovePolicy(id) => drop(state.policies.remove(&id)),
            ControlChange::PutList(new) => drop(state.lists.insert(new.id.clone(), new)),
            ControlChange::RemoveList(id) => drop(state.lists.remove(&id)),
            ControlChange::PutResourceSet(new) => {
                state.resource_sets.insert(new.id.clone(), new);
            }
            ControlChange::RemoveResourceSet(id) => drop(state.resource_sets.remove(&id)),
            ControlChange::PutChannel(account, region, Some(new)) => {
                state.channels.insert((account, region), new);
            }
            ControlChange::PutChannel(account, region, None) => {
                state.channels.remove(&(account, region));
            }
            ControlChange::PutAssociation(account, region, firewall, new) => {
                let _: Option<Association> =
                    state.associations.insert((account, region, firewall), new);
            }
            ControlChange::PutWaiver(new) => {
                state.waivers.insert(new.id.clone(), new);
            }
            ControlChange::RemoveWaiver(id) => {
                state.waivers.remove(&id);
            }
            ControlChange::FanOut(_) | ControlChange::Mark(_) | ControlChange::Audit(_) => {}
        });
        Ok(())
    }
    fn is_member(&self, account: &AccountId) -> Result<bool> {
        let control = self.control.rows();
        let organization = control.get(&()).and_then(|state| state.organization.as_ref());
        Ok(organization.is_some_and(|known| known.accounts.contains_key(account)))
    }
    fn policy_revision(&self, policy: &PolicyId) -> Result<Option<u64>> {
        let control = self.control.rows();
        Ok(control.get(&()).and_then(|state| state.policies.get(policy)).map(|it| it.revision))
    }
    fn list(&self, list: &ListId) -> Result<Option<ListRecord>> {
        let control = self.control.rows();
        Ok(control.get(&()).and_then(|state| state.lists.get(list)).map(|it| (**it).clone()))
    }
    fn resource_set(&self, set: &ResourceSetId) -> Result<Option<ResourceSetRecord>> {
        let control = self.control.rows();
        Ok(control.get(&()).and_then(|it| it.resource_sets.get(set)).map(|it| (**it).clone()))
    }
    fn common_policies(&self) -> Result<BTreeSet<PolicyId>> {
        Ok(self.common_policies.rows().keys().cloned().collect())
    }
    fn see_common_policy(&self, policy: &PolicyId) -> Result<()> {
        let (_, named) = self.common_policies.get(policy).unwrap_or_default();
        self.common_policies.put(policy.clone(), (true, named));
        Ok(())
    }
    fn name_common_policies(&self, named: &BTreeSet<PolicyId>) -> Result<()> {
        self.common_policies.change_if(|_, _| true, |row| row.1 = false);
        for policy in named {
            let (seen, _) = self.common_policies.get(policy).unwrap_or_default();
            self.common_policies.put(policy.clone(), (seen, true));
        }
        self.common_policies.drop_if(|_, row| *row == (false, false));
        Ok(())
    }
}

impl KeyRows for Tables {
    fn key(&self, access_key_id: &str) -> Result<Option<KeyRecord>> {
        Ok(self.keys.rows().get(access_key_id).cloned())
    }
    fn keys(&self) -> Result<Vec<KeyRecord>> {
        let mut keys: Vec<KeyRecord> = self.keys.rows().values().cloned().collect();
        keys.sort_by_key(|key| key.created_ms);
        Ok(keys)
    }
    fn change_key(&self, change: &KeyChange) -> Result<bool> {
        Ok(match change {
            KeyChange::Create(key) => {
                let is_free = self.keys.get(&key.access_key_id).is_none();
                if is_free {
                    self.keys.put(key.access_key_id.clone(), key.clone());
                }
                is_free
            }
            KeyChange::Enable { access_key_id, enabled } => {
                self.keys.change(access_key_id, |key| key.enabled = *enabled)
            }
            KeyChange::Seal { access_key_id, secret } => {
                self.keys.change(access_key_id, |key| key.secret = secret.clone())
            }
            KeyChange::SignOut { access_key_id, at_ms } => self.keys.change(access_key_id, |key| {
                key.signed_out_ms = key.signed_out_ms.max(Some(*at_ms));
            }),
            KeyChange::Remove(access_key_id) => self.keys.drop(access_key_id),
            KeyChange::SealUnder(name) => {
                self.note(|numbers| numbers.sealed_under = Some(name.clone()))?;
                true
            }
        })
    }
    fn raise_key_use(&self, access_key_id: &str, at_ms: i64) -> Result<()> {
        let raise = |key: &mut KeyRecord| key.last_used_ms = key.last_used_ms.max(Some(at_ms));
        self.keys.change(&access_key_id.to_owned(), raise);
        Ok(())
    }
    fn cap_key_uses(&self, now_ms: i64) -> Result<()> {
        let is_later = |_: &String, key: &KeyRecord| key.last_used_ms > Some(now_ms);
        self.keys.change_if(is_later, |key| key.last_used_ms = Some(now_ms));
        Ok(())
    }
    fn append_event(&self, sequence: u64, event: &AuditEvent) -> Result<()> {
        let mut event = event.clone();
        for change in &mut event.changes {
            // A state that is nothing was not there.
            for state in [&mut change.before, &mut change.after] {
                state.take_if(|state| state.is_null());
            }
        }
        self.events.put(sequence, event);
        Ok(())
    }
    fn events(&self, filter: &AuditFilter, limit: usize) -> Result<Vec<AuditRow>> {
        let events = self.events.rows();
        let before = events.range(..filter.before.unwrap_or(u64::MAX)).rev();
        let asked = before.filter(|(_, event)| {
            filter.account.as_ref().is_none_or(|it| event.account.as_ref() == Some(it))
                && filter.operation.as_ref().is_none_or(|it| event.operation == *it)
        });
        let row =
            |(at, event): (&u64, &AuditEvent)| AuditRow { sequence: *at, event: event.clone() };
        Ok(asked.take(limit).map(row).collect())
    }
    fn drop_events(&self, before_ms: i64) -> Result<u64> {
        Ok(self.events.drop_if(|_, event| event.at_ms < before_ms) as u64)
    }
}
