//! Hot statements name the account, or are listed here with the reason why they cannot: by it a store could
//! be spread over many machines.

use std::collections::BTreeSet;

/// Files with statements, and their text.
const SOURCES: [(&str, &str); 9] = [
    ("changes.rs", include_str!("../changes.rs")),
    ("items.rs", include_str!("../items.rs")),
    ("ledger.rs", include_str!("../ledger.rs")),
    ("missed.rs", include_str!("../missed.rs")),
    ("past.rs", include_str!("../past.rs")),
    ("readers.rs", include_str!("../readers.rs")),
    ("shards.rs", include_str!("../shards.rs")),
    ("shown.rs", include_str!("../shown.rs")),
    ("work.rs", include_str!("../work.rs")),
];

/// Tables with rows for each account. The others are small.
const SPREAD: [&str; 14] = [
    "shards",
    "coverage",
    "items",
    "changes",
    "missed",
    "shown",
    "work",
    "leases",
    "readers",
    "entries",
    "judged",
    "violators",
    "history",
    "past_violators",
];

/// How statements begin that ask all accounts, and why.
const OF_ALL_ACCOUNTS: [(&str, &str); 31] = [
    ("DELETE FROM items WHERE state <> 0 AND state = 1", "retention, once an hour"),
    ("DELETE FROM items WHERE state <> 0 AND state = 2", "retention, once an hour"),
    ("DELETE FROM missed WHERE moment_ms", "retention, once an hour"),
    ("DELETE FROM history WHERE noted_ms", "retention, once an hour"),
    ("DELETE FROM past_violators WHERE until_ms", "retention, once an hour"),
    ("DELETE FROM past_violators WHERE from_ms", "the clock was set back"),
    ("UPDATE history SET noted_ms", "the clock was set back"),
    ("UPDATE violators SET noted_ms", "the clock was set back"),
    ("UPDATE past_violators SET until_ms", "the clock was set back"),
    ("SELECT sequence FROM history WHERE noted_ms", "which number a moment has: one seek"),
    ("SELECT account, body FROM items WHERE type", "who else holds a group of this id"),
    (
        "INSERT INTO history (policy, account, sequence, at_ms, status, violator_count, issues, policy_revision, closed, noted_ms, occasion) SELECT policy, account, $2",
        "a policy is removed",
    ),
    (
        "INSERT INTO past_violators (policy, account, type, id, until_ms, from_ms, violations, since_ms, captured_ms, ended) SELECT policy, account, type, id, $2",
        "a policy is removed",
    ),
    ("DELETE FROM entries WHERE policy = $1", "a policy is removed"),
    ("DELETE FROM violators WHERE policy = $1", "a policy is removed"),
    ("DELETE FROM readers WHERE policy = $1", "a policy is removed"),
    ("DELETE FROM work WHERE policy = $1", "a policy is removed"),
    (
        "SELECT 1 FROM readers WHERE reference > $1",
        "whether anybody reads of a shard: by the reference",
    ),
    ("SELECT reference, account, region, policy FROM readers", "who reads any of a shard's items"),
    ("SELECT account, region, policy FROM readers", "who reads a reference, of whatever account"),
    ("SELECT account, region FROM shards", "the clock was set back, or staleness is another"),
    ("UPDATE shards SET", "the clock was set back"),
    ("SELECT count(newest)", "metrics"),
    ("SELECT 1 FROM shown WHERE region", "what is shared is shared between accounts"),
    (
        "SELECT account, type, id FROM shown WHERE region = $1 AND topic = $2 ORDER",
        "what is shared is shared between accounts",
    ),
    (
        "INSERT INTO work (account, region, policy, not_before, version) SELECT",
        "staleness is another",
    ),
    ("UPDATE work SET not_before = $1", "the clock was set back"),
    ("SELECT 1 FROM work WHERE not_before", "what is due, of whatever account"),
    ("SELECT (SELECT count(*) FROM work", "metrics"),
    ("SELECT account, region FROM leases", "leases are few"),
    ("DELETE FROM leases", "the clock was set back"),
];

/// Statements of a source: its literals that begin as one does.
fn statements(source: &str) -> Vec<String> {
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    let literals = source.split('"').skip(1).step_by(2);
    let plain = literals.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    plain.filter(|text| verbs.iter().any(|verb| text.starts_with(verb))).collect()
}

fn tables(statement: &str) -> BTreeSet<&str> {
    let words: Vec<&str> = statement.split([' ', '(', ')', ',']).collect();
    let after =
        words.windows(2).filter(|pair| ["FROM", "INTO", "UPDATE", "JOIN"].contains(&pair[0]));
    after.map(|pair| pair[1]).filter(|name| SPREAD.contains(name)).collect()
}

fn names_the_account(statement: &str) -> bool {
    let inserts = statement.starts_with("INSERT") && statement.contains("account");
    let is_of_values = statement.contains("VALUES") || statement.contains("unnest(");
    // Lists of keys name each its account.
    let compares = [
        "account) IN (SELECT",
        "(account, region, fence) IN",
        "account = $",
        "account IN ('', $",
        "account > $",
        "other = $",
    ];
    // Of due work any account's is taken, one by one.
    let takes_due = statement.contains("FOR UPDATE SKIP LOCKED");
    takes_due || inserts && is_of_values || compares.iter().any(|one| statement.contains(one))
}

#[test]
fn every_statement_names_the_account_or_its_reason_is_listed() {
    let mut used = BTreeSet::new();
    let mut count = 0;
    for (file, source) in SOURCES {
        for statement in statements(source) {
            if tables(&statement).is_empty() {
                continue;
            }
            count += 1;
            let listed = OF_ALL_ACCOUNTS.iter().find(|(begin, _)| statement.starts_with(begin));
            if names_the_account(&statement) {
                continue;
            }
            match listed {
                Some((begin, _)) => used.insert(*begin),
                None => panic!("{file}: names no account, and no reason is listed: {statement}"),
            };
        }
    }
    assert!(count > 60, "{count} statements were found");
    let idle: Vec<_> = OF_ALL_ACCOUNTS.iter().filter(|(begin, _)| !used.contains(begin)).collect();
    assert!(idle.is_empty(), "listed for nothing: {idle:?}");
}

#[test]
fn a_statement_without_an_account_is_found() {
    let table = [
        ("SELECT body FROM items WHERE id = $1", false),
        ("SELECT body FROM items WHERE account = $1 AND id = $2", true),
        ("INSERT INTO work (account, region) VALUES ($1, $2)", true),
        ("INSERT INTO work (account, region) SELECT account, region FROM shards", false),
        ("DELETE FROM entries WHERE policy = $1", false),
    ];
    for (statement, expected) in table {
        assert!(!tables(statement).is_empty(), "{statement}");
        assert_eq!(names_the_account(statement), expected, "{statement}");
    }
}
