//! How commits that are in the log come to be on disk, many by one wait.
//!
//! ```text
//! A commits ── sync ────┐ told
//! B    commits (waits)  └─ sync ──┐ told
//! C         commits (waits)       ┘ told
//! ```
//!
//! A sync covers what was committed before it began. Who commits while one is under way waits for the
//! next, with all the others who do, and meanwhile the writer's turn is somebody else's.

use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::mark::End;
use crate::{Result, StoreError};

/// What makes the log's file be on disk, and is told where that ends, if it is known.
type Sync = dyn Fn(Option<End>) -> io::Result<()> + Send + std::marker::Sync;

/// The disk below a log.
pub(super) struct Disk {
    sync: Box<Sync>,
    /// Commits so far.
    committed: AtomicU64,
    state: Mutex<State>,
    told: Condvar,
}

#[derive(Default)]
struct State {
    /// Commits that are on disk.
    synced: u64,
    is_syncing: bool,
    /// Where the log ended after the last commit of which that is known.
    end: Option<End>,
    failed: Option<String>,
}

/// Why a write is not acknowledged.
#[derive(Debug, thiserror::Error)]
#[error(
    "the disk did not take what was written ({0}): whether it is kept is not known, and nothing more \
     is acknowledged until the server is started again"
)]
struct Failed(String);

impl State {
    /// The first reason stays.
    fn fail(&mut self, why: &dyn Display) {
        self.failed.get_or_insert_with(|| why.to_string());
    }
}

impl Disk {
    /// `sync` returns when all that was written to the log before is on disk.
    pub(super) fn of(
        sync: impl Fn(Option<End>) -> io::Result<()> + Send + std::marker::Sync + 'static,
    ) -> Disk {
        let (committed, state) = (AtomicU64::new(0), Mutex::default());
        Disk { sync: Box::new(sync), committed, state, told: Condvar::new() }
    }

    /// Counts a commit, before anybody else may commit; answers its number. `end` is where the log ended then.
    pub(super) fn committed(&self, end: Option<End>) -> u64 {
        if let Some(end) = end {
            self.state().end = Some(end);
        }
        self.committed.fetch_add(1, SeqCst).saturating_add(1)
    }

