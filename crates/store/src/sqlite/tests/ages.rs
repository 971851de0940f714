//! What the ages of shards of an older store become.

use rusqlite::Connection;

use crate::Premises;
use crate::contract::facts::*;
use crate::sqlite::{SqliteStore, schema};

use super::beds::serving;

/// Region, receipt of the shard itself and of `global` items, (type, seen) of its items; the age.
type Case<'a> = (&'a str, Option<i64>, Option<i64>, &'a [(&'a str, i64)], Option<i64>);

#[test]
fn receipts_of_an_older_store_are_no_ages_of_what_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut raw = Connection::open(&path).unwrap();
    schema::migrate_to(&mut raw, 8, &[7; 32]).unwrap();
    let (home, group, user) = ("us-east-1", "AWS::EC2::SecurityGroup", "AWS::IAM::User");
    let cases: [Case<'_>; 7] = [
        ("eu-west-1", Some(900), None, &[(group, 40), (user, 50)], Some(50)),
        ("eu-west-1", Some(900), None, &[(group, 950)], Some(900)),
        ("eu-west-1", Some(900), None, &[], None),
        (home, Some(900), Some(990), &[(group, 40), (user, 850)], Some(40)),
        (home, Some(900), Some(990), &[(user, 850)], None),
        (home, None, Some(990), &[(user, 850)], Some(850)),
        (home, None, None, &[], None),
    ];
    for (n, (region, own, global, items, _)) in (1_u32..).zip(&cases) {
        let account = account(n);
        raw.execute(
            "INSERT INTO shards VALUES (?1, ?2, 0, ?3, ?4, 0)",
            rusqlite::params![account.as_str(), region, own, global],
        )
        .unwrap();
        for (kind, seen_ms) in *items {
            raw.execute(
                "INSERT INTO items VALUES (?1, ?2, ?3, 'x', 2, ?4, x'00')",
                rusqlite::params![account.as_str(), region, kind, seen_ms],
            )
            .unwrap();
        }
    }
    drop(raw);
    let store = SqliteStore::open(&path, serving()).unwrap();
    for (n, (region, _, _, items, age)) in (1_u32..).zip(&cases) {
        let id = palisade_core::ident::ShardId {
            account: account(n),
            region: (*region).try_into().unwrap(),
        };
        assert_eq!(loaded(&store, &id).shard.newest_ms, *age, "{region} {items:?}");
    }
}

#[test]
fn an_older_store_knows_the_time_by_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let mut raw = Connection::open(&path).unwrap();
    schema::migrate_to(&mut raw, 8, &[7; 32]).unwrap();
    raw.execute("INSERT INTO judged VALUES ('000000000001', 'eu-west-1', 5000)", []).unwrap();
    drop(raw);
    let far = 5000 + 2 * crate::JUMP_MS_MAX;
    let store = SqliteStore::open(&path, serving()).unwrap();
    assert_eq!(store.look_at_clock(far, 0).unwrap().believed_ms, 5000);
}
