//! Time and chance of the tests, and clients in them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use palisade_aws::{
    Client, Credentials, Endpoints, Keys, Limits, Secret, Settings, Surroundings, Target,
};
use serde_json::Value;
use tokio_rustls::rustls::RootCertStore;

use crate::fake::Fake;

/// When the tests happen: 2026-11-30, 12:00:00 UTC, in epoch milliseconds.
pub const NOON_MS: i64 = 1_796_040_000_000;

/// A clock that goes only when somebody waits on it, and a generator that is no chance at all.
#[derive(Debug, Default)]
pub struct World {
    passed: Mutex<Duration>,
    /// What the clock of this machine is ahead of the server's, in milliseconds.
    wrong_by_ms: i64,
    drawn: Mutex<u64>,
}

impl World {
    /// A world in which this machine's clock is wrong.
    pub fn wrong_by(ms: i64) -> Self {
        Self { wrong_by_ms: ms, ..Self::default() }
    }

    pub fn pass(&self, duration: Duration) {
        let mut passed = self.passed.lock().unwrap();
        *passed += duration;
    }

    /// The time of day on a right clock.
    pub fn right_ms(&self) -> i64 {
        NOON_MS + i64::try_from(self.passed.lock().unwrap().as_millis()).unwrap()
    }
}

impl Surroundings for World {
    fn wall_ms(&self) -> i64 {
        self.right_ms() + self.wrong_by_ms
    }

    fn elapsed(&self) -> Duration {
        *self.passed.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pass(duration);
        Box::pin(async {})
    }

    fn random(&self) -> u64 {
        let mut drawn = self.drawn.lock().unwrap();
        *drawn = drawn.wrapping_add(0x9E37_79B9_7F4A_7C15);
        *drawn
    }
}

/// Limits that tests can wait for.
pub fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(1),
        first_byte: Duration::from_millis(1000),
        whole: Duration::from_millis(3500),
        answer_size: 64 * 1024,
    }
}

pub fn settings(fake: &Fake) -> Settings {
    Settings {
        endpoints: Endpoints::every(&fake.url()).unwrap(),
        limits: limits(),
        ..Settings::default()
    }
}

pub fn client_with(settings: Settings, world: &Arc<World>) -> Client {
    Client::new(settings, RootCertStore::empty(), world.clone()).unwrap()
}

pub fn client(fake: &Fake, world: &Arc<World>) -> Client {
    client_with(settings(fake), world)
}

/// Keys that the fake knows: a lasting one of an account.
pub fn keys(account: &str) -> Keys {
    Keys {
        access_key_id: format!("AKIA{account}").into(),
        secret: Secret::new(Fake::secret(account)),
        session_token: None,
        expires_ms: None,
    }
}

pub fn target(account: &str, region: &str) -> Target {
    Target {
        account: account.into(),
        region: region.into(),
        credentials: Credentials::fixed(keys(account)),
    }
}

pub fn parameters(value: Value) -> palisade_aws::Parameters {
    let Value::Object(members) = value else { panic!("{value}") };
    members
}

impl World {
    /// What the clock went, in milliseconds.
    pub fn elapsed_ms(&self) -> u128 {
        self.passed.lock().unwrap().as_millis()
    }
}
