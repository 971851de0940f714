//! Parameters of a call: JSON to the SDK's types.

use std::collections::HashMap;

use aws_sdk_fms::types::{
    App, AppsListData, CustomerPolicyScopeIdType, Policy, ProtocolsListData, ResourceTag,
    SecurityServicePolicyData, Tag,
};
use serde_json::Value;

/// A member that is text.
pub fn text(asked: &Value, name: &str) -> Option<String> {
    asked[name].as_str().map(str::to_owned)
}

/// A member that is a number.
pub fn number(asked: &Value, name: &str) -> Option<i32> {
    asked[name].as_i64().and_then(|number| number.try_into().ok())
}

/// A member that is true or false.
pub fn flag(asked: &Value, name: &str) -> Option<bool> {
    asked[name].as_bool()
}

/// A member read by `read`, if it is there.
pub fn optional<T>(
    asked: &Value,
    name: &str,
    read: impl Fn(&Value) -> Result<T, String>,
) -> Result<Option<T>, String> {
    match &asked[name] {
        Value::Null => Ok(None),
        member => read(member).map(Some).map_err(|why| format!("`{name}`: {why}")),
    }
}

fn list<T>(value: &Value, read: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    value.as_array().ok_or("not a list")?.iter().map(read).collect()
}

/// A list of texts.
pub fn texts(value: &Value) -> Result<Vec<String>, String> {
    list(value, |text| Ok(text.as_str().ok_or("not a text")?.to_owned()))
}

/// A TagList.
pub fn tags(value: &Value) -> Result<Vec<Tag>, String> {
    list(value, |tag| {
        let tag = Tag::builder().set_key(text(tag, "Key")).set_value(text(tag, "Value"));
        tag.build().map_err(|error| error.to_string())
    })
}

fn resource_tags(value: &Value) -> Result<Vec<ResourceTag>, String> {
    list(value, |tag| {
        let tag = ResourceTag::builder().set_key(text(tag, "Key")).set_value(text(tag, "Value"));
        tag.build().map_err(|error| error.to_string())
    })
}

fn scope(value: &Value) -> Result<HashMap<CustomerPolicyScopeIdType, Vec<String>>, String> {
    let members = value.as_object().ok_or("not a map")?;
    members.iter().map(|(kind, ids)| Ok((kind.as_str().into(), texts(ids)?))).collect()
}

fn service_data(value: &Value) -> Result<SecurityServicePolicyData, String> {
    if !value["PolicyOption"].is_null() {
        return Err("this client has no PolicyOption".to_owned());
    }
    SecurityServicePolicyData::builder()
        .set_type(text(value, "Type").map(|text| text.as_str().into()))
        .set_managed_service_data(text(value, "ManagedServiceData"))
        .build()
        .map_err(|error| error.to_string())
}

/// A Policy.
pub fn policy(value: &Value) -> Result<Policy, String> {
    let operator = text(value, "ResourceTagLogicalOperator");
    Policy::builder()
        .set_policy_id(text(value, "PolicyId"))
        .set_policy_name(text(value, "PolicyName"))
        .set_policy_update_token(text(value, "PolicyUpdateToken"))
        .set_security_service_policy_data(optional(
            value,
            "SecurityServicePolicyData",
            service_data,
        )?)
        .set_resource_type(text(value, "ResourceType"))
        .set_resource_type_list(optional(value, "ResourceTypeList", texts)?)
        .set_resource_tags(optional(value, "ResourceTags", resource_tags)?)
        .set_exclude_resource_tags(flag(value, "ExcludeResourceTags"))
        .set_remediation_enabled(flag(value, "RemediationEnabled"))
        .set_delete_unused_fm_managed_resources(flag(value, "DeleteUnusedFMManagedResources"))
        .set_include_map(optional(value, "IncludeMap", scope)?)
        .set_exclude_map(optional(value, "ExcludeMap", scope)?)
        .set_resource_set_ids(optional(value, "ResourceSetIds", texts)?)
        .set_policy_description(text(value, "PolicyDescription"))
        .set_policy_status(text(value, "PolicyStatus").map(|text| text.as_str().into()))
        .set_resource_tag_logical_operator(operator.map(|text| text.as_str().into()))
        .build()
        .map_err(|error| error.to_string())
}

fn apps(value: &Value) -> Result<Vec<App>, String> {
    list(value, |app| {
        App::builder()
            .set_app_name(text(app, "AppName"))
            .set_protocol(text(app, "Protocol"))
            .set_port(app["Port"].as_i64())
            .build()
            .map_err(|error| error.to_string())
    })
}

/// An AppsListData, as one puts it.
pub fn apps_list(value: &Value) -> Result<AppsListData, String> {
    AppsListData::builder()
        .set_list_id(text(value, "ListId"))
        .set_list_name(text(value, "ListName"))
        .set_list_update_token(text(value, "ListUpdateToken"))
        .set_apps_list(optional(value, "AppsList", apps)?)
        .build()
        .map_err(|error| error.to_string())
}

/// A ProtocolsListData, as one puts it.
pub fn protocols_list(value: &Value) -> Result<ProtocolsListData, String> {
    ProtocolsListData::builder()
        .set_list_id(text(value, "ListId"))
        .set_list_name(text(value, "ListName"))
        .set_list_update_token(text(value, "ListUpdateToken"))
        .set_protocols_list(optional(value, "ProtocolsList", texts)?)
        .build()
        .map_err(|error| error.to_string())
}
