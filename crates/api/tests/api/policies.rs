use palisade_store::{AuditLog, Control, Work};
use serde_json::{Value, json};

use crate::world::*;

fn is_uuid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let lower = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c) || c == '-';
    lengths == [8, 4, 4, 4, 12] && text.chars().all(lower)
}

#[tokio::test]
async fn a_put_policy_is_answered_and_read_back_alike() {
    let world = World::new().await;
    let tags = json!([{ "Key": "team", "Value": "" }]);
    let put =
        world.admin("PutPolicy", json!({ "Policy": audit("one"), "TagList": tags })).await.ok();
    let policy = &put["Policy"];
    let id = policy["PolicyId"].as_str().unwrap();
    assert!(is_uuid(id), "{id}");
    assert_eq!(put["PolicyArn"], format!("arn:aws:fms:{REGION}:{ADMIN}:policy/{id}"));
    assert_eq!(policy["PolicyStatus"], "ACTIVE");
    assert_eq!(policy["ResourceTagLogicalOperator"], "AND");
    let got = world.admin("GetPolicy", json!({ "PolicyId": id })).await.ok();
    assert_eq!(got, put);
    let tags =
        world.admin("ListTagsForResource", json!({ "ResourceArn": put["PolicyArn"] })).await.ok();
    assert_eq!(tags, json!({ "TagList": [{ "Key": "team", "Value": "" }] }));
}

#[tokio::test]
async fn update_tokens_have_the_form_that_aws_shows() {
    use base64::Engine as _;
    let world = World::new().await;
    let policy = world.put(audit("one")).await;
    let token = policy["PolicyUpdateToken"].as_str().unwrap();
    let bytes = token.strip_prefix("1:").unwrap();
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(bytes).unwrap().len(), 16);
}

#[tokio::test]
async fn what_was_sent_is_echoed_as_it_was_sent() {
    let world = World::new().await;
    let mut sent = audit("one");
    sent["PolicyDescription"] = json!("");
    sent["ResourceTags"] = json!([{ "Key": "stage", "Value": "" }]);
    sent["IncludeMap"] = json!({ "ACCOUNT": [], "ORG_UNIT": [PROD] });
    sent["ResourceSetIds"] = json!([]);
    sent["ResourceType"] = json!("ResourceTypeList");
    sent["ResourceTypeList"] = json!(["AWS::EC2::SecurityGroup", "AWS::EC2::Instance"]);
    sent["DeleteUnusedFMManagedResources"] = json!(false);
    let put = world.put(sent.clone()).await;
    for (member, value) in sent.as_object().unwrap() {
        if member != "SecurityServicePolicyData" {
            assert_eq!(&put[member], value, "{member}");
        }
    }
    let bare = world.put(audit("two")).await;
    for absent in [
        "PolicyDescription",
        "IncludeMap",
        "ExcludeMap",
        "ResourceSetIds",
        "ResourceTypeList",
        "DeleteUnusedFMManagedResources",
    ] {
        assert!(bare.get(absent).is_none(), "{absent} was not sent");
    }
}

#[tokio::test]
async fn an_update_needs_the_current_token_and_makes_a_new_one() {
    let world = World::new().await;
    let first = world.put(audit("one")).await;
    let id = first["PolicyId"].clone();
    let mut update = audit("renamed");
    update["PolicyId"] = id.clone();
    let missing = world.admin("PutPolicy", json!({ "Policy": update })).await;
    missing.refuses("InvalidInputException", "`PolicyUpdateToken` is missing");
    update["PolicyUpdateToken"] = json!("1:AAAAAAAAAAAAAAAAAAAAAA==");
    let stale = world.admin("PutPolicy", json!({ "Policy": update })).await;
    stale
        .refuses("InvalidInputException", "`PolicyUpdateToken` is not that of the current version");
    update["PolicyUpdateToken"] = first["PolicyUpdateToken"].clone();
    let second = world.put(update.clone()).await;
    assert_eq!(second["PolicyId"], id);
    assert_eq!(second["PolicyName"], "renamed");
    assert_ne!(second["PolicyUpdateToken"], first["PolicyUpdateToken"]);
    let stale = world.admin("PutPolicy", json!({ "Policy": update })).await;
    stale
        .refuses("InvalidInputException", "`PolicyUpdateToken` is not that of the current version");
    let control = world.store.control().unwrap();
    let record = control.policies.values().next().unwrap();
    assert_eq!(
        (record.revision, record.former_names.len()),
        (2, 1),
        "the first name is remembered"
    );
}

