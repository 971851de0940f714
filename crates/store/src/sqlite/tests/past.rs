//! What a question about the past costs, and that moments which are not in order are an error.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use palisade_core::ident::AccountId;
use palisade_core::ledger::{Entry, ViolatorRow};
use rusqlite::Connection;

use crate::contract::facts::{GROUP, account, policy_id, violator};
use crate::rules::rows::{LedgerRows as _, Noting, PastRows as _};
use crate::sqlite::log::Transaction;
use crate::sqlite::{schema, sums};
use crate::{Occasion, Result, StoreError, Versioned};

const ACCOUNTS: u32 = 5;
const RESOURCES: usize = 3;
/// Rounds of a history that is short, and of one that is long.
const ROUNDS: [u64; 2] = [40, 4_000];

fn opened() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection, "memory", &[7; 32]).unwrap();
    connection
}

fn entry(count: u64) -> Entry {
    Entry {
        status: None,
        violator_count: count,
        in_scope: 9,
        issues: Default::default(),
        since_ms: 1,
        policy_revision: 1,
    }
}

fn row(nth: usize) -> ViolatorRow {
    let found = violator(GROUP, &format!("sg-{nth}"), "acl");
    ViolatorRow {
        resource_type: found.resource_type,
        id: found.id,
        violations: found.violations,
        since_ms: 1,
        captured_ms: None,
    }
}

/// Each round is a moment: the policy and every account are decided anew, every account is judged otherwise,
/// and its resources violate in every other round.
fn live(connection: &Connection, rounds: u64) {
    let (tx, policy) = (Transaction::on(connection), policy_id("p"));
    let rows: Vec<ViolatorRow> = (0..RESOURCES).map(row).collect();
    let keys: Vec<_> = rows.iter().map(|it| (it.resource_type.clone(), it.id.clone())).collect();
    for round in 1..=rounds {
        let (sequence, noted_ms) = (round, i64::try_from(round * 10).unwrap());
        let noting = Noting { sequence, noted_ms, occasion: Occasion::Items };
        let put = |object: &Versioned| tx.put_version(object, Some("{}"), sequence, noted_ms);
        put(&Versioned::Policy(policy.clone())).unwrap();
        for account in (1..=ACCOUNTS).map(account) {
            put(&Versioned::Account(account.clone())).unwrap();
            tx.put_history(&policy, &account, &entry(round % 2), noting).unwrap();
            match round % 2 {
                1 => tx.put_violators(&policy, &account, &rows, noted_ms).unwrap(),
                _ => tx.drop_violators(&policy, &account, &keys, noted_ms).unwrap(),
            }
        }
    }
}

/// Asks what held at a moment, and what was decided in the ten milliseconds before it.
fn ask(connection: &Connection, at_ms: i64) -> Result<[usize; 5]> {
    let (tx, policy, one) = (Transaction::on(connection), policy_id("p"), account(1));
    Ok([
        tx.versions_at(at_ms)?.len(),
        tx.versions_between(at_ms - 10, at_ms)?.len(),
        tx.entries_at(&policy, None, None, 99, at_ms)?.len(),
        usize::from(tx.entry_at(&policy, &one, at_ms)?.is_some()),
        tx.violators_at(&policy, &one, None, 99, at_ms)?.len(),
    ])
}

/// Rows whose checksums are computed for the questions of a moment, and steps of SQLite's machine.
fn cost(connection: &mut Connection, rows: &AtomicUsize, at_ms: i64) -> (usize, usize) {
    let steps = Arc::new(AtomicUsize::new(0));
    let counted = steps.clone();
    let count = move || {
        counted.fetch_add(1, Relaxed);
        false
    };
    rows.store(0, Relaxed);
    connection.progress_handler(1, Some(count)).unwrap();
    let found = ask(connection, at_ms).unwrap();
    connection.progress_handler(1, None::<fn() -> bool>).unwrap();
    let accounts = usize::try_from(ACCOUNTS).unwrap();
    assert_eq!(found, [accounts + 1, accounts + 1, accounts, 1, RESOURCES], "{at_ms}");
    (rows.load(Relaxed), steps.load(Relaxed))
}

#[test]
fn a_question_about_the_past_costs_what_it_answers_however_long_the_past_is() {
    let costs = ROUNDS.map(|rounds| {
        let mut connection = opened();
        live(&connection, rounds);
        let rows = Arc::new(AtomicUsize::new(0));
        sums::count(&connection, rows.clone()).unwrap();
        // The second moment, one in the middle, the last but one: something came later in each case.
        let rounds = i64::try_from(rounds).unwrap();
        [3, rounds / 2 + 1, rounds - 1].map(|round| cost(&mut connection, &rows, round * 10 + 5))
    });
    println!("{ROUNDS:?} rounds: (rows, steps) of an early, a middle and a late moment {costs:?}");
    let (objects, accounts) = (ACCOUNTS as usize + 1, ACCOUNTS as usize);
    // Of each object and entry what held then and what came behind it; of each violator what held.
    let rows = 2 * objects + objects + 2 * accounts + 2 + RESOURCES;
    for (short, long) in costs[0].iter().zip(costs[1]) {
        assert_eq!((short.0, long.0), (rows, rows), "{costs:?}");
        assert!(long.1 <= short.1 + short.1 / 20, "{costs:?}");
    }
}

fn is_damaged<T>(answer: Result<T>) -> bool {
    matches!(answer, Err(StoreError::Damaged { .. }))
}

#[test]
fn a_moment_that_is_not_as_it_was_written_is_an_error_where_it_decides() {
    // What is damaged: the state of round 4, or the policy's version of it, of which an answer is made from
    // moment 40 on, and which ends the one before.
    for (table, key) in [("history", "account = ?1 AND"), ("versions", "object = ?1 AND")] {
        for noted_ms in [0, 35, 45, 1_000] {
            let connection = opened();
            live(&connection, 9);
            let who = match table {
                "history" => account(1).to_string(),
                _ => Versioned::Policy(policy_id("p")).text(),
            };
            let update = format!("UPDATE {table} SET noted_ms = ?2 WHERE {key} sequence = 4");
            assert_eq!(connection.execute(&update, (who, noted_ms)).unwrap(), 1);
            for at_ms in [30, 39, 40, 49] {
                assert!(is_damaged(ask(&connection, at_ms)), "{table} {noted_ms} at {at_ms}");
            }
            for at_ms in [10, 70, 90] {
                assert!(ask(&connection, at_ms).is_ok(), "{table} {noted_ms} at {at_ms}");
            }
        }
    }
}

/// As an index that tells other moments than the rows.
#[test]
fn moments_out_of_order_are_an_error_though_each_row_is_as_it_was_written() {
    let entries = |connection: &Connection, account: &AccountId, at_ms: i64| {
        Transaction::on(connection).entry_at(&policy_id("p"), account, at_ms)
    };
    let connection = opened();
    live(&connection, 9);
    connection
        .execute(
            "UPDATE history SET noted_ms = 52 WHERE account = ?1 AND sequence = 3",
            [account(2).as_str()],
        )
        .unwrap();
    sums::sum_rows(&connection).unwrap();
    // The last sequence of moment 55 seems to be 3: what came up to then follows behind.
    for n in 1..=ACCOUNTS {
        assert!(is_damaged(entries(&connection, &account(n), 55)), "{n}");
    }
    assert!(is_damaged(entries(&connection, &account(2), 35)));
    assert!(entries(&connection, &account(2), 65).is_ok());
}
