//! What a statement costs is what it reaches: none that runs often may scan a table or sort.

use rusqlite::Connection;

use crate::sqlite::schema;

/// Statements of the source, each from its first word to its closing quote.
fn statements(source: &str) -> Vec<&str> {
    let literals = source.split('"').skip(1).step_by(2);
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE"];
    literals.filter(|text| verbs.iter().any(|verb| text.starts_with(verb))).collect()
}

/// Those that may scan, each with the reason.
const MAY_SCAN: &[(&str, &str)] = &[
    ("FROM administrators", "read whole"),
    ("FROM accounts\"", "read whole"),
    ("DELETE FROM accounts", "replaced whole"),
    ("FROM organization", "one row"),
    ("FROM policies\"", "read whole when there is no WHERE"),
    ("FROM lists\"", "read whole when there is no WHERE"),
    ("FROM offboarded", "one row"),
    ("FROM resource_sets\"", "read whole"),
    ("FROM channels\"", "read whole"),
    ("FROM associations\"", "read whole"),
    ("FROM waivers\"", "read whole"),
    ("FROM keys\n", "an operator's listing"),
    ("FROM store", "one row"),
    ("UPDATE store", "one row"),
    ("SELECT count(*), ?1 FROM work", "the count of all work"),
    ("SELECT max(at_ms) FROM (", "once, when a store of an older version is first served"),
    ("SELECT count(newest), min(newest)", "how old each shard is, when a scraper asks"),
    ("UNION SELECT region FROM shards", "sorts the Regions of one account"),
    ("SELECT account, region FROM shards\"", "every shard is due: a gap that may be anybody's"),
    ("DELETE FROM missed", "once an hour, for what has expired"),
    ("UPDATE violators SET noted_ms", "when the clock was set back"),
    ("DELETE FROM past_violators WHERE from_ms", "when the clock was set back"),
    ("WHERE newest_ms > ?1", "when the clock was set back"),
    ("WHERE global_newest_ms > ?1", "when the clock was set back"),
    ("WHERE last_used_ms > ?1", "when the clock was set back"),
    (
        "SELECT account, region, ?1, ?2, ?3 FROM shards",
        "another setting, or the clock was set back",
    ),
    ("SELECT policy, revision, NULL", "every policy, once for a version of the rules"),
    ("FROM fan_outs", "policies being fanned out: few"),
    ("FROM common_policies\"", "read whole: as many as policies of common groups"),
    ("UPDATE common_policies", "when the server starts"),
    ("DELETE FROM common_policies", "when the server starts"),
    ("FROM leases", "at most as many as shards being judged at once"),
    ("DELETE FROM work WHERE policy", "once for a removed policy; work is what is left to do"),
    ("DELETE FROM readers WHERE policy = ?1\"", "once for a removed policy"),
];

#[test]
fn no_frequent_statement_scans_a_table() {
    let mut connection = Connection::open_in_memory().unwrap();
    schema::migrate(&mut connection, "memory", &[0; 32]).unwrap();
    let sources = [
        include_str!("../audit.rs"),
        include_str!("../changes.rs"),
        include_str!("../control.rs"),
        include_str!("../items.rs"),
        include_str!("../keys.rs"),
        include_str!("../ledger.rs"),
        include_str!("../ledger/write.rs"),
        include_str!("../missed.rs"),
        include_str!("../past.rs"),
        include_str!("../readers.rs"),
        include_str!("../shards.rs"),
        include_str!("../shown.rs"),
        include_str!("../store_row.rs"),
        include_str!("../support.rs"),
        include_str!("../taken.rs"),
        include_str!("../work.rs"),
    ];
    let mut explained = 0;
    for statement in sources.into_iter().flat_map(statements) {
        if MAY_SCAN.iter().any(|(part, _)| format!("{statement}\"").contains(part)) {
            continue;
        }
        let statement = statement.replace("{ENTRY_COLUMNS}", crate::sqlite::ledger::ENTRY_COLUMNS);
        let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
        // Statements that are only parts of others, or hold parameters, need no values here.
        let steps: Vec<String> = explain
            .raw_query()
            .mapped(|row| row.get::<_, String>(3))
            .collect::<rusqlite::Result<_>>()
            .unwrap();
        for step in &steps {
            // A part is searched by itself: what it found is passed on.
            let scans = step.starts_with("SCAN") && !step.starts_with("SCAN (subquery");
            let slow = scans || step.contains("TEMP B-TREE");
            assert!(!slow, "{statement}\n{steps:#?}");
        }
        explained += 1;
    }
    assert!(explained > 40, "{explained}");
}