#[tokio::test]
async fn a_policy_whose_names_win_over_anothers_has_that_one_judged_again() {
    let world = World::new().await;
    let web = |name: &str| {
        let data = json!({"type": "WAFV2", "defaultAction": {"type": "ALLOW"}}).to_string();
        json!({"PolicyName": name, "ResourceType": "AWS::ApiGateway::Stage", "ExcludeResourceTags": false,
            "RemediationEnabled": false,
            "SecurityServicePolicyData": {"Type": "WAFV2", "ManagedServiceData": data}})
    };
    let due = || {
        let mut due: Vec<String> = Vec::new();
        let control = world.store.control().unwrap();
        for fan_out in world.store.fan_outs().unwrap() {
            due.push(control.policies[&fan_out.policy].document.policy_name.clone());
            assert!(world.store.advance_fan_out(&fan_out, &[], None, 0).unwrap());
        }
        due.sort();
        due.join(" ")
    };
    world.put(web("web")).await;
    world.put(web("other")).await;
    assert_eq!(due(), "other web");
    // `FMManagedWebACLV2web1` and ten digits fit both: they were web's before.
    let rival = world.put(web("web1")).await;
    assert_eq!(due(), "web web1");
    let mut renamed = web("web-2");
    renamed["PolicyId"] = rival["PolicyId"].clone();
    renamed["PolicyUpdateToken"] = rival["PolicyUpdateToken"].clone();
    world.put(renamed).await;
    assert_eq!(due(), "web-2", "its former name still wins");
    world.admin("DeletePolicy", json!({"PolicyId": rival["PolicyId"]})).await.ok();
    assert_eq!(due(), "web");
}

#[tokio::test]
async fn the_latest_50_former_names_are_remembered() {
    let world = World::new().await;
    let mut policy = world.put(audit("name 0")).await;
    let names = || {
        let control = world.store.control().unwrap();
        control.policies.values().next().unwrap().former_names.clone()
    };
    let called = |n: usize| format!("name {n}").into_boxed_str();
    for n in 1..=52 {
        policy["PolicyName"] = json!(called(n));
        policy = world.put(policy).await;
        assert_eq!(names(), (n.saturating_sub(50)..n).map(called).collect::<Vec<_>>());
    }
    // A name that is taken again is the latest when it is given up again.
    for name in ["name 10", "name 99"] {
        policy["PolicyName"] = json!(name);
        policy = world.put(policy).await;
    }
    let names = names();
    let tens = names.iter().filter(|name| **name == called(10)).count();
    assert_eq!((names.len(), tens, names.last()), (50, 1, Some(&called(10))));
    let event = world.store.audit(&Default::default(), 1).unwrap().remove(0).event;
    assert_eq!(event.changes[0].after.as_ref().unwrap()["document"]["PolicyName"], "name 99");
}

#[tokio::test]
async fn an_update_that_changes_nothing_still_makes_a_new_token() {
    let world = World::new().await;
    let mut policy = world.put(audit("one")).await;
    for _ in 0..3 {
        let again = world.put(policy.clone()).await;
        assert_ne!(again["PolicyUpdateToken"], policy["PolicyUpdateToken"]);
        policy["PolicyUpdateToken"] = again["PolicyUpdateToken"].clone();
        assert_eq!(again, policy, "a policy read and put again is the same policy");
    }
}

