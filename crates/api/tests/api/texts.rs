//! Every text of AWS's own that is known, since clients match on them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::*;

/// Texts of AWS's own (semantics §8.2), as they are written there, the exception that carries them,
/// and the operations from which they are provoked here.
const TEXTS: &[(&str, &str, &[&str])] = &[
    (
        "No default admin could be found for account <id>",
        "AccessDeniedException",
        &[
            "ListPolicies",
            "ListMemberAccounts",
            "ListAppsLists",
            "ListProtocolsLists",
            "ListResourceSets",
            "GetNotificationChannel",
            "DisassociateAdminAccount",
        ],
    ),
    (
        "Account: <id> is not currently delegated by AWS FM.",
        "AccessDeniedException",
        &["PutPolicy", "DeletePolicy", "GetAdminAccount", "DisassociateAdminAccount"],
    ),
    (
        "Operation ListPolicies is only available to AWS Firewall Manager Administrators.",
        "AccessDeniedException",
        &["ListPolicies"],
    ),
    (
        "No default admin could be found for organization <org id>",
        "InvalidOperationException",
        &["ListAdminAccountsForOrganization"],
    ),
    (
        "The referenced item does not exist.",
        "ResourceNotFoundException",
        &["ListAdminsManagingAccount"],
    ),
    (
        "<acct> is not the management account of the Organization but trying to AssociateAdmin, Organization management account is <mgmt>",
        "InvalidOperationException",
        &["AssociateAdminAccount"],
    ),
    (
        "Your AWS Organization is currently offboarding with AWS Firewall Manager. Please submit onboard request after offboarded.",
        "InvalidOperationException",
        &["AssociateAdminAccount"],
    ),
    ("Operation is invalid.", "InvalidOperationException", &["AssociateAdminAccount"]),
    (
        "Failed to offboard AWS Account <id> as an AWS Firewall Manager administrator account. Your AWS Organization is currently onboarding with AWS Firewall Manager and cannot be offboarded.",
        "InvalidOperationException",
        &["DisassociateAdminAccount"],
    ),
    (
        "This operation is not supported in the '<region>' region.",
        "InvalidOperationException",
        &[
            "AssociateAdminAccount",
            "DisassociateAdminAccount",
            "GetAdminAccount",
            "GetAdminScope",
            "ListAdminAccountsForOrganization",
            "PutAdminAccount",
        ],
    ),
    (
        "You must specify an Resource Set ID in \"resourceSetIds\".",
        "InvalidInputException",
        &["PutPolicy"],
    ),
    (
        "Resource [\"AWS::CloudFront::Distribution\"] can not be in the CoralResourceTypeList, use CoralResourceType instead.",
        "InvalidInputException",
        &["PutPolicy"],
    ),
    (
        "Resource [\"AWS::CloudFront::Distribution\"] can not be used in region: us-west-2.",
        "InvalidInputException",
        &["PutPolicy"],
    ),
    ("Input ORG_UNIT map contains invalid IDs.", "InvalidInputException", &["PutPolicy"]),
    (
        "Unsupported Shield resource type AWS::CloudFront::Distribution",
        "InvalidInputException",
        &["PutPolicy"],
    ),
    (
        "AWSManagedRulesAntiDDoSRuleSet can't have null or empty ManagedRuleGroupConfigs.",
        "InvalidInputException",
        &["PutPolicy"],
    ),
    (
        "… at 'policy.securityServicePolicyData.managedServiceData' failed to satisfy constraint: M…",
        "InvalidInputException",
        &["PutPolicy"],
    ),
];

/// Texts of section 8.2 that Palisade does not say, and why.
const UNSAID: &[(&str, &str)] = &[
    (" in Region <region>", "a variant of the first text, which clients match without it"),
    (
        "Operation: PutPolicy is only available to Administration account in AWS Firewall Manager.",
        "the form of 2022; changes are refused with `is not currently delegated`",
    ),
    (
        "Firewall manager policy with the provided reference ID does not exist",
        "CloudFormation's handler says it",
    ),
];

