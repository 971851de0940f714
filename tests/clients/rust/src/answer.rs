//! Results of a call: the SDK's types to JSON. Absent members are null, times epoch seconds.

use std::collections::HashMap;

use aws_sdk_fms::primitives::DateTime;
use aws_sdk_fms::types::{
    App, AppsListData, AppsListDataSummary, ComplianceViolator, CustomerPolicyScopeIdType,
    DependentServiceName, EvaluationResult, Policy, PolicyComplianceDetail, PolicyComplianceStatus,
    PolicySummary, ProtocolsListData, ProtocolsListDataSummary, ResourceTag,
    SecurityServicePolicyData, Tag,
};
use serde_json::{Map, Value, json};

/// Each element of a list, if there is a list.
pub fn each<T>(list: Option<Vec<T>>, show: impl Fn(T) -> Value) -> Option<Vec<Value>> {
    list.map(|list| list.into_iter().map(show).collect())
}

fn seconds(time: Option<DateTime>) -> Option<f64> {
    time.map(|time| time.as_secs_f64())
}

fn scope(map: Option<HashMap<CustomerPolicyScopeIdType, Vec<String>>>) -> Option<Value> {
    map.map(|map| map.into_iter().map(|(kind, ids)| (kind.to_string(), json!(ids))).collect())
}

fn issues(map: Option<HashMap<DependentServiceName, String>>) -> Option<Value> {
    map.map(|map| map.into_iter().map(|(name, text)| (name.to_string(), json!(text))).collect())
}

/// A Tag.
pub fn tag(tag: Tag) -> Value {
    json!({ "Key": tag.key, "Value": tag.value })
}

fn resource_tag(tag: ResourceTag) -> Value {
    json!({ "Key": tag.key, "Value": tag.value })
}

fn service_data(data: SecurityServicePolicyData) -> Value {
    // Shown so that a comparison fails rather than passes over what this client cannot read.
    let option = data.policy_option.map(|option| format!("{option:?}"));
    json!({ "Type": data.r#type.as_str(), "ManagedServiceData": data.managed_service_data,
            "PolicyOption": option })
}

/// A Policy.
pub fn policy(policy: Policy) -> Value {
    // The SDK shows an absent member as false here, and does not send a false one either.
    let delete_unused = policy.delete_unused_fm_managed_resources.then_some(true);
    json!({
        "PolicyId": policy.policy_id,
        "PolicyName": policy.policy_name,
        "PolicyUpdateToken": policy.policy_update_token,
        "SecurityServicePolicyData": policy.security_service_policy_data.map(service_data),
        "ResourceType": policy.resource_type,
        "ResourceTypeList": policy.resource_type_list,
        "ResourceTags": each(policy.resource_tags, resource_tag),
        "ExcludeResourceTags": policy.exclude_resource_tags,
        "RemediationEnabled": policy.remediation_enabled,
        "DeleteUnusedFMManagedResources": delete_unused,
        "IncludeMap": scope(policy.include_map),
        "ExcludeMap": scope(policy.exclude_map),
        "ResourceSetIds": policy.resource_set_ids,
        "PolicyDescription": policy.policy_description,
        "PolicyStatus": policy.policy_status.map(|status| status.to_string()),
        "ResourceTagLogicalOperator":
            policy.resource_tag_logical_operator.map(|operator| operator.to_string()),
    })
}

/// A PolicySummary.
pub fn policy_summary(summary: PolicySummary) -> Value {
    json!({
        "PolicyArn": summary.policy_arn,
        "PolicyId": summary.policy_id,
        "PolicyName": summary.policy_name,
        "ResourceType": summary.resource_type,
        "SecurityServiceType": summary.security_service_type.map(|kind| kind.to_string()),
        "RemediationEnabled": summary.remediation_enabled,
        "DeleteUnusedFMManagedResources": summary.delete_unused_fm_managed_resources,
        "PolicyStatus": summary.policy_status.map(|status| status.to_string()),
    })
}

fn evaluation(result: EvaluationResult) -> Value {
    json!({
        "ComplianceStatus": result.compliance_status.map(|status| status.to_string()),
        "ViolatorCount": result.violator_count,
        "EvaluationLimitExceeded": result.evaluation_limit_exceeded,
    })
}

/// A PolicyComplianceStatus.
pub fn compliance(status: PolicyComplianceStatus) -> Value {
    json!({
        "PolicyOwner": status.policy_owner,
        "PolicyId": status.policy_id,
        "PolicyName": status.policy_name,
        "MemberAccount": status.member_account,
        "EvaluationResults": each(status.evaluation_results, evaluation),
        "LastUpdated": seconds(status.last_updated),
        "IssueInfoMap": issues(status.issue_info_map),
    })
}

fn violator(violator: ComplianceViolator) -> Value {
    json!({
        "ResourceId": violator.resource_id,
        "ViolationReason": violator.violation_reason.map(|reason| reason.to_string()),
        "ResourceType": violator.resource_type,
        "Metadata": violator.metadata,
    })
}

/// A PolicyComplianceDetail.
pub fn compliance_detail(detail: PolicyComplianceDetail) -> Value {
    json!({
        "PolicyOwner": detail.policy_owner,
        "PolicyId": detail.policy_id,
        "MemberAccount": detail.member_account,
        "Violators": each(detail.violators, violator),
        "EvaluationLimitExceeded": detail.evaluation_limit_exceeded,
        "ExpiredAt": seconds(detail.expired_at),
        "IssueInfoMap": issues(detail.issue_info_map),
    })
}

fn app(app: App) -> Value {
    json!({ "AppName": app.app_name, "Protocol": app.protocol, "Port": app.port })
}

fn apps(apps: Vec<App>) -> Value {
    apps.into_iter().map(app).collect()
}

/// An AppsListData.
pub fn apps_list(list: AppsListData) -> Value {
    let previous = list.previous_apps_list.map(|previous| {
        previous.into_iter().map(|(version, list)| (version, apps(list))).collect::<Map<_, _>>()
    });
    json!({
        "ListId": list.list_id,
        "ListName": list.list_name,
        "ListUpdateToken": list.list_update_token,
        "CreateTime": seconds(list.create_time),
        "LastUpdateTime": seconds(list.last_update_time),
        "AppsList": apps(list.apps_list),
        "PreviousAppsList": previous,
    })
}

/// An AppsListDataSummary.
pub fn apps_list_summary(list: AppsListDataSummary) -> Value {
    json!({ "ListArn": list.list_arn, "ListId": list.list_id, "ListName": list.list_name,
            "AppsList": list.apps_list.map(apps) })
}

/// A ProtocolsListData.
pub fn protocols_list(list: ProtocolsListData) -> Value {
    json!({
        "ListId": list.list_id,
        "ListName": list.list_name,
        "ListUpdateToken": list.list_update_token,
        "CreateTime": seconds(list.create_time),
        "LastUpdateTime": seconds(list.last_update_time),
        "ProtocolsList": list.protocols_list,
        "PreviousProtocolsList": list.previous_protocols_list,
    })
}

/// A ProtocolsListDataSummary.
pub fn protocols_list_summary(list: ProtocolsListDataSummary) -> Value {
    json!({ "ListArn": list.list_arn, "ListId": list.list_id, "ListName": list.list_name,
            "ProtocolsList": list.protocols_list })
}
