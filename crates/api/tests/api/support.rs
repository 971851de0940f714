//! The notification channel, protection status, violation details and throttling.

use palisade_api::Rate;
use palisade_store::Work;
use serde_json::{Value, json};

use crate::world::*;

#[tokio::test]
async fn one_channel_for_each_administrator_and_region() {
    let world = World::new().await;
    let get = async || world.admin("GetNotificationChannel", json!({})).await.ok();
    assert_eq!(get().await, json!({}));
    world.admin("DeleteNotificationChannel", json!({})).await.ok();
    let role = format!(
        "arn:aws:iam::{ADMIN}:role/aws-service-role/fms.amazonaws.com/AWSServiceRoleForFMS"
    );
    for topic in ["one", "two"] {
        let channel = json!({ "SnsTopicArn": format!("arn:aws:sns:{REGION}:{ADMIN}:{topic}"), "SnsRoleName": role });
        let answer = world.admin("PutNotificationChannel", channel.clone()).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
        assert_eq!(get().await, channel);
    }
    assert_eq!(world.call(ADMIN, HOME, "GetNotificationChannel", json!({})).await.ok(), json!({}));
    for (topic, role, fragment) in [
        ("arn:aws:sqs:r:a:t", role.as_str(), "`SnsTopicArn`"),
        ("arn:aws:sns:r:a:t", "AWSServiceRoleForFMS", "`SnsRoleName`"),
    ] {
        let channel = json!({ "SnsTopicArn": topic, "SnsRoleName": role });
        let answer = world.admin("PutNotificationChannel", channel).await;
        answer.refuses("ValidationException", fragment);
    }
    world.admin("DeleteNotificationChannel", json!({})).await.ok();
    assert_eq!(get().await, json!({}));
}

#[tokio::test]
async fn the_protection_status_claims_nothing_that_no_source_told() {
    let world = World::new().await;
    let id = world
        .put(json!({
            "PolicyName": "shield",
            "SecurityServicePolicyData": {
                "Type": "SHIELD_ADVANCED", "ManagedServiceData": "{\"type\":\"SHIELD_ADVANCED\"}",
            },
            "ResourceType": "AWS::EC2::EIP",
            "ExcludeResourceTags": false,
            "RemediationEnabled": false,
        }))
        .await["PolicyId"]
        .clone();
    let ask = |change: Value| {
        let mut input = json!({ "PolicyId": id });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        world.admin("GetProtectionStatus", input)
    };
    let answer = ask(json!({ "MemberAccountId": MEMBER, "StartTime": 1, "EndTime": 1 })).await.ok();
    assert_eq!(answer["AdminAccountId"], ADMIN);
    assert_eq!(answer["ServiceType"], "SHIELD_ADVANCED");
    assert_eq!(answer.get("NextToken"), None);
    let data: Value = serde_json::from_str(answer["Data"].as_str().unwrap()).unwrap();
    assert_eq!(data["attacksKnown"], false);
    assert_eq!(data.get("attacks"), None, "an empty list would say that there were none");
    for (change, fragment) in [
        (json!({ "MemberAccountId": STRANGER }), "is not in the organization"),
        (json!({ "StartTime": 2, "EndTime": 1 }), "`EndTime` is before `StartTime`"),
        (json!({ "NextToken": "abc" }), "`NextToken`"),
        (json!({ "PolicyId": world.put_audit("audit").await }), "SECURITY_GROUPS_CONTENT_AUDIT"),
    ] {
        ask(change).await.refuses("InvalidInputException", fragment);
    }
}