#[tokio::test]
async fn an_update_of_an_unknown_policy_and_a_token_without_one_are_refused() {
    let world = World::new().await;
    let mut policy = audit("one");
    policy["PolicyUpdateToken"] = json!("1:AAAAAAAAAAAAAAAAAAAAAA==");
    let answer = world.admin("PutPolicy", json!({ "Policy": policy })).await;
    answer.refuses("InvalidInputException", "`PolicyUpdateToken` comes with `PolicyId` alone");
    policy["PolicyId"] = json!("a1b2c3d4-5678-90ab-cdef-EXAMPLE11111");
    let answer = world.admin("PutPolicy", json!({ "Policy": policy })).await;
    answer.refuses("ResourceNotFoundException", "`a1b2c3d4-5678-90ab-cdef-EXAMPLE11111`");
}

#[tokio::test]
async fn two_policies_may_have_one_name() {
    let world = World::new().await;
    assert_ne!(world.put_audit("one").await, world.put_audit("one").await);
}

#[tokio::test]
async fn invalid_policies_are_refused_with_the_modelled_exception() {
    let world = World::new().await;
    let data =
        |text: &str| json!({ "Type": "SECURITY_GROUPS_CONTENT_AUDIT", "ManagedServiceData": text });
    let cases: Vec<(&str, Value, &str, &str)> = vec![
        (
            "SecurityServicePolicyData",
            data("not JSON"),
            "InvalidInputException",
            "ManagedServiceData",
        ),
        (
            "SecurityServicePolicyData",
            json!({ "Type": "NO_SUCH_TYPE", "ManagedServiceData": "{}" }),
            "InvalidTypeException",
            "'NO_SUCH_TYPE'",
        ),
        (
            "SecurityServicePolicyData",
            data("{\"type\":\"WAFV2\"}"),
            "InvalidInputException",
            "WAFV2",
        ),
        (
            "SecurityServicePolicyData",
            json!({ "Type": "IMPORT_NETWORK_FIREWALL", "ManagedServiceData": "{\"type\":\"IMPORT_NETWORK_FIREWALL\"}" }),
            "InvalidInputException",
            "",
        ),
        ("ResourceType", json!("AWS::S3::Bucket"), "InvalidInputException", "AWS::S3::Bucket"),
        ("IncludeMap", json!({ "ACCOUNT": [STRANGER] }), "InvalidInputException", STRANGER),
        ("ExcludeMap", json!({ "ACCOUNT": [STRANGER] }), "InvalidInputException", STRANGER),
        (
            "IncludeMap",
            json!({ "ORG_UNIT": ["r-abcd"] }),
            "InvalidInputException",
            "Input ORG_UNIT map contains invalid IDs.",
        ),
        (
            "IncludeMap",
            json!({ "ORG_UNIT": ["ou-none-none0000"] }),
            "InvalidInputException",
            "ou-none-none0000",
        ),
        ("RemediationEnabled", json!(true), "InvalidInputException", "RemediationEnabled"),
        (
            "PolicyName",
            json!("x".repeat(129)),
            "InvalidInputException",
            "at 'policy.policyName' failed to satisfy constraint",
        ),
        (
            "PolicyDescription",
            json!("x".repeat(257)),
            "InvalidInputException",
            "at 'policy.policyDescription' failed to satisfy constraint",
        ),
        ("PolicyName", json!(null), "InvalidInputException", "policyName"),
        (
            "ResourceTags",
            json!((0..9).map(|n| json!({ "Key": format!("k{n}") })).collect::<Vec<_>>()),
            "LimitExceededException",
            "quota is 8",
        ),
    ];
    for (member, value, kind, fragment) in cases {
        let mut policy = audit("one");
        policy[member] = value;
        let answer = world.admin("PutPolicy", json!({ "Policy": policy })).await;
        answer.refuses(kind, fragment);
    }
    assert!(world.store.control().unwrap().policies.is_empty(), "nothing was stored");
}