/// Calls so that the text must be answered; also what stands in the places of its `<…>`.
async fn provoke(text: &str, operation: &str) -> (Answer, Vec<(&'static str, &'static str)>) {
    let policy = |kind: &str, data: Value, resource_type: &str| {
        json!({ "Policy": {
            "PolicyName": "p", "ResourceType": resource_type,
            "ExcludeResourceTags": false, "RemediationEnabled": false,
            "SecurityServicePolicyData": { "Type": kind, "ManagedServiceData": data.to_string() },
        } })
    };
    let cloudfront = "AWS::CloudFront::Distribution";
    let balancer = "AWS::ElasticLoadBalancingV2::LoadBalancer";
    let wafv2 = json!({ "type": "WAFV2", "preProcessRuleGroups": [],
        "postProcessRuleGroups": [], "defaultAction": { "type": "ALLOW" } });
    let input = match operation {
        "PutPolicy" => json!({ "Policy": audit("one") }),
        "DeletePolicy" => json!({ "PolicyId": "0".repeat(36) }),
        "AssociateAdminAccount" | "GetAdminScope" => json!({ "AdminAccount": ADMIN }),
        "PutAdminAccount" => json!({ "AdminAccount": ADMIN, "AdminScope": {} }),
        "ListAppsLists" | "ListProtocolsLists" => json!({ "MaxResults": 1 }),
        _ => json!({}),
    };
    let put = async |region: &str, policy: Value| {
        let world = World::new().await;
        (world.call(ADMIN, region, "PutPolicy", policy).await, Vec::new())
    };
    let start = text.split(['<', '\'']).next().unwrap();
    match start {
        "No default admin could be found for account " => {
            let world = World::organized().await;
            (world.call(MEMBER, HOME, operation, input).await, vec![("<id>", MEMBER)])
        }
        "Account: "
        | "Operation ListPolicies is only available to AWS Firewall Manager Administrators." => {
            let world = World::new().await;
            (world.call(MEMBER, HOME, operation, input).await, vec![("<id>", MEMBER)])
        }
        "No default admin could be found for organization " => {
            let world = World::organized().await;
            let answer = world.call(MANAGEMENT, HOME, operation, input).await;
            (answer, vec![("<org id>", "o-palisade01")])
        }
        "The referenced item does not exist." => {
            let world = World::organized().await;
            (world.call(MEMBER, HOME, operation, input).await, Vec::new())
        }
        "" if operation == "AssociateAdminAccount" => {
            let world = World::organized().await;
            let answer = world.call(MEMBER, HOME, operation, input).await;
            (answer, vec![("<acct>", MEMBER), ("<mgmt>", MANAGEMENT)])
        }
        "Your AWS Organization is currently offboarding with AWS Firewall Manager. Please submit onboard request after offboarded." =>
        {
            let world = World::settled(|settings| settings.onboarding_ms = 5_000).await;
            world.clock.advance(5_000);
            world.call(ADMIN, HOME, "DisassociateAdminAccount", json!({})).await.ok();
            (world.call(MANAGEMENT, HOME, operation, input).await, Vec::new())
        }
        "Operation is invalid." => {
            let world = World::new().await;
            world.clock.advance(60_000);
            (world.call(MANAGEMENT, HOME, operation, input).await, Vec::new())
        }
        "Failed to offboard AWS Account " => {
            let world = World::settled(|settings| settings.onboarding_ms = 5_000).await;
            (world.call(ADMIN, HOME, operation, input).await, vec![("<id>", ADMIN)])
        }
        "This operation is not supported in the " => {
            let world = World::new().await;
            let answer = world.call(MANAGEMENT, "ap-south-1", operation, input).await;
            (answer, vec![("<region>", "ap-south-1")])
        }
        "You must specify an Resource Set ID in \"resourceSetIds\"." => {
            let data = json!({ "type": "IMPORT_NETWORK_FIREWALL" });
            put(HOME, policy("IMPORT_NETWORK_FIREWALL", data, "AWS::NetworkFirewall::Firewall"))
                .await
        }
        "Resource [\"AWS::CloudFront::Distribution\"] can not be in the CoralResourceTypeList, use CoralResourceType instead." =>
        {
            let mut listed = policy("WAFV2", wafv2, "ResourceTypeList");
            listed["Policy"]["ResourceTypeList"] = json!([cloudfront]);
            put(HOME, listed).await
        }
        "Resource [\"AWS::CloudFront::Distribution\"] can not be used in region: us-west-2." => {
            put("us-west-2", policy("WAFV2", wafv2, cloudfront)).await
        }
        "Input ORG_UNIT map contains invalid IDs." => {
            let mut rooted = json!({ "Policy": audit("one") });
            rooted["Policy"]["IncludeMap"] = json!({ "ORG_UNIT": ["r-abcd"] });
            put(HOME, rooted).await
        }
        "Unsupported Shield resource type AWS::CloudFront::Distribution" => {
            let data = json!({ "type": "SHIELD_ADVANCED" });
            let mut listed = policy("SHIELD_ADVANCED", data, "ResourceTypeList");
            listed["Policy"]["ResourceTypeList"] = json!([cloudfront]);
            put("us-west-2", listed).await
        }
        "AWSManagedRulesAntiDDoSRuleSet can" => {
            let mut data = wafv2;
            data["preProcessRuleGroups"] = json!([{
                "ruleGroupType": "ManagedRuleGroup", "overrideAction": { "type": "NONE" },
                "managedRuleGroupIdentifier": {
                    "vendorName": "AWS", "managedRuleGroupName": "AWSManagedRulesAntiDDoSRuleSet" },
            }]);
            put(HOME, policy("WAFV2", data, balancer)).await
        }
        "… at " => {
            let mut broken = policy("WAFV2", wafv2, balancer);
            let data = &mut broken["Policy"]["SecurityServicePolicyData"]["ManagedServiceData"];
            *data = json!("{\"type\":\n\"WAFV2\"}");
            put(HOME, broken).await
        }
        other => panic!("nothing provokes `{other}`"),
    }
}

