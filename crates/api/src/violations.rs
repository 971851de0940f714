//! `GetViolationDetails`: why one resource violates a policy and what would end that (semantics
//! §3.6, §3.7), from what the ledger keeps as evidence. Nothing is executed.

use std::collections::BTreeSet;

use palisade_core::evaluate::{
    Fact, Finding, NarrowPeer, NarrowRule, NearMiss, Reference, RuleAction, RuleRemedy, Violation,
};
use palisade_core::ident::{AccountId, ResourceId, ResourceType, ShardId};
use palisade_core::ledger::ViolatorRow;
use palisade_store::{PolicyRecord, Store, StoreError};
use palisade_wire::shapes::{
    AwsEc2InstanceViolation, AwsEc2NetworkInterfaceViolation, AwsVPCSecurityGroupViolation,
    GetViolationDetailsRequest, GetViolationDetailsResponse, PartialMatch, RemediationActionType,
    ResourceViolation, SecurityGroupRemediationAction, SecurityGroupRuleDescription, Tag,
    ViolationDetail, WebACLHasIncompatibleConfigurationViolation,
    WebACLHasOutOfScopeResourcesViolation,
};
use palisade_wire::{ErrorKind, Fault};

use crate::call::Call;
use crate::compliance::judged;
use crate::fault::internal;

/// Types of resource that have details (model `GetViolationDetailsRequest`, developer guide).
const TYPES: &[ResourceType] = &[
    ResourceType::INSTANCE,
    ResourceType::INTERNET_GATEWAY,
    ResourceType::NETWORK_INTERFACE,
    ResourceType::SECURITY_GROUP,
    ResourceType::SUBNET,
    ResourceType::VPC,
    ResourceType::NETWORK_FIREWALL_POLICY,
    ResourceType::WAFV2_WEB_ACL,
];
/// Characters of a description (model `LengthBoundedString`, `ViolationTarget`).
const TEXT_LEN_MAX: usize = 1024;

/// `GetViolationDetails`
///
/// # Errors
/// InvalidInputException for a type of resource or policy without details and for an account
/// outside the organization, ResourceNotFoundException for a policy that is not the caller's in
/// this Region and for a resource that does not violate it.
pub fn details(
    call: &Call<'_>,
    input: GetViolationDetailsRequest,
) -> Result<GetViolationDetailsResponse, Fault> {
    let reading = call.read()?;
    let (standing, view) = (&reading.standing, &reading.view);
    let record = judged(&reading, &input.policy_id)?;
    let resource_type = detailed_type(call, record, &input.resource_type)?;
    let account = AccountId::try_from(input.member_account.as_str())
        .ok()
        .filter(|account| view.manages(&standing.account, account))
        .ok_or_else(|| {
            call.bad_input(format!("account `{}` is not in the organization", input.member_account))
        })?;
    let known = match ResourceId::try_from(input.resource_id.as_str()) {
        Ok(id) if view.in_scope(&record.id).binary_search(&account).is_ok() => {
            let resource = (resource_type, id);
            call.app.store.violator(&record.id, &account, &resource).map_err(internal)?
        }
        _ => None,
    };
    let row = known.ok_or_else(|| {
        Fault::new(
            ErrorKind::ResourceNotFound,
            format!(
                "resource `{}` of type `{}` in account `{account}` is not known to violate policy `{}`",
                input.resource_id, input.resource_type, record.id
            ),
        )
    })?;
    let shard = ShardId { account: account.clone(), region: standing.region.clone() };
    let detail = ViolationDetail {
        policy_id: record.id.to_string(),
        member_account: account.to_string(),
        resource_id: row.id.to_string(),
        resource_type: row.resource_type.to_string(),
        resource_violations: row.violations.iter().map(|found| violation(&row, found)).collect(),
        resource_tags: tags(&*call.app.store, &shard, &row).map_err(internal)?,
        // The model's list of a violation may be cut; here it says by how much. Of groups on an interface
        // or instance the model has ids alone; here are their rules, and owners (semantics §11 row 51).
        resource_description: row.violations.first().map(|found| bounded(&found.finding.summary())),
    };
    Ok(GetViolationDetailsResponse { violation_detail: Some(detail) })
}

