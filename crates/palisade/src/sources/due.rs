//! When a source is read again.

use std::time::Duration;

use palisade_aws::Surroundings as _;
use tokio::sync::watch;

use crate::aws::Aws;
use crate::stop::until;

/// How long a source that could not be read at all waits, at most, until it tries again.
const AGAIN: Duration = Duration::from_secs(60);

/// Waits until a source is due again, with some spread so that sources do not fall in step; `false`: the server stops.
/// One that failed is due sooner.
pub async fn due(
    aws: &Aws,
    every: Duration,
    has_failed: bool,
    stopped: &watch::Receiver<bool>,
    note: impl FnOnce(i64),
) -> bool {
    let every = if has_failed { every.min(AGAIN) } else { every };
    let spread = u64::try_from(every.as_millis()).unwrap_or(u64::MAX) / 10;
    let more = aws.surroundings.random().checked_rem(spread.max(1)).unwrap_or_default();
    let wait = every.saturating_add(Duration::from_millis(more));
    let next_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    note(aws.surroundings.wall_ms().saturating_add(next_ms));
    tokio::select! {
        () = tokio::time::sleep(wait) => !*stopped.borrow(),
        () = until(stopped.clone()) => false,
    }
}
