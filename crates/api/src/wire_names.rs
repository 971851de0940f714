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
        Core::WebAclConfigurationOrScopeOfUse => ViolationReason::WebAclConfigurationOrScopeOfUse,
    }
}