/// The tags that the inventory tells of a violator now; none where it is not held any more or what
/// is held cannot be read, for the violation stands without them.
fn tags(
    store: &dyn Store,
    shard: &ShardId,
    row: &ViolatorRow,
) -> Result<Option<Vec<Tag>>, StoreError> {
    let reference = Reference::Item {
        account: shard.account.clone(),
        region: shard.region.clone(),
        resource_type: row.resource_type.clone(),
        id: row.id.clone(),
    };
    let wanted = BTreeSet::from([reference]);
    let loaded = match store.load_types(shard, &wanted, &[], &BTreeSet::new()) {
        Err(StoreError::Damaged { .. }) => return Ok(None),
        loaded => loaded?,
    };
    let facts = loaded.references.values().next().cloned();
    Ok(facts.and_then(|fact| match fact {
        Fact::Item(item) => {
            item.latest_tags().map(|tags| tags.iter().map(|(key, value)| tag(key, value)).collect())
        }
        Fact::Apps(_) | Fact::Protocols(_) | Fact::Policies(_) => None,
    }))
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

fn detailed_type(
    call: &Call<'_>,
    record: &PolicyRecord,
    resource_type: &str,
) -> Result<ResourceType, Fault> {
    let policy_type = record.document.policy_type().map_err(internal)?;
    if !policy_type.facts().has_details {
        return Err(call.bad_input(format!(
            "policies of type {} have no violation details; ask GetComplianceDetail",
            policy_type.as_str()
        )));
    }
    TYPES.iter().find(|known| known.as_str() == resource_type).cloned().ok_or_else(|| {
        let known: Vec<&str> = TYPES.iter().map(ResourceType::as_str).collect();
        call.bad_input(format!(
            "resources of type `{resource_type}` have no violation details; those of these types have: {}",
            known.join(", ")
        ))
    })
}

/// One element of the answer: exactly one of its members is set.
fn violation(row: &ViolatorRow, found: &Violation) -> ResourceViolation {
    let empty = ResourceViolation::default();
    match &found.finding {
        Finding::AttachedGroups { interfaces, .. }
            if row.resource_type == ResourceType::INSTANCE =>
        {
            let interfaces = interfaces.iter().map(|(id, groups)| interface(id, groups));
            let violation = AwsEc2InstanceViolation {
                violation_target: Some(row.id.to_string()),
                aws_ec2_network_interface_violations: Some(interfaces.collect()),
            };
            ResourceViolation { aws_ec2_instance_violation: Some(violation), ..empty }
        }
        Finding::AttachedGroups { interfaces, .. } => {
            let mut groups: Vec<Box<str>> = Vec::new();
            for group in interfaces.iter().flat_map(|(_, groups)| groups) {
                if !groups.contains(group) {
                    groups.push(group.clone());
                }
            }
            let violation = interface(row.id.as_str(), &groups);
            ResourceViolation { aws_ec2_network_interface_violation: Some(violation), ..empty }
        }
        Finding::SecurityGroupRule { rule, near_misses, remedies, .. } => {
            let violation = AwsVPCSecurityGroupViolation {
                violation_target: Some(bounded(rule)),
                violation_target_description: Some(bounded(&found.finding.summary())),
                partial_matches: unless_empty(near_misses.iter().map(partial_match)),
                possible_security_group_remediation_actions: unless_empty(
                    remedies.iter().map(remedy),
                ),
            };
            ResourceViolation { aws_vpc_security_group_violation: Some(violation), ..empty }
        }
        Finding::WebAclOutOfScopeUse { web_acl, resources, .. } => {
            let violation = WebACLHasOutOfScopeResourcesViolation {
                web_acl_arn: Some(web_acl.to_string()),
                out_of_scope_resource_list: Some(resources.iter().map(Box::to_string).collect()),
            };
            ResourceViolation {
                web_acl_has_out_of_scope_resources_violation: Some(violation),
                ..empty
            }
        }
        // A web ACL that cannot be retrofitted; other findings have no member of the model yet.
        other => {
            let violation = WebACLHasIncompatibleConfigurationViolation {
                web_acl_arn: Some(row.id.to_string()),
                description: Some(bounded(&other.summary())),
            };
            match row.resource_type == ResourceType::WAFV2_WEB_ACL {
                true => ResourceViolation {
                    web_acl_has_incompatible_configuration_violation: Some(violation),
                    ..empty
                },
                false => empty,
            }
        }
    }
}

fn interface(id: &str, groups: &[Box<str>]) -> AwsEc2NetworkInterfaceViolation {
    AwsEc2NetworkInterfaceViolation {
        violation_target: Some(id.to_owned()),
        violating_security_groups: Some(groups.iter().map(|group| group.to_string()).collect()),
    }
}

/// A list that has nothing is left out (semantics §3.7: blank where no remedy is safe).
fn unless_empty<T>(items: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let items: Vec<T> = items.collect();
    (!items.is_empty()).then_some(items)
}

fn partial_match(near: &NearMiss) -> PartialMatch {
    let reasons = near.reasons.iter().map(|reason| reason.as_str().to_owned());
    PartialMatch {
        reference: Some(near.rule.to_string()),
        target_violation_reasons: Some(reasons.collect()),
    }
}

fn remedy(remedy: &RuleRemedy) -> SecurityGroupRemediationAction {
    let (action, result) = match &remedy.action {
        RuleAction::Remove => (RemediationActionType::Remove, None),
        RuleAction::Modify(narrow) => (RemediationActionType::Modify, Some(described(narrow))),
    };
    SecurityGroupRemediationAction {
        remediation_action_type: Some(action),
        description: Some(bounded(&remedy.summary())),
        remediation_result: result,
        is_default_action: Some(remedy.is_default),
    }
}

fn described(narrow: &NarrowRule) -> SecurityGroupRuleDescription {
    let mut rule = SecurityGroupRuleDescription {
        protocol: Some(narrow.protocol.to_string()),
        from_port: narrow.from_port.map(i64::from),
        to_port: narrow.to_port.map(i64::from),
        ..SecurityGroupRuleDescription::default()
    };
    match &narrow.peer {
        NarrowPeer::Ipv4(range) => rule.ipv4_range = Some(range.to_string()),
        NarrowPeer::Ipv6(range) => rule.ipv6_range = Some(range.to_string()),
        NarrowPeer::PrefixList(id) => rule.prefix_list_id = Some(id.to_string()),
    }
    rule
}

fn bounded(text: &str) -> String {
    text.chars().take(TEXT_LEN_MAX).collect()
}

#[cfg(test)]
mod tests;
