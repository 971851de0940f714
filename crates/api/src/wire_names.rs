//! core's words as the wire's.

use palisade_core::evaluate::{self, DependentService};
use palisade_wire::shapes::{DependentServiceName, ViolationReason};

/// core's word for a service as the wire's.
pub fn service_name(service: DependentService) -> DependentServiceName {
    match service {
        DependentService::Config => DependentServiceName::Awsconfig,
        DependentService::Waf => DependentServiceName::Awswaf,
        DependentService::ShieldAdvanced => DependentServiceName::AwsshieldAdvanced,
        DependentService::Vpc => DependentServiceName::Awsvpc,
    }
}

/// core's word for a reason as the wire's.
pub fn reason(reason: evaluate::ViolationReason) -> ViolationReason {
    use evaluate::ViolationReason as Core;
    match reason {
        Core::WebAclMissingRuleGroup => ViolationReason::WebAclMissingRuleGroup,
        Core::ResourceMissingWebAcl => ViolationReason::ResourceMissingWebAcl,
        Core::ResourceIncorrectWebAcl => ViolationReason::ResourceIncorrectWebAcl,
        Core::ResourceMissingShieldProtection => ViolationReason::ResourceMissingShieldProtection,
        Core::ResourceMissingWebAclOrShieldProtection => {
            ViolationReason::ResourceMissingWebAclOrShieldProtection
        }
        Core::ResourceMissingSecurityGroup => ViolationReason::ResourceMissingSecurityGroup,
        Core::ResourceViolatesAuditSecurityGroup => {
            ViolationReason::ResourceViolatesAuditSecurityGroup
        }
        Core::SecurityGroupUnused => ViolationReason::SecurityGroupUnused,
        Core::SecurityGroupRedundant => ViolationReason::SecurityGroupRedundant,
        Core::FmsCreatedSecurityGroupEdited => ViolationReason::FmsCreatedSecurityGroupEdited,
        Core::MissingFirewall => ViolationReason::MissingFirewall,
        Core::MissingFirewallSubnetInAz => ViolationReason::MissingFirewallSubnetInAz,
        Core::MissingExpectedRouteTable => ViolationReason::MissingExpectedRouteTable,
        Core::NetworkFirewallPolicyModified => ViolationReason::NetworkFirewallPolicyModified,
        Core::FirewallSubnetIsOutOfScope => ViolationReason::FirewallSubnetIsOutOfScope,
        Core::InternetGatewayMissingExpectedRoute => {
            ViolationReason::InternetGatewayMissingExpectedRoute
        }
        Core::FirewallSubnetMissingExpectedRoute => {
            ViolationReason::FirewallSubnetMissingExpectedRoute
        }
        Core::UnexpectedFirewallRoutes => ViolationReason::UnexpectedFirewallRoutes,
        Core::UnexpectedTargetGatewayRoutes => ViolationReason::UnexpectedTargetGatewayRoutes,
        Core::TrafficInspectionCrossesAzBoundary => {
            ViolationReason::TrafficInspectionCrossesAzBoundary
        }
        Core::InvalidRouteConfiguration => ViolationReason::InvalidRouteConfiguration,
        Core::MissingTargetGateway => ViolationReason::MissingTargetGateway,
        Core::InternetTrafficNotInspected => ViolationReason::InternetTrafficNotInspected,
        Core::BlackHoleRouteDetected => ViolationReason::BlackHoleRouteDetected,
        Core::BlackHoleRouteDetectedInFirewallSubnet => {
            ViolationReason::BlackHoleRouteDetectedInFirewallSubnet
        }
        Core::ResourceMissingDnsFirewall => ViolationReason::ResourceMissingDnsFirewall,
        Core::RouteHasOutOfScopeEndpoint => ViolationReason::RouteHasOutOfScopeEndpoint,
        Core::FirewallSubnetMissingVpceEndpoint => {
            ViolationReason::FirewallSubnetMissingVpceEndpoint
        }
        Core::InvalidNetworkAclEntry => ViolationReason::InvalidNetworkAclEntry,
        Core::WebAclConfigurationOrScopeOfUse => ViolationReason::WebAclConfigurationOrScopeOfUse,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_of_the_model_is_one_of_cores_by_the_same_name() {
        for wanted in ViolationReason::ALL {
            let text = serde_json::to_string(wanted).unwrap();
            let known: evaluate::ViolationReason = serde_json::from_str(&text).unwrap();
            assert_eq!(reason(known), *wanted, "{text}");
        }
    }
}
