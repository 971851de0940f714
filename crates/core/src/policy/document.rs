//! The text of a policy: AWS's `Policy` shape as received, kept to be echoed, parsed to be used.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Refusal;
use super::nearest::nearest;
use crate::utf8;

/// `Policy` of the model. Optional members are kept as they came, so that what is echoed differs
/// in nothing from what was sent (an empty list stays an empty list, an absent one absent).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a Policy object")]
pub struct Document {
    /// `PolicyId`: absent in a request that creates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// `PolicyName`, 1 to 128 characters.
    pub policy_name: String,
    /// `PolicyUpdateToken` of the version that a request replaces, or of the version answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_update_token: Option<String>,
    /// `SecurityServicePolicyData`
    pub security_service_policy_data: SecurityServicePolicyData,
    /// `ResourceType`: one type, or `ResourceTypeList` when the list says which.
    pub resource_type: String,
    /// `ResourceTypeList`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_type_list: Option<Vec<String>>,
    /// `ResourceTags`: which resources are in scope, or out of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_tags: Option<Vec<ResourceTag>>,
    /// `ExcludeResourceTags`
    pub exclude_resource_tags: bool,
    /// `RemediationEnabled`
    pub remediation_enabled: bool,
    /// `DeleteUnusedFMManagedResources`
    #[serde(
        default,
        rename = "DeleteUnusedFMManagedResources",
        skip_serializing_if = "Option::is_none"
    )]
    pub delete_unused_managed_resources: Option<bool>,
    /// `IncludeMap`: ids by `ACCOUNT` and `ORG_UNIT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_map: Option<BTreeMap<String, Vec<String>>>,
    /// `ExcludeMap`, not looked at when IncludeMap names anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclude_map: Option<BTreeMap<String, Vec<String>>>,
    /// `ResourceSetIds`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_set_ids: Option<Vec<String>>,
    /// `PolicyDescription`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_description: Option<String>,
    /// `PolicyStatus`: ignored in requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_status: Option<String>,
    /// `ResourceTagLogicalOperator`: `AND` or `OR`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_tag_logical_operator: Option<String>,
}

/// `SecurityServicePolicyData` of the model.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a SecurityServicePolicyData object")]
pub struct SecurityServicePolicyData {
    /// `Type`: one of the eleven, kept as text so that an unknown one can be answered properly.
    #[serde(rename = "Type")]
    pub policy_type: String,
    /// `ManagedServiceData`: JSON in a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_service_data: Option<String>,
    /// `PolicyOption`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_option: Option<PolicyOption>,
}

/// `PolicyOption` of the model: exactly one member is set.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a PolicyOption object")]
pub struct PolicyOption {
    /// `NetworkFirewallPolicy`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_firewall_policy: Option<DeploymentOption>,
    /// `ThirdPartyFirewallPolicy`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub third_party_firewall_policy: Option<DeploymentOption>,
    /// `NetworkAclCommonPolicy`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_acl_common_policy: Option<NetworkAclCommonPolicy>,
}

/// `NetworkFirewallPolicy` and `ThirdPartyFirewallPolicy` of the model, which are alike.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an object with FirewallDeploymentModel")]
pub struct DeploymentOption {
    /// `FirewallDeploymentModel`: `CENTRALIZED` or `DISTRIBUTED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firewall_deployment_model: Option<String>,
}

/// `NetworkAclCommonPolicy` of the model.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a NetworkAclCommonPolicy object")]
pub struct NetworkAclCommonPolicy {
    /// `NetworkAclEntrySet`
    pub network_acl_entry_set: NetworkAclEntrySet,
}

/// `NetworkAclEntrySet` of the model.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a NetworkAclEntrySet object")]
pub struct NetworkAclEntrySet {
    /// `FirstEntries`, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_entries: Option<Vec<NetworkAclEntry>>,
    /// `ForceRemediateForFirstEntries`
    pub force_remediate_for_first_entries: bool,
    /// `LastEntries`, in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_entries: Option<Vec<NetworkAclEntry>>,
    /// `ForceRemediateForLastEntries`
    pub force_remediate_for_last_entries: bool,
}

/// `NetworkAclEntry` of the model.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a NetworkAclEntry object")]
pub struct NetworkAclEntry {
    /// `IcmpTypeCode`, for ICMP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icmp_type_code: Option<IcmpTypeCode>,
    /// `Protocol`: a number, `tcp`, `udp`, `icmp`, or `-1` for all; kept as it came.
    pub protocol: String,
    /// `PortRange`, for TCP and UDP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port_range: Option<PortRange>,
    /// `CidrBlock`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr_block: Option<String>,
    /// `Ipv6CidrBlock`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_cidr_block: Option<String>,
    /// `RuleAction`: `allow` or `deny`.
    pub rule_action: String,
    /// `Egress`
    pub egress: bool,
}

/// `NetworkAclIcmpTypeCode` of the model.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "an IcmpTypeCode object")]
pub struct IcmpTypeCode {
    /// `Code`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// `Type`
    #[serde(default, rename = "Type", skip_serializing_if = "Option::is_none")]
    pub icmp_type: Option<i32>,
}

