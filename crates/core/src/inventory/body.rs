//! Typed bodies: of each wanted type just what some evaluator reads.

use std::fmt;

use ipnet::{Ipv4Net, Ipv6Net};
use serde::de::{EnumAccess, Error as _, VariantAccess as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ident::{AccountId, ResourceType};

use super::balancer::{BalancerOf7, ClassicLoadBalancer, ClassicOf8, LoadBalancer, WafAssociation};
use super::interface::{AssociationOf15, GroupAssociation, InterfaceOf4, NetworkInterface};
use super::subnet::SubnetOf17;
use super::{
    ClassicAcl, DnsAssociation, FirewallPolicy, InternetGateway, NetworkAcl, NetworkFirewall,
    RouteTable, Subnet, VpcEndpoint, WebAclRuleGroup,
};

macro_rules! bodies {
    (
        untyped: { $($(#[$word_doc:meta])+ $word_number:literal $word:ident;)+ }
        typed: { $($(#[$doc:meta])+ $number:literal $variant:ident($of:ty);)+ }
        former: { $($former_number:literal $former:ident($former_of:ty);)+ }
    ) => {
        /// What is held of a resource besides its key, version and tags.
        ///
        /// Stored by number, so that the order of the variants means nothing.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub enum Body {
            $($(#[$word_doc])+ $word,)+
            $($(#[$doc])+ $variant($of),)+
        }

        impl Body {
            const NAMES: &[&str] = &[$(stringify!($word),)+ $(stringify!($variant),)+];

            const NUMBERS: &[(u32, &str)] =
                &[$(($word_number, stringify!($word)),)+ $(($number, stringify!($variant)),)+];
        }

        impl Serialize for Body {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Body::$word => {
                        to.serialize_unit_variant("Body", $word_number, stringify!($word))
                    })+
                    $(Body::$variant(body) => {
                        to.serialize_newtype_variant("Body", $number, stringify!($variant), body)
                    })+
                }
            }
        }

        impl<'de> Visitor<'de> for Numbered {
            type Value = Body;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("the number of a body, and the body")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Body, A::Error> {
                let (Number(number), body) = access.variant::<Number>()?;
                match number {
                    $($word_number => body.unit_variant().map(|()| Body::$word),)+
                    $($number => body.newtype_variant().map(Body::$variant),)+
                    $($former_number => body
                        .newtype_variant::<$former_of>()
                        .map(|former| Body::$former(former.into())),)+
                    other => Err(A::Error::custom(format_args!("{other} is no number of a body"))),
                }
            }
        }
    };
}

// A number is never used again for something else: what stores hold is read by it. A new variant
// takes the next one, wherever it stands, and changes no layout; so does a variant that tells more than
// it did, whose former number is read into it.
bodies! {
    untyped: {
        /// A tombstone: the resource was deleted at this version.
        0 Deleted;
        /// The resource exists but its configuration was not recorded (`ResourceNotRecorded`, or a
        /// null body on an existing resource): it cannot be judged.
        1 Unseen;
        /// A type no evaluator reads.
        2 Unwanted;
        /// Stored by an earlier edition, whose layout cannot tell what is judged now: nothing is known
        /// of the configuration until its inventory is delivered again.
        14 OlderLayout;
    }
    typed: {
        /// `AWS::EC2::SecurityGroup`
        3 SecurityGroup(SecurityGroup);
        /// `AWS::EC2::NetworkInterface`
        38 NetworkInterface(NetworkInterface);
        /// `AWS::EC2::Instance`
        5 Instance(Instance);
        /// `AWS::EC2::PrefixList`
        6 PrefixList(PrefixList);
        /// `AWS::EC2::SecurityGroupVpcAssociation`
        39 GroupAssociation(GroupAssociation);
        /// `AWS::ElasticLoadBalancingV2::LoadBalancer`
        36 LoadBalancer(LoadBalancer);
        /// `AWS::ElasticLoadBalancing::LoadBalancer`
        37 ClassicLoadBalancer(ClassicLoadBalancer);
        /// `AWS::ApiGateway::Stage`
        9 ApiStage(WafTarget);
        /// `AWS::CloudFront::Distribution`
        10 Distribution(WafTarget);
        /// `AWS::WAFv2::WebACL`
        11 WebAcl(WebAcl);
        /// `AWS::Shield::Protection` and `AWS::ShieldRegional::Protection`
        12 Protection(Protection);
        /// `AWS::Config::ConfigurationRecorder`
        13 Recorder(Recorder);
        /// `AWS::EC2::NetworkAcl`
        16 NetworkAcl(NetworkAcl);
        /// `AWS::EC2::VPC`
        18 Vpc(Vpc);
        /// `AWS::EC2::VPCPeeringConnection`
        19 PeeringConnection(PeeringConnection);
        /// `AWS::Route53Resolver::FirewallRuleGroupAssociation`
        20 DnsAssociation(DnsAssociation);
        /// `AWS::WAFRegional::WebACL` and `AWS::WAF::WebACL`
        21 ClassicAcl(ClassicAcl);
        /// `AWS::EC2::Subnet`
        30 Subnet(Subnet);
        /// `AWS::EC2::RouteTable`
        31 RouteTable(RouteTable);
        /// `AWS::EC2::InternetGateway`
        32 InternetGateway(InternetGateway);
        /// `AWS::EC2::VPCEndpoint`
        33 VpcEndpoint(VpcEndpoint);
        /// `AWS::NetworkFirewall::Firewall`
        34 NetworkFirewall(NetworkFirewall);
        /// `AWS::NetworkFirewall::FirewallPolicy`
        35 FirewallPolicy(FirewallPolicy);
    }
    former: {
        4 NetworkInterface(InterfaceOf4);
        7 LoadBalancer(BalancerOf7);
        8 ClassicLoadBalancer(ClassicOf8);
        15 GroupAssociation(AssociationOf15);
        17 Subnet(SubnetOf17);
    }
}

/// Reads a body by its number.
struct Numbered;

/// The number of a body; JSON, in which `check` lays items aside, has its name instead.
struct Number(u32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Number, D::Error> {
        struct NumberOrName;
        impl Visitor<'_> for NumberOrName {
            type Value = Number;

            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("the number or the name of a body")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Number, E> {
                u32::try_from(number).map(Number).map_err(E::custom)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Number, E> {
                let named = Body::NUMBERS.iter().find(|(_, name)| *name == text);
                named
                    .map(|(number, _)| Number(*number))
                    .ok_or_else(|| E::unknown_variant(text, Body::NAMES))
            }
        }
        from.deserialize_identifier(NumberOrName)
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Body, D::Error> {
        from.deserialize_enum("Body", Body::NAMES, Numbered)
    }
}

impl Body {
    /// Whether nothing is known of the configuration of a resource that exists.
    pub fn is_unseen(&self) -> bool {
        matches!(self, Body::Unseen | Body::OlderLayout)
    }
}

/// A security group and its rules.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct SecurityGroup {
    /// `groupName`, else the item's name; `default` marks the VPC's default group. Empty when
    /// neither is told, for no group has such a name.
    pub group_name: Box<str>,
    /// `vpcId`; empty where it was told that there is none, as in EC2-Classic, `None` where it was not
    /// told.
    pub vpc: Option<Box<str>>,
    /// `ownerId`, when present: a group of another account is not the shard's own (§10 row 28).
    pub owner: Option<AccountId>,
    /// `ipPermissions`
    pub ingress: Vec<Permission>,
    /// `ipPermissionsEgress`
    pub egress: Vec<Permission>,
    /// What of it the body does not tell.
    pub untold: UntoldOfGroup,
}

/// Members of a security group that a projection or a partial dump left out: not told is not none
/// (semantics §11 row 38).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct UntoldOfGroup {
    /// `ipPermissions` is absent, or a permission in it leaves out kinds of other ends.
    pub ingress: bool,
    /// The same of `ipPermissionsEgress`.
    pub egress: bool,
}

impl SecurityGroup {
    /// Whether some of its rules may not be told.
    pub fn has_untold_rules(&self) -> bool {
        self.untold.ingress || self.untold.egress
    }
}

/// A VPC.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Vpc {
    /// `ownerId`, when present: one of another account is shared with the shard's.
    pub owner: Option<AccountId>,
}

/// A peering of two VPCs.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PeeringConnection {
    /// `accepterVpcInfo`
    pub accepter: PeeringSide,
    /// `requesterVpcInfo`
    pub requester: PeeringSide,
    /// `status.code` is `active`; `None` when not told.
    pub active: Option<bool>,
}

/// One of the VPCs that a peering joins.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PeeringSide {
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `ownerId`
    pub owner: Option<AccountId>,
    /// `region`
    pub region: Option<Box<str>>,
}

/// One permission as recorded: a protocol and port range with any number of peers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Permission {
    /// `ipProtocol`, normalised to a number; `None` is `-1`, all protocols.
    /// Names tcp, udp, icmp, icmpv6 are 6, 17, 1, 58.
    pub protocol: Option<u8>,
    /// `fromPort`; for ICMP the type, -1 any. tcp and udp with -1 have 0 to 65535. `None` where the
    /// protocol has neither ports nor types, and in ICMP rules that older versions stored.
    pub from_port: Option<i32>,
    /// `toPort`; for ICMP the code, -1 any. `None` as for [`Permission::from_port`].
    pub to_port: Option<i32>,
    /// Union of `ipv4Ranges` and `ipRanges`, sorted, without repeats. Host bits are cleared.
    pub ipv4: Vec<Ipv4Net>,
    /// `ipv6Ranges`, sorted, without repeats.
    pub ipv6: Vec<Ipv6Net>,
    /// `prefixListIds[].prefixListId`, sorted, without repeats.
    pub prefix_lists: Vec<Box<str>>,
    /// `userIdGroupPairs[]` as (user id if any, group id), sorted, without repeats.
    pub groups: Vec<(Option<Box<str>>, Box<str>)>,
}

/// An EC2 instance.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Instance {
    /// `state.name`; `None` when not told.
    pub state: Option<Box<str>>,
    /// `vpcId`
    pub vpc: Option<Box<str>>,
    /// `securityGroups[].groupId`, sorted.
    pub groups: Vec<Box<str>>,
    /// `networkInterfaces[]`; `None` when the body does not tell them.
    pub interfaces: Option<Vec<InstanceInterface>>,
}

/// An interface as an instance's body lists it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct InstanceInterface {
    /// `networkInterfaceId`
    pub id: Box<str>,
    /// `groups[].groupId`, sorted; `None` when the body does not tell them.
    pub groups: Option<Vec<Box<str>>>,
    /// As [`NetworkInterface::device_index`]; 0 is the primary interface.
    pub device_index: Option<i32>,
}

