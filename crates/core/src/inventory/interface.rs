//! A network interface, and a security group's association with another VPC; with the forms in which
//! stores hold them under numbers of before, which could not tell what is not told.

use serde::{Deserialize, Serialize};

use crate::ident::AccountId;

/// A network interface.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct NetworkInterface {
    /// `groups[].groupId`, sorted.
    pub groups: Vec<Box<str>>,
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `subnetId`
    pub subnet: Option<Box<str>>,
    /// `interfaceType`
    pub interface_type: Option<Box<str>>,
    /// `requesterManaged`; one that does not tell it is not managed by a service (semantics §11 row 65).
    pub requester_managed: Option<bool>,
    /// `attachment.instanceId`
    pub instance: Option<Box<str>>,
    /// `attachment.deviceIndex`, plus [`NetworkInterface::CARD`] × `attachment.networkCardIndex`; 0 is the primary
    /// interface.
    pub device_index: Option<i32>,
    /// `ownerId`, when present: one of another account is not the shard's own (semantics §11 row 41).
    pub owner: Option<AccountId>,
}

impl NetworkInterface {
    /// Devices of one network card, at most.
    pub const CARD: i32 = 10_000;

    /// Whether a service manages it.
    pub fn is_managed(&self) -> bool {
        self.requester_managed == Some(true)
    }
}

/// A security group that serves in another VPC than its own.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct GroupAssociation {
    /// `GroupId`
    pub group: Box<str>,
    /// `VpcId`
    pub vpc: Option<Box<str>>,
    /// `State` is neither `disassociated` nor `association-failed`; one that is not told counts.
    pub serves: Option<bool>,
}

impl GroupAssociation {
    /// The group, where it serves in the VPC.
    pub fn serving(&self) -> Option<&str> {
        (self.serves != Some(false)).then_some(&*self.group)
    }
}

/// A network interface under the number 4. That it is managed by a service was told; that it is not may be
/// what was made of nothing.
#[derive(Deserialize)]
pub(super) struct InterfaceOf4 {
    groups: Vec<Box<str>>,
    vpc: Option<Box<str>>,
    subnet: Option<Box<str>>,
    interface_type: Option<Box<str>>,
    requester_managed: bool,
    instance: Option<Box<str>>,
    device_index: Option<i32>,
    owner: Option<AccountId>,
}

impl From<InterfaceOf4> for NetworkInterface {
    fn from(former: InterfaceOf4) -> NetworkInterface {
        let InterfaceOf4 {
            groups, vpc, subnet, interface_type, instance, device_index, owner, ..
        } = former;
        NetworkInterface {
            groups,
            vpc,
            subnet,
            interface_type,
            requester_managed: former.requester_managed.then_some(true),
            instance,
            device_index,
            owner,
        }
    }
}

/// A group's association with a VPC under the number 15. That it is over was told.
#[derive(Deserialize)]
pub(super) struct AssociationOf15 {
    group: Box<str>,
    vpc: Option<Box<str>>,
    serves: bool,
}

impl From<AssociationOf15> for GroupAssociation {
    fn from(former: AssociationOf15) -> GroupAssociation {
        let AssociationOf15 { group, vpc, serves } = former;
        GroupAssociation { group, vpc, serves: (!serves).then_some(false) }
    }
}
