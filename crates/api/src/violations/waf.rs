//! Web ACLs, as details tell them: of those that cannot be retrofitted. What a resource has instead of
//! the policy's web ACL the model has no member for.

use palisade_core::evaluate::WafFinding;
use palisade_core::ident::ResourceType;
use palisade_core::ledger::ViolatorRow;
use palisade_wire::shapes::{
    ResourceViolation, WebACLHasIncompatibleConfigurationViolation,
    WebACLHasOutOfScopeResourcesViolation,
};

use super::text::bounded;

/// The member of a web ACL that breaks a policy itself.
pub fn violation(row: &ViolatorRow, finding: &WafFinding) -> Option<ResourceViolation> {
    match finding {
        WafFinding::WebAcl { .. } if row.resource_type != ResourceType::WAFV2_WEB_ACL => None,
        WafFinding::WebAcl { .. } => Some(ResourceViolation {
            web_acl_has_incompatible_configuration_violation: Some(
                WebACLHasIncompatibleConfigurationViolation {
                    web_acl_arn: Some(row.id.to_string()),
                    description: Some(bounded(&finding.summary())),
                },
            ),
            ..ResourceViolation::default()
        }),
        WafFinding::WebAclOutOfScopeUse { web_acl, resources, .. } => Some(ResourceViolation {
            web_acl_has_out_of_scope_resources_violation: Some(
                WebACLHasOutOfScopeResourcesViolation {
                    web_acl_arn: Some(web_acl.to_string()),
                    out_of_scope_resource_list: Some(
                        resources.iter().map(Box::to_string).collect(),
                    ),
                },
            ),
            ..ResourceViolation::default()
        }),
    }
}