/// A managed prefix list.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PrefixList {
    /// `PrefixListId`
    pub id: Box<str>,
    /// `Entries[].Cidr`; `None` when the body does not tell the entries.
    pub ipv4: Option<Vec<Ipv4Net>>,
    /// The IPv6 entries, likewise.
    pub ipv6: Option<Vec<Ipv6Net>>,
}

/// An API stage or a distribution: only its web ACL matters.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct WafTarget {
    /// `webAclArn` or `distributionConfig.webACLId`.
    pub web_acl: WafAssociation,
}

/// A WAFv2 web ACL.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct WebAcl {
    /// `ARN`
    pub arn: Box<str>,
    /// `Name`
    pub name: Box<str>,
    /// `ManagedByFirewallManager`; `None` when not told.
    pub managed_by_fms: Option<bool>,
    /// `RetrofittedByFirewallManager`; `None` when not told.
    pub retrofitted: Option<bool>,
    /// `PreProcessFirewallManagerRuleGroups`, in order; `None` when the body does not tell.
    pub pre_process: Option<Vec<WebAclRuleGroup>>,
    /// `PostProcessFirewallManagerRuleGroups`, in order; `None` when the body does not tell.
    pub post_process: Option<Vec<WebAclRuleGroup>>,
    /// `DefaultAction` is `Block` (else allow); `None` when not told.
    pub default_block: Option<bool>,
    /// Resources its relationships name, sorted: used only where a resource's own attribute is
    /// absent. `None` when the item does not tell its relationships.
    pub associated: Option<Vec<(ResourceType, Box<str>)>>,
}

