//! Writing what workers found: the end of a lease.

use palisade_core::ident::{PolicyId, ShardId};

use crate::{Due, LedgerWrite, Outcome, Result, Settlement};

use super::writer::Transaction;
use super::{changes, control, ledger, readers, sequence, work};

pub(super) fn settle(tx: &Transaction<'_>, settlements: &[Settlement]) -> Result<()> {
    let sequence = sequence::next(tx)?;
    settlements.iter().try_for_each(|settlement| settle_one(tx, settlement, sequence))
}

fn settle_one(tx: &Transaction<'_>, settlement: &Settlement, sequence: u64) -> Result<()> {
    let Settlement { lease, evaluated_ms, outcomes, not_before_ms, as_of } = settlement;
    // INVARIANT: only the holder of a shard's lease writes its ledger, since what it writes is a
    // difference from what it loaded.
    if !work::release(tx, lease)? {
        return Ok(());
    }
    let mut current = Vec::with_capacity(outcomes.len());
    for outcome in outcomes {
        if control::policy_revision(tx, &outcome.policy)? == Some(outcome.revision) {
            current.push(outcome);
        }
    }
    work::clear(tx, lease)?;
    changes::settle(tx, &lease.shard, *as_of)?;
    for outcome in &current {
        write(tx, settlement, outcome, sequence)?;
    }
    let of_every_policy = |due: &Due| match due {
        Due::Shard | Due::Changes => true,
        Due::Policy(_) => false,
    };
    let every_policy = lease.marks.iter().any(|mark| of_every_policy(&mark.due));
    if every_policy && current.len() == outcomes.len() {
        ledger::move_judged(tx, &lease.shard, *evaluated_ms)?;
    } else {
        for outcome in &current {
            ledger::move_entry(tx, &outcome.policy, &lease.shard.account, *evaluated_ms)?;
        }
    }
    match not_before_ms {
        Some(not_before) => work::mark(tx, &lease.shard, None, sequence, *not_before),
        None => Ok(()),
    }
}

fn write(
    tx: &Transaction<'_>,
    settlement: &Settlement,
    outcome: &Outcome,
    sequence: u64,
) -> Result<()> {
    let (policy, shard, at) = (&outcome.policy, &settlement.lease.shard, settlement.evaluated_ms);
    match &outcome.write {
        LedgerWrite::Close => {
            ledger::close(tx, policy, &shard.account, sequence, at)?;
            return readers::remove(tx, policy, &shard.account);
        }
        LedgerWrite::Keep => {}
        LedgerWrite::Change(change) => {
            ledger::write(tx, policy, &shard.account, change, sequence, at)?;
        }
    }
    read_by(tx, policy, shard, outcome, settlement, sequence)
}

fn read_by(
    tx: &Transaction<'_>,
    policy: &PolicyId,
    shard: &ShardId,
    outcome: &Outcome,
    settlement: &Settlement,
    sequence: u64,
) -> Result<()> {
    // What was judged was loaded after the lease was taken, so the fence is a safe bound.
    let loaded = settlement.lease.fence;
    if readers::replace(tx, policy, shard, &outcome.references, loaded)? {
        work::mark(tx, shard, Some(policy), sequence, settlement.evaluated_ms)?;
    }
    Ok(())
}
