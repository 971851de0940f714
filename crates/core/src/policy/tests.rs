//! Documents in, policies, refusals and echoes out.

mod admission;
mod catalogue;
mod echoes;
mod generated;
mod in_the_wild;
mod networks;
mod remarks;
mod typed;

use serde_json::{Value, json};

use super::*;

/// A document of a type on a resource type, with ManagedServiceData as a text.
fn document(policy_type: &str, resource_type: &str, data: &str) -> Document {
    edited(policy_type, resource_type, data, json!({}))
}

/// The same with members added or, when null, removed.
fn edited(policy_type: &str, resource_type: &str, data: &str, edits: Value) -> Document {
    let mut policy = json!({
        "PolicyName": "p",
        "SecurityServicePolicyData": {"Type": policy_type, "ManagedServiceData": data},
        "ResourceType": resource_type,
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    });
    merge(&mut policy, edits);
    serde_json::from_value(policy).unwrap()
}

fn merge(into: &mut Value, edits: Value) {
    match (into, edits) {
        (Value::Object(into), Value::Object(edits)) => {
            for (key, edit) in edits {
                if edit.is_null() {
                    into.remove(&key);
                } else {
                    merge(into.entry(key).or_insert(Value::Null), edit);
                }
            }
        }
        (into, edit) => *into = edit,
    }
}

fn identity(region: &str) -> Identity {
    Identity {
        id: "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111".parse().unwrap(),
        owner: "111111111111".parse().unwrap(),
        region: region.parse().unwrap(),
        revision: 7,
        former_names: vec!["old".into()],
    }
}

fn parsed(document: &Document) -> Result<Policy, Refusal> {
    let policy = parse(document, identity("us-east-1"))?;
    assert_eq!(document.policy_type(), Ok(policy.policy_type()), "what is read is of the type");
    Ok(policy)
}

/// Lines `data => ok` or `data => part of the message`, each parsed as a policy of the type.
#[track_caller]
fn check_data(policy_type: &str, resource_type: &str, table: &str) {
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (data, wanted) = line.split_once(" => ").unwrap_or_else(|| panic!("`{line}`"));
        expect(line, parsed(&document(policy_type, resource_type, data)), wanted);
    }
}

#[track_caller]
fn expect(case: &str, found: Result<Policy, Refusal>, wanted: &str) {
    match found {
        Ok(_) => assert_eq!(wanted, "ok", "{case}"),
        Err(refused) => {
            assert!(wanted != "ok" && refused.message.contains(wanted), "{case}\nfound: {refused}")
        }
    }
}

const ALB: &str = "AWS::ElasticLoadBalancingV2::LoadBalancer";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const VPC: &str = "AWS::EC2::VPC";
const CLOUDFRONT: &str = "AWS::CloudFront::Distribution";
const CONTENT: &str = "SECURITY_GROUPS_CONTENT_AUDIT";
/// Data of a valid content audit.
const AUDIT: &str = r#"{"preManagedOptions":[{"denyProtocolAllValue":true}]}"#;
/// Data of a valid WAFV2 policy.
const WEB: &str = r#"{"defaultAction":{"type":"ALLOW"}}"#;
