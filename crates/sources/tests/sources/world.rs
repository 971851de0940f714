//! Time and chance of the tests, clients in them, and what is judged of what they collected.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use palisade_aws::{
    Client, Credentials, Endpoints, Keys, Limits, Secret, Settings, Surroundings, Target,
};
use palisade_core::ident::{AccountId, Region, ShardId};
use palisade_core::inventory::{DeliveryReader, Shard, ShardBuilder};
use palisade_sources::{Collection, Collector, Unit};
use tokio_rustls::rustls::RootCertStore;

use crate::answers::{ACCOUNT, HOME};
use crate::fake::Fake;

/// When the tests happen: 2026-11-30, 12:00:00 UTC, in epoch milliseconds.
pub const NOON_MS: i64 = 1_796_040_000_000;

/// A clock that goes only when somebody waits on it.
#[derive(Debug, Default)]
pub struct World(Mutex<Duration>);

impl World {
    pub fn pass(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
    }
}

impl Surroundings for World {
    fn wall_ms(&self) -> i64 {
        NOON_MS + i64::try_from(self.elapsed().as_millis()).unwrap()
    }

    fn elapsed(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pass(duration);
        Box::pin(async {})
    }

    fn random(&self) -> u64 {
        7
    }
}

pub fn target(region: &str) -> Target {
    let keys = Keys {
        access_key_id: "AKIATEST".into(),
        secret: Secret::new("s"),
        session_token: None,
        expires_ms: None,
    };
    let credentials = Credentials::fixed(keys);
    Target { account: ACCOUNT.into(), region: region.into(), credentials }
}

pub fn unit(region: &str) -> Unit {
    Unit { target: target(region), is_regional: true }
}

pub fn client(fake: &Fake, world: &Arc<World>) -> Client {
    let limits = Limits {
        connect: Duration::from_secs(1),
        first_byte: Duration::from_millis(1500),
        whole: Duration::from_secs(4),
        ..Limits::default()
    };
    let endpoints = Endpoints::every(&fake.url()).unwrap();
    let settings = Settings { endpoints, limits, attempts: 2, ..Settings::default() };
    Client::new(settings, RootCertStore::empty(), world.clone()).unwrap()
}

pub fn collector(fake: &Fake, world: &Arc<World>) -> Collector {
    Collector::new(client(fake, world), world.clone())
}

/// What a reader of the collections' files knows of the account's home Region.
pub fn shard(collections: &[&Collection]) -> Shard {
    let id = ShardId {
        account: AccountId::try_from(ACCOUNT).unwrap(),
        region: Region::try_from(HOME).unwrap(),
    };
    let mut builder = ShardBuilder::new(id.clone());
    for collection in collections {
        let mut reader = DeliveryReader::new(&collection.file_name());
        reader.push(&collection.text()).unwrap();
        let delivery = reader.finish().unwrap();
        assert!(delivery.quarantined.is_empty(), "{:?}", delivery.quarantined);
        let listed: BTreeMap<_, _> = delivery.listings.get(&id).cloned().unwrap_or_default();
        for observation in delivery.observations {
            let moment = listed.get(&observation.item.key.resource_type).copied();
            builder.observe(observation, moment);
        }
        listed.into_iter().for_each(|(listed, moment)| builder.list(listed, moment));
        delivery.missed.into_iter().for_each(|missed| builder.miss(missed));
    }
    builder.seal()
}
