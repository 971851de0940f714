//! Collects units: one (account, Region) each, its kinds beside each other.

use std::sync::Arc;

use palisade_aws::{CallError, Client, Surroundings, Target};
use palisade_core::ident::Region;
use tokio::task::JoinSet;

use crate::ask::{Ask, LISTED_AGAIN_MAX, is_gone};
use crate::collection::{Collection, FailedType, moment};
use crate::item::{Found, Seen};
use crate::kind::{Kind, Place};
use crate::kinds::KINDS;

/// An account in a Region.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Who asks, whom, and where.
    pub target: Target,
    /// Whether regional resources are collected there, or global ones alone.
    pub is_regional: bool,
}

impl Unit {
    /// Whether global resources are told of this Region: in us-east-1 (semantics §10 row 4). Those of other partitions
    /// are not collected, and not known.
    pub fn is_home(&self) -> bool {
        &*self.target.region == Region::HOME_OF_GLOBAL
    }

    /// The kinds that are listed there.
    pub fn kinds(&self) -> impl Iterator<Item = &'static Kind> + use<> {
        let (is_home, is_regional) = (self.is_home(), self.is_regional);
        KINDS.iter().filter(move |kind| match kind.place {
            Place::Regional => is_regional,
            Place::Global => is_home,
            Place::Both => is_home || is_regional,
        })
    }
}

/// Collects through one client.
#[derive(Clone, Debug)]
pub struct Collector {
    client: Client,
    surroundings: Arc<dyn Surroundings>,
}

impl Collector {
    /// Asks through this client; moments are those of `surroundings`.
    pub fn new(client: Client, surroundings: Arc<dyn Surroundings>) -> Collector {
        Collector { client, surroundings }
    }

    /// Lists every kind of a unit. It always ends, and each type is complete or failed.
    pub async fn collect(&self, unit: &Unit) -> Collection {
        let mut collection = self.begun(&unit.target, Some(&unit.target.region));
        let at = collection.at();
        let mut listing = JoinSet::new();
        for kind in unit.kinds() {
            let (client, target) = (self.client.clone(), unit.target.clone());
            let ask = Ask::new(client, target, unit.is_home());
            listing.spawn(async move { (kind, listed(kind, ask).await) });
        }
        let mut found: Vec<(&'static Kind, Found)> = Vec::new();
        while let Some(one) = listing.join_next().await {
            // One that ended without an answer is told below.
            found.extend(one.ok());
        }
        let seen = Seen { account: &unit.target.account, region: &unit.target.region, at: &at };
        for kind in unit.kinds() {
            let place = found.iter().position(|(other, _)| std::ptr::eq(*other, kind));
            match place.map(|place| found.swap_remove(place).1) {
                Some(Ok(items)) => {
                    collection.complete.push(kind.resource_type.clone());
                    let name = kind.resource_type.as_str();
                    collection.items.extend(items.into_iter().map(|one| one.item(name, seen)));
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "{} could not be listed", kind.resource_type);
                    let resource_type = kind.resource_type.clone();
                    collection.failed.push(FailedType { resource_type, error });
                }
                None => tracing::error!("listing {} ended by itself", kind.resource_type),
            }
        }
        collection
    }

    /// What is told of an account of which not even the Regions could be.
    pub fn unknown_regions(&self, target: &Target, error: &CallError) -> Collection {
        let mut collection = self.begun(target, None);
        collection.failed = KINDS
            .iter()
            .map(|kind| FailedType {
                resource_type: kind.resource_type.clone(),
                error: error.clone(),
            })
            .collect();
        collection
    }

    fn begun(&self, target: &Target, region: Option<&str>) -> Collection {
        Collection {
            account: target.account.to_string(),
            region: region.map(str::to_owned),
            at_ms: self.surroundings.wall_ms(),
            complete: Vec::new(),
            failed: Vec::new(),
            items: Vec::new(),
        }
    }

    /// The Regions that an account has enabled.
    ///
    /// # Errors
    /// When they could not be listed.
    pub async fn regions(&self, target: &Target) -> Result<Vec<String>, CallError> {
        let call = &palisade_aws::calls::DESCRIBE_REGIONS;
        let ask = Ask::new(self.client.clone(), target.clone(), false);
        let answer = ask.all(call, serde_json::Value::Null).await?;
        let name = |region| crate::item::text(region, "RegionName");
        let names = answer.iter().map(name).collect::<Result<Vec<_>, _>>();
        names.map_err(|why| ask.unread(call, why))
    }

    /// The moment now, as items tell it.
    pub fn now(&self) -> String {
        moment(self.surroundings.wall_ms())
    }
}

/// Lists a kind, and once more where a resource went meanwhile.
async fn listed(kind: &'static Kind, ask: Ask) -> Found {
    let mut again = 0;
    loop {
        match (kind.list)(ask.clone()).await {
            Err(error) if is_gone(&error) && again < LISTED_AGAIN_MAX => again += 1,
            ended => return ended,
        }
    }
}