/// A Shield Advanced protection.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Protection {
    /// `ResourceArn`: what is protected.
    pub resource_arn: Box<str>,
    /// Automatic application-layer response; a whole item that tells none has none.
    pub automatic_response: Option<AutomaticResponse>,
}

/// `ApplicationLayerAutomaticResponseConfig`
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AutomaticResponse {
    /// `Status` is `ENABLED`; `None` when not told.
    pub enabled: Option<bool>,
    /// The action is `Block` (else count), when told.
    pub block: Option<bool>,
}

/// An AWS Config recorder of a shard (semantics §11 row 36).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Recorder {
    /// `Recording`; a body without the key is a recorder that delivers, so it records.
    pub recording: bool,
    /// Which types it lists.
    pub group: RecordingGroup,
    /// `RecordingScope` is `INTERNAL`: it delivers to an AWS service alone.
    pub internal: bool,
}

impl Recorder {
    /// Begins the names of service-linked recorders; AWS Config keeps it for them.
    pub const SERVICE_LINKED: &str = "AWSConfigurationRecorderFor";
}

/// `RecordingGroup` of a recorder, in either letter case.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub enum RecordingGroup {
    /// `AllSupported`
    #[default]
    All,
    /// `ResourceTypes`, sorted.
    Only(Vec<ResourceType>),
    /// `ExclusionByResourceTypes.ResourceTypes`, sorted.
    AllBut(Vec<ResourceType>),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stores hold: to be added to, never to be altered.
    const STORED: [(u32, &str); 27] = [
        (0, "Deleted"),
        (1, "Unseen"),
        (2, "Unwanted"),
        (3, "SecurityGroup"),
        (5, "Instance"),
        (6, "PrefixList"),
        (9, "ApiStage"),
        (10, "Distribution"),
        (11, "WebAcl"),
        (12, "Protection"),
        (13, "Recorder"),
        (14, "OlderLayout"),
        (16, "NetworkAcl"),
        (18, "Vpc"),
        (19, "PeeringConnection"),
        (20, "DnsAssociation"),
        (21, "ClassicAcl"),
        (30, "Subnet"),
        (31, "RouteTable"),
        (32, "InternetGateway"),
        (33, "VpcEndpoint"),
        (34, "NetworkFirewall"),
        (35, "FirewallPolicy"),
        (36, "LoadBalancer"),
        (37, "ClassicLoadBalancer"),
        (38, "NetworkInterface"),
        (39, "GroupAssociation"),
    ];

    #[test]
    fn every_body_keeps_the_number_by_which_stores_hold_it() {
        let mut numbers = Body::NUMBERS.to_vec();
        numbers.sort_unstable();
        assert_eq!(numbers, STORED);
    }

    #[test]
    fn a_body_is_written_and_read_by_its_number() {
        let bodies = [
            (0, Body::Deleted),
            (1, Body::Unseen),
            (2, Body::Unwanted),
            (3, Body::SecurityGroup(SecurityGroup::default())),
            (38, Body::NetworkInterface(NetworkInterface::default())),
            (5, Body::Instance(Instance::default())),
            (6, Body::PrefixList(PrefixList::default())),
            (9, Body::ApiStage(WafTarget::default())),
            (10, Body::Distribution(WafTarget::default())),
            (11, Body::WebAcl(WebAcl::default())),
            (12, Body::Protection(Protection::default())),
            (13, Body::Recorder(Recorder::default())),
            (14, Body::OlderLayout),
            (39, Body::GroupAssociation(GroupAssociation::default())),
            (16, Body::NetworkAcl(NetworkAcl::default())),
            (18, Body::Vpc(Vpc::default())),
            (19, Body::PeeringConnection(PeeringConnection::default())),
            (20, Body::DnsAssociation(DnsAssociation::default())),
            (21, Body::ClassicAcl(ClassicAcl::default())),
            (30, Body::Subnet(Subnet::default())),
            (31, Body::RouteTable(RouteTable::default())),
            (32, Body::InternetGateway(InternetGateway::default())),
            (33, Body::VpcEndpoint(VpcEndpoint::default())),
            (34, Body::NetworkFirewall(NetworkFirewall::default())),
            (35, Body::FirewallPolicy(FirewallPolicy::default())),
            (36, Body::LoadBalancer(LoadBalancer::default())),
            (37, Body::ClassicLoadBalancer(ClassicLoadBalancer::default())),
        ];
        assert_eq!(bodies.len(), STORED.len());
        for (number, body) in bodies {
            let bytes = postcard::to_allocvec(&body).unwrap();
            assert_eq!(bytes[0], number, "{body:?}");
            assert_eq!(postcard::from_bytes(&bytes).as_ref(), Ok(&body));
            let text = serde_json::to_string(&body).unwrap();
            assert_eq!(serde_json::from_str::<Body>(&text).unwrap(), body, "{text}");
        }
        assert!(postcard::from_bytes::<Body>(&[99, 0, 0, 0]).is_err());
        assert!(serde_json::from_str::<Body>("\"Unheard\"").is_err());
    }

    /// What a store holds under number 17 tells neither the zone's id nor addresses.
    #[test]
    fn a_former_body_is_read_into_the_one_of_today() {
        let stored = [&[17, 1, 5][..], b"vpc-1", &[1, 10], b"us-east-1a", &[0]].concat();
        let subnet = Subnet {
            vpc: Some("vpc-1".into()),
            zone: Some("us-east-1a".into()),
            ..Subnet::default()
        };
        assert_eq!(postcard::from_bytes::<Body>(&stored), Ok(Body::Subnet(subnet)));
    }
}
