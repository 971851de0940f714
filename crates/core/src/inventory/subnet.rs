//! A subnet: where it is, and its addresses (formats §9).

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::ident::AccountId;

/// A subnet.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Subnet {
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `availabilityZone`, its name.
    pub zone: Option<Box<str>>,
    /// `ownerId`, when present: one of another account is not the shard's own (semantics §10 row 28).
    pub owner: Option<AccountId>,
    /// `availabilityZoneId`, which means the same in all accounts.
    pub zone_id: Option<Box<str>>,
    /// `cidrBlock`; [`None`] when it is not told or there is none.
    pub ipv4: Option<Ipv4Net>,
}

/// What earlier editions stored of a subnet: the rest is not told.
#[derive(Deserialize)]
pub(super) struct SubnetOf17 {
    vpc: Option<Box<str>>,
    zone: Option<Box<str>>,
    owner: Option<AccountId>,
}

impl From<SubnetOf17> for Subnet {
    fn from(former: SubnetOf17) -> Subnet {
        let SubnetOf17 { vpc, zone, owner } = former;
        Subnet { vpc, zone, owner, ..Subnet::default() }
    }
}