#[tokio::test]
async fn cloudfront_is_refused_in_awss_words() {
    let world = World::new().await;
    let mut policy = json!({
        "PolicyName": "edge",
        "SecurityServicePolicyData": {
            "Type": "WAFV2",
            "ManagedServiceData": "{\"type\":\"WAFV2\",\"preProcessRuleGroups\":[],\"postProcessRuleGroups\":[],\"defaultAction\":{\"type\":\"ALLOW\"},\"overrideCustomerWebACLAssociation\":false}",
        },
        "ResourceType": "AWS::CloudFront::Distribution",
        "ExcludeResourceTags": false,
        "RemediationEnabled": false,
    });
    let put = |policy: &Value, region: &'static str| {
        world.call(ADMIN, region, "PutPolicy", json!({ "Policy": policy }))
    };
    let (_, text) = put(&policy, "us-west-2").await.fault();
    assert_eq!(
        text,
        "Resource [\"AWS::CloudFront::Distribution\"] can not be used in region: us-west-2."
    );
    put(&policy, HOME).await.ok();
    policy["ResourceType"] = json!("ResourceTypeList");
    policy["ResourceTypeList"] = json!(["AWS::CloudFront::Distribution"]);
    let (_, text) = put(&policy, HOME).await.fault();
    assert_eq!(
        text,
        "Resource [\"AWS::CloudFront::Distribution\"] can not be in the CoralResourceTypeList, use CoralResourceType instead."
    );
}

#[tokio::test]
async fn import_network_firewall_without_a_resource_set_is_refused_in_awss_words() {
    let world = World::new().await;
    let policy = json!({
        "PolicyName": "import",
        "SecurityServicePolicyData": {
            "Type": "IMPORT_NETWORK_FIREWALL",
            "ManagedServiceData": "{\"type\":\"IMPORT_NETWORK_FIREWALL\",\"awsNetworkFirewallConfig\":{\"networkFirewallStatelessRuleGroupReferences\":[],\"networkFirewallStatelessDefaultActions\":[\"aws:forward_to_sfe\"],\"networkFirewallStatelessFragmentDefaultActions\":[\"aws:forward_to_sfe\"],\"networkFirewallStatelessCustomActions\":[],\"networkFirewallStatefulRuleGroupReferences\":[]}}",
        },
        "ResourceType": "AWS::NetworkFirewall::Firewall",
        "ExcludeResourceTags": false,
        "RemediationEnabled": true,
    });
    let (kind, text) = world.admin("PutPolicy", json!({ "Policy": policy })).await.fault();
    assert_eq!(kind, "InvalidInputException");
    let known =
        "You must specify an Resource Set ID in \"resourceSetIds\". It is the policy's member";
    assert!(text.starts_with(known), "{text}");
}

#[tokio::test]
async fn the_type_of_a_policy_never_changes() {
    let world = World::new().await;
    let first = world.put(audit("one")).await;
    let mut update = first.clone();
    update["SecurityServicePolicyData"] = json!({
        "Type": "SECURITY_GROUPS_USAGE_AUDIT",
        "ManagedServiceData": "{\"type\":\"SECURITY_GROUPS_USAGE_AUDIT\",\"deleteUnusedSecurityGroups\":false,\"coalesceRedundantSecurityGroups\":true}",
    });
    let answer = world.admin("PutPolicy", json!({ "Policy": update })).await;
    answer.refuses("InvalidInputException", "Type");
}

