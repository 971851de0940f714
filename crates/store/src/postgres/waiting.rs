//! Waiting for an answer on a thread that may block. Callers come from threads of any kind, some of them a
//! runtime's own, where a runtime's `block_on` would panic.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

/// Wakes a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Blocks until the future is ready: its answer, or `None` when `until` came first.
pub(super) fn wait<T>(future: impl Future<Output = T>, until: Instant) -> Option<T> {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return Some(answer);
        }
        let left = until.checked_duration_since(Instant::now())?;
        thread::park_timeout(left);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_ready_answer_is_had_after_the_moment_too_and_none_is_waited_for_longer() {
        let past = Instant::now();
        assert_eq!(wait(std::future::ready(7), past), Some(7));
        let begun = Instant::now();
        let never = wait(std::future::pending::<()>(), begun + Duration::from_millis(20));
        assert_eq!(never, None);
        assert!(begun.elapsed() >= Duration::from_millis(20));
    }
}
