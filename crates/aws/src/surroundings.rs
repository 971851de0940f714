//! Time and chance, handed in: whoever runs the client decides what they are, and tests decide all of it.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// What the client needs of the world besides the network.
pub trait Surroundings: Debug + Send + Sync + 'static {
    /// The time of day, in epoch milliseconds.
    fn wall_ms(&self) -> i64;

    /// A clock that only goes forward, since some moment of its own.
    fn elapsed(&self) -> Duration;

    /// Waits for so long.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// Any 64 bits, for the spread of waits.
    fn random(&self) -> u64;
}
