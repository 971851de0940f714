//! Writing what workers found: the end of a lease.

use std::cell::RefCell;
use std::collections::BTreeMap;

use palisade_core::ident::PolicyId;

use crate::{Due, Lease, LedgerWrite, Occasion, Outcome, Result, Settlement};

use super::references::{self, LastChanges};
use super::rows::{EXPECTED_MAX, Noting};
use super::{Rows, marks, past};

/// Writes settlements, each as far as its lease and its policies' revisions hold.
pub fn settle(rows: &impl Rows, settlements: &[Settlement], now_ms: i64) -> Result<()> {
    let sequence = rows.next_sequence()?;
    let noted_ms = past::note(rows, sequence, now_ms)?;
    let settling = Settling { rows, sequence, noted_ms, known: Known::default() };
    // INVARIANT: only the holder of a shard's lease writes its ledger, since what it writes is a
    // difference from what it loaded.
    let leases: Vec<_> =
        settlements.iter().map(|it| (&it.lease.shard, it.lease.fence.number)).collect();
    let held = rows.drop_each_lease(&leases)?;
    let held: Vec<_> =
        settlements.iter().zip(held).filter(|(_, is_held)| *is_held).map(|(it, _)| it).collect();
    for some in held.chunks(EXPECTED_MAX) {
        let readers = some.iter().flat_map(|it| {
            it.outcomes.iter().map(|outcome| (&outcome.policy, &it.lease.shard.account))
        });
        rows.expect_readers(&readers.collect::<Vec<_>>())?;
        some.iter().try_for_each(|settlement| settling.one(settlement))?;
    }
    Ok(())
}

/// One transaction's settlements.
struct Settling<'t, R> {
    rows: &'t R,
    sequence: u64,
    /// [`past::note`]
    noted_ms: i64,
    known: Known,
}

/// What settling many shards asks for again and again, and does not change itself.
#[derive(Default)]
struct Known {
    /// `None`: the policy is gone.
    revisions: RefCell<BTreeMap<PolicyId, Option<u64>>>,
    last_changes: LastChanges,
}

impl<R: Rows> Settling<'_, R> {
    fn one(&self, settlement: &Settlement) -> Result<()> {
        let Settlement { lease, evaluated_ms, outcomes, not_before_ms, revision } = settlement;
        let rows = self.rows;
        marks::end(rows, lease)?;
        let mut current = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            if self.revision(&outcome.policy)? == Some(outcome.revision) {
                current.push(outcome);
            }
        }
        if let Some(revision) = revision {
            rows.drop_logged(&lease.shard, *revision)?;
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
            rows.raise_judged(&lease.shard, *evaluated_ms)?;
        } else {
            // An entry that was written just now has moved.
            let kept = current.iter().filter(|outcome| outcome.write == LedgerWrite::Keep);
            for outcome in kept {
                rows.raise_entry(&outcome.policy, &lease.shard.account, *evaluated_ms)?;
            }
        }
        match not_before_ms {
            Some(not_before) => {
                rows.bring_forward(&lease.shard, &Due::Shard, self.sequence, *not_before)
            }
            None => Ok(()),
        }
    }

    fn revision(&self, policy: &PolicyId) -> Result<Option<u64>> {
        if let Some(known) = self.known.revisions.borrow().get(policy) {
            return Ok(*known);
        }
        let revision = self.rows.policy_revision(policy)?;
        self.known.revisions.borrow_mut().insert(policy.clone(), revision);
        Ok(revision)
    }

    fn write(&self, settlement: &Settlement, outcome: &Outcome) -> Result<()> {
        let (rows, shard, at) = (self.rows, &settlement.lease.shard, settlement.evaluated_ms);
        let (policy, account) = (&outcome.policy, &shard.account);
        let noting = Noting {
            sequence: self.sequence,
            noted_ms: self.noted_ms,
            occasion: occasion(&settlement.lease),
        };
        match &outcome.write {
            LedgerWrite::Close => {
                rows.close_entries(policy, Some(account), at, noting)?;
                return rows.drop_readers(policy, Some(account));
            }
            LedgerWrite::Keep => {}
            LedgerWrite::Change(change) => {
                rows.put_entry(policy, account, &change.entry, at)?;
                rows.drop_violators(policy, account, &change.removed, self.noted_ms)?;
                rows.put_violators(policy, account, &change.put, self.noted_ms)?;
                // Whatever changed: two moments between which there is none of an account are alike.
                rows.put_history(policy, account, &change.entry, noting)?;
            }
        }
        // What was judged was loaded after the lease was taken, so the fence is a safe bound.
        let loaded = settlement.lease.fence.after;
        let last_changes = &self.known.last_changes;
        if references::replace(rows, policy, shard, &outcome.references, loaded, last_changes)? {
            marks::mark(rows, shard, Some(policy), self.sequence, at)?;
        }
        Ok(())
    }
}

/// What a lease's shard was judged for: the mark that asks for most.
fn occasion(lease: &Lease) -> Occasion {
    let is_due = |due: &Due| lease.marks.iter().any(|mark| mark.due == *due);
    if is_due(&Due::Shard) {
        Occasion::Shard
    } else if is_due(&Due::Changes) {
        Occasion::Items
    } else {
        Occasion::Policy
    }
}