#[tokio::test]
async fn one_policy_over_the_quota_is_refused_in_its_region_alone() {
    let world = World::settled(|settings| settings.quotas.policies_max = 2).await;
    world.put_audit("one").await;
    let two = world.put(audit("two")).await;
    let three = || world.admin("PutPolicy", json!({ "Policy": audit("three") }));
    three()
        .await
        .refuses("LimitExceededException", "has 2 policies in `eu-west-1` and the quota is 2");
    world.put(two.clone()).await;
    world.call(ADMIN, HOME, "PutPolicy", json!({ "Policy": audit("elsewhere") })).await.ok();
    world.admin("DeletePolicy", json!({ "PolicyId": two["PolicyId"] })).await.ok();
    three().await.ok();
}

#[tokio::test]
async fn policies_are_listed_by_age_and_then_id() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(world.put_audit(&format!("policy {n}")).await);
        world.clock.advance(1);
    }
    let mut twins = vec![world.put_audit("twin").await, world.put_audit("twin").await];
    twins.sort();
    ids.extend(twins);
    for size in [1, 2, 4, 9, 100] {
        let listed = world.pages("ListPolicies", json!({}), "PolicyList", size).await;
        let found: Vec<&str> = listed.iter().map(|p| p["PolicyId"].as_str().unwrap()).collect();
        assert_eq!(found, ids, "pages of {size}");
    }
    let first = &world.pages("ListPolicies", json!({}), "PolicyList", 1).await[0];
    assert_eq!(
        *first,
        json!({
            "PolicyArn": format!("arn:aws:fms:{REGION}:{ADMIN}:policy/{}", ids[0]),
            "PolicyId": ids[0],
            "PolicyName": "policy 0",
            "ResourceType": "AWS::EC2::SecurityGroup",
            "SecurityServiceType": "SECURITY_GROUPS_CONTENT_AUDIT",
            "RemediationEnabled": false,
            "DeleteUnusedFMManagedResources": false,
            "PolicyStatus": "ACTIVE",
        })
    );
}

#[tokio::test]
async fn a_page_goes_on_where_it_was_though_policies_come_and_go() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(world.put_audit(&format!("policy {n}")).await);
        world.clock.advance(1);
    }
    let page = world.admin("ListPolicies", json!({ "MaxResults": 2 })).await.ok();
    world.admin("DeletePolicy", json!({ "PolicyId": ids[1] })).await.ok();
    let late = world.put_audit("late").await;
    let rest = world.admin("ListPolicies", json!({ "NextToken": page["NextToken"] })).await.ok();
    let found: Vec<&str> = rest["PolicyList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["PolicyId"].as_str().unwrap())
        .collect();
    assert_eq!(found, [&ids[2], &ids[3], &late]);
}

#[tokio::test]
async fn a_deleted_policy_is_gone_at_once() {
    let world = World::new().await;
    let id = world.put_audit("one").await;
    let input = json!({ "PolicyId": id, "DeleteAllPolicyResources": true });
    let answer = world.admin("DeletePolicy", input.clone()).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    for operation in ["GetPolicy", "DeletePolicy", "ListComplianceStatus"] {
        let answer = world.admin(operation, json!({ "PolicyId": id })).await;
        answer.refuses("ResourceNotFoundException", &id);
    }
    assert_eq!(world.admin("ListPolicies", json!({})).await.ok(), json!({ "PolicyList": [] }));
}

#[tokio::test]
async fn a_put_policy_is_work_to_do() {
    let world = World::new().await;
    world.put_audit("one").await;
    let work = world.own("GET", "/palisade/v1/work", "").await.ok();
    assert_eq!(work["dirty"], 1, "one fan-out");
}

#[tokio::test]
async fn tags_of_an_update_are_added_and_never_removed() {
    let world = World::new().await;
    let put = |policy: Value, tags: Value| {
        world.admin("PutPolicy", json!({ "Policy": policy, "TagList": tags }))
    };
    let first =
        put(audit("one"), json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]))
            .await
            .ok();
    let tags = json!([{ "Key": "b", "Value": "3" }, { "Key": "c", "Value": "4" }]);
    put(first["Policy"].clone(), tags).await.ok();
    let listed =
        world.admin("ListTagsForResource", json!({ "ResourceArn": first["PolicyArn"] })).await.ok();
    assert_eq!(
        listed["TagList"],
        json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "3" }, { "Key": "c", "Value": "4" }])
    );
}