    /// Returns when the commit of this number is on disk, and all before it.
    ///
    /// # Errors
    /// It may not be. What a disk failed to take once it may have forgotten, though it takes what
    /// comes next: nothing that follows in the log could be told to be safe.
    pub(super) fn wait(&self, commit: u64) -> Result<()> {
        let mut state = self.state();
        loop {
            if state.synced >= commit {
                return Ok(());
            }
            self.refuse(&state)?;
            if state.is_syncing {
                state = self.told.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            state.is_syncing = true;
            let end = state.end;
            drop(state);
            let covered = self.committed.load(SeqCst);
            let synced = catch_unwind(AssertUnwindSafe(|| (self.sync)(end)));
            let synced = synced.unwrap_or_else(|_| Err(io::Error::other("a sync panicked")));
            state = self.state();
            state.is_syncing = false;
            match synced {
                Ok(()) => state.synced = covered,
                Err(error) => state.fail(&error),
            }
            self.told.notify_all();
        }
    }

    /// Something else failed of what has to be on disk.
    pub(super) fn fail(&self, why: &dyn Display) {
        self.state().fail(why);
        self.told.notify_all();
    }

    /// # Errors
    /// The disk failed before.
    pub(super) fn is_fine(&self) -> Result<()> {
        self.refuse(&self.state())
    }

    fn refuse(&self, state: &State) -> Result<()> {
        match &state.failed {
            Some(why) => Err(StoreError::Engine(Box::new(Failed(why.clone())))),
            None => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// For a thread that does not come.
    pub const PATIENCE: Duration = Duration::from_secs(60);

    /// A disk that tells when a sync begins, and ends it when it is told to.
    pub fn gated() -> (Disk, Receiver<()>, Sender<()>) {
        let (begun, begins) = channel();
        let (end, ends) = channel();
        let ends = Mutex::new(ends);
        let disk = Disk::of(move |_| {
            begun.send(()).unwrap();
            ends.lock().unwrap().recv().unwrap();
            Ok(())
        });
        (disk, begins, end)
    }

    #[test]
    fn a_commit_that_an_earlier_sync_covers_needs_none() {
        let syncs = Arc::new(AtomicU64::new(0));
        let counted = syncs.clone();
        let disk = Disk::of(move |_| {
            counted.fetch_add(1, SeqCst);
            Ok(())
        });
        let commits = [disk.committed(None), disk.committed(None), disk.committed(None)];
        assert_eq!(commits, [1, 2, 3]);
        disk.wait(2).unwrap();
        assert_eq!(syncs.load(SeqCst), 1);
        disk.wait(1).unwrap();
        disk.wait(3).unwrap();
        assert_eq!(syncs.load(SeqCst), 1, "all three were committed before it began");
        disk.wait(disk.committed(None)).unwrap();
        assert_eq!(syncs.load(SeqCst), 2);
    }

    /// While one sync is under way others commit: that one covers none of them, the next all.
    #[test]
    fn who_commits_during_a_sync_waits_for_the_next_with_all_others() {
        let (disk, begins, end) = gated();
        let told = AtomicU64::new(0);
        thread::scope(|scope| {
            let wait = |commit| {
                let (disk, told) = (&disk, &told);
                scope.spawn(move || {
                    disk.wait(commit).unwrap();
                    told.fetch_add(1, SeqCst);
                })
            };
            let first = wait(disk.committed(None));
            begins.recv_timeout(PATIENCE).unwrap();
            let others = [(); 5].map(|()| wait(disk.committed(None)));
            end.send(()).unwrap();
            first.join().unwrap();
            begins.recv_timeout(PATIENCE).unwrap();
            assert_eq!(told.load(SeqCst), 1, "the others are not on disk yet");
            end.send(()).unwrap();
            for other in others {
                other.join().unwrap();
            }
            assert!(begins.try_recv().is_err(), "one sync for all five");
        });
    }

    #[test]
    fn after_the_disk_failed_nothing_is_acknowledged_but_what_was_on_it() {
        let fails = Arc::new(AtomicBool::new(false));
        let failing = fails.clone();
        let disk = Disk::of(move |_| match failing.load(SeqCst) {
            true => Err(io::Error::other("worn out")),
            false => Ok(()),
        });
        let safe = disk.committed(None);
        disk.wait(safe).unwrap();
        disk.is_fine().unwrap();
        fails.store(true, SeqCst);
        let lost = disk.committed(None);
        let error = disk.wait(lost).unwrap_err();
        let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        assert!(format!("{error} {why}").contains("worn out"), "{error}");
        // As if it were mended, though what it lost is not known.
        fails.store(false, SeqCst);
        assert!(disk.wait(lost).is_err());
        assert!(disk.wait(disk.committed(None)).is_err());
        assert!(disk.is_fine().is_err());
        disk.wait(safe).unwrap();
    }

    #[test]
    fn who_waits_is_told_of_whatever_fails() {
        let (disk, begins, end) = gated();
        thread::scope(|scope| {
            let wait = |commit| {
                let disk = &disk;
                scope.spawn(move || disk.wait(commit).is_ok())
            };
            let covered = wait(disk.committed(None));
            begins.recv_timeout(PATIENCE).unwrap();
            let later = wait(disk.committed(None));
            disk.fail(&"the file was not moved");
            assert!(!later.join().unwrap());
            end.send(()).unwrap();
            assert!(covered.join().unwrap(), "it is on disk");
        });
        let panics = Disk::of(|_| panic!("on purpose"));
        assert!(panics.wait(panics.committed(None)).is_err());
        assert!(panics.is_fine().is_err());
    }
}