/// `NetworkAclPortRange` of the model.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a PortRange object")]
pub struct PortRange {
    /// `From`, 0 to 65535.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<i32>,
    /// `To`, 0 to 65535.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<i32>,
}

/// `ResourceTag` of the model: a filter, not a tag of the policy.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a tag object with Key and Value")]
pub struct ResourceTag {
    /// `Key`
    pub key: String,
    /// `Value`: missing means `""`, and is answered as `""`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// `Tag` of the model: a tag of a policy or list itself.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a tag object with Key and Value")]
pub struct Tag {
    /// `Key`
    pub key: String,
    /// `Value`
    pub value: String,
}

/// A text of the caller's, cut to a length that fits a message.
pub(super) fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 80;
    match text.char_indices().nth(SHOWN_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}

/// A policy as users keep it in a file: a PutPolicy request, the answer of GetPolicy, or a bare
/// `Policy` object.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyFile {
    /// `Policy`
    pub policy: Document,
    /// `TagList`; empty when there is none.
    pub tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", expecting = "a PutPolicy request")]
struct PutPolicyRequest {
    policy: Document,
    #[serde(default)]
    tag_list: Option<Vec<Tag>>,
}

/// Tells the two forms of a policy file apart without reading the policy.
#[derive(Deserialize)]
#[serde(expecting = "a Policy object or a PutPolicy request")]
struct FileForm {
    #[serde(default, rename = "Policy")]
    policy: Option<Names>,
}

/// The names of the members of what may be an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    Object(BTreeMap<String, serde::de::IgnoredAny>),
    Other(serde::de::IgnoredAny),
}

/// Members of `Policy` in the model.
const MEMBERS: [&str; 16] = [
    "PolicyId",
    "PolicyName",
    "PolicyUpdateToken",
    "SecurityServicePolicyData",
    "ResourceType",
    "ResourceTypeList",
    "ResourceTags",
    "ExcludeResourceTags",
    "RemediationEnabled",
    "DeleteUnusedFMManagedResources",
    "IncludeMap",
    "ExcludeMap",
    "ResourceSetIds",
    "PolicyDescription",
    "PolicyStatus",
    "ResourceTagLogicalOperator",
];

/// Refuses what a `Policy` object has no member for: in a file that is a slip, and what it was meant
/// to do would not be done (semantics §11 row 47).
fn check_members(policy: &Names) -> Result<(), Refusal> {
    // What is no object is refused where it is read.
    let Names::Object(members) = policy else { return Ok(()) };
    let Some(stray) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) else {
        return Ok(());
    };
    let what_to_do = match nearest(stray, MEMBERS) {
        Some(meant) => format!("`{meant}` is"),
        None => format!("it has {}", MEMBERS.join(", ")),
    };
    Err(Refusal::input(format!(
        "the policy file cannot be used: `{}` is not a member of Policy; {what_to_do}",
        shown(stray)
    )))
}

/// Where in a policy file the data stands; members that are something else are refused where they are read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataForm {
    #[serde(default)]
    policy: Option<Box<DataForm>>,
    #[serde(default)]
    security_service_policy_data: Option<DataOf>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataOf {
    #[serde(default)]
    managed_service_data: Option<Names>,
}

/// Refuses ManagedServiceData that is written as an object, which AWS's SDKs and tools refuse too.
fn check_data_is_text(text: &[u8]) -> Result<(), Refusal> {
    let Ok(form) = serde_json::from_slice::<DataForm>(text) else { return Ok(()) };
    let policy = form.policy.as_deref().unwrap_or(&form);
    let data = policy.security_service_policy_data.as_ref();
    match data.and_then(|data| data.managed_service_data.as_ref()) {
        Some(Names::Object(_)) => Err(Refusal::input(
            "the policy file cannot be used: ManagedServiceData is written as an object; it must be \
             that object as one text, its quotes escaped, such as \"{\\\"type\\\":\\\"WAFV2\\\",…}\": \
             `jq '(.Policy // .).SecurityServicePolicyData.ManagedServiceData |= tojson'` makes it so",
        )),
        _ => Ok(()),
    }
}

impl PolicyFile {
    /// Reads a policy file; a refusal says line and column.
    pub fn parse(text: &[u8]) -> Result<PolicyFile, Refusal> {
        let refuse = |error: serde_json::Error| {
            Refusal::input(format!(
                "the policy file cannot be read: {error}; it must be a PutPolicy request \
                 {{\"Policy\":{{…}}}} or a Policy object in JSON"
            ))
        };
        let text = &*utf8::decoded(text);
        check_data_is_text(text)?;
        let form: FileForm = serde_json::from_slice(text).map_err(refuse)?;
        let Some(policy) = form.policy else {
            check_members(&serde_json::from_slice(text).map_err(refuse)?)?;
            let policy = serde_json::from_slice(text).map_err(refuse)?;
            return Ok(PolicyFile { policy, tags: Vec::new() });
        };
        check_members(&policy)?;
        let request: PutPolicyRequest = serde_json::from_slice(text).map_err(refuse)?;
        Ok(PolicyFile { policy: request.policy, tags: request.tag_list.unwrap_or_default() })
    }
}
