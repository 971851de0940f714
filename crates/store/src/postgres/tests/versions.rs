//! Tables are made once, by one of the nodes that start, and never touched by an older Palisade.

use std::thread;

use palisade_testkit::postgres::shared;

use crate::postgres::{PostgresOpening, PostgresStore};
use crate::{Control as _, Keys as _, StoreError};

use super::beds::{address, node, opening};

#[test]
fn nodes_that_start_at_once_make_one_store() {
    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let nodes: Vec<_> = (0..6_u8)
        .map(|n| {
            let url = url.clone();
            thread::spawn(move || {
                let fresh_sealing_key = [n; 32];
                let opening = PostgresOpening { fresh_sealing_key, ..opening() };
                PostgresStore::open(address(&url), &opening).unwrap().sealing_key().unwrap()
            })
        })
        .collect();
    let keys: Vec<[u8; 32]> = nodes.into_iter().map(|node| node.join().unwrap()).collect();
    assert!(keys.iter().all(|key| *key == keys[0]), "{keys:?}");
}

#[test]
fn looking_makes_no_store() {
    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let looking = PostgresOpening { is_made: false, ..opening() };
    let refused = PostgresStore::open(address(&url), &looking).err().unwrap().to_string();
    assert!(refused.contains("there is no store"), "{refused}");
    drop(node(&url));
    assert_eq!(
        PostgresStore::open(address(&url), &looking).unwrap().control_revision().unwrap(),
        0
    );
}

#[test]
fn a_newer_schema_is_refused_in_words() {
    let Some(server) = shared() else { return };
    let url = server.fresh_url();
    let store = node(&url);
    store
        .server
        .connect(super::super::ANSWER)
        .and_then(|session| session.batch("UPDATE palisade_schema SET version = 99"))
        .unwrap();
    match PostgresStore::open(address(&url), &opening()) {
        Err(StoreError::TooNew { path, found: 99, known }) => {
            assert!(path.starts_with("postgres://palisade@"), "{path}");
            assert!(known < 99);
        }
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn what_cannot_be_reached_is_told_without_the_password() {
    let url = "postgres://u:secret@127.0.0.1:1/d?connect_timeout=1";
    let refused = PostgresStore::open(address(url), &opening()).err().unwrap();
    let told = format!("{refused} {refused:?}");
    assert!(told.contains("postgres://u@127.0.0.1:1/d") && !told.contains("secret"), "{told}");
}
