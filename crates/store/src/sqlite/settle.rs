//! Writing what workers found: the end of a lease.

use std::cell::RefCell;
use std::collections::BTreeMap;

use palisade_core::ident::PolicyId;

use crate::{Due, Fence, LedgerWrite, Outcome, Result, Settlement};

use super::log::Transaction;
use super::references::{self, LastChanges};
use super::{changes, control, ledger, readers, sequence, work};

pub(super) fn settle(tx: &Transaction<'_>, settlements: &[Settlement]) -> Result<()> {
    let settling = Settling { tx, sequence: sequence::next(tx)?, known: Known::default() };
    settlements.iter().try_for_each(|settlement| settling.one(settlement))
}

/// One transaction's settlements.
struct Settling<'t, 'c> {
    tx: &'t Transaction<'c>,
    sequence: u64,
    known: Known,
}

/// What settling many shards asks for again and again, and does not change itself.
#[derive(Default)]
struct Known {
    /// `None`: the policy is gone.
    revisions: RefCell<BTreeMap<PolicyId, Option<u64>>>,
    last_changes: LastChanges,
}

impl Settling<'_, '_> {
    fn one(&self, settlement: &Settlement) -> Result<()> {
        let Settlement { lease, evaluated_ms, outcomes, not_before_ms, revision } = settlement;
        let tx = self.tx;
        // INVARIANT: only the holder of a shard's lease writes its ledger, since what it writes is a
        // difference from what it loaded.
        if !work::release(tx, lease)? {
            return Ok(());
        }
        let mut current = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            if self.revision(&outcome.policy)? == Some(outcome.revision) {
                current.push(outcome);
            }
        }
        work::clear(tx, lease)?;
        if let Some(revision) = revision {
            changes::settle(tx, &lease.shard, *revision)?;
        }
        for outcome in &current {
            self.write(settlement, outcome)?;
        }
        let of_every_policy = |due: &Due| match due {
            Due::Shard | Due::Changes => true,
            Due::Policy(_) => false,
        };
        let every_policy = lease.marks.iter().any(|mark| of_every_policy(&mark.due));
        if every_policy && current.len() == outcomes.len() {
            ledger::move_judged(tx, &lease.shard, *evaluated_ms)?;
        } else {
            // An entry that was written just now has moved.
            let kept = current.iter().filter(|outcome| outcome.write == LedgerWrite::Keep);
            for outcome in kept {
                ledger::move_entry(tx, &outcome.policy, &lease.shard.account, *evaluated_ms)?;
            }
        }
        match not_before_ms {
            Some(not_before) => work::schedule(tx, &lease.shard, self.sequence, *not_before),
            None => Ok(()),
        }
    }

    fn revision(&self, policy: &PolicyId) -> Result<Option<u64>> {
        if let Some(known) = self.known.revisions.borrow().get(policy) {
            return Ok(*known);
        }
        let revision = control::policy_revision(self.tx, policy)?;
        self.known.revisions.borrow_mut().insert(policy.clone(), revision);
        Ok(revision)
    }

    fn write(&self, settlement: &Settlement, outcome: &Outcome) -> Result<()> {
        let (tx, shard, at) = (self.tx, &settlement.lease.shard, settlement.evaluated_ms);
        let policy = &outcome.policy;
        match &outcome.write {
            LedgerWrite::Close => {
                ledger::close(tx, policy, &shard.account, self.sequence, at)?;
                return readers::remove(tx, policy, &shard.account);
            }
            LedgerWrite::Keep => {}
            LedgerWrite::Change(change) => {
                ledger::write(tx, policy, &shard.account, change, self.sequence, at)?;
            }
        }
        // What was judged was loaded after the lease was taken, so the fence is a safe bound.
        let Fence(loaded) = settlement.lease.fence;
        let last_changes = &self.known.last_changes;
        if references::replace(tx, policy, shard, &outcome.references, loaded, last_changes)? {
            work::mark(tx, shard, Some(policy), self.sequence, at)?;
        }
        Ok(())
    }
}
