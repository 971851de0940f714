//! Reads accounts through AWS's APIs, a few (account, Region) at a time: for files and for the server alike.

use std::sync::Arc;

use palisade_aws::{Credentials, ExternalId, Target};
use palisade_core::ident::Region;
use palisade_sources::{Collection, Collector, Unit};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::aws::Aws;
use crate::failure::Failure;

/// How accounts are read.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Keys, endpoints, clocks.
    pub aws: Aws,
    /// The account of the keys, which is read with them.
    pub own: Option<String>,
    /// Name of the role that others are read as.
    pub role: Option<String>,
    /// The id that the role asks for.
    pub external_id: Option<ExternalId>,
    /// Regions; `None`: those that an account has enabled.
    pub regions: Option<Vec<Region>>,
    /// How many (account, Region) are read at the same time.
    pub at_once: usize,
}

impl Asked {
    /// Reads every account, and sends each collection as soon as it is there. It ends early when nobody receives any more.
    ///
    /// # Errors
    /// An account cannot be asked at all.
    pub async fn each(
        &self,
        accounts: &[String],
        to: mpsc::Sender<Collection>,
    ) -> Result<(), Failure> {
        let collector =
            Arc::new(Collector::new(self.aws.client.clone(), self.aws.surroundings.clone()));
        let mut reading = JoinSet::new();
        for account in accounts {
            let units = match self.units(&collector, account).await? {
                Ok(units) => units,
                Err(unknown) => {
                    if to.send(*unknown).await.is_err() {
                        return Ok(());
                    }
                    continue;
                }
            };
            for unit in units {
                while reading.len() >= self.at_once {
                    reading.join_next().await;
                }
                if to.is_closed() {
                    return Ok(());
                }
                let (collector, to) = (collector.clone(), to.clone());
                reading.spawn(async move {
                    // Nobody receives it: the server stops.
                    let _ = to.send(collector.collect(&unit).await).await;
                });
            }
        }
        while reading.join_next().await.is_some() {}
        Ok(())
    }

    /// The Regions of an account, or what is told of one of which they are not known. Where global resources are told
    /// of is one of them in any case.
    async fn units(
        &self,
        collector: &Collector,
        account: &str,
    ) -> Result<Result<Vec<Unit>, Box<Collection>>, Failure> {
        let credentials = self.credentials(account)?;
        let target = |region: &str| Target {
            account: account.into(),
            region: region.into(),
            credentials: credentials.clone(),
        };
        let regions = match &self.regions {
            Some(regions) => regions.iter().map(Region::to_string).collect(),
            None => match collector.regions(&target(self.aws.region())).await {
                Ok(regions) => regions,
                Err(error) => {
                    let unknown = collector.unknown_regions(&target(self.aws.region()), &error);
                    return Ok(Err(Box::new(unknown)));
                }
            },
        };
        let mut units: Vec<Unit> = regions
            .iter()
            .map(|region| Unit { target: target(region), is_regional: true })
            .collect();
        let home = Unit { target: target(Region::HOME_OF_GLOBAL), is_regional: false };
        let is_there = units.iter().any(Unit::is_home);
        if !is_there && is_commercial(&regions) {
            units.push(home);
        }
        Ok(Ok(units))
    }

    fn credentials(&self, account: &str) -> Result<Credentials, Failure> {
        if self.own.as_deref() == Some(account) {
            return Ok(self.aws.credentials());
        }
        let Some(role) = &self.role else {
            return Err(Failure::Usage(format!(
                "account `{account}` is not that of the keys; name the role to read it as with --role"
            )));
        };
        self.aws.member(account, role, self.external_id.as_ref())
    }
}

/// Whether Regions are of the partition in which global resources are told of us-east-1.
fn is_commercial(regions: &[String]) -> bool {
    let home = palisade_aws::Partition::of_region(Region::HOME_OF_GLOBAL);
    regions.iter().all(|region| palisade_aws::Partition::of_region(region) == home)
}
