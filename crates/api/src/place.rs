//! Where a short call is answered. The store's calls block, so the rule is a thread that may. To go
//! there and back wakes two threads, which costs more than checking the signature, reading a page and
//! writing it; so one short call at a time is answered where it was read.
//!
//! A thread of the runtime that is held up may be the one that was to wait for all sockets. So there
//! is one such call at a time and only where the runtime has another thread; after one that took long
//! there is none for a while; and while one is stuck, a watcher has another thread take over.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, JoinHandle};
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
    watcher: OnceLock<Option<JoinHandle<()>>>,
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
        if watcher.is_finished() {
            // Nobody would see to it that one that is stuck holds up no others.
            return None;
        }
        let call = state.calls.fetch_add(1, SeqCst).wrapping_add(1);
        if state.asleep.swap(false, SeqCst) {
            watcher.thread().unpark();
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
            watcher.thread().unpark();
        }
    }
}

/// A watcher, where the runtime has a second thread that could take over.
fn watched(state: &Arc<State>) -> Option<JoinHandle<()>> {
    let runtime = Handle::try_current().ok()?;
    let many = runtime.runtime_flavor() == RuntimeFlavor::MultiThread
        && runtime.metrics().num_workers() > 1;
    if !many {
        return None;
    }
    let state = Arc::downgrade(state);
    let watcher = thread::Builder::new().name("call-watcher".to_owned());
    watcher.spawn(move || watch(&state, &runtime)).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn many_threads() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
    }

    /// As if the rest were over, however busy this machine is.
    fn rested(place: &Place) -> &Place {
        place.0.rests_until_ms.store(0, SeqCst);
        place
    }

    #[test]
    fn there_is_one_place_and_it_is_given_back() {
        many_threads().block_on(async {
            let place = Place::default();
            let taken = place.take();
            assert!(taken.is_some());
            assert!(rested(&place).take().is_none(), "one call at a time");
            drop(taken);
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _taken = rested(&place).take().unwrap();
                panic!("as a call may");
            }));
            assert!(panicked.is_err());
            assert!(rested(&place).take().is_some(), "a panic gives it back too");
        });
    }

    #[test]
    fn after_a_long_call_there_is_none_for_a_while() {
        many_threads().block_on(async {
            let place = Place::default();
            let taken = place.take();
            thread::sleep(LONG.saturating_mul(2));
            drop(taken);
            assert!(place.take().is_none());
            assert!(rested(&place).take().is_some());
        });
    }

    #[test]
    fn a_runtime_of_one_thread_has_no_place() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { assert!(Place::default().take().is_none()) });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
        let alone = runtime.unwrap();
        alone.block_on(async { assert!(Place::default().take().is_none()) });
        assert!(Place::default().take().is_none(), "nor is there one without a runtime");
    }

    /// Both threads of the runtime wait: one for the timers, the other to be woken. The one that
    /// waits for the timers is then held up.
    #[test]
    fn while_a_call_is_stuck_the_others_go_on() {
        let (release, stuck) = std::sync::mpsc::channel::<()>();
        many_threads().block_on(async move {
            let place = Place::default();
            let timer = tokio::spawn(tokio::time::sleep(Duration::from_millis(200)));
            let call = tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let _taken = place.take().unwrap();
                stuck.recv().unwrap();
            });
            timer.await.unwrap();
            release.send(()).unwrap();
            call.await.unwrap();
        });
    }

    #[test]
    fn the_watcher_ends_with_the_place_also_when_it_sleeps() {
        many_threads().block_on(async {
            for asleep in [false, true] {
                let place = Place::default();
                drop(place.take());
                let state = Arc::downgrade(&place.0);
                while asleep && !place.0.asleep.load(SeqCst) {
                    thread::sleep(LOOK);
                }
                drop(place);
                while state.upgrade().is_some() {
                    thread::sleep(LOOK);
                }
            }
        });
    }
}
