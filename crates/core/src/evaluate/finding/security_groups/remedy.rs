//! What would end a violation of a rule of a security group, and what the rule came near to, as
//! data: nothing here is executed (semantics §3.6, §3.7, §5.5).

use serde::{Deserialize, Serialize};

/// A rule of an audit group that a violating rule meets in part.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The audit group.
    pub group: Box<str>,
    /// Its rule, as text.
    pub rule: Box<str>,
    /// In what the violating rule goes beyond it; ascending, never empty.
    pub reasons: Vec<Mismatch>,
}

/// In what one rule goes beyond another: a `TargetViolationReason` of the model.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Mismatch {
    /// It points the other way.
    #[serde(rename = "DirectionMismatch")]
    Direction,
    /// Another protocol, or all of them.
    #[serde(rename = "ProtocolMismatch")]
    Protocol,
    /// Ports, or ICMP types and codes, that the other has not.
    #[serde(rename = "PortRangeMismatch")]
    Ports,
    /// Addresses that the other has not.
    #[serde(rename = "CidrMismatch")]
    Cidr,
    /// The two name other kinds of peers, so that there are no addresses to compare.
    #[serde(rename = "NoAvailableCidr")]
    Peer,
}

impl Mismatch {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Mismatch::Direction => "DirectionMismatch",
            Mismatch::Protocol => "ProtocolMismatch",
            Mismatch::Ports => "PortRangeMismatch",
            Mismatch::Cidr => "CidrMismatch",
            Mismatch::Peer => "NoAvailableCidr",
        }
    }
}

/// One way to end a violation. Of a violation's remedies the first is the default one.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleRemedy {
    /// What to do with the rule.
    pub action: RuleAction,
    /// Whether it is what remediation would do.
    pub is_default: bool,
}

/// What to do with a rule of a security group: a `RemediationActionType` of the model.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RuleAction {
    /// Take it out of the group.
    Remove,
    /// Put this narrower one in its place.
    Modify(NarrowRule),
}

/// What a rule would be after it was narrowed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NarrowRule {
    /// As text, as violating rules are told.
    pub rule: Box<str>,
    /// As AWS writes it: `tcp`, `udp`, `icmp`, `icmpv6`, a number, or `-1` for all.
    pub protocol: Box<str>,
    /// The first port, or the ICMP type; `None` when every one is open.
    pub from_port: Option<u16>,
    /// The last port, or the ICMP code; likewise.
    pub to_port: Option<u16>,
    /// The other end.
    pub peer: NarrowPeer,
}

/// The one peer of a narrowed rule.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum NarrowPeer {
    /// A range of IPv4 addresses.
    Ipv4(Box<str>),
    /// A range of IPv6 addresses.
    Ipv6(Box<str>),
    /// A prefix list, by id.
    PrefixList(Box<str>),
}

impl RuleRemedy {
    /// What is to be done, in one sentence without its full stop.
    pub fn summary(&self) -> String {
        match &self.action {
            RuleAction::Remove => "remove the rule".to_owned(),
            RuleAction::Modify(narrow) => format!("replace the rule by `{}`", narrow.rule),
        }
    }
}
