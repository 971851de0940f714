//! Identifiers, each parsed once at the edge and trusted afterwards.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not the identifier it was taken for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{text}` is not {what}: {why}")]
pub struct IdentError {
    what: &'static str,
    text: String,
    why: &'static str,
}

/// Each identifier has this compiled for its own characters: rows of a store are read by the thousand.
#[inline]
fn checked(
    what: &'static str,
    text: &str,
    len_max: usize,
    allowed: impl Fn(char) -> bool,
) -> Result<(), IdentError> {
    let refuse = |why| Err(IdentError { what, text: text.chars().take(80).collect(), why });
    if text.is_empty() {
        return refuse("it is empty");
    }
    let is_plain = text.is_ascii();
    // There are never more units than bytes, so nearly always the bytes decide.
    if text.len() > len_max && text.encode_utf16().count() > len_max {
        return refuse("it is too long");
    }
    let is_allowed = match is_plain {
        true => text.bytes().all(|byte| allowed(char::from(byte))),
        false => text.chars().all(allowed),
    };
    if !is_allowed {
        return refuse("it holds a character that is not allowed");
    }
    Ok(())
}

macro_rules! ident {
    ($(#[$doc:meta])* $name:ident, $what:literal, $len_max:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The text as received.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdentError;
            fn try_from(text: &str) -> Result<Self, IdentError> {
                checked($what, text, $len_max, $allowed)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentError;
            fn try_from(text: String) -> Result<Self, IdentError> {
                checked($what, &text, $len_max, $allowed)?;
                Ok(Self(text.into()))
            }
        }

        impl From<$name> for String {
            fn from(ident: $name) -> String {
                ident.0.into()
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdentError;
            fn from_str(text: &str) -> Result<Self, IdentError> {
                Self::try_from(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn visible(c: char) -> bool {
    !c.is_control()
}

fn id36(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-'
}

ident! {
    /// An AWS account id. Opaque decimal text (leading zeros matter; 12 digits in practice, the
    /// model's `AWSAccountId` allows 1 to 1,024).
    AccountId, "an account id", 1024, |c| c.is_ascii_digit()
}
ident! {
    /// A Region code such as `eu-west-1`. Items whose Region is `global` are homed to
    /// [`Region::home_of_global`] when they are parsed (semantics §10 row 4).
    Region, "a Region", 64, |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}
ident! {
    /// The id AWS Config uses for a resource: an id, ARN, name or composite, depending on its type.
    ResourceId, "a resource id", 1024, visible
}
ident! {
    /// Names one policy for its whole life; never handed out again after a delete.
    /// 36 characters of `[a-z0-9A-Z-]` (model `PolicyId`).
    PolicyId, "a policy id", 36, id36
}
ident! {
    /// Names an applications or protocols list. 36 characters of `[a-z0-9A-Z-]` (model `ListId`).
    ListId, "a list id", 36, id36
}
ident! {
    /// Names a resource set. 22 characters of `[a-z0-9A-Z]` (model `Base62Id`).
    ResourceSetId, "a resource set id", 22, |c| c.is_ascii_alphanumeric()
}
ident! {
    /// Names a waiver for its whole life. 22 characters of `[a-z0-9A-Z]`.
    WaiverId, "a waiver id", 22, |c| c.is_ascii_alphanumeric()
}
ident! {
    /// An organizational unit id, `ou-…`. Opaque: organizations in test beds use their own forms.
    OuId, "an organizational unit id", 1024, visible
}

impl Region {
    /// The Region that `global` items belong to (semantics §10 row 4).
    pub const HOME_OF_GLOBAL: &'static str = "us-east-1";

    /// A Region that somebody names: its code has the form that AWS's have, such as `eu-west-1` or
    /// `us-gov-east-1`, so that a slip of the pen is told rather than found to hold nothing.
    /// Deliveries may tell of any.
    ///
    /// # Errors
    /// The text has another form.
    pub fn named(text: &str) -> Result<Region, IdentError> {
        let region = Region::try_from(text)?;
        let mut words = text.split('-');
        let area = words.next().unwrap_or_default();
        let number = words.next_back().unwrap_or_default();
        let letters =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
        let between: Vec<&str> = words.collect();
        // The European Sovereign Cloud's area is the one with four letters.
        let fits = (area.len() == 2 || area == "eusc")
            && letters(area)
            && (1..=2).contains(&between.len())
            && between.into_iter().all(letters)
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit());
        if fits {
            return Ok(region);
        }
        let why = "a Region has a code such as `eu-west-1`";
        Err(IdentError { what: "a Region", text: text.chars().take(80).collect(), why })
    }

    /// us-east-1, where `global` items live.
    pub fn home_of_global() -> Region {
        Region(Region::HOME_OF_GLOBAL.into())
    }
}

/// A resource type such as `AWS::EC2::SecurityGroup`: an open set, compared exactly once parsed. A
/// type that Palisade knows by name is read in any letter case (semantics §11 row 50).
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceType(Cow<'static, str>);

macro_rules! resource_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        impl ResourceType {
            $($(#[$doc])* pub const $name: ResourceType = ResourceType(Cow::Borrowed($text));)+

            /// Every type that some part of Palisade knows by name, ascending by text.
            pub const NAMED: &'static [ResourceType] = &[$(ResourceType::$name),+];
        }
    };
}

resource_types! {
    /// API Gateway stage (REST).
    API_GATEWAY_STAGE = "AWS::ApiGateway::Stage",
    /// CloudFront distribution, `global`.
    CLOUDFRONT_DISTRIBUTION = "AWS::CloudFront::Distribution",
    /// The AWS Config recorder's own item: tells which types are recorded.
    CONFIGURATION_RECORDER = "AWS::Config::ConfigurationRecorder",
    /// Elastic IP address.
    EIP = "AWS::EC2::EIP",
    /// EC2 instance.
    INSTANCE = "AWS::EC2::Instance",
    /// Internet gateway.
    INTERNET_GATEWAY = "AWS::EC2::InternetGateway",
    /// Network ACL.
    NETWORK_ACL = "AWS::EC2::NetworkAcl",
    /// Elastic network interface.
    NETWORK_INTERFACE = "AWS::EC2::NetworkInterface",
    /// Managed prefix list with its entries.
    PREFIX_LIST = "AWS::EC2::PrefixList",
    /// Route table.
    ROUTE_TABLE = "AWS::EC2::RouteTable",
    /// Security group.
    SECURITY_GROUP = "AWS::EC2::SecurityGroup",
    /// Association of a security group with a VPC that is not its own.
    SECURITY_GROUP_VPC_ASSOCIATION = "AWS::EC2::SecurityGroupVpcAssociation",
    /// Subnet.
    SUBNET = "AWS::EC2::Subnet",
    /// VPC.
    VPC = "AWS::EC2::VPC",
    /// VPC endpoint.
    VPC_ENDPOINT = "AWS::EC2::VPCEndpoint",
    /// Peering of two VPCs.
    VPC_PEERING_CONNECTION = "AWS::EC2::VPCPeeringConnection",
    /// Classic load balancer.
    CLASSIC_LOAD_BALANCER = "AWS::ElasticLoadBalancing::LoadBalancer",
    /// Application, network or gateway load balancer.
    LOAD_BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer",
    /// Network Firewall firewall.
    NETWORK_FIREWALL = "AWS::NetworkFirewall::Firewall",
    /// Network Firewall policy.
    NETWORK_FIREWALL_POLICY = "AWS::NetworkFirewall::FirewallPolicy",
    /// Network Firewall rule group.
    NETWORK_FIREWALL_RULE_GROUP = "AWS::NetworkFirewall::RuleGroup",
    /// DNS Firewall rule group association.
    DNS_FIREWALL_ASSOCIATION = "AWS::Route53Resolver::FirewallRuleGroupAssociation",
    /// Shield Advanced protection, recorded as global.
    SHIELD_PROTECTION = "AWS::Shield::Protection",
    /// Shield Advanced protection, recorded in a Region.
    SHIELD_REGIONAL_PROTECTION = "AWS::ShieldRegional::Protection",
    /// WAF Classic web ACL, global.
    WAF_WEB_ACL = "AWS::WAF::WebACL",
    /// WAF Classic web ACL, regional.
    WAF_REGIONAL_WEB_ACL = "AWS::WAFRegional::WebACL",
    /// WAFv2 web ACL.
    WAFV2_WEB_ACL = "AWS::WAFv2::WebACL",
}

impl ResourceType {
    /// The text as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ResourceType {
    /// The type of this name in any letter case, of [`ResourceType::NAMED`].
    fn named(text: &str) -> Option<&'static ResourceType> {
        let exact = ResourceType::NAMED.binary_search_by(|named| named.as_str().cmp(text));
        // NAMED ascends without regard to case as well.
        let found = exact.or_else(|_| {
            ResourceType::NAMED.binary_search_by(|named| caseless(named.as_str(), text))
        });
        ResourceType::NAMED.get(found.ok()?)
    }
}

/// The order of two texts without regard to the case of ASCII letters.
fn caseless(one: &str, other: &str) -> Ordering {
    let lower = u8::to_ascii_lowercase;
    one.as_bytes().iter().map(lower).cmp(other.as_bytes().iter().map(lower))
}

impl Borrow<str> for ResourceType {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<&str> for ResourceType {
    type Error = IdentError;
    fn try_from(text: &str) -> Result<Self, IdentError> {
        if let Some(named) = ResourceType::named(text) {
            return Ok(named.clone());
        }
        checked("a resource type", text, 256, visible)?;
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

impl TryFrom<String> for ResourceType {
    type Error = IdentError;
    fn try_from(text: String) -> Result<Self, IdentError> {
        Self::try_from(text.as_str())
    }
}

impl From<ResourceType> for String {
    fn from(resource_type: ResourceType) -> String {
        resource_type.0.into_owned()
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The (account, Region) that owns a shard: the unit of loading, judging and leasing.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct ShardId {
    /// The account whose resources these are.
    pub account: AccountId,
    /// Their Region; `global` items are homed to us-east-1.
    pub region: Region,
}

/// `SecurityServiceType` of the model: the eleven types of policy.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum PolicyType {
    Waf,
    Wafv2,
    ShieldAdvanced,
    SecurityGroupsCommon,
    SecurityGroupsContentAudit,
    SecurityGroupsUsageAudit,
    NetworkFirewall,
    DnsFirewall,
    ThirdPartyFirewall,
    ImportNetworkFirewall,
    NetworkAclCommon,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_types_are_ascending_so_that_lookup_finds_each() {
        assert!(ResourceType::NAMED.windows(2).all(|pair| pair[0].as_str() < pair[1].as_str()));
        for named in ResourceType::NAMED {
            let parsed = ResourceType::try_from(named.as_str()).unwrap();
            assert!(matches!(parsed.0, Cow::Borrowed(_)), "{named} is found by name");
        }
    }

    #[test]
    fn named_types_are_found_in_any_letter_case_and_others_are_kept_as_they_are() {
        let pairs = ResourceType::NAMED.windows(2);
        let ascend = |pair: &[ResourceType]| caseless(pair[0].as_str(), pair[1].as_str()).is_lt();
        assert!(pairs.into_iter().all(ascend));
        for named in ResourceType::NAMED {
            for text in [named.as_str().to_ascii_uppercase(), named.as_str().to_ascii_lowercase()] {
                assert_eq!(ResourceType::try_from(text.as_str()).unwrap(), *named);
                assert_eq!(serde_json::from_value::<ResourceType>(text.into()).unwrap(), *named);
            }
        }
        for other in ["AWS::EC2::SecurityGroups", "AWS::EC2::SECURITYGROU", "AWS::LAMBDA::FUNCTION"]
        {
            assert_eq!(ResourceType::try_from(other).unwrap().as_str(), other);
        }
    }

    #[test]
    fn a_region_that_is_named_has_the_form_of_awss() {
        for text in [
            "eu-west-1",
            "us-gov-east-1",
            "us-iso-east-1",
            "cn-northwest-1",
            "ap-south-12",
            "eusc-de-east-1",
        ] {
            assert_eq!(Region::named(text).unwrap().as_str(), text);
        }
        for text in [
            "mars",
            "eu-west",
            "eu-west-",
            "euw-west-1",
            "e-west-1",
            "eu-1",
            "eu-a-b-c-1",
            "EU-west-1",
            "euro-de-east-1",
        ] {
            assert!(Region::named(text).is_err(), "{text}");
        }
        assert_eq!(
            Region::named("mars").unwrap_err().to_string(),
            "`mars` is not a Region: a Region has a code such as `eu-west-1`"
        );
    }

    #[test]
    fn lengths_are_checked_at_the_edge() {
        let at = |n: usize| AccountId::try_from("1".repeat(n).as_str());
        assert!(at(0).is_err());
        assert!(at(1024).is_ok());
        assert!(at(1025).is_err());
        assert_eq!(
            AccountId::try_from("12a").unwrap_err().to_string(),
            "`12a` is not an account id: it holds a character that is not allowed"
        );
    }
}