#[tokio::test]
async fn every_text_that_clients_match_is_said_word_for_word() {
    for (text, kind, operations) in TEXTS {
        for operation in *operations {
            let (answer, places) = provoke(text, operation).await;
            let mut expected = (*text).to_owned();
            for (place, known) in places {
                expected = expected.replace(place, known);
            }
            let expected = expected.trim_matches('…').to_owned();
            let (found, message) = answer.fault();
            assert_eq!(found, *kind, "{operation}: {message}");
            assert_eq!(answer.status, 400, "{operation}: {message}");
            // What else is said comes after it, in a sentence of its own.
            let said = message.starts_with(&expected) || text.starts_with('…');
            assert!(said && message.contains(&expected), "{operation}: {message}");
        }
    }
}

/// The texts in the table of section 8.2: what stands in code marks in its third column, the names
/// of sources apart.
fn texts_of_the_semantics(text: &str) -> BTreeSet<&str> {
    let (_, section) = text.split_once("\n## 8.2 ").unwrap();
    let rows = section.lines().skip(1).take_while(|line| !line.starts_with('#'));
    rows.filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .filter_map(|line| line.split(" | ").nth(2))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .filter(|code| !code.starts_with("TF#") && !code.starts_with("ISS:"))
        .collect()
}

#[test]
fn no_known_text_is_left_out() {
    let text = include_str!("../../../../docs/semantics.md");
    let written = texts_of_the_semantics(text)
        .into_iter()
        // Operations in which a text was seen are told in code marks as well.
        .filter(|code| code.contains(' '));
    let known: BTreeSet<&str> =
        TEXTS.iter().map(|(text, ..)| *text).chain(UNSAID.iter().map(|(text, _)| *text)).collect();
    assert_eq!(written.collect::<BTreeSet<_>>(), known);
}