/// The real policies that are at hand: of every file, every object that is a policy in the form of
/// AWS's own automation, or of the API.
fn real_data_policies() -> Vec<(String, Value)> {
    let Some(folder) = palisade_testkit::outside_data("PALISADE_REAL_DATA", "real-data") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder.join("fms-policy")).unwrap() {
        let path = entry.unwrap().path();
        let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        policies_within(&path.display().to_string(), &file, &mut found);
    }
    assert!(!found.is_empty(), "no policy in {}", folder.display());
    found
}

fn policies_within(place: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    let Some(members) = value.as_object() else { return };
    if let Some(details) = value.get("policyDetails") {
        let mut policy = json!({
            "PolicyName": value["policyName"],
            "SecurityServicePolicyData": {
                "Type": details["type"],
                "ManagedServiceData": details.to_string(),
            },
            "ResourceType": value["resourceType"],
            "ResourceTypeList": value["resourceTypeList"],
            "ExcludeResourceTags": value.get("excludeResourceTags").unwrap_or(&json!(false)),
            "RemediationEnabled": value["remediationEnabled"],
        });
        // Null members are not sent by clients.
        policy.as_object_mut().unwrap().retain(|_, member| !member.is_null());
        found.push((place.to_owned(), policy));
    } else if value.get("SecurityServicePolicyData").is_some() {
        found.push((place.to_owned(), value.clone()));
    } else {
        for (name, member) in members {
            policies_within(&format!("{place} {name}"), member, found);
        }
    }
}

/// ManagedServiceData as infrastructure-as-code tools compare it: null and `[]` do not count.
fn without_empties(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(key, member)| (key, without_empties(member)))
            .filter(|(_, member)| !member.is_null() && *member != json!([]))
            .collect(),
        Value::Array(elements) => elements.into_iter().map(without_empties).collect(),
        other => other,
    }
}

/// What a tool compares of a policy.
fn compared(policy: &Value) -> Value {
    let mut policy = policy.clone();
    let data = &mut policy["SecurityServicePolicyData"]["ManagedServiceData"];
    if let Some(text) = data.as_str().filter(|text| !text.is_empty()) {
        *data = without_empties(serde_json::from_str(text).unwrap());
    }
    policy
}

#[tokio::test]
async fn real_data_policies_are_put_read_back_and_put_again_without_a_difference() {
    let world = World::new().await;
    let put = |policy: Value| world.call(ADMIN, HOME, "PutPolicy", json!({ "Policy": policy }));
    for (place, sent) in real_data_policies() {
        let first = put(sent.clone()).await.ok()["Policy"].clone();
        let (before, after) = (compared(&sent), compared(&first));
        for (member, value) in before.as_object().unwrap() {
            assert_eq!(after[member], *value, "{place}: {member}");
        }
        let added = ["PolicyId", "PolicyUpdateToken", "PolicyStatus"];
        for (member, value) in after.as_object().unwrap() {
            let expected = match member.as_str() {
                "ResourceTags" => *value == json!([]),
                "ResourceTagLogicalOperator" => value == "AND",
                other => added.contains(&other),
            };
            assert!(before.get(member).is_some() || expected, "{place}: {member} {value}");
        }
        let input = json!({ "PolicyId": first["PolicyId"] });
        let mut read = world.call(ADMIN, HOME, "GetPolicy", input).await.ok()["Policy"].clone();
        assert_eq!(read, first, "{place}");
        let again = put(read.clone()).await.ok()["Policy"].clone();
        assert_ne!(read["PolicyUpdateToken"], again["PolicyUpdateToken"], "{place}");
        read["PolicyUpdateToken"] = again["PolicyUpdateToken"].clone();
        assert_eq!(again, read, "{place}");
    }
}
