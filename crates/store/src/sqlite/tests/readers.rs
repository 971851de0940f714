//! Facts about the pool of reading connections.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::contract::Bed;
use crate::contract::facts::*;
use crate::sqlite::log::connections::READERS_MAX;

use super::beds::OnDisk;

#[test]
fn more_callers_than_connections_take_turns() {
    let bed = OnDisk::new();
    let store = bed.store.as_ref().unwrap();
    let inside = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    // All of the first turn meet inside, so that the pool is seen full.
    let meeting = Barrier::new(READERS_MAX);
    std::thread::scope(|scope| {
        for caller in 0..READERS_MAX + 1 {
            let (inside, most, meeting) = (&inside, &most, &meeting);
            let read = move || {
                store.connections.read(|_| {
                    most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    if caller < READERS_MAX {
                        meeting.wait();
                    }
                    inside.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                })
            };
            if caller < READERS_MAX {
                scope.spawn(read);
            } else {
                read().unwrap();
            }
        }
    });
    assert_eq!(inside.load(Ordering::SeqCst), 0);
    assert!(most.load(Ordering::SeqCst) <= READERS_MAX);
}

#[test]
fn a_reader_that_panics_gives_its_connection_back() {
    let bed = OnDisk::new();
    let store = bed.store.as_ref().unwrap();
    for _ in 0..READERS_MAX + 1 {
        let read = || store.connections.read(|_| -> crate::Result<()> { panic!("on purpose") });
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).is_err());
    }
    assert!(loaded(bed.store(), &shard(1)).shard.is_unheard_of());
}

#[test]
fn a_writer_that_panics_leaves_nothing_and_blocks_nobody() {
    let bed = OnDisk::new();
    let store = bed.store.as_ref().unwrap();
    let write = || {
        store.connections.write(|tx| -> crate::Result<()> {
            tx.execute("UPDATE store SET control_revision = 99", [])?;
            panic!("on purpose")
        })
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(write)).is_err());
    assert_eq!(commit(bed.store(), &[], 0), 1);
}
