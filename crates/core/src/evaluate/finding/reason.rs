//! Why a resource breaks a policy, in the model's words.

use serde::{Deserialize, Serialize};

/// `ViolationReason` of the model.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs)]
pub enum ViolationReason {
    WebAclMissingRuleGroup,
    ResourceMissingWebAcl,
    ResourceIncorrectWebAcl,
    ResourceMissingShieldProtection,
    ResourceMissingWebAclOrShieldProtection,
    ResourceMissingSecurityGroup,
    ResourceViolatesAuditSecurityGroup,
    SecurityGroupUnused,
    SecurityGroupRedundant,
    FmsCreatedSecurityGroupEdited,
    MissingFirewall,
    MissingFirewallSubnetInAz,
    MissingExpectedRouteTable,
    NetworkFirewallPolicyModified,
    FirewallSubnetIsOutOfScope,
    InternetGatewayMissingExpectedRoute,
    FirewallSubnetMissingExpectedRoute,
    UnexpectedFirewallRoutes,
    UnexpectedTargetGatewayRoutes,
    TrafficInspectionCrossesAzBoundary,
    InvalidRouteConfiguration,
    MissingTargetGateway,
    InternetTrafficNotInspected,
    BlackHoleRouteDetected,
    BlackHoleRouteDetectedInFirewallSubnet,
    ResourceMissingDnsFirewall,
    RouteHasOutOfScopeEndpoint,
    FirewallSubnetMissingVpceEndpoint,
    InvalidNetworkAclEntry,
    WebAclConfigurationOrScopeOfUse,
}

/// What a family found, with the reason that AWS gives for it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reasoned<F> {
    /// `ViolationReason`
    pub reason: ViolationReason,
    /// What was found.
    pub finding: F,
}
