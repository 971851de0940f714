//! Where a short call is answered. The store's calls block, so the rule is a thread that may. To go
//! there and back wakes two threads, which costs more than checking the signature, reading a page and
//! writing it; so one short call at a time is answered where it was read.
//!
//! A thread of the runtime that is held up may be the one that was to wait for all sockets. So there
//! is one such call at a time and only where the runtime has another thread; after one that took long
//! there is none for a while; and while one is stuck, a watcher has another thread take over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};

/// Longer is long: the store is slow just now, or had to wait.
const LONG: Duration = Duration::from_millis(5);
/// For how long no call is answered in place after one that took long.
const REST: Duration = Duration::from_secs(1);
/// How often the watcher looks.
const LOOK: Duration = Duration::from_millis(10);
/// Looks in a row without a call after which the watcher sleeps.
const QUIET_LOOKS: u32 = 100;

/// The one place for a call on a thread of the runtime.
#[derive(Debug)]
pub(crate) struct Place(Arc<State>);

#[derive(Debug)]
struct State {
    begun: Instant,
    /// The number of the call that is answered in place; 0 is none.
    held: AtomicU64,
    calls: AtomicU64,
    /// Milliseconds after `begun` from which on calls are answered in place again.
    rests_until_ms: AtomicU64,
    asleep: AtomicBool,
    watcher: OnceLock<Option<Thread>>,
}

/// A call in place. Given back when it ends, by a panic too.
pub(crate) struct Taken<'a> {
    state: &'a State,
    since: Instant,
}

impl Default for Place {
    fn default() -> Self {
        Place(Arc::new(State {
            begun: Instant::now(),
            held: AtomicU64::new(0),
            calls: AtomicU64::new(0),
            rests_until_ms: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            watcher: OnceLock::new(),
        }))
    }
}

impl Place {
    /// The place, if a short call may be answered right here.
    pub fn take(&self) -> Option<Taken<'_>> {
        let state = &*self.0;
        let since = Instant::now();
        if state.elapsed_ms(since) < state.rests_until_ms.load(SeqCst) {
            return None;
        }
        let watcher = state.watcher.get_or_init(|| watched(&self.0)).as_ref()?;
        let call = state.calls.fetch_add(1, SeqCst).wrapping_add(1);
        if state.asleep.swap(false, SeqCst) {
            watcher.unpark();
        }
        state.held.compare_exchange(0, call, SeqCst, SeqCst).ok()?;
        Some(Taken { state, since })
    }
}

impl State {
    fn elapsed_ms(&self, now: Instant) -> u64 {
        u64::try_from(now.duration_since(self.begun).as_millis()).unwrap_or(u64::MAX)
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let now = Instant::now();
        if now.duration_since(self.since) > LONG {
            let until = self.state.elapsed_ms(now.checked_add(REST).unwrap_or(now));
            self.state.rests_until_ms.store(until, SeqCst);
        }
        self.state.held.store(0, SeqCst);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // So that it sees that there is nothing left to watch.
        if let Some(Some(watcher)) = self.0.watcher.get() {
            watcher.unpark();
        }
    }
}

/// A watcher, where the runtime has a second thread that could take over.
fn watched(state: &Arc<State>) -> Option<Thread> {
    let runtime = Handle::try_current().ok()?;
    let many = runtime.runtime_flavor() == RuntimeFlavor::MultiThread
        && runtime.metrics().num_workers() > 1;
    if !many {
        return None;
    }
    let state = Arc::downgrade(state);
    let watcher = thread::Builder::new().name("call-watcher".to_owned());
    let watcher = watcher.spawn(move || watch(&state, &runtime)).ok()?;
    Some(watcher.thread().clone())
}

fn watch(state: &Weak<State>, runtime: &Handle) {
    let (mut held, mut calls, mut quiet) = (0, 0, 0);
    loop {
        thread::sleep(LOOK);
        let Some(state) = state.upgrade() else { return };
        let now_held = state.held.load(SeqCst);
        if now_held != 0 && now_held == held {
            // Something to do wakes another thread, which then waits for the sockets as well.
            runtime.spawn(async {});
        }
        let now_calls = state.calls.load(SeqCst);
        quiet = if now_calls == calls && now_held == 0 { quiet + 1 } else { 0 };
        (held, calls) = (now_held, now_calls);
        if quiet < QUIET_LOOKS {
            continue;
        }
        quiet = 0;
        state.asleep.store(true, SeqCst);
        // Who came before that did not see it.
        let alone = state.calls.load(SeqCst) == calls;
        drop(state);
        if alone {
            thread::park();
        }
    }
}
