//! `SECURITY_GROUPS_CONTENT_AUDIT`: what rules of security groups may say (semantics §5.5).

use crate::ident::{ListId, ResourceId};

/// A content audit: an audit group (custom mode), managed options, or managed options with the
/// audit group as override.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContentAudit {
    /// Audit groups of the administrator's account, with the action; none without `securityGroups`.
    pub audit: Option<AuditGroups>,
    /// `preManagedOptions`; `None` in custom mode.
    pub managed: Option<ManagedOptions>,
}

/// `securityGroups` with `securityGroupAction`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AuditGroups {
    /// Group ids, owned by the policy's administrator in the policy's Region.
    pub ids: Vec<ResourceId>,
    /// ALLOW or DENY.
    pub action: AuditAction,
}

/// `securityGroupAction.type`
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AuditAction {
    /// A rule complies when it lies inside one audit rule.
    Allow,
    /// A rule violates when it overlaps an audit rule.
    Deny,
}

/// `preManagedOptions`, all elements joined.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ManagedOptions {
    /// `auditSgDirection`
    pub direction: AuditDirection,
    /// `denyProtocolAllValue`
    pub deny_protocol_all: bool,
    /// `allowedProtocolsLists`
    pub allowed_protocols: Option<ListReference>,
    /// `allowedPortCountPerSgRule`
    pub port_count_max: Option<u32>,
    /// `minIpv4CidrPrefixLenPerSgRule`, 0–32.
    pub ipv4_prefix_len_min: Option<u8>,
    /// `minIpv6CidrPrefixLenPerSgRule`, 0–128.
    pub ipv6_prefix_len_min: Option<u8>,
    /// `allowedPublicAccessAppLists`
    pub allowed_public_apps: Option<ListReference>,
    /// `deniedPublicAccessAppLists`
    pub denied_public_apps: Option<ListReference>,
}

/// `auditSgDirection.type`: which rules are audited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AuditDirection {
    /// Both.
    #[default]
    All,
    /// Ingress alone.
    Ingress,
    /// Egress alone.
    Egress,
}

/// `{customListIds, defaultListId, defaultListVersion}`
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ListReference {
    /// Custom lists of the policy's administrator in the policy's Region.
    pub custom: Vec<ListId>,
    /// An AWS-managed list with the pinned version, if any.
    pub default: Option<(ListId, Option<Box<str>>)>,
}