#[tokio::test]
async fn violation_details_tell_the_rule_that_violates() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    world.judge(&id, MEMBER, Found::violators(2));
    let ask = |change: Value| {
        let mut input = json!({ "PolicyId": id, "MemberAccount": MEMBER,
            "ResourceId": "sg-00001", "ResourceType": "AWS::EC2::SecurityGroup" });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        world.admin("GetViolationDetails", input)
    };
    assert_eq!(
        ask(json!({})).await.ok(),
        json!({ "ViolationDetail": {
            "PolicyId": id, "MemberAccount": MEMBER,
            "ResourceId": "sg-00001", "ResourceType": "AWS::EC2::SecurityGroup",
            "ResourceDescription":
                "ingress rule `all protocols from 0.0.0.0/0` of sg-00001: denyProtocolAllValue",
            "ResourceViolations": [{ "AwsVPCSecurityGroupViolation": {
                "ViolationTarget": "all protocols from 0.0.0.0/0",
                "ViolationTargetDescription":
                    "ingress rule `all protocols from 0.0.0.0/0` of sg-00001: denyProtocolAllValue",
                "PartialMatches": [{
                    "Reference": "tcp 443 from 0.0.0.0/0",
                    "TargetViolationReasons": ["ProtocolMismatch"],
                }],
                "PossibleSecurityGroupRemediationActions": [
                    {
                        "RemediationActionType": "MODIFY",
                        "Description": "replace the rule by `tcp 443 from 0.0.0.0/0`",
                        "RemediationResult": {
                            "Protocol": "tcp", "FromPort": 443, "ToPort": 443,
                            "IPV4Range": "0.0.0.0/0",
                        },
                        "IsDefaultAction": true,
                    },
                    {
                        "RemediationActionType": "REMOVE",
                        "Description": "remove the rule",
                        "IsDefaultAction": false,
                    },
                ],
            } }],
        } })
    );
    let item = json!({
        "awsAccountId": MEMBER, "awsRegion": REGION,
        "resourceType": "AWS::EC2::SecurityGroup", "resourceId": "sg-00001",
        "configurationItemStatus": "OK", "configurationStateId": 1_767_225_600_000_i64,
        "configurationItemCaptureTime": "2026-01-01T00:00:00Z",
        "configuration": { "groupName": "web", "ipPermissions": [] },
        "tags": { "team": "web", "empty": "" },
    });
    world.own("POST", "/palisade/v1/inventory?name=x.json", item.to_string()).await.ok();
    assert_eq!(
        ask(json!({})).await.ok()["ViolationDetail"]["ResourceTags"],
        json!([{ "Key": "empty", "Value": "" }, { "Key": "team", "Value": "web" }])
    );
    let lower = ask(json!({ "ResourceType": "aws::ec2::securitygroup" })).await.ok();
    assert_eq!(lower, ask(json!({})).await.ok());
    let common = world.put_common().await;
    for (change, kind, fragment) in [
        (
            json!({ "ResourceId": "sg-other" }),
            "ResourceNotFoundException",
            "is not known to violate",
        ),
        (
            json!({ "ResourceType": "AWS::EC2::Instance" }),
            "ResourceNotFoundException",
            "is not known",
        ),
        (json!({ "MemberAccount": OTHER }), "ResourceNotFoundException", "is not known to violate"),
        (
            json!({ "MemberAccount": STRANGER }),
            "InvalidInputException",
            "is not in the organization",
        ),
        (
            json!({ "ResourceType": "AWS::EC2::EIP" }),
            "InvalidInputException",
            "no violation details",
        ),
        (json!({ "PolicyId": common }), "InvalidInputException", "SECURITY_GROUPS_COMMON"),
        (json!({ "PolicyId": "0".repeat(36) }), "ResourceNotFoundException", "does not exist"),
    ] {
        ask(change).await.refuses(kind, fragment);
    }
}

impl World {
    async fn put_common(&self) -> Value {
        self.put(json!({
            "PolicyName": "common",
            "SecurityServicePolicyData": {
                "Type": "SECURITY_GROUPS_COMMON",
                "ManagedServiceData": "{\"type\":\"SECURITY_GROUPS_COMMON\",\"revertManualSecurityGroupChanges\":true,\"exclusiveResourceSecurityGroupManagement\":false,\"securityGroups\":[{\"id\":\"sg-045c43ccc9724e63e\"}]}",
            },
            "ResourceType": "AWS::EC2::Instance",
            "ExcludeResourceTags": false,
            "RemediationEnabled": false,
        }))
        .await["PolicyId"]
            .clone()
    }
}

#[tokio::test]
async fn a_key_that_calls_too_often_is_told_so_in_the_exception_that_sdks_retry() {
    let world = World::settled(|settings| {
        settings.rate = Some(Rate { per_second: 1, burst_max: 3 });
    })
    .await;
    for _ in 0..3 {
        world.admin("ListPolicies", json!({})).await.ok();
    }
    let (kind, text) = world.admin("ListPolicies", json!({})).await.fault();
    assert_eq!((kind.as_str(), text.as_str()), ("ThrottlingException", "Rate exceeded"));
    world.call(OTHER, REGION, "ListAdminsManagingAccount", json!({})).await.ok();
    world.clock.advance(1_000);
    world.admin("ListPolicies", json!({})).await.ok();
    world.admin("ListPolicies", json!({})).await.refuses("ThrottlingException", "Rate exceeded");
}

#[tokio::test]
async fn tags_of_a_policy_cause_no_judging() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let fan_out = world.store.fan_outs().unwrap().remove(0);
    world.store.advance_fan_out(&fan_out, &[], None, NOW_MS).unwrap();
    let arn = format!("arn:aws:fms:{REGION}:{ADMIN}:policy/{id}");
    let input = json!({ "ResourceArn": arn, "TagList": [{ "Key": "a", "Value": "b" }] });
    world.admin("TagResource", input).await.ok();
    assert_eq!(world.store.work(NOW_MS).unwrap(), Default::default());
    let before = world.admin("GetPolicy", json!({ "PolicyId": id })).await.ok();
    world.admin("PutPolicy", json!({ "Policy": before["Policy"] })).await.ok();
    assert_eq!(world.store.work(NOW_MS).unwrap().dirty, 1);
}
